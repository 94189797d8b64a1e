//! 登记册: changes of entries: shown first with what follows from them, made with a reason, taken
//! back. The duty room changes people, rota, burns and heat sources; grids and cameras are for
//! operations.

pub(crate) mod follows;
pub(crate) mod history;
pub(crate) mod rota;
pub(crate) mod sheet;
pub(crate) mod view;
pub(crate) mod visit;

use crate::county::{self, Sheet};
use crate::error::{Error, Kind};
use crate::lang::Lang;
use crate::register::{Author, Diff, Entries, Entry, Fact, History, Register};
use crate::web::WebState;
use crate::web::http::auth::Office;
use crate::web::http::error::{Answer, Problem, lang_of};
use crate::web::http::json::{Body, words};
use crate::web::http::me::Me;
use crate::web::http::rights::Right;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use follows::{Consequence, follows};
use history::author_name;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Entries shown with their cells in a diff. An import of thousands is counted.
const SHOWN: usize = 200;
/// Entries that one request may change. A whole register comes by import.
const AT_ONCE: usize = 200;

#[derive(Deserialize, ToSchema)]
pub(crate) struct Proposal {
    /// New or changed entries, whole; columns by their English or Chinese names, a grid as a
    /// GeoJSON feature.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    set: Vec<Value>,
    /// Keys of entries to remove.
    #[serde(default)]
    remove: Vec<String>,
    #[serde(default)]
    why: String,
    /// `seen` of the view that this was decided on.
    seen: u64,
    /// Null: from now on.
    valid_from: Option<Timestamp>,
    /// Null: until it is changed again. Afterwards what was registered before holds.
    valid_until: Option<Timestamp>,
    /// Only say what would change.
    #[serde(default)]
    dry_run: bool,
}

/// What a change does, or would do.
#[derive(Serialize, ToSchema)]
pub(crate) struct Proposed {
    diff: Diff,
    /// New and changed entries as they are registered, by key, the first 200. A phone number that
    /// was typed with hyphens is without them.
    #[schema(value_type = BTreeMap<String, Object>)]
    entries: BTreeMap<String, Value>,
    /// What the county loses or gains by it, and which cameras are connected anew.
    follows: Vec<Consequence>,
    /// The newest change, this one if it was made.
    seen: u64,
}

/// What facts would change now, for a person to read before they are registered.
fn proposed(state: &WebState, facts: &[Fact], lang: Lang) -> Proposed {
    let (history, now) = (state.registers.history(), state.clock.now());
    let set = facts.iter().filter_map(|fact| Some((fact.key.clone(), fact.entry.clone()?)));
    Proposed {
        diff: state.registry.diff(facts),
        entries: set.take(SHOWN).collect(),
        follows: follows(&history, facts, now, lang),
        seen: history.number(),
    }
}

/// Changes single entries, all or none. Sent again, it changes nothing.
#[utoipa::path(
    post, path = "/api/v1/registers/{register}", tag = "office",
    params(("register" = Register, Path)), request_body = Proposal,
    security(("session" = ["officer", "ops"])),
    responses((status = 200, body = Proposed), (status = 409), (status = 422)),
)]
pub(crate) async fn change(
    State(state): State<WebState>,
    Office(me): Office,
    Path(register): Path<Register>,
    headers: HeaderMap,
    Body(proposal): Body<Proposal>,
) -> Answer<Json<Proposed>> {
    may_change(&me, register)?;
    let history = state.registers.history();
    let facts = facts(register, &proposal, &history, state.clock.now())?;
    let shown = proposed(&state, &facts, lang_of(&headers));
    if proposal.dry_run || facts.is_empty() {
        // A review of an old view must not become the newest one unseen.
        return faster(&state, &keys_of(&facts), proposal.seen).map_or(Ok(Json(shown)), Err);
    }
    let why = words(&proposal.why, "更改的原因", "the reason")?;
    let seen = commit(&state, &me, facts, &why, Some(proposal.seen)).await?;
    tracing::info!(?register, by = %me.person, change = seen, "a register was changed");
    Ok(Json(Proposed { seen, ..shown }))
}

