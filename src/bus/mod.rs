//! OTHER PROCESSES: what changed, and sightings on their way from an edge to the centre. The bus is a hint, the log is the
//! truth: an announcement only says "look", readers fetch by cursor. Only sightings travel as data, at least once, and are
//! confirmed when the desk has filed them.

mod local;
mod nats;

use crate::error::{Error, Result};
use crate::triage::id::IncidentId;
use crate::triage::sighting::Sighting;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

/// Announcements a slow reader may lag behind. Beyond this it gets `Lagged`, and catches up by
/// cursor.
pub const ANNOUNCEMENTS: usize = 1024;
/// Sightings waiting for the desk inside one process; a full queue makes the confirmer wait.
pub const SIGHTINGS: usize = 256;

/// Something was committed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Announcement {
    /// The end of the log at that time.
    pub cursor: u64,
    pub incident: IncidentId,
}

/// A handle, cheap to clone.
#[derive(Clone, Debug)]
pub enum Bus {
    /// One process.
    Local(local::Bus),
    /// Several, over NATS with JetStream.
    Nats(Box<nats::Bus>),
}

impl Bus {
    pub fn local() -> Self {
        Self::Local(local::Bus::new())
    }

    /// `local` or `nats://host:4222`. Errors never show the address, which may hold a password.
    pub async fn open(url: &str) -> Result<Self> {
        match url {
            "local" => Ok(Self::local()),
            _ if url.starts_with("nats://") || url.starts_with("tls://") => Self::nats(url, "huoyan").await,
            _ => Err(Error::invalid(
                "[bus] url must be \"local\" or begin with nats://, for example nats://10.0.0.2:4222",
            )),
        }
    }

    /// `prefix` keeps the subjects of several counties apart on one server.
    pub async fn nats(url: &str, prefix: &str) -> Result<Self> {
        nats::Bus::connect(url, prefix).await.map(|bus| Self::Nats(Box::new(bus)))
    }

    /// Announces a commit. A failure loses nothing: readers also poll, only later.
    pub async fn announce(&self, announcement: Announcement) -> Result<()> {
        match self {
            Self::Local(bus) => {
                bus.announce(announcement);
                Ok(())
            }
            Self::Nats(bus) => bus.announce(announcement).await,
        }
    }

    /// Announcements from now on, including one's own. `Lagged` means that some were skipped: catch
    /// up by cursor.
    pub fn announcements(&self) -> broadcast::Receiver<Announcement> {
        match self {
            Self::Local(bus) => bus.announcements(),
            Self::Nats(bus) => bus.announcements(),
        }
    }

    /// Hands a sighting over; waits while the queue is full. It returns when the queue has stored
    /// it (NATS: on its disk). Sending the same sighting again is harmless.
    pub async fn send_sighting(&self, sighting: &Sighting) -> Result<()> {
        match self {
            Self::Local(bus) => bus.send_sighting(sighting).await,
            Self::Nats(bus) => bus.send_sighting(sighting).await,
        }
    }

    /// Sightings for a desk. Several desks on NATS share them. Within one process a second reader
    /// waits until the first ends.
    pub async fn sightings(&self) -> Result<Sightings> {
        match self {
            Self::Local(bus) => Ok(Sightings::Local(bus.sightings().await)),
            Self::Nats(bus) => bus.sightings().await.map(|it| Sightings::Nats(Box::new(it))),
        }
    }
}

pub enum Sightings {
    Local(local::Sightings),
    Nats(Box<nats::Sightings>),
}

impl Sightings {
    /// `None` when no more can come.
    pub async fn next(&mut self) -> Option<Delivery> {
        match self {
            Self::Local(sightings) => sightings.recv().await.map(|sighting| Delivery { sighting, receipt: None }),
            Self::Nats(sightings) => sightings.next().await,
        }
    }
}

/// A sighting that is delivered again until `done` is called.
pub struct Delivery {
    pub sighting: Sighting,
    receipt: Option<nats::Receipt>,
}

impl Delivery {
    /// The desk has filed it. If this confirmation is lost, the sighting is delivered again and
    /// recognised.
    pub async fn done(self) {
        if let Some(receipt) = self.receipt {
            receipt.confirm(self.sighting.id).await;
        }
    }
}
