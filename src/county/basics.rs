//! What a register file can say beside its entries: county.toml, and rows that cannot be used.

use crate::lang::{Lang, Words};
use crate::triage::geo::LatLon;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A row of a register file, or a whole terrain file, that could not be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    pub file: String,
    /// Line, or number of the feature, from 1; 0 for the whole file.
    pub line: u64,
    pub reason: Words,
}

impl Problem {
    /// Of the whole file.
    pub fn of_file(file: impl Into<String>, reason: Words) -> Self {
        Self { file: file.into(), line: 0, reason }
    }

    /// `people.csv:4: …`, as editors and compilers name a place.
    pub fn said(&self, lang: Lang) -> String {
        let (file, reason) = (&self.file, self.reason.pick(lang));
        match self.line {
            0 => format!("{file}: {reason}"),
            line => format!("{file}:{line}: {reason}"),
        }
    }
}

/// For the log.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said(Lang::from_env()))
    }
}

/// county.toml: everything that is not a list. `O` is the outline: in the file the name of a
/// GeoJSON file beside it (a geometry, a feature, or a collection whose first feature is used), in
/// the log the geometry itself.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Basics<O> {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub centre: Option<LatLon>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outline: Option<O>,
    /// Without a terrain model: may a camera's range be computed over flat ground?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ground: Option<GroundWord>,
    #[serde(default)]
    pub neighbours: Vec<super::Neighbour>,
}

/// How an office can describe its ground in one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum GroundWord {
    Flat,
}