/// Registers facts; a conflict says who was faster.
async fn commit(
    state: &WebState,
    me: &Me,
    facts: Vec<Fact>,
    why: &str,
    seen: Option<u64>,
) -> Answer<u64> {
    let by = Author::Person(me.person.clone());
    let keys = keys_of(&facts);
    match state.registry.change(facts, by, why, seen).await {
        Err(error) if error.kind == Kind::Conflict => {
            // What the faster one has written may lie in the log alone.
            state.registry.follow().await?;
            Err(faster(state, &keys, seen.unwrap_or_default()).unwrap_or_else(|| error.into()))
        }
        other => other.map_err(Problem::from),
    }
}

fn keys_of(facts: &[Fact]) -> Vec<(Register, String)> {
    facts.iter().map(|fact| (fact.register, fact.key.clone())).collect()
}

/// Who changed one of these entries after `seen`.
fn faster(state: &WebState, keys: &[(Register, String)], seen: u64) -> Option<Problem> {
    let (history, county) = (state.registers.history(), state.county());
    let changes = history.changes().iter().rev().take_while(|change| change.number > seen);
    let mut touching = changes.flat_map(|change| change.facts.iter().map(move |it| (change, it)));
    let (change, fact) = touching
        .find(|(_, it)| keys.iter().any(|(of, key)| (*of, key) == (it.register, &it.key)))?;
    let at = change.at.to_zoned(county::county_time()).strftime("%m-%d %H:%M");
    let (name, why) = (author_name(&change.by, &county), &change.why);
    let named = fact.entry.as_ref().and_then(|entry| entry.get("name")?.as_str());
    let what = named.unwrap_or(&fact.key);
    Some(Problem::new(
        Kind::Conflict,
        format!("{name} 于 {at} 已更改 {what}（{why}）。请重新查看后再决定。"),
        format!("{name} changed {what} at {at} ({why}). Look again, then decide."),
    ))
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Undo {
    /// The number of the change.
    number: u64,
    #[serde(default)]
    why: String,
    /// Only say what would change.
    #[serde(default)]
    dry_run: bool,
}

/// Takes a change back: each of its entries as it was before, from now on.
#[utoipa::path(
    post, path = "/api/v1/register-changes/undo", tag = "office", request_body = Undo,
    security(("session" = ["officer", "ops"])),
    responses((status = 200, body = Proposed), (status = 404), (status = 409)),
)]
pub(crate) async fn undo(
    State(state): State<WebState>,
    Office(me): Office,
    headers: HeaderMap,
    Body(Undo { number, why, dry_run }): Body<Undo>,
) -> Answer<Json<Proposed>> {
    let history = state.registers.history();
    let change = history.change(number).ok_or_else(Problem::not_found)?;
    change.facts.iter().try_for_each(|fact| may_change(&me, fact.register))?;
    let keys = keys_of(&change.facts);
    let is_later = |error: Error| faster(&state, &keys, number).unwrap_or_else(|| error.into());
    let back = history.reversed(number, state.clock.now());
    let back = back.map_err(|_| is_later(Error::new(Kind::Conflict, "a later change")))?;
    let shown = proposed(&state, &back, lang_of(&headers));
    if dry_run {
        return Ok(Json(shown));
    }
    let why = words(&why, "撤销的原因", "the reason")?;
    let by = Author::Person(me.person.clone());
    let seen = state.registry.undo(number, by, &why).await.map_err(|error| match error.kind {
        Kind::Conflict => is_later(error),
        _ => error.into(),
    })?;
    Ok(Json(Proposed { seen, ..shown }))
}

/// Whether this role may change a register here. The county itself stands in county.toml.
fn is_changed_by(register: Register, right: &Right) -> bool {
    match register {
        Register::People
        | Register::Duty
        | Register::Burns
        | Register::HeatSources
        | Register::Danger
        | Register::Signals
        | Register::Bans => true,
        Register::Grids | Register::Cameras => *right == Right::Ops,
        Register::County | Register::Shift | Register::Policy => false,
    }
}

