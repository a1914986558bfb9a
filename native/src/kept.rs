//! What a panic must not drop.
use std::mem;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::watch;

/// quinn's handles lock their connection when they are dropped. After a panic that lock is spoilt, and a second panic,
/// while the first one unwinds, would be the end of the process. So then they are forgotten instead.
pub struct Kept<T>(Option<T>);

impl<T> Kept<T> {
    pub fn new(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl<T> DerefMut for Kept<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("it is there until it is dropped")
    }
}

impl<T> Drop for Kept<T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            mem::forget(self.0.take());
        }
    }
}

/// A task of quinn's, whose panic is told to everybody: nobody else would learn that it is gone.
struct Driver {
    task: Kept<Pin<Box<dyn Future<Output = ()> + Send>>>,
    alarm: watch::Sender<u32>,
}

impl Future for Driver {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.task.as_mut().poll(context)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.alarm.send_modify(|count| *count += 1);
        }
    }
}

/// tokio, for quinn.
#[derive(Debug)]
pub struct Runtime {
    pub alarm: watch::Sender<u32>,
}

impl quinn::Runtime for Runtime {
    fn new_timer(&self, at: std::time::Instant) -> Pin<Box<dyn quinn::AsyncTimer>> {
        quinn::TokioRuntime.new_timer(at)
    }
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        tokio::spawn(Driver { task: Kept::new(future), alarm: self.alarm.clone() });
    }
    fn wrap_udp_socket(
        &self,
        socket: std::net::UdpSocket,
    ) -> std::io::Result<std::sync::Arc<dyn quinn::AsyncUdpSocket>> {
        quinn::TokioRuntime.wrap_udp_socket(socket)
    }
}
