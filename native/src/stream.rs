//! One stream: two small buffers between the thread of JavaScript and that of QUIC, and the tasks that move bytes
//! between them and quinn. A stream is never reset: its last byte, which goes with its FIN, says whether it is whole
//! or was aborted (`endMark` in the TypeScript of the other engine, with which this one shares the wire).
use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::task::Poll;

use bytes::{Buf, Bytes, BytesMut};
use quinn::{ReadError, RecvStream, SendStream};
use tokio::sync::Notify;

use crate::connection::{Link, Wire};
use crate::events::{READABLE, WRITABLE, lock};
use crate::kept::Kept;

/// What is held for a reader, beside quinn's window of the stream.
const MAX_RX: usize = 256 * 1024;
const MAX_TX: usize = 256 * 1024;
/// The answers of `read` and `write` that are no number of bytes.
pub const END_WHOLE: i32 = -1;
pub const END_ABORTED: i32 = -2;
pub const BROKEN: i32 = -3;
const MARK_WHOLE: u8 = 0;
const MARK_ABORTED: u8 = 1;

#[derive(Default)]
struct Rx {
    data: BytesMut,
    /// The answer to a reader who has read everything.
    end: Option<i32>,
    is_armed: bool,
    /// Nobody reads any more: what comes is dropped, so that the peer gets its credit back.
    is_discarding: bool,
    /// Bytes at the beginning that are not the reader's.
    skip: usize,
}

#[derive(Default)]
struct Tx {
    data: BytesMut,
    /// Taken out of `data`, and not yet taken by quinn.
    in_flight: usize,
    end: Option<u8>,
    is_armed: bool,
    is_broken: bool,
}

#[derive(Default)]
pub struct Stream {
    pub id: u32,
    rx: Mutex<Rx>,
    tx: Mutex<Tx>,
    rx_space: Notify,
    tx_data: Notify,
}

impl Stream {
    pub fn new(id: u32, skip: usize) -> Self {
        let rx = Rx { skip, ..Rx::default() };
        Self { id, rx: Mutex::new(rx), ..Self::default() }
    }

    /// Bytes copied into `out`; 0 when there are none now, and READABLE follows.
    pub fn read(&self, out: &mut [u8]) -> i32 {
        let mut rx = lock(&self.rx);
        let length = rx.data.len().min(out.len());
        if length == 0 {
            if rx.data.is_empty()
                && let Some(end) = rx.end
            {
                return end;
            }
            rx.is_armed = true;
            return 0;
        }
        let was_full = rx.data.len() >= MAX_RX;
        rx.data.copy_to_slice(&mut out[..length]);
        if rx.data.is_empty() {
            rx.data = BytesMut::new();
        }
        if was_full && rx.data.len() < MAX_RX {
            self.rx_space.notify_one();
        }
        i32::try_from(length).unwrap_or(i32::MAX)
    }

    /// Bytes taken; when not all were, WRITABLE follows.
    pub fn write(&self, data: &[u8]) -> i32 {
        let mut tx = lock(&self.tx);
        if tx.is_broken {
            return BROKEN;
        }
        if tx.end.is_some() {
            return 0;
        }
        let length = data.len().min(MAX_TX.saturating_sub(tx.data.len() + tx.in_flight));
        tx.is_armed = length < data.len();
        tx.data.extend_from_slice(&data[..length]);
        if length > 0 {
            self.tx_data.notify_one();
        }
        i32::try_from(length).unwrap_or(i32::MAX)
    }

    /// Ends our direction. Aborted, what quinn has not taken yet is dropped.
    pub fn finish(&self, is_aborted: bool) {
        let mut tx = lock(&self.tx);
        // What was said to its end stays said.
        if tx.end.is_none() || (is_aborted && !(tx.data.is_empty() && tx.in_flight == 0)) {
            tx.end = Some(if is_aborted { MARK_ABORTED } else { MARK_WHOLE });
        }
        if is_aborted {
            tx.data = BytesMut::new();
        }
        self.tx_data.notify_one();
    }

    /// Nobody will read it any more.
    pub fn discard(&self) {
        let mut rx = lock(&self.rx);
        rx.is_discarding = true;
        rx.data = BytesMut::new();
        self.rx_space.notify_one();
    }

    pub fn is_flushed(&self) -> bool {
        let tx = lock(&self.tx);
        tx.is_broken || (tx.data.is_empty() && tx.in_flight == 0)
    }

    /// The connection is over.
    pub fn break_off(&self, link: &Link) {
        self.end_rx(BROKEN, link);
        self.fail_tx(link);
    }

    fn end_rx(&self, end: i32, link: &Link) {
        let mut rx = lock(&self.rx);
        rx.end.get_or_insert(end);
        if std::mem::take(&mut rx.is_armed) {
            link.emit(READABLE, self.id, 0, 0);
        }
    }

