//! OTHER PROCESSES: what changed, and what travels between edges and the centre. The bus is a hint,
//! the log is the truth: an announcement only says "look", and readers fetch by cursor. Only an
//! edge's sightings, pictures and words travel as data.
//!
//! Every subject begins with `huoyan.<county>.`, so one server can carry several counties, and its
//! permissions say who may speak for which (docs/cluster.md).

mod line;
mod pictures;
mod sightings;
mod trial;
mod words;

pub use line::{Line, Login};
pub use pictures::{Arrived, Pictures};
pub use sightings::{Aside, Delivery, Sightings, written};
pub use words::{Heard, Said, Told};

use crate::error::Result;
use crate::triage::id::IncidentId;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::broadcast;
use tokio::task::AbortHandle;

/// Announcements a slow reader may lag behind. Beyond this it gets `Lagged`, and catches up by
/// cursor.
pub const ANNOUNCEMENTS: usize = 1024;

/// Something was committed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Announcement {
    /// The end of the log at that time.
    pub cursor: u64,
    pub incident: IncidentId,
}

/// Announcements within this process and, where there is a line, to the other desks. Cheap to
/// clone.
#[derive(Clone, Debug)]
pub struct Bus {
    changed: broadcast::Sender<Announcement>,
    line: Option<(Line, Arc<StopOnDrop>)>,
}

#[derive(Debug)]
struct StopOnDrop(AbortHandle);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Bus {
    /// One process.
    pub fn local() -> Self {
        Self { changed: broadcast::channel(ANNOUNCEMENTS).0, line: None }
    }

    /// Several processes.
    pub async fn over(line: &Line) -> Result<Self> {
        let changed = broadcast::channel(ANNOUNCEMENTS).0;
        let forwarding = line.forward(changed.clone()).await?;
        Ok(Self { changed, line: Some((line.clone(), Arc::new(StopOnDrop(forwarding)))) })
    }

    /// Announces a commit. A failure loses nothing: this process has heard it, and other desks also
    /// poll, only later.
    pub async fn announce(&self, announcement: Announcement) -> Result<()> {
        // An error only means that there is no subscriber now.
        let _ = self.changed.send(announcement);
        match &self.line {
            Some((line, _)) => line.announce(announcement).await,
            None => Ok(()),
        }
    }

    /// Announcements from now on, including one's own. `Lagged` means that some were skipped: catch
    /// up by cursor.
    pub fn announcements(&self) -> broadcast::Receiver<Announcement> {
        self.changed.subscribe()
    }
}
