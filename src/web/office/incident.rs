//! What people do to an incident. Each action's text is checked here and its meaning by triage. It
//! is recorded once however often it is sent, and answered with the incident's present state.

use super::board::visible;
use super::told::Told;
use crate::base::id::named_v4;
use crate::report::{Category, category};
use crate::store::Filed;
use crate::triage::category::NOTHING_FOUND;
use crate::triage::event::{Actor, Closure, FalseAlarm, Flames, Means, Position, Verification};
use crate::triage::id::{ActionId, DispatchId, IncidentId, PersonId, SightingId};
use crate::triage::incident::{By, Input};
use crate::triage::sighting::{Sighting, Source};
use crate::web::WebState;
use crate::web::dto::{Eyes, IncidentView};
use crate::web::http::auth::{Key, Office};
use crate::web::http::error::{Answer, Problem};
use crate::web::http::json::{Body, optional_words, words};
use crate::web::http::me::Me;
use crate::web::http::shares;
use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Burnt area, mu (1 mu = 667 m²). One ranger on foot cannot judge a larger one.
const AREA_MAX_MU: f64 = 1_000_000.0;
const PHOTOS_MAX: u32 = 20;
/// A phone that has lost the time starts in 1970. A time outside these years is ignored.
const PHONES_YEARS: std::ops::Range<i16> = 1970..2100;

type Done = Answer<Json<IncidentView>>;

#[derive(Deserialize, ToSchema)]
pub(crate) struct OfficeReport {
    #[serde(flatten)]
    place: Told,
    /// Who called: a name, a tower, 12119.
    #[schema(min_length = 1, max_length = 2000)]
    who: String,
    /// The caller's number: for the office's eyes only.
    #[serde(default)]
    #[schema(max_length = 30)]
    phone: String,
    #[schema(max_length = 2000)]
    words: String,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = Send)]
pub(crate) struct Dispatch {
    ranger: PersonId,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Dismissal {
    reason: FalseAlarm,
    #[serde(default)]
    #[schema(max_length = 2000)]
    words: String,
}

/// A ranger's tap carries the phone's time and place; an officer's proxy carries the reason
/// instead.
#[derive(Deserialize, ToSchema)]
#[schema(as = Tap)]
pub(crate) struct Step {
    happened_at: Option<Timestamp>,
    position: Option<Position>,
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: String,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Report {
    happened_at: Option<Timestamp>,
    category: u8,
    flames: Option<Flames>,
    #[schema(minimum = 0, maximum = 1_000_000)]
    area_mu: Option<f64>,
    extinguished: Option<bool>,
    #[serde(default)]
    #[schema(max_length = 2000)]
    words: String,
    no_photo_reason: Option<String>,
    position: Option<Position>,
    /// How many photos follow.
    #[schema(maximum = 20)]
    #[serde(default)]
    photos: u32,
}

#[derive(Deserialize, ToSchema)]
#[schema(as = SendBack)]
pub(crate) struct Reason {
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Close {
    /// Default: the reported one.
    category: Option<u8>,
    #[serde(default)]
    #[schema(max_length = 2000)]
    words: String,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Note {
    #[schema(min_length = 1, max_length = 2000)]
    words: String,
}

/// The office's own report: a call, a tower.
#[utoipa::path(
    post, path = "/api/v1/incidents", tag = "office", request_body = OfficeReport,
    security(("session" = ["officer", "ops"])),
    responses((status = 200, body = IncidentView), (status = 422)),
)]
pub(crate) async fn report_by_office(
    State(state): State<WebState>,
    Office(me): Office,
    Key(key): Key,
    Body(told): Body<OfficeReport>,
) -> Done {
    let locus = told.place.locus(&state.county())?;
    let who = words(&told.who, "报告人", "who reported it")?;
    let phone = called_from(&told.phone)?;
    let sighting = Sighting {
        // The sighting's id is derived from the page's key, so that a repeat is the same sighting.
        id: SightingId(derived("sighting", &me, key.0)),
        source: Source::Person {
            who: [who, phone].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" "),
            words: optional_words(&told.words, "情况说明", "the words")?,
        },
        observed_at: state.clock.now(),
        locus,
        confidence: 1.0,
        pictures: Vec::new(),
        drill: false,
        labels: Vec::new(),
    };
    let incident = state.desk.sighting(sighting).await?;
    let filed = state.desk.incident(incident).await?;
    Ok(Json(state.eyes(&me, &state.county()).brief(&filed)))
}

/// 派发, and 改派 when a dispatch runs.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/dispatch", tag = "office", request_body = Dispatch,
    security(("session" = ["officer", "ops"])), responses((status = 200, body = IncidentView)),
)]
pub(crate) async fn dispatch(at: AtDesk, Body(Dispatch { ranger }): Body<Dispatch>) -> Done {
    let dispatch = DispatchId(derived("dispatch", &at.0.me, at.0.key.0));
    at.act(Input::Dispatch { dispatch, ranger }).await
}