    fn fail_tx(&self, link: &Link) {
        let mut tx = lock(&self.tx);
        tx.is_broken = true;
        tx.data = BytesMut::new();
        if std::mem::take(&mut tx.is_armed) {
            link.emit(WRITABLE, self.id, 0, 0);
        }
    }

    fn append(rx: &mut Rx, bytes: &[u8]) {
        let skipped = rx.skip.min(bytes.len());
        rx.skip -= skipped;
        if !rx.is_discarding {
            // Copied: a piece of a datagram keeps all datagrams alive that came with it.
            rx.data.extend_from_slice(&bytes[skipped..]);
        }
    }

    /// `tail` is the last byte so far, which is the reader's only when another one follows.
    fn take(&self, chunks: &mut [Bytes], tail: &mut Option<u8>) -> bool {
        let mut rx = lock(&self.rx);
        for chunk in chunks {
            let chunk = std::mem::take(chunk);
            if let Some((last, rest)) = chunk.split_last() {
                if let Some(before) = tail.replace(*last) {
                    Self::append(&mut rx, &[before]);
                }
                Self::append(&mut rx, rest);
            }
        }
        rx.data.len() >= MAX_RX
    }

    fn publish(&self, tail: Option<u8>, link: &Link) {
        let mut rx = lock(&self.rx);
        if let Some(byte) = tail {
            Self::append(&mut rx, &[byte]);
        }
        if !rx.data.is_empty() && std::mem::take(&mut rx.is_armed) {
            link.emit(READABLE, self.id, 0, 0);
        }
    }

    fn has_space(&self) -> bool {
        lock(&self.rx).data.len() < MAX_RX
    }

    /// From QUIC to JavaScript.
    pub async fn read_in(&self, recv: RecvStream, wire: &Wire) {
        let (mut recv, link) = (Kept::new(recv), &*wire.link);
        let mut chunks: [Bytes; 16] = std::array::from_fn(|_| Bytes::new());
        let mut tail = None;
        loop {
            // The mark and its FIN share a frame: after the mark the next look sees the end without waiting.
            let read = match now(recv.read_chunks(&mut chunks)).await {
                Some(read) => read,
                None => {
                    self.publish(tail.take(), link);
                    wire.observe(self.id);
                    recv.read_chunks(&mut chunks).await
                }
            };
            match read {
                Ok(Some(count)) => {
                    if self.take(&mut chunks[..count], &mut tail) {
                        self.publish(None, link);
                        while !self.has_space() {
                            self.rx_space.notified().await;
                        }
                    }
                }
                Ok(None) => return self.end_rx(if tail == Some(MARK_WHOLE) { END_WHOLE } else { END_ABORTED }, link),
                Err(ReadError::Reset(_)) => return self.end_rx(END_ABORTED, link),
                Err(_) => {
                    // A mark comes with its FIN, so this byte is the peer's.
                    self.publish(tail.take(), link);
                    return self.end_rx(BROKEN, link);
                }
            }
        }
    }

    /// Whether everything that has arrived was given to JavaScript.
    pub fn is_read(&self) -> bool {
        lock(&self.rx).end.is_some()
    }

    /// From JavaScript to QUIC.
    pub async fn write_out(&self, send: SendStream, wire: &Wire) {
        let (mut send, link) = (Kept::new(send), &*wire.link);
        loop {
            let chunk = {
                let mut tx = lock(&self.tx);
                let chunk = tx.data.split().freeze();
                tx.in_flight = chunk.len();
                if chunk.is_empty() {
                    tx.data = BytesMut::new();
                }
                chunk
            };
            if chunk.is_empty() {
                let end = lock(&self.tx).end;
                if let Some(mark) = end {
                    // Between these two quinn's own task has no turn, so they leave in one frame.
                    if send.write_all(&[mark]).await.is_err() || send.finish().is_err() {
                        self.fail_tx(link);
                    }
                    return;
                }
                self.tx_data.notified().await;
                continue;
            }
            let length = chunk.len();
            let is_ok = tokio::select! {
                written = send.write_chunk(chunk) => written.is_ok(),
                () = self.abort_asked() => true,
            };
            wire.wrote(length);
            let mut tx = lock(&self.tx);
            tx.in_flight = 0;
            if is_ok {
                if std::mem::take(&mut tx.is_armed) {
                    link.emit(WRITABLE, self.id, 0, 0);
                }
            } else {
                drop(tx);
                return self.fail_tx(link);
            }
        }
    }

    async fn abort_asked(&self) {
        while lock(&self.tx).end != Some(MARK_ABORTED) {
            self.tx_data.notified().await;
        }
    }
}

/// What a future has without waiting.
pub async fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
