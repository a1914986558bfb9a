//! The tickets that let clients begin a handshake: `ticket.ts` makes them and says what is in them. Here they are read
//! before quinn has seen a byte of a stranger's.
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ring::hmac;

pub const TICKET_BYTES: usize = 20;
pub type Ticket = [u8; TICKET_BYTES];

const ADDRESS_TAG_AT: usize = 6;
const IDENTITY_TAG_AT: usize = 9;
const MAC_AT: usize = 13;
const ANYWHERE: &str = "anywhere";
/// More than this relay can do handshakes within the life of a ticket.
const MAX_USED: usize = 262_144;

/// Why a datagram of no connection is dropped. The order is that of `DropReason` in native/accept.ts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drop {
    Port0,
    NoConnection,
    Malformed,
    ShortInitial,
    NoTicket,
    TicketExpired,
    TicketElsewhere,
    TicketUsed,
    BadToken,
    Handshakes,
    Rate,
}

pub const DROP_REASONS: usize = 11;

/// One key of the relay's.
pub struct Key {
    pub id: u8,
    pub secret: hmac::Key,
    pub since_ms: u64,
}

impl Key {
    pub fn new(id: u8, secret: &[u8], since_ms: u64) -> Self {
        Self { id, secret: hmac::Key::new(hmac::HMAC_SHA256, secret), since_ms }
    }

    fn tag(&self, purpose: &str, bytes: &[u8], text: &str) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.secret);
        context.update(purpose.as_bytes());
        context.update(b" ");
        context.update(bytes);
        context.update(text.as_bytes());
        context.sign()
    }

    fn expires_at_ms(&self, ticket: &Ticket) -> u64 {
        self.since_ms + u64::from(u16::from_be_bytes([ticket[1], ticket[2]])) * 1_000
    }

    fn fault(&self, ticket: &Ticket, from: IpAddr, now_ms: u64) -> Option<Drop> {
        let mac = self.tag("ticket", &ticket[..MAC_AT], "");
        if !is_equal(&mac.as_ref()[..TICKET_BYTES - MAC_AT], &ticket[MAC_AT..]) {
            return Some(Drop::NoTicket);
        }
        if now_ms >= self.expires_at_ms(ticket) {
            return Some(Drop::TicketExpired);
        }
        let is_for = |place: &str| {
            let tag = self.tag("address", &ticket[..ADDRESS_TAG_AT], place);
            is_equal(&tag.as_ref()[..IDENTITY_TAG_AT - ADDRESS_TAG_AT], &ticket[ADDRESS_TAG_AT..IDENTITY_TAG_AT])
        };
        (!is_for(&place_of(from)) && !is_for(ANYWHERE)).then_some(Drop::TicketElsewhere)
    }
}

/// Without a hint, by its time, of where they differ.
fn is_equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

/// One IPv4 address, or the network of an IPv6 host, which may change its own address at will.
fn place_of(address: IpAddr) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    match address.to_canonical() {
        IpAddr::V4(address) => hex(&address.octets()),
        IpAddr::V6(address) => hex(&address.octets()[..8]),
    }
}

pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The tickets that may begin a handshake, and those that have. `keys` absent: everyone may.
#[derive(Default)]
pub struct Tickets {
    keys: Option<Vec<Key>>,
    used: HashMap<Ticket, u64>,
    /// In the order of their use, which is nearly that of their end: all live equally long.
    order: VecDeque<Ticket>,
}

impl Tickets {
    pub fn set_keys(&mut self, keys: Option<Vec<Key>>) {
        self.keys = keys;
    }

    fn key(&self, ticket: &Ticket) -> Option<&Key> {
        self.keys.as_ref()?.iter().find(|key| key.id == ticket[0])
    }

    /// Whether anyone with this connection id may not continue. `is_known`: a handshake of it may be under way.
    pub fn refuses(
        &self,
        id: &[u8],
        from: SocketAddr,
        now_ms: u64,
        is_known: bool,
        looks: &mut Bucket,
    ) -> Option<Drop> {
        // Without keys nobody is refused.
        self.keys.as_ref()?;
        let Ok(ticket) = Ticket::try_from(id) else { return Some(Drop::NoTicket) };
        let Some(key) = self.key(&ticket) else { return Some(Drop::NoTicket) };
        if !looks.take() {
            return Some(Drop::Rate);
        }
        let fault = key.fault(&ticket, from.ip(), now_ms);
        fault.or_else(|| (!is_known && self.used.contains_key(&ticket)).then_some(Drop::TicketUsed))
    }

    /// False when it has been used, or can't be remembered.
    pub fn spend(&mut self, ticket: &Ticket, now_ms: u64) -> bool {
        if self.keys.is_none() {
            return true;
        }
        let Some(until) = self.key(ticket).map(|key| key.expires_at_ms(ticket)) else { return false };
        while let Some(first) = self.order.front() {
            if self.used.get(first).is_some_and(|until| *until > now_ms) {
                break;
            }
            self.used.remove(first);
            self.order.pop_front();
        }
        if self.used.len() >= MAX_USED || self.used.contains_key(ticket) {
            return false;
        }
        self.used.insert(*ticket, until);
        self.order.push_back(*ticket);
        true
    }
}

/// So many at once, and so many a second.
pub struct Bucket {
    per_second: f64,
    at_once: f64,
    left: f64,
    at: Instant,
}

impl Bucket {
    pub fn new(per_second: u32, at_once: u32) -> Self {
        let at_once = f64::from(at_once);
        Self { per_second: per_second.into(), at_once, left: at_once, at: Instant::now() }
    }

    pub fn take(&mut self) -> bool {
        let passed: Duration = self.at.elapsed();
        self.at += passed;
        self.left = (self.left + passed.as_secs_f64() * self.per_second).min(self.at_once);
        let is_there = self.left >= 1.0;
        if is_there {
            self.left -= 1.0;
        }
        is_there
    }
}
