//! The thresholds in force. They have this one owner: the ops page publishes to it, and whoever
//! judges a picture asks it.

use crate::triage::confirm::Thresholds;
use parking_lot::RwLock;
use std::sync::Arc;

/// Shared by its clones; a change applies from the next frame on.
#[derive(Clone, Debug)]
pub struct Tuning(Arc<RwLock<Thresholds>>);

impl Tuning {
    pub fn new(thresholds: Thresholds) -> Self {
        Self(Arc::new(RwLock::new(thresholds)))
    }

    pub fn get(&self) -> Thresholds {
        self.0.read().clone()
    }

    pub fn version(&self) -> u32 {
        self.0.read().version
    }

    pub fn publish(&self, thresholds: Thresholds) {
        *self.0.write() = thresholds;
    }

    /// Puts the model's advice in the place of the configuration's numbers. What was published
    /// stays.
    pub fn advise(&self, configured: &Thresholds, advice: Thresholds) {
        let mut own = self.0.write();
        if *own == *configured {
            *own = advice;
        }
    }
}
