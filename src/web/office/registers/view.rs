//! One register as a list: its entries, where each comes from, what is wrong, and what is
//! registered ahead.

use super::history::{FactView, author_name, origins};
use super::is_changed_by;
use crate::county::{CameraEntry, County, Gap, Oddity};
use crate::error::Error;
use crate::lang::Lang;
use crate::register::{Entry, Register};
use crate::web::WebState;
use crate::web::http::auth::Office;
use crate::web::http::error::{Answer, lang_of};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::task::spawn_blocking;
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// As it was then; without it as it is now.
    at: Option<Timestamp>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RegisterView {
    register: Register,
    at: Timestamp,
    /// The newest change. Send it back with a change, so that nobody decides on an old view.
    seen: u64,
    /// Whether the person who asks may change it here.
    may_change: bool,
    items: Vec<EntryView>,
    /// The changes that the entries come from, oldest first.
    origins: Vec<Origin>,
    /// What begins later by itself, the soonest first.
    ahead: Vec<FactView>,
    /// What is wrong with it now; of a register as it was: nothing.
    problems: Vec<ProblemView>,
}

/// An entry with its columns by their English names, empty ones left out; a grid is a GeoJSON
/// feature. Logins are stars.
#[derive(Serialize, ToSchema)]
struct EntryView {
    key: String,
    #[schema(value_type = Object)]
    entry: Value,
    /// The number of the change that it comes from.
    change: Option<u64>,
    /// Afterwards what was registered before is valid again; null: until it is changed.
    valid_until: Option<Timestamp>,
}

/// A change, told for the entries that come from it.
#[derive(Serialize, ToSchema)]
struct Origin {
    number: u64,
    at: Timestamp,
    by_name: String,
    why: String,
}

#[derive(Serialize, ToSchema)]
struct ProblemView {
    /// The entry that is concerned; null: the register or its file.
    key: Option<String>,
    /// Line of its file, from 1.
    line: Option<u64>,
    words: String,
}

