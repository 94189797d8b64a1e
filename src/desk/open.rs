//! The open incidents as of the log's cursor, updated by new events. So a query costs only what has
//! changed since the last one, not the whole history. The log remains the truth: after a gap it is
//! read again, and [`OpenBook::disagrees`] compares an incident with its log.

use crate::error::{Kind, Result};
use crate::store::{Filed, LogEntry, Store};
use crate::triage::id::IncidentId;
use crate::triage::incident::{Deadline, State};
use crate::triage::memory::Closed;
use jiff::{SignedDuration, Timestamp};
use std::collections::btree_map::Values;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// How long the desk remembers what a place was closed as: half a year, one fire season.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(183 * 24);
/// How long boards and phones show how an incident ended, and how long a reply may still refer to
/// it.
pub const ENDED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// Events read at once.
const EVENTS_AT_ONCE: u32 = 500;
/// Changes remembered for streams. A page that is further behind is sent everything that is open.
const CHANGES: usize = 4_096;

/// Immutable: a reader that holds one sees one moment.
#[derive(Clone, Default)]
pub struct OpenBook {
    cursor: u64,
    open: BTreeMap<IncidentId, Arc<Filed>>,
    ended: BTreeMap<IncidentId, Arc<Filed>>,
    closed: Arc<Vec<Closed>>,
    /// `opened_seq` of the newest incident.
    last_opened: u64,
    changes: VecDeque<(u64, IncidentId)>,
    /// Changes up to this cursor are no longer remembered.
    forgotten: u64,
}

impl OpenBook {
    /// Reads everything that is open from the log.
    pub(super) async fn read(store: &Store, now: Timestamp) -> Result<Self> {
        // Read the cursor first: what is committed in between is read with its incident, and its
        // event is skipped later.
        let cursor = store.cursor().await?;
        let last_opened = store.last_opened().await?;
        store.remember_closings(now - REMEMBERED).await?;
        let by_id = |filed: Filed| (filed.incident.id, Arc::new(filed));
        let open = store.open_incidents().await?;
        let ended = store.incidents_closed_since(now - ENDED_FOR).await?;
        let all: BTreeMap<_, _> = ended.into_iter().chain(open).map(by_id).collect();
        // The rows only select incidents. The log decides whether one is open.
        let (open, ended) = all.into_iter().partition(|(_, it)| it.incident.state != State::Closed);
        let closed = Arc::new(store.closed_places(now - REMEMBERED).await?);
        Ok(Self {
            cursor,
            open,
            ended,
            closed,
            last_opened,
            changes: VecDeque::new(),
            forgotten: cursor,
        })
    }

    /// The book with all later events; `None` when there are none.
    pub(super) async fn continued(&self, store: &Store, now: Timestamp) -> Result<Option<Self>> {
        let mut entries = store.events_after(self.cursor, EVENTS_AT_ONCE).await?;
        if entries.is_empty() {
            return Ok(None);
        }
        let mut next = self.clone();
        while let Some(last) = entries.last().map(|it| it.cursor) {
            for entry in &entries {
                next.take(entry, store).await?;
            }
            next.cursor = last;
            entries = store.events_after(last, EVENTS_AT_ONCE).await?;
        }
        next.ended.retain(|_, it| {
            it.incident.closed_at.is_some_and(|at| now.duration_since(at) <= ENDED_FOR)
        });
        if next
            .closed
            .first()
            .is_some_and(|oldest| now.duration_since(oldest.closed_at) > REMEMBERED)
        {
            Arc::make_mut(&mut next.closed)
                .retain(|it| now.duration_since(it.closed_at) <= REMEMBERED);
        }
        Ok(Some(next))
    }

    async fn take(&mut self, entry: &LogEntry, store: &Store) -> Result<()> {
        let id = entry.incident;
        if entry.version == 1 {
            self.last_opened = entry.cursor;
        }
        self.remember(entry.cursor, id);
        let known = self.open.get_mut(&id).or_else(|| self.ended.get_mut(&id));
        match (known, &entry.recorded) {
            // The incident was read with its whole log, which already had this event.
            (Some(filed), _) if filed.incident.version >= entry.version => return Ok(()),
            (Some(filed), Some(recorded)) if filed.incident.version + 1 == entry.version => {
                Arc::make_mut(filed).incident.apply(recorded);
            }
            _ => return self.read_one(id, store).await,
        }
        self.place(id);
        Ok(())
    }

    fn remember(&mut self, cursor: u64, id: IncidentId) {
        self.changes.push_back((cursor, id));
        if self.changes.len() > CHANGES {
            self.forgotten = self.changes.pop_front().map_or(self.forgotten, |(cursor, _)| cursor);
        }
    }

    /// Reads one incident from its log. One that cannot be read is left out, and the board names
    /// it.
    pub(super) async fn read_one(&mut self, id: IncidentId, store: &Store) -> Result<()> {
        let known = (self.open.remove(&id), self.ended.remove(&id));
        match store.incident(id).await {
            Ok(filed) => {
                // `place` handles a closed incident: it remembers what the place was.
                self.open.insert(id, Arc::new(filed));
                if known.1.is_none() {
                    self.place(id);
                } else if let Some(filed) = self.open.remove(&id) {
                    self.ended.insert(id, filed);
                }
                Ok(())
            }
            Err(e) if matches!(e.kind, Kind::NotFound | Kind::Internal) => Ok(()),
            Err(e) => Err(e),
        }
    }