/// 误报关闭
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/false-alarm", tag = "office", request_body = Dismissal,
    security(("session" = ["officer", "ops"])), responses((status = 200, body = IncidentView)),
)]
pub(crate) async fn false_alarm(at: AtDesk, Body(dismissal): Body<Dismissal>) -> Done {
    let words = optional_words(&dismissal.words, "说明", "the words")?;
    let closure = Closure {
        category: NOTHING_FOUND,
        false_alarm: Some(dismissal.reason),
        words,
        passed_to: None,
    };
    at.act(Input::Close { closure }).await
}

/// 确认接收, or 代接收 by an officer.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/acknowledge", tag = "ranger", request_body = Step,
    responses((status = 200, body = IncidentView), (status = 422)),
)]
pub(crate) async fn acknowledge(at: AtIncident, Body(step): Body<Step>) -> Done {
    // A township that gives no reason answers its own call.
    let is_own_word = at.me.right.township().is_some() && step.reason.trim().is_empty();
    let means = if is_own_word { Means::Phone } else { means(&at.me, &step.reason)? };
    at.act(Input::Acknowledge { means }, step.happened_at).await
}

/// 不能前往
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/decline", tag = "ranger", request_body = Step,
    responses((status = 200, body = IncidentView), (status = 422)),
)]
pub(crate) async fn decline(at: AtIncident, Body(step): Body<Step>) -> Done {
    let reason = words(&step.reason, "不能前往的原因", "the reason")?;
    at.act(Input::Decline { reason }, step.happened_at).await
}

/// 请求支援
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/support", tag = "ranger", request_body = Step,
    responses((status = 200, body = IncidentView), (status = 422)),
)]
pub(crate) async fn support(at: AtIncident, Body(step): Body<Step>) -> Done {
    let reason = words(&step.reason, "需要的支援", "what is needed")?;
    at.act(Input::AskSupport { reason }, step.happened_at).await
}

/// 已到达
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/arrive", tag = "ranger", request_body = Step,
    responses((status = 200, body = IncidentView), (status = 422)),
)]
pub(crate) async fn arrive(at: AtIncident, Body(step): Body<Step>) -> Done {
    let (means, position) = (means(&at.me, &step.reason)?, checked(step.position)?);
    at.act(Input::Arrive { means, position }, step.happened_at).await
}

/// 核查反馈. Photos follow one by one, so that the words never wait for them.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/report", tag = "ranger", request_body = Report,
    responses((status = 200, body = IncidentView), (status = 422)),
)]
pub(crate) async fn report(at: AtIncident, Body(report): Body<Report>) -> Done {
    let happened_at = report.happened_at;
    let verification = verification(&at.me, report)?;
    at.act(Input::Report { verification }, happened_at).await
}

/// 退回补充
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/send-back", tag = "office", request_body = Reason,
    security(("session" = ["officer", "ops"])), responses((status = 200, body = IncidentView)),
)]
pub(crate) async fn send_back(at: AtDesk, Body(Reason { reason }): Body<Reason>) -> Done {
    at.act(Input::SendBack { reason: words(&reason, "退回的原因", "the reason")? }).await
}

