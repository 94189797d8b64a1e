//! Who changed what in the registers, when and why.

use crate::county::County;
use crate::register::{Author, Change, Diff, Entries, Entry, Fact, History, Register};
use crate::web::WebState;
use crate::web::http::auth::Office;
use crate::web::http::error::Answer;
use axum::Json;
use axum::extract::{Query, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// What wrote down a policy.
const CONFIGURATION: &str = "huoyan.toml";

/// Changes in one answer; older ones come by page.
const CHANGES: usize = 50;
/// Entries named with their cells in a change. An import of thousands is counted.
const SHOWN: usize = 20;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paged {
    /// Changes before this one.
    before: Option<u64>,
    /// Only changes of this register.
    register: Option<Register>,
    /// Only changes of this entry.
    key: Option<String>,
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
pub(super) struct FactView {
    register: Register,
    key: String,
    /// Null: removed.
    #[schema(value_type = Option<Object>)]
    entry: Option<Value>,
    /// What the entry was; null: there was none.
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// What differs between the two, cell by cell.
    diff: Diff,
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
    _: Office,
    Query(page): Query<Paged>,
) -> Answer<Json<Changes>> {
    let (history, county) = (state.registers.history(), state.county());
    let before = page.before.unwrap_or(u64::MAX);
    let is_asked = |fact: &Fact| {
        page.register.is_none_or(|register| register == fact.register)
            && page.key.as_ref().is_none_or(|key| *key == fact.key)
    };
    let mut older = history
        .changes()
        .iter()
        .rev()
        .filter(|change| change.number < before && change.facts.iter().any(is_asked));
    let items: Vec<ChangeView> = older
        .by_ref()
        .take(CHANGES)
        .map(|change| ChangeView {
            number: change.number,
            at: change.at,
            by: change.by.clone(),
            by_name: author_name(&change.by, &county),
            why: change.why.clone(),
            entries: change.facts.len(),
            facts: change
                .facts
                .iter()
                .filter(|fact| is_asked(fact))
                .take(SHOWN)
                .map(|fact| FactView::of(fact, change.number, change.at, &history))
                .collect(),
        })
        .collect();
    let next = items.last().filter(|_| older.next().is_some()).map(|last| last.number);
    Ok(Json(Changes { items, next }))
}

impl FactView {
    pub(super) fn of(fact: &Fact, number: u64, at: Timestamp, history: &History) -> Self {
        let from = fact.valid_from.unwrap_or(at);
        let earlier = history.changes().iter().rev().skip_while(|change| change.number >= number);
        let before = earlier
            .flat_map(|change| change.facts.iter().rev().map(move |it| (change, it)))
            .find(|(change, it)| {
                (it.register, &it.key) == (fact.register, &fact.key) && it.holds(change.at, from)
            })
            .and_then(|(_, it)| it.entry.clone());
        let mut entries = Entries::default();
        if let Some(value) = before.clone() {
            // Of logins only the newest is kept, so an old one says nothing.
            let (key, secrets) = (fact.key.clone(), fact.secrets.clone());
            entries.push(fact.register, Entry { secrets, ..Entry::of(key, value) });
        }
        let diff = Diff::of(&entries, std::slice::from_ref(fact));
        let Fact { register, key, entry, valid_from, valid_until, .. } = fact.clone();
        Self { register, key, entry, before, diff, valid_from, valid_until }
    }
}

/// The person's name, the account or the file.
pub(super) fn author_name(by: &Author, county: &County) -> String {
    match by {
        Author::Person(id) => {
            county.person(id).map_or_else(|| id.to_string(), |person| person.name.clone())
        }
        Author::Account(name) | Author::File(name) => name.clone(),
        Author::Configuration => CONFIGURATION.to_owned(),
    }
}

/// The change from which each entry of a register comes, and that change's fact.
pub(super) fn origins(
    history: &History,
    register: Register,
    at: Timestamp,
) -> BTreeMap<&str, (&Change, &Fact)> {
    let facts = history.changes().iter().flat_map(|it| it.facts.iter().map(move |fact| (it, fact)));
    facts
        .filter(|(change, fact)| fact.register == register && fact.holds(change.at, at))
        .map(|(change, fact)| (fact.key.as_str(), (change, fact)))
        .collect()
}
