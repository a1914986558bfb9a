//! The socket as quinn sees it: only datagrams that quinn may see come through. At the relay these are those to a
//! connection id of ours, which carries a seal, and the first ones of clients that hold a ticket; nothing is kept of
//! anybody for them. At the client they are the relay's.
use std::collections::HashMap;
use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, ConnectionId, ConnectionIdGenerator, UdpPoller};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use crate::events::lock;
use crate::ticket::{Bucket, DROP_REASONS, Drop, TICKET_BYTES, Ticket, Tickets, now_ms};

pub const ID_BYTES: usize = 20;
const SEAL_AT: usize = 12;
const MIN_INITIAL: usize = 1_200;
const MAX_WAITING: usize = 4_096;

/// Makes connection ids that can be told from others without a table: 12 random bytes and a seal.
#[derive(Clone)]
pub struct Seal(hmac::Key);

impl Seal {
    pub fn new() -> Self {
        let mut secret = [0; 32];
        fill(&mut secret);
        Self(hmac::Key::new(hmac::HMAC_SHA256, &secret))
    }

    fn make(&self) -> [u8; ID_BYTES] {
        let mut id = [0; ID_BYTES];
        fill(&mut id[..SEAL_AT]);
        let tag = hmac::sign(&self.0, &id[..SEAL_AT]);
        id[SEAL_AT..].copy_from_slice(&tag.as_ref()[..ID_BYTES - SEAL_AT]);
        id
    }

    pub fn is_on(&self, id: &[u8]) -> bool {
        id.len() == ID_BYTES && {
            let tag = hmac::sign(&self.0, &id[..SEAL_AT]);
            tag.as_ref()[..ID_BYTES - SEAL_AT] == id[SEAL_AT..]
        }
    }
}

/// The system's random numbers. Without them there are no keys at all.
fn fill(bytes: &mut [u8]) {
    SystemRandom::new().fill(bytes).expect("the system has random numbers");
}

/// `first`: the id to begin with, which is the client's ticket.
pub struct Ids {
    pub seal: Seal,
    pub first: Option<Ticket>,
}

impl ConnectionIdGenerator for Ids {
    fn generate_cid(&mut self) -> ConnectionId {
        let id = self.first.take().unwrap_or_else(|| self.seal.make());
        ConnectionId::new(&id)
    }
    fn cid_len(&self) -> usize {
        ID_BYTES
    }
    fn cid_lifetime(&self) -> Option<std::time::Duration> {
        None
    }
}

/// What the relay decides about strangers.
pub struct Door {
    pub seal: Seal,
    state: Mutex<State>,
    pub answered: AtomicU64,
    dropped: [AtomicU64; DROP_REASONS],
}

struct State {
    tickets: Tickets,
    looks: Bucket,
    answers: Bucket,
    last_id: [u8; ID_BYTES],
    /// The tickets of those who come back from a Retry, until their handshake begins.
    waiting: HashMap<SocketAddr, Ticket>,
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Pass,
    Negotiate(Vec<u8>),
    Refuse(Drop),
}

impl Door {
    pub fn new() -> Self {
        let state = State {
            tickets: Tickets::default(),
            // As in the TypeScript of the other engine: enough for a relay's restart, too few for anything else.
            looks: Bucket::new(4_000, 200),
            answers: Bucket::new(2_000, 100),
            last_id: [0; ID_BYTES],
            waiting: HashMap::new(),
        };
        Self {
            seal: Seal::new(),
            state: Mutex::new(state),
            answered: AtomicU64::new(0),
            dropped: [const { AtomicU64::new(0) }; DROP_REASONS],
        }
    }

    pub fn set_keys(&self, keys: Option<Vec<crate::ticket::Key>>) {
        lock(&self.state).tickets.set_keys(keys);
    }

