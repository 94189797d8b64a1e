//! One process: tokio's own channels.

use super::{ANNOUNCEMENTS, Announcement, SIGHTINGS};
use crate::error::{Error, Result};
use crate::triage::sighting::Sighting;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard, broadcast, mpsc};

pub type Sightings = OwnedMutexGuard<mpsc::Receiver<Sighting>>;

#[derive(Clone, Debug)]
pub struct Bus {
    changed: broadcast::Sender<Announcement>,
    sender: mpsc::Sender<Sighting>,
    receiver: Arc<Mutex<mpsc::Receiver<Sighting>>>,
}

impl Bus {
    pub fn new() -> Self {
        let (sender, receiver) = mpsc::channel(SIGHTINGS);
        Self { changed: broadcast::channel(ANNOUNCEMENTS).0, sender, receiver: Arc::new(Mutex::new(receiver)) }
    }

    pub fn announce(&self, announcement: Announcement) {
        // An error only means that there is no subscriber now.
        let _ = self.changed.send(announcement);
    }

    pub fn announcements(&self) -> broadcast::Receiver<Announcement> {
        self.changed.subscribe()
    }

    pub async fn send_sighting(&self, sighting: &Sighting) -> Result<()> {
        self.sender.send(sighting.clone()).await.map_err(|_| Error::internal("the queue of sightings is closed"))
    }

    pub async fn sightings(&self) -> Sightings {
        Arc::clone(&self.receiver).lock_owned().await
    }
}