fn may_change(me: &Me, register: Register) -> Answer<()> {
    if is_changed_by(register, &me.right) {
        return Ok(());
    }
    Err(match register {
        Register::County if me.right == Right::Ops => Problem::impossible(
            "本县的名称、轮廓和邻县请在登记册文件夹的 county.toml 里改。",
            "Change the county's name, outline and neighbours in county.toml of the folder of the \
            registers.",
        ),
        Register::Policy => Problem::forbidden(
            "规则在配置文件的 [policy] 里更改。",
            "The policy is changed in [policy] of the configuration.",
        ),
        Register::Shift => Problem::forbidden(
            "班次由本人签字，不在这里更改。",
            "A shift is signed by its officer and is not changed here.",
        ),
        _ => Problem::forbidden(
            "网格和摄像机只限运维人员更改。",
            "Grids and cameras are changed by operations only.",
        ),
    })
}

/// The facts of a proposal, without those that are in force already. Every row is read as an import
/// reads it.
fn facts(
    register: Register,
    proposal: &Proposal,
    history: &History,
    now: Timestamp,
) -> Answer<Vec<Fact>> {
    let current = history.at(now);
    let Proposal { set, remove, valid_from, valid_until, .. } = proposal;
    if set.len() + remove.len() > AT_ONCE {
        return Err(Problem::impossible(
            format!("一次最多更改{AT_ONCE}条；更多请用 huoyan import。"),
            format!("At most {AT_ONCE} entries at once; for more use huoyan import."),
        ));
    }
    if valid_until.is_some_and(|until| until <= valid_from.unwrap_or(now)) {
        return Err(Problem::impossible(
            "有效期的结束早于开始。",
            "The validity ends before it begins.",
        ));
    }
    let entries = set.iter().zip(1..).map(|(row, number)| {
        let read = |lang| county::register_entry(register, row, lang);
        read(Lang::Zh).map_err(|zh| {
            let en = read(Lang::En).err().unwrap_or_default();
            of_entry(number, set.len(), &zh, &en)
        })
    });
    let mut entries = entries.collect::<Answer<Vec<Entry>>>()?;
    for entry in &mut entries {
        entry.keep_logins(current.get(register, &entry.key));
    }
    let entries = with_people(register, entries, &current, now)?;
    let dated = |fact: Fact| Fact { valid_from: *valid_from, valid_until: *valid_until, ..fact };
    let sets = entries.into_iter().map(|entry| Fact::set(register, entry));
    let removals = remove.iter().map(|key| Fact::removed(register, key.clone()));
    Ok(history.news(sets.chain(removals).map(dated).collect(), now))
}

/// Which of several entries cannot be used, and why.
fn of_entry(number: u64, of: usize, zh: &str, en: &str) -> Problem {
    if of == 1 {
        return Problem::impossible(zh, en);
    }
    Problem::impossible(format!("第{number}条：{zh}"), format!("Entry {number}: {en}"))
}

/// Whoever is on a rota is in the register, by id or by a name that one person has, and so is the
/// ground of a notice: the rule of every import.
fn with_people(
    register: Register,
    entries: Vec<Entry>,
    current: &Entries,
    now: Timestamp,
) -> Answer<Vec<Entry>> {
    let sheet_len = entries.len();
    let sheet = Sheet { entries: (1..).map(u64::into).zip(entries).collect(), ..Sheet::default() };
    let resolved = |lang| {
        let mut sheet = sheet.clone();
        county::resolve_names(register, &mut sheet, current, lang);
        sheet
    };
    let (zh, en) = (resolved(Lang::Zh), resolved(Lang::En));
    match (zh.rejected.first(), en.rejected.first()) {
        (Some((spot, zh)), Some((_, en))) => Err(of_entry(spot.line, sheet_len, zh, en)),
        _ => Ok(zh.wanted(now)),
    }
}
