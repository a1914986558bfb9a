//! What crosses the border, and what comes from strangers, with whatever bytes; and that a panic stays the end of a link.
use std::any::Any;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use quinn::congestion::{Controller, ControllerFactory};
use ring::rand::{SecureRandom, SystemRandom};

use crate::connection::How;
use crate::endpoint::{Bounds, Endpoint, Settings, congestion};
use crate::events::{CLOSED, CONNECTED, EVENT_WORDS, Events};
use crate::gate::{Door, Ids, Seal};
use crate::stream::{BROKEN, END_ABORTED, Stream};
use crate::ticket::{Bucket, Drop, Key, TICKET_BYTES, Tickets};
use crate::tls;
use quinn::ConnectionIdGenerator as _;

/// Numbers that are told with a failure, so that it can be had again.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let mut seed = [0; 8];
        SystemRandom::new().fill(&mut seed).expect("random numbers");
        let seed = u64::from_le_bytes(seed) | 1;
        println!("seed {seed}");
        Self(seed)
    }
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.below(256) as u8).collect()
    }
}

fn somewhere(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

#[test]
fn no_datagram_gets_past_the_door_without_a_seal_or_a_ticket() {
    let mut dice = Dice::new();
    let door = Door::new();
    door.set_keys(Some(vec![Key::new(1, b"secret", 0)]));
    for _ in 0..200_000 {
        let length = [0, 1, 7, 21, 60, 1_200, 1_350][dice.below(7)];
        let mut datagram = dice.bytes(length.min(64));
        datagram.resize(length, 0);
        if length > 6 && dice.below(2) == 0 {
            // The beginning of a real Initial.
            datagram[..6].copy_from_slice(&[0xc0 | (dice.below(4) as u8), 0, 0, 0, 1, 20]);
        }
        assert!(!door.passes(&datagram, somewhere(dice.below(65_536) as u16)), "{datagram:?}");
    }
}

#[test]
fn a_sealed_id_passes_and_a_changed_one_does_not() {
    let door = Door::new();
    door.set_keys(Some(Vec::new()));
    let mut ids = Ids { seal: door.seal.clone(), first: None };
    let id = ids.generate_cid();
    let mut packet = vec![0x40];
    packet.extend_from_slice(&id);
    packet.extend_from_slice(&[0; 30]);
    assert!(door.passes(&packet, somewhere(1)));
    assert!(!door.passes(&packet, somewhere(0)));
    for at in 1..=20 {
        let mut changed = packet.clone();
        changed[at] ^= 1;
        assert!(!door.passes(&changed, somewhere(1)));
    }
    assert!(!Seal::new().is_on(&id));
}

#[test]
fn a_ticket_is_spent_once_and_forgotten_after_its_life() {
    let mut tickets = Tickets::default();
    tickets.set_keys(Some(vec![Key::new(1, b"secret", 0)]));
    let mut looks = Bucket::new(1_000_000, 1_000_000);
    let ticket = |nonce: u8| {
        let mut ticket = [nonce; TICKET_BYTES];
        ticket[..3].copy_from_slice(&[1, 0, 10]);
        ticket
    };
    assert!(tickets.spend(&ticket(1), 0));
    assert!(!tickets.spend(&ticket(1), 0));
    assert!(tickets.spend(&ticket(2), 9_999));
    // It is over: only its end keeps it out now.
    assert!(tickets.spend(&ticket(1), 10_000));
    let refusal = tickets.refuses(&ticket(3), somewhere(1), 0, false, &mut looks);
    assert_eq!(refusal, Some(Drop::NoTicket));
    assert_eq!(tickets.refuses(&[1, 2], somewhere(1), 0, false, &mut looks), Some(Drop::NoTicket));
}

#[test]
fn a_bucket_holds_no_more_than_it_may() {
    let mut bucket = Bucket::new(0, 3);
    assert_eq!((0..5).filter(|_| bucket.take()).count(), 3);
}

#[test]
fn streams_keep_their_bounds_in_any_order_of_calls() {
    let mut dice = Dice::new();
    for _ in 0..300 {
        let stream = Stream::new(1, dice.below(2));
        let mut written = 0_usize;
        for _ in 0..60 {
            match dice.below(8) {
                0..=3 => {
                    let length = dice.below(100_000);
                    let taken = stream.write(&vec![0; length]);
                    assert!(taken == BROKEN || taken as usize <= length);
                    written += taken.max(0) as usize;
                    assert!(written <= 256 * 1024);
                }
                4 | 5 => assert!(matches!(stream.read(&mut vec![0; dice.below(9)]), 0 | END_ABORTED)),
                6 => stream.discard(),
                _ => {
                    stream.finish(dice.below(2) == 0);
                    written = 0;
                }
            }
        }
    }
}

#[test]
fn events_come_in_order_in_batches_and_wake_once() {
    let woken = Arc::new(AtomicUsize::new(0));
    let count = woken.clone();
    let events = Events::new(Box::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
    }));
    for number in 0..10 {
        events.emit([number; EVENT_WORDS]);
    }
    assert_eq!(woken.load(Ordering::Relaxed), 1);
    let mut out = [0; 4 * EVENT_WORDS + 3];
    let mut seen = Vec::new();
    loop {
        let count = events.drain(&mut out);
        seen.extend(out[..count * EVENT_WORDS].chunks(EVENT_WORDS).map(|event| event[0]));
        if count < 4 {
            break;
        }
    }
    assert_eq!(seen, (0..10).collect::<Vec<_>>());
    events.mute();
    events.emit([0; EVENT_WORDS]);
}

