//! Porthole's own QUIC engine for Node and Electron: quinn on a thread of its own. This file is the border: numbers and
//! copied bytes cross it, never memory of the other side. `common/src/link/quic/native` is its other half.
//! `unsafe` is in `border` only.
#![deny(unsafe_code)]

mod border;
mod connection;
mod endpoint;
mod events;
mod gate;
mod kept;
mod stream;
#[cfg(test)]
mod tests;
mod ticket;
mod tls;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use napi::bindgen_prelude::{Float64ArraySlice, Function, Uint8ArraySlice, Uint32ArraySlice};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;

use border::{bytes, floats, numbers};
use connection::Command;
use endpoint::{Bounds, Endpoint, Settings};
use events::{Events, lock};
use ticket::{Key, TICKET_BYTES, Ticket};
use tls::{Identity, Problem, Trust};

/// Its code is the `code` of the error in JavaScript: what failed, as the functions say.
type Result<T> = std::result::Result<T, napi::Error<String>>;

#[napi(object)]
pub struct Options {
    /// An IP address, and its UDP port: to bind, or to reach.
    pub address: String,
    pub port: u16,
    /// PEM
    pub cert: String,
    pub key: String,
    pub alpn: String,
    pub congestion: String,
    pub packet_bytes: u16,
    pub idle_timeout_ms: u32,
    pub handshake_timeout_ms: u32,
    pub stream_window: u32,
    pub link_window: u32,
    pub peer_streams: u32,
}

#[napi(object)]
pub struct DialOptions {
    /// "ca", "pinned" or "unchecked"
    pub trust: String,
    pub trust_pem: Option<String>,
    /// What the certificate is for; an IP address is not sent to the relay.
    pub server_name: String,
}

#[napi(object)]
pub struct TicketKey {
    pub id: u8,
    pub since_ms: f64,
    /// Base64 would be one more parser: hexadecimal.
    pub secret: String,
}

fn failure(code: &str, problem: impl std::fmt::Display) -> napi::Error<String> {
    napi::Error::new(code.into(), problem.to_string())
}

/// What the system has refused, by its name; anything else is a fault of ours.
fn open_failure(problem: Problem) -> napi::Error<String> {
    use std::io::ErrorKind;
    let kind = problem.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    let code = match kind {
        Some(ErrorKind::AddrInUse) => "EADDRINUSE",
        Some(ErrorKind::AddrNotAvailable) => "EADDRNOTAVAIL",
        Some(ErrorKind::PermissionDenied) => "EACCES",
        Some(_) => "address",
        None => "internal",
    };
    failure(code, problem)
}

fn listener(callback: &Function<'_, (), ()>) -> Result<Events> {
    let wake = callback
        .build_threadsafe_function::<()>()
        .callee_handled::<false>()
        .build()
        .map_err(|error| failure("internal", error))?;
    Ok(Events::new(Box::new(move || {
        wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
    })))
}

fn keys(keys: Option<Vec<TicketKey>>) -> Option<Vec<Key>> {
    let secret = |hex: &str| -> Vec<u8> {
        hex.as_bytes()
            .chunks(2)
            .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect()
    };
    keys.map(|keys| keys.iter().map(|key| Key::new(key.id, &secret(&key.secret), key.since_ms as u64)).collect())
}

impl Options {
    fn place(&self) -> Result<SocketAddr> {
        let address: IpAddr = self.address.parse().map_err(|error| failure("address", error))?;
        Ok(SocketAddr::new(address, self.port))
    }
    fn settings(&self) -> Settings {
        Settings {
            alpn: self.alpn.clone(),
            congestion: endpoint::congestion(&self.congestion),
            packet_bytes: self.packet_bytes,
            idle_timeout: Duration::from_millis(self.idle_timeout_ms.into()),
            handshake_timeout: Duration::from_millis(self.handshake_timeout_ms.into()),
            stream_window: self.stream_window,
            link_window: self.link_window,
            peer_streams: self.peer_streams,
        }
    }
    fn identity(&self) -> Identity<'_> {
        Identity { cert: &self.cert, key: &self.key, alpn: &self.alpn }
    }
}

#[napi]
pub struct NativeEndpoint(Arc<Endpoint>);

