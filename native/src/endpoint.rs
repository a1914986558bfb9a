//! A UDP socket with its connections: one for a dial, one for a relay's port.
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use quinn::congestion::{BbrConfig, ControllerFactory, CubicConfig};
use quinn::crypto::rustls::{HandshakeData, QuicClientConfig, QuicServerConfig};
use quinn::{Connection, EndpointConfig, Runtime as _, TransportConfig, VarInt};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::connection::{How, Link, Wire, how};
use crate::events::{CLOSED, ENDPOINT_CLOSED, Events, lock};
use crate::gate::{Door, Guard, GuardedSocket, Ids, Seal};
use crate::kept::{Kept, Runtime};
use crate::ticket::{Drop as Reason, Ticket};
use crate::tls::Problem;

/// What both sides choose.
pub struct Settings {
    pub alpn: String,
    pub congestion: Arc<dyn ControllerFactory + Send + Sync>,
    pub packet_bytes: u16,
    pub idle_timeout: Duration,
    pub handshake_timeout: Duration,
    /// What a peer may send on a stream, and on all of a link, before it is read.
    pub stream_window: u32,
    pub link_window: u32,
    /// Streams that the peer may have open at once. quinn keeps a place for each.
    pub peer_streams: u32,
}

const KERNEL_BUFFER: usize = 4 * 1024 * 1024;
/// After its last connection a socket stays a moment, so that the end reaches the peers.
const LAST_MOMENT: Duration = Duration::from_millis(250);

/// One thread for all of the process: UDP, TLS, timers and congestion control.
static THREAD: LazyLock<std::io::Result<Handle>> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    std::thread::Builder::new().name("quic".into()).spawn(move || runtime.block_on(std::future::pending::<()>()))?;
    Ok(handle)
});

pub struct Endpoint {
    pub events: Arc<Events>,
    pub local: SocketAddr,
    pub door: Option<Arc<Door>>,
    pub failures: Arc<AtomicU64>,
    pub handshakes: AtomicU32,
    pub accepted: AtomicU64,
    links: Mutex<HashMap<u32, Arc<Link>>>,
    next: AtomicU32,
    settings: Settings,
    stop: watch::Sender<bool>,
    server: Mutex<Option<quinn::ServerConfig>>,
}

/// `bbr`, or `cubic`, which is slow where packets get lost.
pub fn congestion(name: &str) -> Arc<dyn ControllerFactory + Send + Sync> {
    if name == "bbr" { Arc::new(BbrConfig::default()) } else { Arc::new(CubicConfig::default()) }
}

/// What a relay's endpoint has to obey.
#[derive(Clone, Copy)]
pub struct Bounds {
    pub handshakes: u32,
    pub handshakes_per_address: u32,
}

fn transport(settings: &Settings) -> Result<Arc<TransportConfig>, Problem> {
    let mut config = TransportConfig::default();
    config.initial_mtu(settings.packet_bytes).min_mtu(1_200.min(settings.packet_bytes)).mtu_discovery_config(None);
    config.max_concurrent_bidi_streams(settings.peer_streams.into()).max_concurrent_uni_streams(VarInt::from_u32(0));
    config.stream_receive_window(settings.stream_window.into()).receive_window(settings.link_window.into());
    config.send_window(1024 * 1024).datagram_receive_buffer_size(None);
    config.max_idle_timeout(Some(settings.idle_timeout.try_into()?));
    config.congestion_controller_factory(settings.congestion.clone());
    Ok(Arc::new(config))
}

pub fn server_config(settings: &Settings, tls: rustls::ServerConfig) -> Result<quinn::ServerConfig, Problem> {
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
    config.transport_config(transport(settings)?).retry_token_lifetime(Duration::from_secs(10));
    config.validation_token.sent(0);
    config.max_incoming(1_024).incoming_buffer_size(64 * 1024).incoming_buffer_size_total(4 * 1024 * 1024);
    Ok(config)
}

fn open_socket(address: SocketAddr) -> std::io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        // Takes IPv4 as well, where the system can.
        let _ = socket.set_only_v6(false);
    }
    // The system gives as much as it allows.
    let _ = socket.set_recv_buffer_size(KERNEL_BUFFER);
    let _ = socket.set_send_buffer_size(KERNEL_BUFFER);
    socket.bind(&address.into())?;
    Ok(socket.into())
}

struct Opened {
    endpoint: quinn::Endpoint,
    alarm: watch::Receiver<u32>,
    stop: watch::Receiver<bool>,
}

