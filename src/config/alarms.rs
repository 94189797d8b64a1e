//! `[[alarms.systems]]`: where in another system's messages the fields of an alarm stand. A text that
//! begins with `/` is a JSON pointer into the message (XML is read as JSON: `/Root/Element`); any
//! other text is a constant.

use super::check::Checked;
use crate::base::range::within;
use crate::lang::Words;
use crate::triage::datum::Datum;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlarmsConfig {
    /// Systems that do not send this program's own form.
    pub systems: Vec<SystemMap>,
}

/// What one system's messages mean.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemMap {
    /// As in `huoyan system add`.
    pub name: String,
    /// Only a message that fulfils all of these is an alarm. Others are signs of life.
    #[serde(default)]
    pub when: Vec<When>,
    /// Must differ from alarm to alarm, and be the same when one is sent again.
    pub id: Take,
    pub device: Take,
    /// The camera register's ids of devices that call themselves otherwise.
    #[serde(default)]
    pub devices: BTreeMap<String, String>,
    /// None: the time of arrival counts.
    #[serde(default)]
    pub time: Option<TakeTime>,
    #[serde(default)]
    pub lat_deg: Option<TakeNumber>,
    #[serde(default)]
    pub lon_deg: Option<TakeNumber>,
    #[serde(default)]
    pub datum: Datum,
    #[serde(default)]
    pub radius_m: Option<TakeNumber>,
    #[serde(default)]
    pub azimuth_deg: Option<TakeNumber>,
    #[serde(default)]
    pub half_width_deg: Option<TakeNumber>,
    #[serde(default)]
    pub range_m: Option<TakeNumber>,
    /// Left, top, width and height of the fire as shares of the picture.
    #[serde(default)]
    pub bbox: Option<[TakeNumber; 4]>,
    #[serde(default)]
    pub confidence: Option<TakeNumber>,
    #[serde(default)]
    pub class: Option<Take>,
    /// What officers read instead of the system's own words.
    #[serde(default)]
    pub classes: BTreeMap<String, String>,
    /// Where pictures in base64 stand. Those of a multipart body are taken anyway.
    #[serde(default)]
    pub pictures: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    pub at: String,
    pub is: Vec<String>,
}

/// A text: one pointer or constant, or several joined by "-".
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged, expecting = "must be a text or a list of texts; \"/…\" points into the message")]
pub enum Take {
    One(String),
    Joined(Vec<String>),
}

impl Take {
    pub fn parts(&self) -> &[String] {
        match self {
            Self::One(part) => std::slice::from_ref(part),
            Self::Joined(parts) => parts,
        }
    }
}

/// A number: where it stands, or a constant.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "must be a number, a pointer \"/…\", or { at = \"/…\", times = …, none = […] }"
)]
pub enum TakeNumber {
    Is(f64),
    At(String),
    Scaled(Scaled),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaled {
    pub at: String,
    /// What it is multiplied by: 0.01 makes a share of a percentage.
    #[serde(default = "one")]
    pub times: f64,
    /// Values that mean "not known", as the system writes them: -1.
    #[serde(default)]
    pub none: Vec<f64>,
}

fn one() -> f64 {
    1.0
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakeTime {
    pub at: String,
    pub written: Written,
}

/// How a system writes its times.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Written {
    /// 2026-11-21T13:59:40+08:00
    Rfc3339,
    /// 2026-11-21 13:59:40 by the county's clock.
    Local,
    /// The same in UTC, without saying so.
    Utc,
    /// Seconds since 1970.
    EpochS,
    /// Milliseconds since 1970.
    EpochMs,
}

impl AlarmsConfig {
    pub(super) fn check(&self) -> Checked {
        let mut names = BTreeSet::new();
        for system in &self.systems {
            let name = system.name.trim();
            if name.is_empty() || !names.insert(name) {
                return Err(Words::new(
                    format!(
                        "[[alarms.systems]] name \"{name}\" 是空的或重复：每个系统一节，名称不同"
                    ),
                    format!(
                        "[[alarms.systems]] name \"{name}\" is empty or stands twice: one section \
                        for each system"
                    ),
                ));
            }
            system.check().map_err(|why| why.after(&format!("[[alarms.systems]] {name}:")))?;
        }
        Ok(())
    }

