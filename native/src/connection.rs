//! One connection: the task that owns it, and what JavaScript may know of it without waiting for quinn's lock.
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quinn::{Connection, ConnectionError, RecvStream, SendStream, VarInt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::events::{CLOSED, CONNECTED, Event, Events, REFUSED, STREAM, lock};
use crate::kept::Kept;
use crate::stream::{Stream, now};
use crate::ticket::Ticket;

pub const CONTROL: u32 = 0;
/// Bytes between two looks at how much may be under way.
const TUNE_BYTES: usize = 64 * 1024;
/// What was written last has its time to leave before the end is told: this, and round trips in which a full congestion
/// window opens. quinn does not say what has left, and drops the rest with the connection.
const LAST_WORDS: Duration = Duration::from_millis(10);
const LAST_ROUND_TRIPS: u32 = 2;
const MAX_LAST_ROUND_TRIPS: Duration = Duration::from_secs(1);
/// How long the control stream may take to be read after the connection has ended.
const LAST_READ: Duration = Duration::from_millis(200);

/// How a connection ended, as native/binding.ts has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum How {
    PeerApplication = 0,
    PeerTransport = 1,
    Local = 2,
    TimedOut = 3,
    Other = 4,
    Failed = 5,
}

pub enum Command {
    Open(u32),
    Close { code: u32, in_order: bool },
    Observe,
}

#[derive(Clone, Copy)]
pub struct Figures {
    pub remote: SocketAddr,
    pub rtt: Duration,
    pub cwnd: u64,
    pub sent: u64,
    pub lost: u64,
}

/// The half that JavaScript's thread may touch. It never waits for quinn, and never drops what is quinn's.
pub struct Link {
    pub id: u32,
    events: Arc<Events>,
    commands: UnboundedSender<Command>,
    streams: Mutex<HashMap<u32, Arc<Stream>>>,
    figures: Mutex<Figures>,
    pub certificate: Mutex<Option<Vec<u8>>>,
    pub ticket: Option<Ticket>,
}

/// The half of the tasks.
pub struct Wire {
    pub link: Arc<Link>,
    connection: Kept<Connection>,
    since_tuned: AtomicUsize,
}

impl Link {
    pub fn new(
        id: u32,
        events: Arc<Events>,
        connection: &Connection,
        ticket: Option<Ticket>,
    ) -> (Arc<Self>, UnboundedReceiver<Command>) {
        let (commands, orders) = unbounded_channel();
        let certificate = connection
            .peer_identity()
            .and_then(|any| any.downcast::<Vec<rustls::pki_types::CertificateDer<'static>>>().ok())
            .and_then(|chain| chain.first().map(|leaf| leaf.to_vec()));
        let figures = Mutex::new(figures(connection));
        let link = Self {
            id,
            events,
            commands,
            streams: Mutex::default(),
            figures,
            certificate: Mutex::new(certificate),
            ticket,
        };
        (Arc::new(link), orders)
    }

    pub fn emit(&self, kind: u32, stream: u32, one: u32, other: u32) {
        let event: Event = [kind, self.id, stream, one, other];
        self.events.emit(event);
    }

    pub fn stream(&self, id: u32) -> Option<Arc<Stream>> {
        lock(&self.streams).get(&id).cloned()
    }

    /// JavaScript is done with the stream: what was written still leaves, and what comes is dropped.
    pub fn release(&self, id: u32) {
        if let Some(stream) = lock(&self.streams).remove(&id) {
            stream.discard();
        }
    }

    pub fn order(&self, command: Command) {
        if let Command::Open(id) = command {
            lock(&self.streams).insert(id, Arc::new(Stream::new(id, 0)));
        }
        // One that is over needs no orders.
        let _ = self.commands.send(command);
    }

    pub fn figures(&self) -> Figures {
        *lock(&self.figures)
    }
}

impl Wire {
    pub fn new(link: Arc<Link>, connection: Connection) -> Arc<Self> {
        Arc::new(Self { link, connection: Kept::new(connection), since_tuned: AtomicUsize::new(0) })
    }

    /// A client that moves says so on the control stream at the latest.
    pub fn observe(&self, stream: u32) {
        if stream == CONTROL {
            *lock(&self.link.figures) = figures(&self.connection);
        }
    }

    /// Lets quinn hold as much as may soon leave, so that a given-up download is over within a few round trips.
    pub fn wrote(&self, bytes: usize) {
        if self.since_tuned.fetch_add(bytes, Ordering::Relaxed) + bytes < TUNE_BYTES {
            return;
        }
        self.since_tuned.store(0, Ordering::Relaxed);
        let figures = figures(&self.connection);
        self.connection.set_send_window((2 * figures.cwnd).clamp(256 * 1024, 16 * 1024 * 1024));
        *lock(&self.link.figures) = figures;
    }

    fn adopt(self: &Arc<Self>, stream: Arc<Stream>, send: SendStream, recv: RecvStream) {
        if stream.id == CONTROL {
            // Control messages leave before visitors' bytes. It fails on a stream that is over.
            let _ = send.set_priority(1);
        }
        let (wire, out) = (self.clone(), stream.clone());
        tokio::spawn(async move { out.write_out(send, &wire).await });
        let wire = self.clone();
        tokio::spawn(async move { stream.read_in(recv, &wire).await });
    }