/// A congestion controller that panics when it is told to: in quinn's own task, with quinn's lock held.
#[derive(Clone)]
struct Bomb(Arc<AtomicBool>);

impl ControllerFactory for Bomb {
    fn build(self: Arc<Self>, _: Instant, _: u16) -> Box<dyn Controller> {
        Box::new((*self).clone())
    }
}

impl Controller for Bomb {
    fn on_congestion_event(&mut self, _: Instant, _: Instant, _: bool, _: u64) {}
    fn on_sent(&mut self, _: Instant, _: u64, _: u64) {
        assert!(!self.0.load(Ordering::Relaxed), "this panic is the test's");
    }
    fn on_mtu_update(&mut self, _: u16) {}
    fn window(&self) -> u64 {
        1 << 20
    }
    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
    fn initial_window(&self) -> u64 {
        1 << 20
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

type Inbox = Arc<std::sync::Mutex<Vec<crate::events::Event>>>;

/// An endpoint's events, which the test's own thread looks at.
fn watched() -> (Events, Arc<AtomicUsize>) {
    let wakes = Arc::new(AtomicUsize::new(0));
    let count = wakes.clone();
    let events = Events::new(Box::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
    }));
    (events, wakes)
}

fn drained(endpoint: &Endpoint, inbox: &Inbox) -> Vec<crate::events::Event> {
    let mut out = [0; 64 * EVENT_WORDS];
    let count = endpoint.events.drain(&mut out);
    let mut inbox = inbox.lock().expect("the test's own");
    inbox.extend(out[..count * EVENT_WORDS].chunks_exact(EVENT_WORDS).map(|event| {
        let mut own = [0; EVENT_WORDS];
        own.copy_from_slice(event);
        own
    }));
    inbox.clone()
}

fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn settings(congestion: Arc<dyn ControllerFactory + Send + Sync>, peer_streams: u32) -> Settings {
    Settings {
        alpn: "test".into(),
        congestion,
        packet_bytes: 1_350,
        idle_timeout: Duration::from_secs(20),
        handshake_timeout: Duration::from_secs(10),
        stream_window: 65_536,
        link_window: 1 << 20,
        peer_streams,
    }
}

#[test]
fn a_panic_ends_its_link_and_no_other() {
    let made = rcgen::generate_simple_self_signed(vec!["relay.example".into()]).expect("a certificate");
    let (cert, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let identity = tls::Identity { cert: &cert, key: &key, alpn: "test" };
    let bounds = Bounds { handshakes: 9, handshakes_per_address: 9 };
    let tls = tls::server(&identity).expect("an identity");
    let relay = Endpoint::listen(watched().0, settings(congestion("bbr"), 1), tls, somewhere(0), bounds);
    let relay = relay.expect("a port");
    let bomb = Arc::new(AtomicBool::new(false));
    let dial = |congestion, nonce| {
        let tls = tls::client(&identity, &tls::Trust::Unchecked).expect("an identity");
        let (settings, name) = (settings(congestion, 9), "relay.example".into());
        let endpoint = Endpoint::dial(watched().0, settings, tls, relay.local, name, [nonce; TICKET_BYTES]);
        let (endpoint, inbox) = (endpoint.expect("a socket"), Inbox::default());
        wait("the handshake", || drained(&endpoint, &inbox).iter().any(|event| event[0] == CONNECTED));
        (endpoint, inbox)
    };
    let has_ended =
        |endpoint: &Endpoint, inbox: &Inbox| drained(endpoint, inbox).iter().any(|event| event[0] == CLOSED);
    let (doomed, its_inbox) = dial(Arc::new(Bomb(bomb.clone())), 1);
    let (other, other_inbox) = dial(congestion("bbr"), 2);
    bomb.store(true, Ordering::Relaxed);
    doomed.link(1).expect("it is up").stream(0).expect("the control stream").write(b"bang");
    wait("the end of the one", || has_ended(&doomed, &its_inbox));
    let end = drained(&doomed, &its_inbox).into_iter().find(|event| event[0] == CLOSED).expect("it has ended");
    assert_eq!(end[3], How::Failed as u32);
    other.link(1).expect("it is up").stream(0).expect("the control stream").write(b"hello");
    let mut heard = Vec::new();
    wait("the other is heard", || {
        for id in 1..=2 {
            if let Some(stream) = relay.link(id).and_then(|link| link.stream(0)) {
                let mut bytes = [0; 64];
                let read = usize::try_from(stream.read(&mut bytes)).unwrap_or(0);
                heard.extend_from_slice(&bytes[..read]);
            }
        }
        heard.ends_with(b"hello")
    });
    assert!(!has_ended(&other, &other_inbox));
    relay.close();
}