    /// What this system's messages mean; `None`: it sends this program's own form.
    pub fn of(&self, name: &str) -> Option<&SystemMap> {
        self.systems.iter().find(|it| it.name.trim() == name)
    }
}

impl SystemMap {
    fn check(&self) -> Checked {
        for (field, take) in
            [("id", Some(&self.id)), ("device", Some(&self.device)), ("class", self.class.as_ref())]
        {
            for part in take.into_iter().flat_map(Take::parts) {
                pointer_if_one(field, part)?;
            }
        }
        if !self.id.parts().iter().any(|it| it.starts_with('/')) {
            return Err(Words::new(
                "id 是常数，所有告警就成了同一条：请指向消息里的编号，例如 \"/id\"",
                "id is a constant, so all alarms would be one: point to the message's id, for \
                example \"/id\"",
            ));
        }
        for when in &self.when {
            pointer("when.at", &when.at)?;
            if when.is.is_empty() {
                return Err(Words::new(
                    format!("when {} 的 is 是空的：没有消息会成为告警", when.at),
                    format!("when {}: \"is\" is empty, so no message is an alarm", when.at),
                ));
            }
        }
        if let Some(time) = &self.time {
            pointer("time.at", &time.at)?;
        }
        for at in &self.pictures {
            pointer("pictures", at)?;
        }
        self.check_numbers()
    }

    fn check_numbers(&self) -> Checked {
        if self.lat_deg.is_some() != self.lon_deg.is_some() {
            return Err(Words::new(
                "lat_deg 和 lon_deg 要么都有，要么都没有",
                "lat_deg and lon_deg stand together or not at all",
            ));
        }
        if self.azimuth_deg.is_none() && (self.range_m.is_some() || self.half_width_deg.is_some()) {
            return Err(Words::new(
                "没有 azimuth_deg，range_m 和 half_width_deg 就没有意义：请补上方位或删去它们",
                "range_m and half_width_deg mean nothing without azimuth_deg: add it or remove them",
            ));
        }
        for (field, take, range, usual) in [
            ("lat_deg", &self.lat_deg, -90.0..=90.0, 28.5),
            ("lon_deg", &self.lon_deg, -180.0..=180.0, 110.4),
            ("radius_m", &self.radius_m, 1.0..=20_000.0, 500.0),
            ("azimuth_deg", &self.azimuth_deg, 0.0..=360.0, 90.0),
            ("half_width_deg", &self.half_width_deg, 0.1..=45.0, 3.0),
            ("range_m", &self.range_m, 1.0..=50_000.0, 3_000.0),
            ("confidence", &self.confidence, 0.0..=1.0, 0.5),
        ] {
            let Some(take) = take else { continue };
            take.check(field)?;
            if let TakeNumber::Is(constant) = take {
                within(field, *constant, range, usual)?;
            }
        }
        self.bbox.iter().flatten().try_for_each(|take| take.check("bbox"))
    }
}

impl TakeNumber {
    fn check(&self, field: &str) -> Checked {
        match self {
            Self::Is(_) => Ok(()),
            Self::At(at) => pointer(field, at),
            Self::Scaled(Scaled { at, times, .. }) => {
                pointer(field, at)?;
                if times.is_finite() && *times != 0.0 {
                    return Ok(());
                }
                Err(Words::new(
                    format!("{field} 的 times = {times} 不能用来相乘，例如 0.01"),
                    format!("{field}: times = {times} is no factor, for example 0.01"),
                ))
            }
        }
    }
}

fn pointer_if_one(field: &str, text: &str) -> Checked {
    if text.starts_with('/') || text.is_empty() { pointer(field, text) } else { Ok(()) }
}

/// A pointer of RFC 6901, into something.
fn pointer(field: &str, text: &str) -> Checked {
    let is_escaped = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if text.starts_with('/') && text.len() > 1 && is_escaped {
        return Ok(());
    }
    Err(Words::new(
        format!("{field} = \"{text}\" 应是以 / 开头的 JSON 指针，例如 \"/event/id\""),
        format!("{field} = \"{text}\" must be a JSON pointer, for example \"/event/id\""),
    ))
}
