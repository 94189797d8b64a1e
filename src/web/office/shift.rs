//! 值班, 交接班: a person signs for the shift, and hands it over with what is open. A signature is the
//! login of whoever signs: on a shared PC each signs under their own, or it is said that they did
//! not.

use crate::county::County;
use crate::desk::OpenBook;
use crate::error::{Error, Kind};
use crate::lang::Lang;
use crate::register::Shift;
use crate::register::shift::{self, Fault, Handover, OpenTask, Taken, Taking, Unreached, Unsigned};
use crate::store::Filed;
use crate::triage::id::{IncidentId, PersonId};
use crate::triage::policy::Role;
use crate::web::WebState;
use crate::web::dto::PersonView;
use crate::web::http::auth::Office;
use crate::web::http::error::{Answer, Problem};
use crate::web::http::json::{Body, optional_words, words};
use crate::web::http::me::Me;
use crate::web::service;
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// Who has the shift, and who should have by the rota.
#[derive(Serialize, ToSchema)]
pub(crate) struct ShiftView {
    /// Null: nobody has ever signed.
    current: Option<SignedView>,
    /// Whom the rota names now.
    rota: Option<PersonView>,
    /// Since when nobody has signed for the hours of the rota; null: somebody has, or it names
    /// nobody.
    unsigned_since: Option<Timestamp>,
    /// Under whose login this page acts.
    me: PersonView,
}

#[derive(Serialize, ToSchema)]
struct SignedView {
    officer: PersonView,
    since: Timestamp,
    before: Option<PersonView>,
    taken: Taken,
    /// Signed by the officer, and nobody has taken over yet.
    handover: Option<Handover>,
}

pub(super) fn view(state: &WebState, me: &Me, county: &County) -> ShiftView {
    let (eyes, now) = (state.eyes(me, county), state.clock.now());
    // The board goes on; whoever signs is refused with the reason.
    let held = state.registry.shift().unwrap_or_else(|e| {
        tracing::error!("{}", e.chain());
        None
    });
    let on_rota = county.duty(Role::CountyDuty, None, now);
    ShiftView {
        rota: on_rota.map(|person| eyes.person_as(&person.id, Role::CountyDuty)),
        unsigned_since: county.unsigned_since(held.as_ref(), now),
        me: eyes.person(&me.person, None),
        current: held.map(|Shift { officer, since, before, taken, handover }| SignedView {
            officer: eyes.person(&officer, None),
            since,
            before: before.map(|it| eyes.person(&it, None)),
            taken,
            handover,
        }),
    }
}

#[derive(Deserialize, ToSchema)]
#[schema(as = ShiftStart)]
pub(crate) struct Start {
    /// Why the one before has not signed a handover; only where one has the shift and has not.
    #[schema(max_length = 2000)]
    without_handover: Option<String>,
    /// Ids of the incidents that have opened since the handover was signed, once they are read.
    #[serde(default)]
    read: BTreeSet<IncidentId>,
}

/// 我值班: the person who is logged in takes the shift. Whoever has it keeps it, and takes a
/// handover back that nobody has answered.
#[utoipa::path(
    post, path = "/api/v1/shift/start", tag = "office", request_body = Start,
    security(("session" = ["officer", "ops"])),
    responses((status = 200, body = ShiftView), (status = 409)),
)]
pub(crate) async fn start(
    State(state): State<WebState>,
    Office(me): Office,
    Body(Start { without_handover, read }): Body<Start>,
) -> Answer<Json<ShiftView>> {
    let why = without_handover
        .map(|why| words(&why, "未交班的原因", "why there was no handover"))
        .transpose()?;
    let (county, now) = (state.county(), state.clock.now());
    let book = state.desk.open_book().await?;
    let open =
        book.open().filter(|it| it.incident.merged_into.is_none()).map(|it| task(it)).collect();
    let taking = Taking { why, open, read };
    let take = |held: Option<&Shift>| {
        shift::take(held, &me.person, now, taking.clone()).map_err(|it| refusal(it, &county))
    };
    let signed = state.registry.sign(&me.person, take).await.map_err(Refused::problem)?;
    tracing::info!(officer = %signed.officer, "somebody signed for the shift");
    Ok(Json(view(&state, &me, &county)))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = ShiftHandOver)]
pub(crate) struct HandOver {
    /// Ids of the open incidents that were read. Those merged into another go with it.
    read: Vec<IncidentId>,
    #[serde(default)]
    #[schema(max_length = 2000)]
    note: String,
    /// Without it the other person signs under their own login.
    signed_for: Option<SignedFor>,
}

#[derive(Deserialize, ToSchema)]
struct SignedFor {
    person: PersonId,
    /// Why that person does not sign.
    #[schema(min_length = 1, max_length = 2000)]
    why: String,
}