/// 审核通过 销号
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/close", tag = "office", request_body = Close,
    security(("session" = ["officer", "ops"])), responses((status = 200, body = IncidentView)),
)]
pub(crate) async fn close(at: AtDesk, Body(close): Body<Close>) -> Done {
    let code = match close.category {
        Some(code) => code,
        None => visible(&at.0.state, &at.0.me, at.0.id)
            .await?
            .incident
            .verification
            .map(|it| it.category)
            .ok_or_else(|| {
                Problem::invalid(
                    "尚无反馈，请选择类别。",
                    "Nothing has been reported yet: please choose a category.",
                )
            })?,
    };
    if known(code)?.interim {
        return Err(Problem::invalid(
            "“核查中”不能作为销号类别。",
            "An incident cannot be closed with the category \"Still checking\".",
        ));
    }
    let words = optional_words(&close.words, "说明", "the words")?;
    let closure = Closure { category: code, false_alarm: None, words, passed_to: None };
    at.act(Input::Close { closure }).await
}

#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/note", tag = "office", request_body = Note,
    responses((status = 200, body = IncidentView)),
)]
pub(crate) async fn note(at: AtIncident, Body(Note { words: text }): Body<Note>) -> Done {
    let words = words(&text, "备注", "the note")?;
    at.act(Input::Note { words }, None).await
}

/// One action: who, on which incident, and the page's key.
pub(crate) struct AtIncident {
    pub state: WebState,
    pub me: Me,
    pub id: IncidentId,
    pub key: ActionId,
}

impl FromRequestParts<WebState> for AtIncident {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Response> {
        let me = Me::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        Self::of(me, parts, state).await
    }
}

impl AtIncident {
    async fn of(me: Me, parts: &mut Parts, state: &WebState) -> Result<Self, Response> {
        let Path(id) =
            Path::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        let Key(key) =
            Key::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        Ok(Self { state: state.clone(), me, id, key })
    }

    /// Answers with the incident's present state. `happened_at`: by the phone's clock.
    async fn act(self, input: Input, happened_at: Option<Timestamp>) -> Done {
        let happened_at = happened_at.and_then(plausible);
        let Self { state, me, id, key } = self;
        let filed = take(&state, &me, id, Action { key, happened_at, input }).await?;
        let (county, book) = (state.county(), state.desk.open_book().await?);
        let eyes = Eyes { book: Some(&book), ..state.eyes(&me, &county) };
        Ok(Json(eyes.brief(&filed)))
    }
}

/// The same, by an officer.
pub(crate) struct AtDesk(pub AtIncident);

impl FromRequestParts<WebState> for AtDesk {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Response> {
        let Office(me) =
            Office::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        AtIncident::of(me, parts, state).await.map(Self)
    }
}

impl AtDesk {
    pub(crate) async fn act(self, input: Input) -> Done {
        self.0.act(input, None).await
    }
}

/// One input, with the page's key and the phone's time.
pub(crate) struct Action {
    pub key: ActionId,
    pub happened_at: Option<Timestamp>,
    pub input: Input,
}

/// Hands the input to the desk, once per key.
pub(crate) async fn take(
    state: &WebState,
    me: &Me,
    id: IncidentId,
    action: Action,
) -> Answer<Filed> {
    let incident = visible(state, me, id).await?.incident;
    me.right.check_input(&incident, &action.input, &state.county())?;
    if incident.made_by(action.key).is_none() {
        shares::of_incident(&incident, &me.person, &action.input)?;
    }
    // Whoever was rung answers for himself, wherever he sits.
    let is_own_word = matches!(action.input, Input::Acknowledge { means: Means::Phone });
    let actor = match me.right.is_office() && !is_own_word {
        true => Actor::Officer { person: me.person.clone() },
        false => Actor::Ranger { person: me.person.clone() },
    };
    let by = By { actor, action: Some(action.key), happened_at: action.happened_at };
    Ok(state.desk.act(id, action.input, &by).await?)
}

