//! The running cameras, for callers with a reason to look somewhere sooner.

use crate::camera::Receivers;
use crate::triage::id::CameraId;
use parking_lot::RwLock;
use std::sync::Arc;

#[derive(Clone, Default)]
pub struct Lookout(Arc<RwLock<Option<Arc<Receivers>>>>);

impl Lookout {
    /// Does nothing when no camera runs.
    pub fn look_sooner<'a>(&self, cameras: impl IntoIterator<Item = &'a CameraId>) {
        let running = self.0.read();
        if let Some(receivers) = &*running {
            cameras.into_iter().for_each(|camera| receivers.boost(camera));
        }
    }

    pub(super) fn set(&self, running: Option<Arc<Receivers>>) {
        *self.0.write() = running;
    }
}