impl Endpoint {
    fn open(
        events: Events,
        settings: Settings,
        address: SocketAddr,
        role: Role,
    ) -> Result<(Arc<Self>, Opened, Handle), Problem> {
        let handle = THREAD.as_ref().map_err(|error| error.kind().to_string())?.clone();
        let _entered = handle.enter();
        let (alarm, on_alarm) = watch::channel(0);
        let (stop, on_stop) = watch::channel(false);
        let runtime = Arc::new(Runtime { alarm });
        let failures = Arc::new(AtomicU64::new(0));
        let (seal, first, guard, door, server) = match role {
            Role::Client { ticket, remote } => (Seal::new(), Some(ticket), Guard::Only(remote), None, None),
            Role::Relay(server) => {
                let door = Arc::new(Door::new());
                (door.seal.clone(), None, Guard::Door(door.clone()), Some(door), Some(*server))
            }
        };
        let inner = runtime.wrap_udp_socket(open_socket(address)?)?;
        let local = inner.local_addr()?;
        let socket = Arc::new(GuardedSocket { inner, guard, failures: failures.clone() });
        let mut config = EndpointConfig::default();
        let first = Mutex::new(first);
        config.cid_generator(move || Box::new(Ids { seal: seal.clone(), first: lock(&first).take() }));
        let endpoint = quinn::Endpoint::new_with_abstract_socket(config, server.clone(), socket, runtime)?;
        let this = Arc::new(Self {
            events: Arc::new(events),
            local,
            door,
            failures,
            handshakes: AtomicU32::new(0),
            accepted: AtomicU64::new(0),
            links: Mutex::default(),
            next: AtomicU32::new(1),
            settings,
            stop,
            server: Mutex::new(server),
        });
        Ok((this, Opened { endpoint, alarm: on_alarm, stop: on_stop }, handle))
    }

    /// CONNECTED or CLOSED follows, for link 1.
    pub fn dial(
        events: Events,
        settings: Settings,
        tls: rustls::ClientConfig,
        remote: SocketAddr,
        name: String,
        ticket: Ticket,
    ) -> Result<Arc<Self>, Problem> {
        let mut config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
        config.transport_config(transport(&settings)?);
        // Not connected to the relay's address: the system picks the way of each packet, and the link outlives a change of network.
        let any: IpAddr = if remote.is_ipv4() { [0, 0, 0, 0].into() } else { [0_u16; 8].into() };
        let role = Role::Client { ticket, remote };
        let (this, opened, handle) = Self::open(events, settings, SocketAddr::new(any, 0), role)?;
        let id = this.next.fetch_add(1, Ordering::Relaxed);
        let endpoint = this.clone();
        handle.spawn(async move {
            let ended = Ended(endpoint.clone());
            let (alarm, mut stop) = (opened.alarm.clone(), opened.stop.clone());
            let life = async {
                let connected = match opened.endpoint.connect_with(config, remote, &name) {
                    Ok(connecting) => connecting.await.map_err(|error| how(&error)),
                    Err(_) => Err((How::Failed, 0)),
                };
                match connected {
                    Ok(connection) => endpoint.clone().run(id, connection, None, alarm).await,
                    Err((how, code)) => endpoint.events.emit([CLOSED, id, 0, how as u32, code]),
                }
            };
            tokio::select! {
                () = life => {}
                _ = stop.changed() => {}
            }
            opened.shut().await;
            drop(ended);
        });
        Ok(this)
    }

    pub fn listen(
        events: Events,
        settings: Settings,
        tls: rustls::ServerConfig,
        address: SocketAddr,
        bounds: Bounds,
    ) -> Result<Arc<Self>, Problem> {
        let server = server_config(&settings, tls)?;
        let (this, opened, handle) = Self::open(events, settings, address, Role::Relay(Box::new(server)))?;
        let endpoint = this.clone();
        handle.spawn(async move {
            let ended = Ended(endpoint.clone());
            endpoint.accept_all(opened, bounds).await;
            drop(ended);
        });
        Ok(this)
    }

