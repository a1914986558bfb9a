//! The memory that JavaScript lends for the time of one call.
#![allow(unsafe_code)]

use napi::bindgen_prelude::{Float64ArraySlice, Uint8ArraySlice, Uint32ArraySlice};

// Why these are sound: a call comes on JavaScript's thread, which is in here until the call returns, so nothing else can
// touch the array or move it; no function takes two arrays of which one is written; and what JavaScript hands over are
// arrays that it has made itself for this (`scratch`, `batch` and their like), never one that is shared with a worker.

pub fn bytes<'a>(array: &'a mut Uint8ArraySlice<'_>) -> &'a mut [u8] {
    // SAFETY: see above.
    unsafe { array.as_mut() }
}

pub fn numbers<'a>(array: &'a mut Uint32ArraySlice<'_>) -> &'a mut [u32] {
    // SAFETY: see above.
    unsafe { array.as_mut() }
}

pub fn floats<'a>(array: &'a mut Float64ArraySlice<'_>) -> &'a mut [f64] {
    // SAFETY: see above.
    unsafe { array.as_mut() }
}
