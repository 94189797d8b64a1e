//! A first look at a camera, before or after it is registered: what comes, how it looks, and what
//! is wrong with the cure. It has receivers of its own; the watched cameras go on.

use super::decode::Decoder;
use super::receivers::Receivers;
use super::source::{CameraSource, SourceKind};
use crate::clock::Clock;
use crate::config::CameraConfig;
use crate::error::Result;
use crate::frame::{CameraStatus, Health, Picture, StatusBoard, Visit};
use crate::lang::Lang;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// Two keyframes of a slow camera (one in 10 s) after a slow login.
const VISIT_WITHIN: SignedDuration = SignedDuration::from_secs(25);
/// Every keyframe is taken, if they are not closer than this.
const CADENCE: SignedDuration = SignedDuration::from_secs(1);
const POLL: Duration = Duration::from_millis(100);

/// Connects, waits for two keyframes, and leaves. Blocks for 25 s at most; less where the camera
/// refuses, is not reached, or cannot work as it is registered.
///
/// # Errors
/// Only where nothing can work: no GStreamer, no thread.
pub fn visit(
    source: CameraSource,
    config: &CameraConfig,
    clock: &Clock,
    lang: Lang,
) -> Result<Visit> {
    let (id, status) = (source.id.clone(), StatusBoard::default());
    let is_a_stream = source.kind() == Ok(SourceKind::Rtsp);
    // The main stream and the self-test are no part of a first look.
    let source = CameraSource { main: None, ..source };
    let config =
        CameraConfig { cadence: CADENCE, self_test_every: SignedDuration::ZERO, ..config.clone() };
    let mut decoder = Decoder::new()?;
    let receivers = Receivers::start(vec![source], &config, clock.clone(), status.clone(), lang)?;
    let until = clock.now() + VISIT_WITHIN;
    let mut seen: Vec<(Timestamp, Arc<Picture>)> = Vec::new();
    while seen.len() < 2 && clock.now() < until {
        if let Some(frame) = receivers.next_frame(&mut decoder, POLL) {
            receivers.looked(&frame);
            seen.push((frame.captured_at, frame.picture));
        } else if seen.is_empty() && status.get(&id).is_some_and(|it| is_hopeless(&it)) {
            break;
        }
    }
    let found = status.get(&id).unwrap_or_default();
    receivers.stop();
    // Of a snapshot address it would be the interval of our own asking.
    let keyframe_every = match &*seen {
        [(first, _), (second, _)] if is_a_stream => Some(second.duration_since(*first)),
        _ => None,
    };
    let picture = seen.pop().map(|(_, picture)| picture);
    Ok(Visit { health: found.health, words: found.detail, picture, keyframe_every })
}

/// Whether more waiting would show nothing else.
fn is_hopeless(found: &CameraStatus) -> bool {
    let is_told = found.detail.is_some();
    is_told && matches!(found.health, Health::BadPassword | Health::Misconfigured | Health::Offline)
}
