//! `huoyanrtspsrc`, our own GStreamer source for RTSP cameras, over the crate `retina`: H.264 and H.265 over TCP, keyframes
//! only. `pipelines/rtsp.gst` uses it like any other source.
//!
//! ```text
//! session (retina, async) ─► keyframe? ─► RtspSource's pad ─► … ─► appsink
//!                            no: counted, let go before a buffer is made
//! ```
//!
//! All such elements of the process share one small runtime: no thread belongs to a camera. A keyframe is pushed on a thread
//! of that runtime, so what is downstream must not block for long: an appsink with `drop=true` never does. For a decoder
//! behind this source put a `queue` between them.

mod session;
mod source;

use crate::error::{Error, Result};
use gstreamer as gst;
use gstreamer::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, Once, OnceLock, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// As pipeline texts name it.
pub(super) const ELEMENT: &str = "huoyanrtspsrc";

/// The property that counts whatever whole picture the camera sent, keyframe or not: its pulse.
pub(super) const UNITS: &str = "units";

/// For all cameras together. 267 main streams of 4 Mbit/s need about a fifth of one core; the second keeps one slow
/// downstream from holding up the rest.
const THREADS: usize = 2;

/// Host names are looked up on extra threads of the runtime, which end when idle; addresses need none.
const LOOKUP_THREADS: usize = 2;

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
    if let (Some(Ok(runtime)), false) = (RUNTIME.get(), leaving.is_empty()) {
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

static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();

/// Error: why the threads cannot be started.
fn runtime() -> Result<&'static Runtime, &'static str> {
    let built = RUNTIME.get_or_init(|| {
        let next = AtomicUsize::new(0);
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .max_blocking_threads(LOOKUP_THREADS)
            .thread_name_fn(move || format!("rtsp-{}", next.fetch_add(1, Ordering::Relaxed)))
            .enable_all()
            .build()
            .map_err(|e| e.to_string())
    });
    built.as_ref().map_err(String::as_str)
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