/// 交班: whoever has the shift signs what is handed over. It stays theirs until somebody takes over.
#[utoipa::path(
    post, path = "/api/v1/shift/hand-over", tag = "office", request_body = HandOver,
    security(("session" = ["officer", "ops"])),
    responses((status = 200, body = ShiftView), (status = 409), (status = 422)),
)]
pub(crate) async fn hand_over(
    State(state): State<WebState>,
    Office(me): Office,
    Body(asked): Body<HandOver>,
) -> Answer<Json<ShiftView>> {
    let county = state.county();
    let note = optional_words(&asked.note, "交班说明", "the note")?;
    let signed_for = match asked.signed_for {
        None => None,
        Some(SignedFor { person, why }) => {
            let why = words(&why, "代签的原因", "why you sign for them")?;
            Some((known(person, &county)?, why))
        }
    };
    let book = state.desk.open_book().await?;
    all_read(&book, &asked.read)?;
    let handover = handover(&state, &me, &county, &book, note).await;
    let sign = |held: Option<&Shift>| {
        shift::hand_over(held, &me.person, handover.clone(), signed_for.clone())
            .map_err(|it| refusal(it, &county))
    };
    let signed = state.registry.sign(&me.person, sign).await.map_err(Refused::problem)?;
    tracing::info!(by = %me.person, officer = %signed.officer, "a shift was handed over");
    Ok(Json(view(&state, &me, &county)))
}

fn known(person: PersonId, county: &County) -> Answer<PersonId> {
    match county.person(&person) {
        Some(_) => Ok(person),
        None => Err(Problem::impossible(
            format!("人员名册中没有“{person}”。"),
            format!("Nobody in the register is \"{person}\"."),
        )),
    }
}

/// An incident that opened while the list was being read is read, too, before anybody signs.
fn all_read(book: &OpenBook, read: &[IncidentId]) -> Answer<()> {
    let read: BTreeSet<&IncidentId> = read.iter().collect();
    let unread: Vec<&str> = book
        .open()
        .filter(|it| it.incident.merged_into.is_none() && !read.contains(&it.incident.id))
        .map(|it| it.code.as_str())
        .collect();
    if unread.is_empty() { Ok(()) } else { Err(not_read(&unread)) }
}

fn not_read(codes: &[impl std::borrow::Borrow<str>]) -> Problem {
    Problem::new(
        Kind::Conflict,
        format!("还有未逐条看过的警情：{}。请看过再签字。", codes.join("、")),
        format!("Not read yet: {}. Read them before you sign.", codes.join(", ")),
    )
}

fn task(Filed { code, incident, .. }: &Filed) -> OpenTask {
    OpenTask {
        incident: incident.id,
        code: code.clone(),
        place: incident.place.name.clone(),
        state: incident.state,
        drill: incident.drill,
    }
}

async fn handover(
    state: &WebState,
    me: &Me,
    county: &County,
    book: &OpenBook,
    note: String,
) -> Handover {
    let (eyes, now) = (state.eyes(me, county), state.clock.now());
    let mut open = Vec::new();
    let mut unreached = Vec::new();
    for filed in book.open() {
        let (code, incident) = (&filed.code, &filed.incident);
        open.push(task(filed));
        let people = incident.undelivered.iter().filter_map(|it| it.person.as_ref());
        let names: BTreeSet<String> = people.map(|person| eyes.name(person)).collect();
        unreached.extend(names.into_iter().map(|name| Unreached { code: code.clone(), name }));
    }
    let (zh, en) = (service::parts(state, Lang::Zh).await, service::parts(state, Lang::En).await);
    let faults = zh.into_iter().filter(|part| !part.ok).map(|part| {
        let english = en.iter().find(|it| it.part == part.part).map(|it| it.words.clone());
        Fault { en: english.unwrap_or_default(), zh: part.words, part: part.part }
    });
    let lit = county.burns.iter().filter(|burn| burn.from <= now && now <= burn.to);
    Handover {
        at: now,
        note,
        open,
        unreached,
        burns: lit.map(|burn| burn.name.clone()).collect(),
        faults: faults.collect(),
    }
}

/// A refusal, or a fault of the registers.
enum Refused {
    Because(Problem),
    Fault(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Fault(error)
    }
}

impl Refused {
    fn problem(self) -> Problem {
        match self {
            Self::Because(problem) => problem,
            Self::Fault(error) => error.into(),
        }
    }
}

fn refusal(unsigned: Unsigned, county: &County) -> Refused {
    let name = |id: &PersonId| {
        county.person(id).map_or_else(|| id.to_string(), |person| person.name.clone())
    };
    let (zh, en) = match unsigned {
        Unsigned::Unread(codes) => return Refused::Because(not_read(&codes)),
        Unsigned::HeldBy(officer) => {
            let name = name(&officer);
            (
                format!(
                    "{name}正在当班，尚未签字交班：请{name}用自己的登录交班；人已离开时，\
                    写明原因再接班。"
                ),
                format!(
                    "{name} has the shift and has not signed a handover: {name} signs under their \
                    own login, or give the reason why there is none."
                ),
            )
        }
        Unsigned::NotYours(Some(officer)) => {
            let name = name(&officer);
            (
                format!("当班的是{name}，只有本人能交班。"),
                format!("{name} has the shift: only they can hand it over."),
            )
        }
        Unsigned::NotYours(None) => (
            "无人当班，无可交接：请先签字值班。".to_owned(),
            "Nobody has the shift: sign for it first.".to_owned(),
        ),
        Unsigned::ToYourself => {
            ("不能交给自己。".to_owned(), "A shift is handed over to another person.".to_owned())
        }
    };
    Refused::Because(Problem::new(Kind::Conflict, zh, en))
}
