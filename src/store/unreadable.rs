//! Partial availability: a row that cannot be read (written by a newer version, or damaged) is
//! named in the log once, and listed until it can be read again. Other rows are not affected.

use super::Store;
use super::filed::Filed;
use crate::error::Result;
use crate::triage::id::IncidentId;
use parking_lot::{Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An incident whose log cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unreadable {
    pub incident: IncidentId,
    pub code: String,
    pub why: String,
}

/// The unreadable rows found so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Known(Arc<Mutex<Rows>>);

#[derive(Debug, Default)]
struct Rows {
    incidents: BTreeMap<IncidentId, Unreadable>,
    /// All other rows by name ("hotspot N20…"), with the reason.
    others: BTreeMap<String, String>,
}

impl Known {
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock()
    }
}

impl Store {
    /// Incidents found unreadable, in order of opening.
    pub fn unreadable(&self) -> Vec<Unreadable> {
        self.unreadable.rows().incidents.values().cloned().collect()
    }

    /// Names of all other rows found unreadable.
    pub fn unreadable_rows(&self) -> Vec<String> {
        self.unreadable.rows().others.keys().cloned().collect()
    }

    pub(super) fn readable_incidents(
        &self,
        rebuilt: impl IntoIterator<Item = Result<Filed, Unreadable>>,
    ) -> Vec<Filed> {
        let mut known = self.unreadable.rows();
        let mut filed = Vec::new();
        for one in rebuilt {
            match one {
                Ok(one) => {
                    known.incidents.remove(&one.incident.id);
                    filed.push(one);
                }
                Err(one) => {
                    if known.incidents.get(&one.incident) != Some(&one) {
                        tracing::error!(
                            incident.code = one.code,
                            "an incident cannot be read: {}",
                            one.why
                        );
                    }
                    known.incidents.insert(one.incident, one);
                }
            }
        }
        filed
    }

    /// The rows that can be read, in their order. Each row comes with its name.
    pub(super) fn readable<T>(
        &self,
        rows: impl IntoIterator<Item = (String, Result<T>)>,
    ) -> Vec<T> {
        let mut known = self.unreadable.rows();
        let mut whole = Vec::new();
        for (name, row) in rows {
            match row {
                Ok(row) => {
                    known.others.remove(&name);
                    whole.push(row);
                }
                Err(e) => {
                    let why = e.chain();
                    if known.others.get(&name) != Some(&why) {
                        tracing::error!(row = name, "a row cannot be read and is skipped: {why}");
                    }
                    known.others.insert(name, why);
                }
            }
        }
        whole
    }
}