#[napi]
impl NativeEndpoint {
    /// `callback`: there are events. It keeps the process alive until `release`. Throws `key`, `address`, the system's
    /// name of what it refuses, or `internal`.
    #[napi(factory)]
    pub fn listen(
        options: Options,
        max_handshakes: u32,
        max_handshakes_per_address: u32,
        ticket_keys: Option<Vec<TicketKey>>,
        callback: Function<'_, (), ()>,
    ) -> Result<Self> {
        let tls = tls::server(&options.identity()).map_err(|error| failure("key", error))?;
        let bounds = Bounds { handshakes: max_handshakes, handshakes_per_address: max_handshakes_per_address };
        let endpoint = Endpoint::listen(listener(&callback)?, options.settings(), tls, options.place()?, bounds)
            .map_err(open_failure)?;
        let this = Self(endpoint);
        this.set_ticket_keys(ticket_keys);
        Ok(this)
    }

    /// Its connection has the number 1. `ticket`: the client's own first connection id, 20 bytes.
    #[napi(factory)]
    pub fn dial(options: Options, dial: DialOptions, ticket: &[u8], callback: Function<'_, (), ()>) -> Result<Self> {
        let pem = dial.trust_pem.as_deref().unwrap_or_default();
        let trust = match dial.trust.as_str() {
            "ca" => Trust::Ca(pem),
            "pinned" => Trust::Pinned(pem),
            "unchecked" => Trust::Unchecked,
            other => return Err(failure("internal", format!("there is no trust {other}"))),
        };
        let ticket: Ticket = ticket.try_into().map_err(|_| failure("internal", format!("not {TICKET_BYTES} bytes")))?;
        let tls = tls::client(&options.identity(), &trust).map_err(|error| failure("key", error))?;
        let events = listener(&callback)?;
        Endpoint::dial(events, options.settings(), tls, options.place()?, dial.server_name, ticket)
            .map(Self)
            .map_err(open_failure)
    }

    /// Fills `out` with events of five numbers each, and answers how many.
    #[napi]
    pub fn poll(&self, mut out: Uint32ArraySlice<'_>) -> u32 {
        let out = numbers(&mut out);
        self.0.events.drain(out) as u32
    }

    /// The UDP port.
    #[napi(getter)]
    pub fn port(&self) -> u16 {
        self.0.local.port()
    }

    #[napi(getter)]
    pub fn address(&self) -> String {
        self.0.local.ip().to_string()
    }

    /// For connections from now on. Throws `key`, and keeps the old one.
    #[napi]
    pub fn set_certificate(&self, cert: String, key: String, alpn: String) -> Result<()> {
        let identity = Identity { cert: &cert, key: &key, alpn: &alpn };
        tls::server(&identity).and_then(|tls| self.0.set_certificate(tls)).map_err(|error| failure("key", error))
    }

    /// Whose tickets are good; without keys nobody needs one.
    #[napi]
    pub fn set_ticket_keys(&self, ticket_keys: Option<Vec<TicketKey>>) {
        if let Some(door) = &self.0.door {
            door.set_keys(keys(ticket_keys));
        }
    }

    /// [connections, handshakes, accepted, answered, failures, dropped by reason ...]
    #[napi]
    pub fn counters(&self, mut out: Float64ArraySlice<'_>) {
        let out = floats(&mut out);
        let (answered, drops) = match &self.0.door {
            Some(door) => (door.answered.load(Ordering::Relaxed), door.drops()),
            None => (0, [0; ticket::DROP_REASONS]),
        };
        let own = [
            self.0.connections() as u64,
            self.0.handshakes.load(Ordering::Relaxed).into(),
            self.0.accepted.load(Ordering::Relaxed),
            answered,
            self.0.failures.load(Ordering::Relaxed),
        ];
        for (place, figure) in out.iter_mut().zip(own.into_iter().chain(drops)) {
            *place = figure as f64;
        }
    }

    /// The peer's certificate, which is let go by this; answers its length, 0 when there is none or it does not fit.
    #[napi]
    pub fn take_certificate(&self, link: u32, mut out: Uint8ArraySlice<'_>) -> u32 {
        let out = bytes(&mut out);
        let certificate = self.0.link(link).and_then(|link| lock(&link.certificate).take()).unwrap_or_default();
        let Some(place) = out.get_mut(..certificate.len()) else { return 0 };
        place.copy_from_slice(&certificate);
        certificate.len() as u32
    }

