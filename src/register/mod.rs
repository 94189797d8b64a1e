//! 登记: PURE. What the office has registered, as facts with a history: who, when, why, and from
//! when until when. A change is one line of the log; [`History`] answers for any instant what was
//! valid then. An entry is kept as the office writes it: the columns of its sheet, or a GeoJSON
//! feature. What its cells mean is read in one place, by `county`.

mod diff;
mod history;
mod merge;
mod notice;
pub mod shift;
#[cfg(test)]
mod tests;

pub use diff::{Cell, Changed, Dated, Diff};
pub use history::{Entries, History, Version};
pub use merge::{Edited, Merge, merge};
pub use notice::{Ban, Colour, Danger, Ground, InForce, Notice, Signal};
pub use shift::Shift;

use crate::triage::id::PersonId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// The registers an office keeps.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Register {
    /// 本县: name, outline, neighbours. One entry with the key "".
    County,
    /// 网格
    Grids,
    /// 人员
    People,
    /// 摄像机
    Cameras,
    /// 值班表
    Duty,
    /// 已批用火
    Burns,
    /// 已知热源
    HeatSources,
    /// 火险等级
    Danger,
    /// 预警信号
    Signals,
    /// 禁火令
    Bans,
    /// 班次, signed by persons; one entry with the key "".
    Shift,
    /// 规则: `[policy]` of the configuration, as it was when a desk started; one entry with the key
    /// "".
    Policy,
}

impl Register {
    /// Those that the office keeps as files. The others are written by what people do.
    pub const ALL: [Self; 10] = [
        Self::County,
        Self::Grids,
        Self::People,
        Self::Cameras,
        Self::Duty,
        Self::Burns,
        Self::HeatSources,
        Self::Danger,
        Self::Signals,
        Self::Bans,
    ];

    /// Its file in `<data>/registers/`; a name where it has none.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::County => "county.toml",
            Self::Grids => "grids.geojson",
            Self::People => "people.csv",
            Self::Cameras => "cameras.csv",
            Self::Duty => "duty.csv",
            Self::Burns => "burns.csv",
            Self::HeatSources => "heat-sources.csv",
            Self::Danger => "danger.csv",
            Self::Signals => "signals.csv",
            Self::Bans => "bans.csv",
            Self::Shift => "shift",
            Self::Policy => "policy",
        }
    }

    /// The file's name without its ending, as `huoyan import` calls the register.
    pub fn name(self) -> &'static str {
        self.file_name().split('.').next().unwrap_or_default()
    }
}

/// An entry of a register, as the office writes it.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// Identifies it within its register: a person's id, a camera and its pose, a day and a post.
    pub key: String,
    /// Column → cell, both texts; for a grid its GeoJSON feature. Logins are shown as stars.
    pub value: Value,
    /// Cells with a login, by column. They are kept beside the log, never in it.
    pub secrets: BTreeMap<String, String>,
    /// As the row of a sheet says; nothing for what is in force.
    pub valid: Validity,
}

impl Entry {
    /// Without logins and without a time of its own.
    pub fn of(key: impl Into<String>, value: Value) -> Self {
        let (secrets, valid) = (BTreeMap::new(), Validity::default());
        Self { key: key.into(), value, secrets, valid }
    }

    /// A page and a sheet show logins as stars and bring them back so: then the login stays what it
    /// was.
    pub fn keep_logins(&mut self, held: Option<&Self>) {
        for (column, secret) in held.into_iter().flat_map(|held| &held.secrets) {
            let is_shown = held.and_then(|held| held.value.get(column)) == self.value.get(column);
            if is_shown && !self.secrets.contains_key(column) {
                self.secrets.insert(column.clone(), secret.clone());
            }
        }
    }
}

/// 生效, 失效: from when until when. Nothing said: from the change until another one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Validity {
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

impl Validity {
    pub fn is_given(self) -> bool {
        self.from.is_some() || self.until.is_some()
    }

    pub fn is_over(self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    pub fn holds(self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now) && !self.is_over(now)
    }
}

/// What a change says about one entry.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Fact {
    pub register: Register,
    pub key: String,
    /// `None`: the entry is removed.
    pub entry: Option<Value>,
    /// `None`: from the instant of the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// `None`: until a later fact says otherwise. Afterwards what was registered before is valid
    /// again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// Of a camera: columns that held a login. Only the newest login of each is kept. `None`: an
    /// earlier release did not write it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logins: Option<BTreeSet<String>>,
    /// As in [`Entry`]. The log is written without them.
    #[serde(skip)]
    pub secrets: BTreeMap<String, String>,
}

impl Fact {
    /// Whether it is valid at an instant, if no later one says otherwise. `said_at`: of its change.
    pub fn holds(&self, said_at: Timestamp, at: Timestamp) -> bool {
        let Validity { from, until } = self.validity();
        Validity { from: from.or(Some(said_at)), until }.holds(at)
    }

    pub fn validity(&self) -> Validity {
        Validity { from: self.valid_from, until: self.valid_until }
    }

    /// Whether both say the same of the same entry, for the same time.
    fn is_as(&self, other: &Self) -> bool {
        let said = |it: &Self| (it.register, it.validity());
        said(self) == said(other) && self.key == other.key && self.entry == other.entry
    }

    pub fn set(register: Register, entry: Entry) -> Self {
        let Entry { key, value, secrets, valid: Validity { from, until } } = entry;
        let fact = Self { entry: Some(value), secrets, ..Self::removed(register, key) };
        Self { valid_from: from, valid_until: until, ..fact }.with_logins()
    }

    /// Says which columns hold a login.
    #[must_use]
    pub fn with_logins(mut self) -> Self {
        let is_camera = self.register == Register::Cameras && self.entry.is_some();
        self.logins = is_camera.then(|| self.secrets.keys().cloned().collect());
        self
    }

    pub fn removed(register: Register, key: String) -> Self {
        Self {
            register,
            key,
            entry: None,
            valid_from: None,
            valid_until: None,
            logins: None,
            secrets: BTreeMap::new(),
        }
    }
}

/// Who changed a register.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum Author {
    /// Somebody who was logged in.
    Person(PersonId),
    /// The account of the machine under which `huoyan import` ran.
    Account(String),
    /// Whoever edited this file in the folder of the registers.
    File(String),
    /// Whoever edited the configuration with which a desk was started.
    Configuration,
}

/// Facts that were registered together, all or none: one import, one correction, one swap.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Change {
    /// Place among the changes, from 1. It stands beside the body in the log.
    #[serde(skip)]
    pub number: u64,
    pub at: Timestamp,
    pub by: Author,
    /// In the words of the author.
    pub why: String,
    pub facts: Vec<Fact>,
}
