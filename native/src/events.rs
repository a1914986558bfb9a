//! What JavaScript has to hear about, in a queue that it empties in batches.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

/// Numbers of an event: kind, connection, stream, and two that depend on the kind.
pub const EVENT_WORDS: usize = 5;
pub type Event = [u32; EVENT_WORDS];

// The kinds, as native/binding.ts has them.
pub const CONNECTED: u32 = 1;
/// The fourth number says how it ended (`connection::How`), the fifth is the code.
pub const CLOSED: u32 = 2;
/// The peer has opened a stream.
pub const STREAM: u32 = 3;
pub const READABLE: u32 = 4;
pub const WRITABLE: u32 = 5;
/// The peer gives no credit for a stream of ours.
pub const REFUSED: u32 = 6;
/// The socket is closed. The last event of an endpoint.
pub const ENDPOINT_CLOSED: u32 = 7;

/// A lock that a panic elsewhere can't spoil: what is behind ours is whole between any two statements.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

type Wake = Box<dyn Fn() + Send>;

/// Bounded by the streams: each has at most one event of a kind under way.
pub struct Events {
    queue: Mutex<Vec<Event>>,
    is_waking: AtomicBool,
    wake: Mutex<Option<Wake>>,
}

impl Events {
    pub fn new(wake: Wake) -> Self {
        Self { queue: Mutex::default(), is_waking: AtomicBool::new(false), wake: Mutex::new(Some(wake)) }
    }

    pub fn emit(&self, event: Event) {
        lock(&self.queue).push(event);
        if !self.is_waking.swap(true, Ordering::AcqRel)
            && let Some(wake) = &*lock(&self.wake)
        {
            wake();
        }
    }

    /// Moves events into `out` and answers how many there were; call again while it is as many as fit.
    pub fn drain(&self, out: &mut [u32]) -> usize {
        self.is_waking.store(false, Ordering::Release);
        let mut queue = lock(&self.queue);
        let count = queue.len().min(out.len() / EVENT_WORDS);
        for (event, place) in queue.drain(..count).zip(out.chunks_exact_mut(EVENT_WORDS)) {
            place.copy_from_slice(&event);
        }
        count
    }

    /// Nobody listens any more: lets go of what keeps JavaScript's event loop alive.
    pub fn mute(&self) {
        lock(&self.wake).take();
    }
}