/// One register, as it is or as it was.
#[utoipa::path(
    get, path = "/api/v1/registers/{register}", tag = "office",
    params(("register" = Register, Path), Asked), security(("session" = ["officer", "ops"])),
    responses((status = 200, body = RegisterView)),
)]
pub(crate) async fn register(
    State(state): State<WebState>,
    Office(me): Office,
    Path(register): Path<Register>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Answer<Json<RegisterView>> {
    let (history, county, now) = (state.registers.history(), state.county(), state.clock.now());
    let at = asked.at.unwrap_or(now);
    if register == Register::People {
        tracing::info!(person = %me.person, "the register of people was shown");
    }
    let (entries, origins) = (history.at(at), origins(&history, register, at));
    let items = entries.of(register).iter().map(|entry| {
        let origin = origins.get(entry.key.as_str());
        EntryView {
            key: entry.key.clone(),
            entry: entry.value.clone(),
            change: origin.map(|(change, _)| change.number),
            valid_until: origin.and_then(|(_, fact)| fact.valid_until),
        }
    });
    let told: BTreeMap<u64, Origin> = origins
        .values()
        .map(|(change, _)| {
            let by_name = author_name(&change.by, &county);
            let (number, at, why) = (change.number, change.at, change.why.clone());
            (number, Origin { number, at, by_name, why })
        })
        .collect();
    let ahead = history.coming(register, at).into_iter();
    let ahead = ahead.map(|(change, fact)| FactView::of(fact, change.number, change.at, &history));
    let problems = match asked.at {
        Some(_) => Vec::new(),
        None => {
            let (asked, lang) = (Arc::clone(&county), lang_of(&headers));
            // No work for the threads that serve.
            let odd = spawn_blocking(move || asked.oddities_of(register))
                .await
                .map_err(|e| Error::internal("looking for oddities failed").because(e))?;
            let plain = problems(register, entries.of(register), &county, now, lang);
            plain.into_iter().chain(odd.into_iter().flat_map(|odd| views(odd, lang))).collect()
        }
    };
    Ok(Json(RegisterView {
        register,
        at,
        seen: history.number(),
        may_change: is_changed_by(register, &me.right),
        items: items.collect(),
        origins: told.into_values().collect(),
        ahead: ahead.collect(),
        problems,
    }))
}

/// What is wrong with a register: rows that cannot be used, what its entries lack, and gaps.
fn problems(
    register: Register,
    entries: &[Entry],
    county: &County,
    now: Timestamp,
    lang: Lang,
) -> Vec<ProblemView> {
    let of_file = county.problems.iter().filter(|it| it.file == register.file_name());
    let of_file = of_file.map(|it| ProblemView {
        key: None,
        line: Some(it.line).filter(|line| *line > 0),
        words: it.reason.pick(lang).to_owned(),
    });
    let gaps = county.gaps(now);
    let of_gaps = gaps.iter().flat_map(|gap| {
        let keys = concerned(gap, register, entries, county);
        keys.into_iter().map(|key| ProblemView { key, line: None, words: gap.words(lang) })
    });
    of_file.chain(of_gaps).chain(lacks(register, county, now, lang)).collect()
}

/// What is likely wrong, beside each entry that it concerns.
fn views(odd: Oddity, lang: Lang) -> impl Iterator<Item = ProblemView> {
    let words = odd.words.pick(lang).to_owned();
    let view = move |key| ProblemView { key: Some(key), line: None, words: words.clone() };
    odd.keys.into_iter().map(view)
}

/// The entries of this register that a gap concerns; `None` stands for the register as a whole.
fn concerned(
    gap: &Gap,
    register: Register,
    entries: &[Entry],
    county: &County,
) -> Vec<Option<String>> {
    match (gap, register) {
        (Gap::NoGrids, Register::Grids) | (Gap::NoDuty { .. }, Register::Duty) => vec![None],
        (Gap::NoRanger { grid, .. }, Register::Grids) => vec![Some(grid.to_string())],
        (Gap::UnknownPerson { person }, Register::Duty) => {
            let names = |it: &&Entry| {
                it.value.get("person").and_then(Value::as_str) == Some(person.as_str())
            };
            entries.iter().filter(names).map(|entry| Some(entry.key.clone())).collect()
        }
        (Gap::SharedPhone { people }, Register::People) => {
            let shares = county.people.iter().filter(|it| {
                people.iter().any(|shared| *shared == format!("{}（{}）", it.name, it.id))
            });
            shares.map(|it| Some(it.id.to_string())).collect()
        }
        _ => Vec::new(),
    }
}

/// What entries lack that nothing else says.
fn lacks(register: Register, county: &County, now: Timestamp, lang: Lang) -> Vec<ProblemView> {
    let said = |key: String, zh: &str, en: &str| ProblemView {
        key: Some(key),
        line: None,
        words: lang.pick(zh, en).to_owned(),
    };
    match register {
        Register::People => {
            let silent = county.people.iter().filter(|it| it.phone.is_none());
            let words = ("没有电话，不能通知", "no phone: nobody can tell this person anything");
            silent.map(|it| said(it.id.to_string(), words.0, words.1)).collect()
        }
        Register::Cameras => {
            let unaimed = county.cameras.iter().filter(|it| it.azimuth_deg.is_none());
            let words = ("没有方位角，警情没有方向", "no azimuth: its alarms have no direction");
            let key = |it: &CameraEntry| format!("{}@{}", it.id, it.pose);
            unaimed.map(|it| said(key(it), words.0, words.1)).collect()
        }
        Register::HeatSources => {
            let over = county.heat_sources.iter().filter(|it| it.expires <= now);
            let words = ("已到期，不再用于标注", "expired: it labels nothing any more");
            over.map(|it| said(it.name.clone(), words.0, words.1)).collect()
        }
        _ => Vec::new(),
    }
}
