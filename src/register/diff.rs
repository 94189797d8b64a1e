//! What a change would do, cell by cell, for a person to read before it is made.

use super::{Entries, Fact, Validity};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What facts change. Logins show as stars.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct Diff {
    /// Keys of new entries.
    pub added: Vec<String>,
    pub changed: Vec<Changed>,
    /// Keys of entries that go.
    pub removed: Vec<String>,
    /// Those of them that hold at a time of their own: from a day that comes, or until one.
    pub dated: Vec<Dated>,
}

/// One entry may come several times, each time with its own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Dated {
    pub key: String,
    /// Null: from now on.
    pub valid_from: Option<Timestamp>,
    /// Null: until it is changed again. Afterwards what was registered before holds.
    pub valid_until: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Changed {
    pub key: String,
    pub cells: Vec<Cell>,
}

/// One cell of a changed entry; an empty cell is an empty text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Cell {
    pub column: String,
    pub before: String,
    pub after: String,
}

impl Diff {
    pub fn of(before: &Entries, facts: &[Fact]) -> Self {
        let mut diff = Self::default();
        for fact in facts {
            if fact.validity().is_given() {
                let Validity { from: valid_from, until: valid_until } = fact.validity();
                diff.dated.push(Dated { key: fact.key.clone(), valid_from, valid_until });
            }
            match (before.get(fact.register, &fact.key), &fact.entry) {
                (None, Some(_)) => diff.added.push(fact.key.clone()),
                (Some(_), None) => diff.removed.push(fact.key.clone()),
                (Some(old), Some(new)) => {
                    let mut cells = compared(&old.value, new);
                    let is_other = |(column, _): &(&String, &String)| {
                        old.secrets.get(*column) != fact.secrets.get(*column)
                    };
                    for (column, _) in fact.secrets.iter().filter(is_other) {
                        if cells.iter().all(|cell| cell.column != *column) {
                            let (column, before, after) =
                                (column.clone(), "***".to_owned(), "***".to_owned());
                            cells.push(Cell { column, before, after });
                        }
                    }
                    diff.changed.push(Changed { key: fact.key.clone(), cells });
                }
                (None, None) => {}
            }
        }
        diff
    }

    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

fn compared(old: &Value, new: &Value) -> Vec<Cell> {
    let (old, new) = (cells(old), cells(new));
    let columns: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let text = |of: &BTreeMap<String, String>, column: &String| {
        of.get(column).cloned().unwrap_or_default()
    };
    let cell = |column: &&String| Cell {
        column: (*column).clone(),
        before: text(&old, column),
        after: text(&new, column),
    };
    columns.iter().map(cell).filter(|cell| cell.before != cell.after).collect()
}

/// Column → text. A GeoJSON feature has its properties; its geometry is one short name, since
/// nobody reads coordinates.
fn cells(entry: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let Value::Object(entry) = entry else { return BTreeMap::new() };
    match (entry.get("properties"), entry.get("geometry")) {
        (Some(Value::Object(properties)), Some(geometry)) => {
            let mut cells: BTreeMap<_, _> =
                properties.iter().map(|(name, value)| (name.clone(), text(value))).collect();
            cells.insert("geometry".to_owned(), shape_name(geometry));
            cells
        }
        _ => entry.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
    }
}

/// Tells two shapes apart.
fn shape_name(geometry: &Value) -> String {
    use sha2::{Digest, Sha256};
    format!("#{}", hex::encode(&Sha256::digest(geometry.to_string())[..4]))
}
