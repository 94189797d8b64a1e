//! 登记册: the registers as lists, their history, and changes of single entries: shown first, made
//! with a reason, taken back. The duty room changes people, rota, burns and heat sources; grids and
//! cameras are for operations.

use crate::county::{self, Sheet};
use crate::desk::Registry;
use crate::error::{Error, Kind};
use crate::lang::Lang;
use crate::register::{Author, Diff, Entries, Entry, Fact, Register};
use crate::store::Access;
use crate::web::WebState;
use crate::web::dto::Eyes;
use crate::web::http::auth::Office;
use crate::web::http::error::{Answer, Problem};
use crate::web::http::json::{Body, words};
use crate::web::http::me::Me;
use axum::Json;
use axum::extract::{Path, Query, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// Changes in one answer; older ones come by page.
const CHANGES: usize = 50;
/// Entries named with their cells in a change of the history. An import of thousands is counted.
const SHOWN: usize = 20;
/// Entries that one request may change. A whole register comes by import.
const AT_ONCE: usize = 200;

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
    items: Vec<EntryView>,
}

/// An entry with its columns by their English names, empty ones left out; a grid is a GeoJSON
/// feature. Logins are stars.
#[derive(Serialize, ToSchema)]
struct EntryView {
    key: String,
    #[schema(value_type = Object)]
    entry: Value,
}

/// One register, as it is or as it was.
#[utoipa::path(
    get, path = "/api/v1/registers/{register}", tag = "office",
    params(("register" = Register, Path), Asked), security(("session" = ["officer", "ops"])),
    responses((status = 200, body = RegisterView)),
)]
pub(crate) async fn register(
    State(state): State<WebState>,
    _: Office,
    Path(register): Path<Register>,
    Query(asked): Query<Asked>,
) -> Answer<Json<RegisterView>> {
    let history = state.registers.history();
    let at = asked.at.unwrap_or_else(|| state.clock.now());
    let view = |entry: &Entry| EntryView { key: entry.key.clone(), entry: entry.value.clone() };
    let items = history.at(at).of(register).iter().map(view).collect();
    Ok(Json(RegisterView { register, at, seen: history.number(), items }))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paged {
    /// Changes before this one.
    before: Option<u64>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Changes {
    /// Newest first.
    items: Vec<ChangeView>,
    /// Pass it as `before` for the next page; null at the end.
    next: Option<u64>,
}

#[derive(Serialize, ToSchema)]
struct ChangeView {
    number: u64,
    at: Timestamp,
    by: Author,
    /// The person's name, the account or the file.
    by_name: String,
    why: String,
    /// How many entries it set or removed.
    entries: usize,
    /// The first of them.
    facts: Vec<FactView>,
}

#[derive(Serialize, ToSchema)]
struct FactView {
    register: Register,
    key: String,
    /// Null: removed.
    #[schema(value_type = Option<Object>)]
    entry: Option<Value>,
    valid_from: Option<Timestamp>,
    valid_until: Option<Timestamp>,
}

/// Who changed what, when and why.
#[utoipa::path(
    get, path = "/api/v1/register-changes", tag = "office", params(Paged),
    security(("session" = ["officer", "ops"])), responses((status = 200, body = Changes)),
)]
pub(crate) async fn changes(
    State(state): State<WebState>,
    Office(me): Office,
    Query(page): Query<Paged>,
) -> Answer<Json<Changes>> {
    let (history, county) = (state.registers.history(), state.county());
    let eyes = Eyes { me: &me, county: &county, policy: state.desk.policy() };
    let before = page.before.unwrap_or(u64::MAX);
    let mut older = history.changes().iter().rev().filter(|change| change.number < before);
    let items: Vec<ChangeView> = older
        .by_ref()
        .take(CHANGES)
        .map(|change| ChangeView {
            number: change.number,
            at: change.at,
            by: change.by.clone(),
            by_name: match &change.by {
                Author::Person(person) => eyes.name(person),
                Author::Account(name) | Author::File(name) => name.clone(),
            },
            why: change.why.clone(),
            entries: change.facts.len(),
            facts: change.facts.iter().take(SHOWN).map(fact_view).collect(),
        })
        .collect();
    let next = items.last().filter(|_| older.next().is_some()).map(|last| last.number);
    Ok(Json(Changes { items, next }))
}

fn fact_view(fact: &Fact) -> FactView {
    let Fact { register, key, entry, valid_from, valid_until, .. } = fact.clone();
    FactView { register, key, entry, valid_from, valid_until }
}

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

