//! `huoyanrtspsrc`, our own GStreamer source for RTSP cameras, built on the crate `retina`: H.264
//! and H.265 over TCP, keyframes only. `pipelines/rtsp.gst` uses it like any other source.
//!
//! ```text
//! session (retina, async) ─► keyframe? ─► RtspSource's pad ─► … ─► appsink
//!   (redirect: asks          no: counted, and dropped before a buffer is made
//!    where a camera sends on)
//! ```
//!
//! All these elements share one runtime (`camera/receive/runtime.rs`), so no camera has a thread of
//! its own. A keyframe is pushed on a thread of that runtime, so nothing downstream may block for
//! long. An appsink with `drop=true` never does. Put a `queue` between this source and a decoder.

pub(in crate::camera) mod redirect;
mod session;
mod source;

use super::runtime::runtime;
use crate::error::{Error, Result};
use gstreamer as gst;
use gstreamer::prelude::*;
use parking_lot::Mutex;
use std::sync::Once;
use std::time::Duration;
use tokio::task::JoinHandle;

/// The element's name in pipeline texts.
pub(super) const ELEMENT: &str = "huoyanrtspsrc";

/// The property that counts complete pictures from the camera, keyframes or not. It shows that
/// video arrives.
pub(super) const UNITS: &str = "units";

/// Registers the element in this process. May be called again.
pub(super) fn register() -> Result<()> {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        // Whether it worked is checked below, for every caller.
        let _ = gst::Element::register(
            None,
            ELEMENT,
            gst::Rank::NONE,
            source::RtspSource::static_type(),
        );
    });
    match gst::ElementFactory::find(ELEMENT) {
        Some(_) => Ok(()),
        None => Err(Error::internal(format!("GStreamer does not accept the element {ELEMENT}"))),
    }
}

/// Waits, at most `at_most`, until all stopped sessions have sent TEARDOWN. Needed at the end of
/// the program only; otherwise sessions do it by themselves. Some cameras serve only three viewers
/// at a time.
pub(crate) fn goodbyes(at_most: Duration) {
    let leaving = std::mem::take(&mut *leaving());
    if leaving.is_empty() {
        return;
    }
    // Sessions run on this runtime, so it exists.
    if let Ok(runtime) = runtime() {
        let all = async {
            for session in leaving {
                // A session that panicked has reported it on its bus.
                let _ = session.await;
            }
        };
        // Sessions that have not answered by now never will. Their sockets close with the program.
        let _ = runtime.block_on(async { tokio::time::timeout(at_most, all).await });
    }
}

/// Stopped sessions whose TEARDOWN may still be under way.
fn leaving() -> parking_lot::MutexGuard<'static, Vec<JoinHandle<()>>> {
    static LEAVING: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());
    LEAVING.lock()
}

/// A session has been told to stop.
fn leaves(session: JoinHandle<()>) {
    let mut leaving = leaving();
    leaving.retain(|session| !session.is_finished());
    leaving.push(session);
}
