//! The open incidents as the desk last saw them, kept up by the log's cursor: filing a sighting costs what has changed since,
//! not what ever was. The log remains the truth: a desk that was overtaken loses its commit and reads again.

use crate::error::{Kind, Result};
use crate::store::{Filed, Store};
use crate::triage::id::IncidentId;
use crate::triage::incident::State;
use crate::triage::memory::Closed;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// How long the desk remembers what a place was closed as: half a year, one fire season.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(183 * 24);

#[derive(Default)]
pub struct OpenBook {
    cursor: Option<u64>,
    open: BTreeMap<IncidentId, Filed>,
    closed: Vec<Closed>,
    /// `opened_seq` of the newest incident, as of the cursor.
    last_opened: u64,
}

impl OpenBook {
    /// Reads what has changed since the last look; at the first, everything that is open.
    pub async fn refresh(&mut self, store: &Store, now: Timestamp) -> Result<()> {
        let Some(cursor) = self.cursor else { return self.read_all(store, now).await };
        let (end, changed) = store.changed_since(cursor).await?;
        if end == cursor {
            return Ok(());
        }
        // In this order: what is opened after this line makes the commit fail.
        self.last_opened = store.last_opened().await?;
        let mut closed = false;
        for name in changed {
            match store.incident(name).await {
                Ok(filed) if filed.incident.state == State::Closed => {
                    self.open.remove(&name);
                    closed = true;
                }
                Ok(filed) => _ = self.open.insert(name, filed),
                Err(e) if e.kind == Kind::NotFound => {}
                // What cannot be read joins nothing; the board names it.
                Err(e) if e.kind == Kind::Internal => _ = self.open.remove(&name),
                Err(e) => return Err(e),
            }
        }
        if closed {
            self.closed = store.closed_places(now - REMEMBERED).await?;
        }
        self.cursor = Some(end);
        Ok(())
    }

    async fn read_all(&mut self, store: &Store, now: Timestamp) -> Result<()> {
        let cursor = store.cursor().await?;
        self.last_opened = store.last_opened().await?;
        let open = store.open_incidents().await?;
        self.open = open.into_iter().map(|filed| (filed.incident.id, filed)).collect();
        store.remember_closings(now - REMEMBERED).await?;
        self.closed = store.closed_places(now - REMEMBERED).await?;
        self.cursor = Some(cursor);
        Ok(())
    }

    pub fn open(&self) -> impl Iterator<Item = &Filed> {
        self.open.values()
    }

    pub fn get(&self, incident: IncidentId) -> Option<&Filed> {
        self.open.get(&incident)
    }

    pub fn closed(&self) -> &[Closed] {
        &self.closed
    }

    pub fn last_opened(&self) -> u64 {
        self.last_opened
    }
}