#[derive(Serialize, ToSchema)]
pub(crate) struct Proposed {
    diff: Diff,
    /// The newest change, this one if it was made.
    seen: u64,
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
    Body(proposal): Body<Proposal>,
) -> Answer<Json<Proposed>> {
    may_change(&me, register)?;
    let facts = facts(register, &proposal, &state.registry, state.clock.now())?;
    let diff = state.registry.diff(&facts);
    if proposal.dry_run || facts.is_empty() {
        return Ok(Json(Proposed { diff, seen: state.registers.history().number() }));
    }
    let why = words(&proposal.why, "更改的原因", "the reason")?;
    let by = Author::Person(me.person.clone());
    let seen =
        state.registry.change(facts, by, &why, Some(proposal.seen)).await.map_err(meanwhile)?;
    tracing::info!(?register, by = %me.person, change = seen, "a register was changed");
    Ok(Json(Proposed { diff, seen }))
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Undo {
    /// The number of the change.
    number: u64,
    why: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Undone {
    seen: u64,
}

/// Takes a change back: each of its entries as it was before, from now on.
#[utoipa::path(
    post, path = "/api/v1/register-changes/undo", tag = "office", request_body = Undo,
    security(("session" = ["officer", "ops"])),
    responses((status = 200, body = Undone), (status = 404), (status = 409)),
)]
pub(crate) async fn undo(
    State(state): State<WebState>,
    Office(me): Office,
    Body(Undo { number, why }): Body<Undo>,
) -> Answer<Json<Undone>> {
    let why = words(&why, "撤销的原因", "the reason")?;
    let history = state.registers.history();
    let change = history.change(number).ok_or_else(Problem::not_found)?;
    change.facts.iter().try_for_each(|fact| may_change(&me, fact.register))?;
    let by = Author::Person(me.person.clone());
    let seen = state.registry.undo(number, by, &why).await.map_err(meanwhile)?;
    Ok(Json(Undone { seen }))
}

fn may_change(me: &Me, register: Register) -> Answer<()> {
    match register {
        Register::People | Register::Duty | Register::Burns | Register::HeatSources => Ok(()),
        Register::County | Register::Grids | Register::Cameras if me.role.0 == Access::Ops => {
            Ok(())
        }
        _ => Err(Problem::forbidden(
            "网格和摄像机只限运维人员更改。",
            "Grids and cameras are changed by operations only.",
        )),
    }
}

/// The facts of a proposal, without those that are in force already. Every row is read as an import
/// reads it.
fn facts(
    register: Register,
    proposal: &Proposal,
    registry: &Registry,
    now: Timestamp,
) -> Answer<Vec<Fact>> {
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
    let entries = set.iter().enumerate().map(|(index, row)| {
        let read = |lang| county::register_entry(register, row, lang);
        read(Lang::Zh).map_err(|zh| {
            let en = read(Lang::En).err().unwrap_or_default();
            Problem::impossible(
                format!("第{}条：{zh}", index + 1),
                format!("Entry {}: {en}", index + 1),
            )
        })
    });
    let mut entries = entries.collect::<Answer<Vec<Entry>>>()?;
    let current = registry.registers().history().at(now);
    entries.iter_mut().for_each(|entry| keep_logins(entry, current.get(register, &entry.key)));
    let entries = with_people(register, entries, &current)?;
    let dated = |fact: Fact| Fact { valid_from: *valid_from, valid_until: *valid_until, ..fact };
    let sets = entries.into_iter().map(|entry| Fact::set(register, entry));
    let removals = remove.iter().map(|key| Fact::removed(register, key.clone()));
    Ok(current.news(sets.chain(removals).map(dated).collect()))
}

/// A page shows logins as stars and sends them back so: then the login stays what it was.
fn keep_logins(entry: &mut Entry, held: Option<&Entry>) {
    for (column, secret) in held.into_iter().flat_map(|held| &held.secrets) {
        let is_shown = held.and_then(|held| held.value.get(column)) == entry.value.get(column);
        if is_shown && !entry.secrets.contains_key(column) {
            entry.secrets.insert(column.clone(), secret.clone());
        }
    }
}

/// Whoever is on a rota is in the register, by id or by a name that one person has: the rule of
/// every import.
fn with_people(register: Register, entries: Vec<Entry>, current: &Entries) -> Answer<Vec<Entry>> {
    let sheet = Sheet { entries: (1..).zip(entries).collect(), ..Sheet::default() };
    let resolved = |lang| {
        let mut sheet = sheet.clone();
        county::resolve_names(register, &mut sheet, current, lang);
        sheet
    };
    let (zh, en) = (resolved(Lang::Zh), resolved(Lang::En));
    match (zh.rejected.first(), en.rejected.first()) {
        (Some((line, zh)), Some((_, en))) => {
            Err(Problem::impossible(format!("第{line}条：{zh}"), format!("Entry {line}: {en}")))
        }
        _ => Ok(zh.wanted()),
    }
}

fn meanwhile(error: Error) -> Problem {
    match error.kind {
        Kind::Conflict => Problem::new(
            Kind::Conflict,
            "其中的条目已被他人更改，请重新查看后再决定。",
            "Somebody has changed one of these entries meanwhile. Look again, then decide.",
        ),
        _ => error.into(),
    }
}