    pub fn count(&self, reason: Drop) {
        self.dropped[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub fn drops(&self) -> [u64; DROP_REASONS] {
        std::array::from_fn(|at| self.dropped[at].load(Ordering::Relaxed))
    }

    /// Whether one more datagram may be answered.
    pub fn may_answer(&self) -> bool {
        let may = lock(&self.state).answers.take();
        if may {
            self.answered.fetch_add(1, Ordering::Relaxed);
        } else {
            self.count(Drop::Rate);
        }
        may
    }

    /// The ticket of a client that has come back from a Retry, which is used up by this.
    pub fn admit(&self, from: SocketAddr) -> Option<Ticket> {
        let mut state = lock(&self.state);
        let ticket = state.waiting.remove(&from)?;
        if state.tickets.spend(&ticket, now_ms()) {
            return Some(ticket);
        }
        self.count(Drop::TicketUsed);
        None
    }

    #[cfg(test)]
    pub fn passes(&self, datagram: &[u8], from: SocketAddr) -> bool {
        self.judge(datagram, from) == Verdict::Pass
    }

    fn judge(&self, datagram: &[u8], from: SocketAddr) -> Verdict {
        let mut state = lock(&self.state);
        let state = &mut *state;
        if from.port() == 0 {
            return Verdict::Refuse(Drop::Port0);
        }
        let Some(&first) = datagram.first() else { return Verdict::Refuse(Drop::Malformed) };
        if first & 0x80 == 0 {
            let id = datagram.get(1..=ID_BYTES);
            return match id {
                // A burst is for one connection; the seal is looked at once for all of it.
                Some(id) if id == state.last_id => Verdict::Pass,
                Some(id) if self.seal.is_on(id) => {
                    state.last_id.copy_from_slice(id);
                    Verdict::Pass
                }
                _ => Verdict::Refuse(Drop::NoConnection),
            };
        }
        let Some(header) = LongHeader::read(datagram) else { return Verdict::Refuse(Drop::Malformed) };
        if header.version != 1 {
            // Version 0 is an answer; answering it would never end.
            return match header.version {
                0 => Verdict::Refuse(Drop::NoConnection),
                _ if datagram.len() < MIN_INITIAL => Verdict::Refuse(Drop::ShortInitial),
                _ => Verdict::Negotiate(header.negotiation()),
            };
        }
        let is_ours = self.seal.is_on(header.destination);
        if first & 0x40 == 0 || first & 0x30 != 0 {
            return if is_ours { Verdict::Pass } else { Verdict::Refuse(Drop::NoConnection) };
        }
        if datagram.len() < MIN_INITIAL {
            return Verdict::Refuse(Drop::ShortInitial);
        }
        let (ids, len) = (8..=20, header.source.len());
        if !ids.contains(&header.destination.len()) || len > 20 {
            return Verdict::Refuse(Drop::Malformed);
        }
        if let Some(fault) = state.tickets.refuses(header.source, from, now_ms(), is_ours, &mut state.looks) {
            return Verdict::Refuse(fault);
        }
        let Some(has_token) = header.has_token(datagram) else { return Verdict::Refuse(Drop::Malformed) };
        match (has_token, is_ours) {
            (true, false) => return Verdict::Refuse(Drop::BadToken),
            (true, true) => {
                if state.waiting.len() >= MAX_WAITING {
                    state.waiting.clear();
                }
                let mut ticket = [0; TICKET_BYTES];
                ticket[..len].copy_from_slice(header.source);
                state.waiting.insert(from, ticket);
            }
            (false, _) => {}
        }
        Verdict::Pass
    }
}

/// What can be read of a packet before any key is known: RFC 8999, and RFC 9000 section 17.2.
struct LongHeader<'a> {
    version: u32,
    destination: &'a [u8],
    source: &'a [u8],
}

impl<'a> LongHeader<'a> {
    fn read(datagram: &'a [u8]) -> Option<Self> {
        let version = u32::from_be_bytes(datagram.get(1..5)?.try_into().ok()?);
        let id = |at: usize| datagram.get(at + 1..at + 1 + usize::from(*datagram.get(at)?));
        let destination = id(5)?;
        let source = id(6 + destination.len())?;
        Some(Self { version, destination, source })
    }

    /// Nothing when it is cut off.
    fn has_token(&self, datagram: &[u8]) -> Option<bool> {
        let first = *datagram.get(7 + self.destination.len() + self.source.len())?;
        Some(first != 0)
    }

    /// "I speak version 1": RFC 9000 section 17.2.1.
    fn negotiation(&self) -> Vec<u8> {
        let mut packet = vec![0xc0, 0, 0, 0, 0];
        for id in [self.source, self.destination] {
            packet.push(u8::try_from(id.len()).unwrap_or(u8::MAX));
            packet.extend_from_slice(id);
        }
        packet.extend_from_slice(&[0, 0, 0, 1]);
        packet
    }
}

/// Who may be heard.
pub enum Guard {
    Door(Arc<Door>),
    Only(SocketAddr),
}

pub struct GuardedSocket {
    pub inner: Arc<dyn AsyncUdpSocket>,
    pub guard: Guard,
    pub failures: Arc<AtomicU64>,
}

impl fmt::Debug for GuardedSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl GuardedSocket {
    fn may_pass(&self, datagram: &[u8], from: SocketAddr) -> bool {
        let door = match &self.guard {
            Guard::Only(relay) => return canonical(from) == canonical(*relay),
            Guard::Door(door) => door,
        };
        match door.judge(datagram, from) {
            Verdict::Pass => true,
            Verdict::Refuse(reason) => {
                door.count(reason);
                false
            }
            Verdict::Negotiate(packet) => {
                if door.may_answer() {
                    let (destination, contents) = (from, packet.as_slice());
                    let answer = Transmit { destination, ecn: None, contents, segment_size: None, src_ip: None };
                    // One that can't leave is a lost one.
                    let _ = self.inner.try_send(&answer);
                }
                false
            }
        }
    }

    /// Moves the datagrams that may pass to the front, and answers how many bytes they are. All but the last are equally long.
    fn sift(&self, bytes: &mut [u8], meta: &RecvMeta) -> usize {
        let stride = meta.stride.max(1);
        let mut kept = 0;
        for start in (0..meta.len).step_by(stride) {
            let end = (start + stride).min(meta.len);
            if self.may_pass(&bytes[start..end], meta.addr) {
                if kept != start {
                    bytes.copy_within(start..end, kept);
                }
                kept += end - start;
            }
        }
        kept
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

impl AsyncUdpSocket for GuardedSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        self.inner.clone().create_io_poller()
    }

    /// QUIC repeats what got lost: nothing but "not now" ends a connection.
    fn try_send(&self, transmit: &Transmit) -> io::Result<()> {
        match self.inner.try_send(transmit) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            result => result,
        }
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let count = match ready!(self.inner.poll_recv(context, buffers, meta)) {
            Ok(count) => count,
            Err(_) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                // The one error after which quinn asks again.
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
        };
        for (buffer, meta) in buffers.iter_mut().zip(meta.iter_mut()).take(count) {
            meta.len = self.sift(buffer, meta);
        }
        Poll::Ready(Ok(count))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
    fn max_transmit_segments(&self) -> usize {
        self.inner.max_transmit_segments()
    }
    fn max_receive_segments(&self) -> usize {
        self.inner.max_receive_segments()
    }
    fn may_fragment(&self) -> bool {
        self.inner.may_fragment()
    }
}