    /// The stream gets the number that JavaScript expects, or there is something wrong with the order of things.
    async fn open(self: &Arc<Self>, id: u32) -> Result<(), How> {
        let stream = self.link.stream(id).unwrap_or_else(|| {
            // Released before it was opened; its number is used up all the same.
            let stream = Stream::new(id, 0);
            stream.discard();
            stream.finish(true);
            Arc::new(stream)
        });
        match now(self.connection.open_bi()).await {
            Some(Ok((send, recv))) if number(&recv) == id => {
                self.adopt(stream, send, recv);
                Ok(())
            }
            Some(Ok(_)) => Err(How::Failed),
            Some(Err(_)) => Ok(()),
            None => {
                lock(&self.link.streams).remove(&id);
                stream.break_off(&self.link);
                self.link.emit(REFUSED, id, 0, 0);
                Ok(())
            }
        }
    }

    fn accept(self: &Arc<Self>, send: SendStream, recv: RecvStream) {
        let id = number(&recv);
        let known = self.link.stream(id);
        let stream = known.clone().unwrap_or_else(|| Arc::new(Stream::new(id, 0)));
        if known.is_none() {
            lock(&self.link.streams).insert(id, stream.clone());
            self.link.emit(STREAM, id, 0, 0);
        }
        self.adopt(stream, send, recv);
    }

    async fn close(&self, code: u32, in_order: bool) {
        if in_order && let Some(control) = self.link.stream(CONTROL) {
            let _ = timeout(Duration::from_secs(2), async {
                while !control.is_flushed() {
                    sleep(Duration::from_millis(2)).await;
                }
            })
            .await;
            let round_trips = LAST_ROUND_TRIPS * self.connection.rtt();
            sleep(LAST_WORDS + round_trips.min(MAX_LAST_ROUND_TRIPS)).await;
        }
        self.connection.close(VarInt::from_u32(code), b"");
    }

    /// Until the connection is over. Its end is told in any case: a panic in here ends this link and no other.
    pub async fn serve(self: Arc<Self>, orders: UnboundedReceiver<Command>, alarm: watch::Receiver<u32>) {
        let mut end = End { link: self.link.clone(), how: How::Failed, code: 0 };
        self.run(orders, alarm, &mut end).await;
    }

    async fn run(
        self: &Arc<Self>,
        mut orders: UnboundedReceiver<Command>,
        mut alarm: watch::Receiver<u32>,
        end: &mut End,
    ) {
        let is_client = self.connection.side() == quinn::Side::Client;
        // The client's first byte makes the control stream exist for the relay, too.
        let control = Arc::new(Stream::new(CONTROL, usize::from(!is_client)));
        if is_client {
            control.write(&[0]);
        }
        lock(&self.link.streams).insert(CONTROL, control);
        if is_client && let Err(how) = self.open(CONTROL).await {
            end.how = how;
            return;
        }
        self.link.emit(CONNECTED, 0, 0, 0);
        let error = loop {
            tokio::select! {
                accepted = self.connection.accept_bi() => match accepted {
                    Ok((send, recv)) => self.accept(send, recv),
                    Err(error) => break error,
                },
                command = orders.recv() => match command {
                    Some(Command::Open(id)) => if let Err(how) = self.open(id).await {
                        end.how = how;
                        return self.connection.close(VarInt::from_u32(0), b"");
                    },
                    Some(Command::Close { code, in_order }) => self.close(code, in_order).await,
                    Some(Command::Observe) => self.observe(CONTROL),
                    None => {}
                },
                // Another task has panicked. If it was this connection's, its lock is spoilt, and this panics, too.
                _ = alarm.changed() => if let Some(error) = self.connection.close_reason() { break error },
            }
        };
        // What has arrived before the end is read first: the tasks of the streams see the same end.
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        if let Some(control) = self.link.stream(CONTROL) {
            let _ = timeout(LAST_READ, async {
                while !control.is_read() {
                    sleep(Duration::from_millis(1)).await;
                }
            })
            .await;
        }
        (end.how, end.code) = how(&error);
    }
}

struct End {
    link: Arc<Link>,
    how: How,
    code: u32,
}

impl Drop for End {
    fn drop(&mut self) {
        for stream in lock(&self.link.streams).values() {
            stream.break_off(&self.link);
        }
        self.link.emit(CLOSED, 0, self.how as u32, self.code);
    }
}

fn number(stream: &RecvStream) -> u32 {
    u32::try_from(VarInt::from(stream.id()).into_inner()).unwrap_or(u32::MAX)
}

fn figures(connection: &Connection) -> Figures {
    let path = connection.stats().path;
    Figures {
        remote: connection.remote_address(),
        rtt: path.rtt,
        cwnd: path.cwnd,
        sent: path.sent_packets,
        lost: path.lost_packets,
    }
}

pub fn how(error: &ConnectionError) -> (How, u32) {
    let code = |code: u64| u32::try_from(code).unwrap_or(u32::MAX);
    match error {
        ConnectionError::ApplicationClosed(close) => (How::PeerApplication, code(close.error_code.into_inner())),
        ConnectionError::ConnectionClosed(close) => (How::PeerTransport, code(close.error_code.into())),
        ConnectionError::TransportError(error) => (How::Local, code(error.code.into())),
        ConnectionError::TimedOut => (How::TimedOut, 0),
        _ => (How::Other, 0),
    }
}