    async fn accept_all(self: &Arc<Self>, mut opened: Opened, bounds: Bounds) {
        let addresses = Arc::new(Mutex::new(HashMap::<IpAddr, u32>::new()));
        loop {
            let incoming = tokio::select! {
                incoming = opened.endpoint.accept() => incoming,
                _ = opened.stop.changed() => None,
                _ = opened.alarm.changed() => {
                    // If it was the endpoint's own task that has panicked, its lock is spoilt, and this panics, too.
                    let _ = opened.endpoint.local_addr();
                    continue;
                }
            };
            let Some(incoming) = incoming else { break };
            let Some(door) = &self.door else { break };
            let from = incoming.remote_address();
            let of_address = lock(&addresses).get(&from.ip()).copied().unwrap_or(0);
            if self.handshakes.load(Ordering::Relaxed) >= bounds.handshakes
                || of_address >= bounds.handshakes_per_address
            {
                door.count(Reason::Handshakes);
                incoming.ignore();
                continue;
            }
            if !incoming.remote_address_validated() {
                if door.may_answer() {
                    // The error is one of a client that has been sent one before.
                    let _ = incoming.retry();
                } else {
                    incoming.ignore();
                }
                continue;
            }
            let Some(ticket) = door.admit(from) else {
                incoming.ignore();
                continue;
            };
            let Some(server) = lock(&self.server).clone() else { break };
            let Ok(connecting) = incoming.accept_with(Arc::new(server)) else { continue };
            self.handshakes.fetch_add(1, Ordering::Relaxed);
            self.accepted.fetch_add(1, Ordering::Relaxed);
            *lock(&addresses).entry(from.ip()).or_default() += 1;
            let under_way = UnderWay { endpoint: self.clone(), addresses: addresses.clone(), address: from.ip() };
            let (this, alarm) = (self.clone(), opened.alarm.clone());
            tokio::spawn(async move {
                let shaken = timeout(this.settings.handshake_timeout, connecting).await;
                drop(under_way);
                let Ok(Ok(connection)) = shaken else { return };
                let id = this.next.fetch_add(1, Ordering::Relaxed);
                this.run(id, connection, Some(ticket), alarm).await;
            });
        }
        opened.shut().await;
    }

    async fn run(
        self: Arc<Self>,
        id: u32,
        connection: Connection,
        ticket: Option<Ticket>,
        alarm: watch::Receiver<u32>,
    ) {
        let connection = Kept::new(connection);
        let data = connection.handshake_data().and_then(|any| any.downcast::<HandshakeData>().ok());
        let protocol = data.and_then(|data| data.protocol);
        let (link, orders) = Link::new(id, self.events.clone(), &connection, ticket);
        let has_certificate = self.door.is_none() || lock(&link.certificate).is_some();
        if protocol.as_deref() != Some(self.settings.alpn.as_bytes()) || !has_certificate {
            connection.close(VarInt::from_u32(14), b"");
            return link.emit(CLOSED, 0, How::Other as u32, 0);
        }
        lock(&self.links).insert(id, link.clone());
        Wire::new(link, (*connection).clone()).serve(orders, alarm).await;
    }

    pub fn link(&self, id: u32) -> Option<Arc<Link>> {
        lock(&self.links).get(&id).cloned()
    }

    /// JavaScript has heard of its end, and read what it wanted.
    pub fn forget(&self, id: u32) {
        lock(&self.links).remove(&id);
    }

    pub fn connections(&self) -> usize {
        lock(&self.links).len() + self.handshakes.load(Ordering::Relaxed) as usize
    }

    /// For connections from now on.
    pub fn set_certificate(&self, tls: rustls::ServerConfig) -> Result<(), Problem> {
        let config = server_config(&self.settings, tls)?;
        *lock(&self.server) = Some(config);
        Ok(())
    }

    /// Ends what is left. ENDPOINT_CLOSED follows when the port is free.
    pub fn close(&self) {
        self.stop.send_replace(true);
    }
}

enum Role {
    Client { ticket: Ticket, remote: SocketAddr },
    Relay(Box<quinn::ServerConfig>),
}

impl Opened {
    async fn shut(self) {
        self.endpoint.close(VarInt::from_u32(0), b"");
        let _ = timeout(LAST_MOMENT, self.endpoint.wait_idle()).await;
        // Those that still wait for their peers' last packets keep the socket: it is exchanged for one that nobody knows.
        if let Ok(nobody) = UdpSocket::bind(("127.0.0.1", 0)) {
            let _ = self.endpoint.rebind(nobody);
        }
        // The driver lets go of the old socket in its next turn.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Tells the end in any case.
struct Ended(Arc<Endpoint>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.events.emit([ENDPOINT_CLOSED, 0, 0, 0, 0]);
    }
}

struct UnderWay {
    endpoint: Arc<Endpoint>,
    addresses: Arc<Mutex<HashMap<IpAddr, u32>>>,
    address: IpAddr,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.endpoint.handshakes.fetch_sub(1, Ordering::Relaxed);
        let mut addresses = lock(&self.addresses);
        let left = addresses.get(&self.address).copied().unwrap_or(1).saturating_sub(1);
        if left == 0 {
            addresses.remove(&self.address);
        } else {
            addresses.insert(self.address, left);
        }
    }
}