    /// Adds open incidents that were unknown: wrong rows hid them until they were corrected from
    /// the log.
    pub(super) async fn recalled(&self, store: &Store) -> Result<Self> {
        let mut next = self.clone();
        let open = store
            .open_incidents()
            .await?
            .into_iter()
            .filter(|it| it.incident.state != State::Closed);
        for filed in open.filter(|it| self.get(it.incident.id).is_none()) {
            next.ended.remove(&filed.incident.id);
            next.open.insert(filed.incident.id, Arc::new(filed));
        }
        Ok(next)
    }

    /// Moves a closed incident out of the open ones, and remembers what its place was.
    fn place(&mut self, id: IncidentId) {
        let closed = self.open.get(&id).and_then(|filed| {
            let closed = Closed::of(&filed.incident)?;
            (filed.incident.state == State::Closed)
                .then(|| Closed { code: filed.code.clone(), ..closed })
        });
        let Some(closed) = closed else { return };
        if let Some(filed) = self.open.remove(&id) {
            self.ended.insert(id, filed);
            if self.closed.iter().rev().all(|it| it.incident != id) {
                Arc::make_mut(&mut self.closed).push(closed);
            }
        }
    }

    /// The cursor of the log that this book reflects.
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// Oldest first.
    pub fn open(&self) -> Values<'_, IncidentId, Arc<Filed>> {
        self.open.values()
    }

    /// Closed within [`ENDED_FOR`] of the last change, oldest first.
    pub fn ended(&self) -> Values<'_, IncidentId, Arc<Filed>> {
        self.ended.values()
    }

    /// An open incident.
    pub fn get(&self, incident: IncidentId) -> Option<&Arc<Filed>> {
        self.open.get(&incident)
    }

    /// An open incident, or one that ended within the last day.
    pub fn find(&self, incident: IncidentId) -> Option<&Arc<Filed>> {
        self.open.get(&incident).or_else(|| self.ended.get(&incident))
    }

    /// Incidents changed after `cursor`, each once, in the order of their last change; `None` when
    /// that is no longer remembered.
    pub fn changed_after(&self, cursor: u64) -> Option<Vec<IncidentId>> {
        if cursor < self.forgotten {
            return None;
        }
        let mut changed: Vec<IncidentId> = Vec::new();
        for (_, id) in self.changes.iter().rev().take_while(|(at, _)| *at > cursor) {
            if !changed.contains(id) {
                changed.push(*id);
            }
        }
        changed.reverse();
        Some(changed)
    }

    pub fn closed(&self) -> &[Closed] {
        &self.closed
    }

    pub fn last_opened(&self) -> u64 {
        self.last_opened
    }

    /// The next instant at which time alone changes something.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.open().filter_map(|it| it.incident.next_deadline()).map(|(at, _)| at).min()
    }

    pub(super) fn due(&self, now: Timestamp) -> Vec<(Arc<Filed>, Deadline)> {
        let mut due: Vec<(Arc<Filed>, Deadline)> = self
            .open()
            .filter_map(|it| {
                it.incident
                    .next_deadline()
                    .filter(|(at, _)| *at <= now)
                    .map(|(_, what)| (it.clone(), what))
            })
            .collect();
        due.sort_by_key(|(it, _)| it.opened_seq);
        due
    }

    /// The open incident after this one, cyclically.
    pub(super) fn after(&self, last: Option<IncidentId>) -> Option<IncidentId> {
        use std::ops::Bound::{Excluded, Unbounded};
        let next = last.and_then(|last| self.open.range((Excluded(last), Unbounded)).next());
        next.or_else(|| self.open.first_key_value()).map(|(id, _)| *id)
    }

    /// Whether the book's incident differs from its log. If the log is ahead, the comparison waits
    /// until next time.
    pub(super) fn disagrees(&self, log: &Filed) -> bool {
        let known = self.get(log.incident.id);
        known.is_some_and(|it| log.incident.version <= it.incident.version && **it != *log)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    /// A page asks for changes since its cursor. One that is too far behind is told so.
    #[test]
    fn each_change_is_told_once_or_said_to_be_forgotten() {
        let id = |n: u64| IncidentId(Uuid::from_u128(u128::from(n % 7)));
        let mut book = OpenBook::default();
        for n in 1..=CHANGES as u64 {
            book.remember(n, id(n));
        }
        assert_eq!(book.changed_after(CHANGES as u64), Some(vec![]));
        assert_eq!(
            book.changed_after(CHANGES as u64 - 2),
            Some(vec![id(CHANGES as u64 - 1), id(CHANGES as u64)])
        );
        assert_eq!(book.changed_after(0).map(|all| all.len()), Some(7), "each incident once");
        book.remember(CHANGES as u64 + 1, id(1));
        assert_eq!(book.changed_after(0), None);
        assert!(book.changed_after(1).is_some());
    }
}