    /// The ticket that the link was let in with; false when there is none.
    #[napi]
    pub fn ticket(&self, link: u32, mut out: Uint8ArraySlice<'_>) -> bool {
        let out = bytes(&mut out);
        let ticket = self.0.link(link).and_then(|link| link.ticket);
        match (ticket, out.first_chunk_mut::<TICKET_BYTES>()) {
            (Some(ticket), Some(place)) => {
                *place = ticket;
                true
            }
            _ => false,
        }
    }

    /// [round trip in milliseconds, congestion window, packets sent, packets lost] as they were last looked at.
    #[napi]
    pub fn figures(&self, link: u32, mut out: Float64ArraySlice<'_>) -> bool {
        let out = floats(&mut out);
        let Some(link) = self.0.link(link) else { return false };
        let figures = link.figures();
        let all = [figures.rtt.as_secs_f64() * 1e3, figures.cwnd as f64, figures.sent as f64, figures.lost as f64];
        for (place, figure) in out.iter_mut().zip(all) {
            *place = figure;
        }
        link.order(Command::Observe);
        true
    }

    /// Where the peer was when it last said something on the control stream.
    #[napi]
    pub fn remote(&self, link: u32) -> Option<String> {
        self.0.link(link).map(|link| {
            let remote = link.figures().remote;
            SocketAddr::new(remote.ip().to_canonical(), remote.port()).to_string()
        })
    }

    /// `stream`: our next one, 1, 5, 9 and so on at the relay. REFUSED follows when the peer gives no credit.
    #[napi]
    pub fn open_stream(&self, link: u32, stream: u32) {
        if let Some(link) = self.0.link(link) {
            link.order(Command::Open(stream));
        }
    }

    /// Bytes copied into `out`. 0: none now, READABLE follows. -1: the end. -2: the peer has aborted. -3: broken.
    #[napi]
    pub fn read(&self, link: u32, stream: u32, mut out: Uint8ArraySlice<'_>) -> i32 {
        let out = bytes(&mut out);
        self.stream(link, stream).map_or(stream::BROKEN, |stream| stream.read(out))
    }

    /// Bytes taken; when not all were, WRITABLE follows. -3: broken.
    #[napi]
    pub fn write(&self, link: u32, stream: u32, data: &[u8]) -> i32 {
        self.stream(link, stream).map_or(stream::BROKEN, |stream| stream.write(data))
    }

    /// Ends our direction. Aborted, what has not left yet is dropped.
    #[napi]
    pub fn finish(&self, link: u32, stream: u32, is_aborted: bool) {
        if let Some(stream) = self.stream(link, stream) {
            stream.finish(is_aborted);
        }
    }

    /// JavaScript is done with the stream: what was written still leaves, what comes is dropped.
    #[napi]
    pub fn release_stream(&self, link: u32, stream: u32) {
        if let Some(link) = self.0.link(link) {
            link.release(stream);
        }
    }

    /// CLOSED follows. `in_order`: after what was written on the control stream.
    #[napi]
    pub fn close_link(&self, link: u32, code: u32, in_order: bool) {
        if let Some(link) = self.0.link(link) {
            link.order(Command::Close { code, in_order });
        }
    }

    /// After CLOSED: lets go of what was not read.
    #[napi]
    pub fn forget_link(&self, link: u32) {
        self.0.forget(link);
    }

    /// Ends everything. ENDPOINT_CLOSED follows.
    #[napi]
    pub fn close(&self) {
        self.0.close();
    }

    /// After ENDPOINT_CLOSED: lets go of the callback.
    #[napi]
    pub fn release(&self) {
        self.0.events.mute();
    }
}

impl NativeEndpoint {
    fn stream(&self, link: u32, stream: u32) -> Option<Arc<stream::Stream>> {
        self.0.link(link)?.stream(stream)
    }
}

/// The shape of this border: `border` in native/binding.ts. Raise both when a function changes.
#[napi]
pub fn border() -> u32 {
    1
}
