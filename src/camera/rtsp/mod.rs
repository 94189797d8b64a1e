//! `huoyanrtspsrc`, our own GStreamer source for RTSP cameras, over the crate `retina`: H.264 and H.265 over TCP, keyframes
//! only. `pipelines/rtsp.gst` uses it like any other source.
//!
//! ```text
//! session (retina, async) ─► keyframe? ─► RtspSource's pad ─► … ─► appsink
//!                            no: counted, let go before a buffer is made
//! ```
//!
//! All such elements share the runtime of this folder (`runtime.rs`): no thread belongs to a camera. A keyframe is pushed on a thread
//! of that runtime, so what is downstream must not block for long: an appsink with `drop=true` never does. For a decoder
//! behind this source put a `queue` between them.

mod session;
mod source;

use super::runtime::runtime;
use crate::error::{Error, Result};
use gstreamer as gst;
use gstreamer::prelude::*;
use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// As pipeline texts name it.
pub(super) const ELEMENT: &str = "huoyanrtspsrc";

/// The property that counts whatever whole picture the camera sent, keyframe or not: its pulse.
pub(super) const UNITS: &str = "units";

/// Makes the element known to this process. May be called again.
pub(super) fn register() -> Result<()> {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        // What comes of it is asked below, by everybody.
        let _ = gst::Element::register(None, ELEMENT, gst::Rank::NONE, source::RtspSource::static_type());
    });
    match gst::ElementFactory::find(ELEMENT) {
        Some(_) => Ok(()),
        None => Err(Error::internal(format!("GStreamer does not take the element {ELEMENT}"))),
    }
}

/// Waits until the sessions that have been stopped have said TEARDOWN, at most so long. For the end of the program: sessions
/// say it by themselves otherwise, and some cameras serve only three viewers at a time.
pub(super) fn goodbyes(at_most: Duration) {
    let leaving = std::mem::take(&mut *leaving());
    if leaving.is_empty() {
        return;
    }
    // They run there: it exists.
    if let Ok(runtime) = runtime() {
        let all = async {
            for session in leaving {
                // A session that panicked has said so on its bus.
                let _ = session.await;
            }
        };
        // Who has not answered by now never will; its socket closes with the program.
        let _ = runtime.block_on(async { tokio::time::timeout(at_most, all).await });
    }
}

/// Stopped sessions that may still be saying goodbye.
fn leaving() -> std::sync::MutexGuard<'static, Vec<JoinHandle<()>>> {
    static LEAVING: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());
    LEAVING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A session has been told to stop.
fn leaves(session: JoinHandle<()>) {
    let mut leaving = leaving();
    leaving.retain(|session| !session.is_finished());
    leaving.push(session);
}
