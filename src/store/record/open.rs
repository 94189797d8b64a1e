//! Checks the rows of open incidents every minute. A wrong row hides a fire from the lists, or
//! blocks every action on it by a wrong version. That must not last until tomorrow's check of the
//! whole record. The cost depends on the number of open incidents.

use super::derived::{Difference, Read};
use super::{Line, Store, failed, reading};
use crate::error::Result;
use std::collections::{BTreeMap, BTreeSet};

/// Events read at once to catch up with the log.
const EVENTS_AT_ONCE: u32 = 1_000;

/// The rows of open incidents, derived from the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenLines {
    /// The cursor up to which they are derived.
    cursor: u64,
    lines: BTreeMap<String, Line>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    #[sqlx(flatten)]
    line: Line,
}

impl OpenLines {
    pub(super) fn at(cursor: u64) -> Self {
        Self { cursor, lines: BTreeMap::new() }
    }

    pub(super) fn insert(&mut self, name: String, line: Line) {
        self.lines.insert(name, line);
    }
}

impl Store {
    /// Corrects differing rows of open incidents, and returns the differences.
    pub async fn mend_open(&self, open: &mut OpenLines) -> Result<Vec<Difference>> {
        let mut changed = BTreeSet::new();
        loop {
            let entries = self.events_after(open.cursor, EVENTS_AT_ONCE).await?;
            let Some(last) = entries.last() else { break };
            open.cursor = last.cursor;
            changed.extend(entries.iter().map(|it| it.incident.to_string()));
        }
        for name in changed {
            match self.logged(&name).await? {
                Read::Whole(logged) if logged.is_open() => _ = open.lines.insert(name, logged.line),
                // Incidents that cannot be read are reported elsewhere.
                Read::Whole(_) | Read::Unreadable(_) => _ = open.lines.remove(&name),
            }
        }
        let rows: Vec<Row> = reading!(self, pool => sqlx::query_as(
            "SELECT id, version, state, drill, opened_seq, opened_at_us, closed_at_us FROM \
            incident WHERE state <> 'closed'",
        ).fetch_all(pool).await.map_err(failed)?);
        let rows: BTreeMap<String, Line> = rows.into_iter().map(|row| (row.id, row.line)).collect();
        let all: BTreeSet<&String> = rows.keys().chain(open.lines.keys()).collect();
        let mut differences = Vec::new();
        // Most of these are incidents being acted on just now. The closer comparison decides.
        for name in all.into_iter().filter(|name| rows.get(*name) != open.lines.get(*name)) {
            let (_, found) = self.compared(name, true).await?;
            differences.extend(found);
        }
        Ok(differences)
    }
}