/// An officer who acts for a ranger says how the ranger's word came.
fn means(me: &Me, reason: &str) -> Answer<Means> {
    if !me.right.is_office() {
        return Ok(Means::Phone);
    }
    Ok(Means::Proxy { reason: words(reason, "代操作的原因", "how you know")? })
}

fn verification(me: &Me, report: Report) -> Answer<Verification> {
    let category = known(report.category)?;
    if category.officer_only && !me.right.is_office() {
        return Err(Problem::forbidden(
            "此类别只能由值班室选择。",
            "Only the duty room may choose this category.",
        ));
    }
    if report.photos > PHOTOS_MAX {
        return Err(Problem::invalid("照片太多，最多20张。", "Too many photos: 20 at most."));
    }
    let area_is_sane = report.area_mu.is_none_or(|area_mu| (0.0..=AREA_MAX_MU).contains(&area_mu));
    if !area_is_sane {
        return Err(Problem::invalid(
            "面积应为0到100万亩。",
            "area_mu must lie between 0 and 1 000 000.",
        ));
    }
    let reason = report.no_photo_reason.unwrap_or_default();
    let no_photo_reason = optional_words(&reason, "无照片的原因", "the reason for no photo")?;
    if report.photos == 0
        && no_photo_reason.is_empty()
        && !category.interim
        && !me.right.is_office()
    {
        return Err(Problem::invalid(
            "没有照片时请说明原因。",
            "Please add a photo, or say why there is none.",
        ));
    }
    Ok(Verification {
        category: category.code,
        flames: report.flames,
        area_mu: report.area_mu,
        extinguished: report.extinguished,
        words: optional_words(&report.words, "说明", "the words")?,
        photos: Vec::new(),
        no_photo_reason: Some(no_photo_reason).filter(|reason| !reason.is_empty()),
        position: checked(report.position)?,
    })
}

fn known(code: u8) -> Answer<&'static Category> {
    let unknown = || {
        Problem::invalid(
            format!("没有编号为{code}的类别。"),
            format!("There is no category {code}."),
        )
    };
    category(code).ok_or_else(unknown)
}

/// An impossible phone time is dropped and the tap is accepted: the time is only shown.
fn plausible(at: Timestamp) -> Option<Timestamp> {
    Some(at).filter(|at| PHONES_YEARS.contains(&at.to_zoned(TimeZone::UTC).year()))
}

/// A telephone number without what people write between its digits, or nothing. In one run it is
/// covered for rangers' eyes (`dto::numbers`).
fn called_from(text: &str) -> Answer<String> {
    let text = text.trim();
    let is_number = |it: &str| {
        (3..=30).contains(&it.len()) && it.chars().all(|c| c.is_ascii_digit() || "+- ".contains(c))
    };
    if text.is_empty() || is_number(text) {
        return Ok(text.chars().filter(|it| it.is_ascii_digit() || *it == '+').collect());
    }
    Err(Problem::invalid("来电号码只能是数字。", "The caller's number has digits only."))
}

/// Phones report impossible accuracies when they have no fix.
fn checked(position: Option<Position>) -> Answer<Option<Position>> {
    let position =
        position.map(|it| Position { measured_at: it.measured_at.and_then(plausible), ..it });
    match position {
        Some(it) if !it.accuracy_m.is_finite() || it.accuracy_m < 0.0 => {
            Err(Problem::invalid("定位精度无效。", "accuracy_m is not a distance."))
        }
        position => Ok(position),
    }
}

/// The id of what this person's action with this key creates. It is the same for every repeat, and
/// nobody else's.
pub(crate) fn derived(what: &str, me: &Me, key: Uuid) -> Uuid {
    named_v4([what.as_bytes(), me.person.as_str().as_bytes(), key.as_bytes()].concat())
}
