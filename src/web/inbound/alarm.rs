//! Other systems' alarms (domain rules 4, 5, 39). Each becomes a sighting and goes the way of all
//! evidence; what came is kept as it came. Repeated, it counts once. Nothing that looks like a fire
//! is refused for what only makes it uncertain: a wrong clock, an unknown device, a broken picture.

mod body;
mod enclosed;
mod mapping;
mod place;
mod shares;
mod text;
mod told;
mod xml;

pub(crate) use shares::AlarmShares;

use super::super::WebState;
use super::super::evidence::pictures;
use super::super::http::auth::{Office, Sender};
use super::super::http::error::{Answer, Problem, lang_of};
use super::super::http::limits::ALARM_PICTURES_AN_INCIDENT;
use super::super::office::told::check_near;
use crate::base::id::named;
#[cfg(any(test, fuzzing))]
use crate::config::SystemMap;
use crate::error::{Error, Kind};
use crate::lang::{Lang, Words};
use crate::store::NewAlarm;
use crate::triage::event::{Actor, Event};
use crate::triage::geo::Locus;
use crate::triage::id::{ActionId, CameraId, IncidentId, PictureId, SightingId};
use crate::triage::incident::{By, Input};
use crate::triage::sighting::{Sighting, Source, SystemAlarm};
use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use body::{Body, Message, bytes, message_of, read};
use enclosed::{Enclosed, check_picture, name_of, without_pictures};
use place::{Placed, place};
use serde::Serialize;
use sha2::{Digest, Sha256};
#[cfg(any(test, fuzzing))]
use text::Part;
use tokio::task::spawn_blocking;
use told::Alarm;
use utoipa::ToSchema;

/// Of a system that does not say how sure it is: it explains itself as even.
const CONFIDENCE: f32 = 0.5;

#[derive(Serialize, ToSchema)]
pub(crate) struct AlarmTaken {
    sighting: SightingId,
    incident: IncidentId,
    /// The incident's short number.
    code: String,
    /// The registered camera that the device is.
    camera: Option<CameraId>,
    /// What was taken otherwise than it was sent, and why.
    notes: Vec<String>,
}

/// 外部系统告警: JSON with pictures in base64, or a multipart body of that JSON and its pictures; of
/// a system with a mapping whatever that reads.
#[utoipa::path(
    post, path = "/api/v1/inbound/alarms", tag = "machines",
    request_body(content((Alarm = "application/json"), (String = "multipart/form-data"))),
    security(("system" = [])),
    responses(
        (status = 200, body = AlarmTaken),
        (status = 204, description = "By the system's mapping this is no alarm."),
        (status = 409), (status = 422), (status = 429),
    ),
)]
pub(crate) async fn take_alarm(
    State(state): State<WebState>,
    sender: Sender,
    request: Request,
) -> Answer<Response> {
    let lang = lang_of(request.headers());
    match take_in(&state, &sender.0.name, lang, request).await {
        Ok(Some(taken)) => Ok(Json(taken).into_response()),
        Ok(None) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(problem) => Err(refused(&state, &sender.0.name, problem).await),
    }
}

/// A further picture of an alarm that was taken, after it.
#[utoipa::path(
    post, path = "/api/v1/inbound/alarms/{alarm}/pictures", tag = "machines",
    params(("alarm" = String, Path, description = "The system's own id of the alarm.")),
    request_body(content(("image/jpeg"), ("image/png"))),
    security(("system" = [])),
    responses((status = 200, body = pictures::Kept), (status = 409), (status = 422), (status = 429)),
)]
pub(crate) async fn alarm_picture(
    State(state): State<WebState>,
    sender: Sender,
    Path(alarm): Path<String>,
    request: Request,
) -> Answer<Json<pictures::Kept>> {
    match add_picture(&state, &sender.0.name, &alarm, request).await {
        Ok(picture) => Ok(Json(pictures::Kept { picture })),
        Err(problem) => Err(refused(&state, &sender.0.name, problem).await),
    }
}

/// What another system sent, as it came: for the office, beside what became of it.
#[utoipa::path(
    get, path = "/api/v1/sightings/{id}/original", tag = "office",
    security(("session" = ["officer", "ops"])),
    responses((status = 200, content_type = "text/plain")),
)]
pub(crate) async fn original_alarm(
    State(state): State<WebState>,
    _: Office,
    Path(id): Path<SightingId>,
) -> Answer<Response> {
    let original = state.store.original_of(id).await?.ok_or_else(Problem::not_found)?;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    Ok(([(CONTENT_TYPE, kind)], original.bytes).into_response())
}

/// Counts it for the board, so that no refused alarm goes unseen.
async fn refused(state: &WebState, system: &str, problem: Problem) -> Problem {
    let now = state.clock.now();
    let count = match problem.is_too_many() {
        true => state.own.alarms.to_write(system, now),
        false => 1,
    };
    tracing::warn!(system, why = problem.words().en, "an alarm of another system was refused");
    if count > 0
        && let Err(e) = state.store.alarm_refused(system, count, &problem.words(), now).await
    {
        tracing::warn!(system, "the refusal was not written down: {}", e.chain());
    }
    problem
}

async fn take_in(
    state: &WebState,
    system: &str,
    lang: Lang,
    request: Request,
) -> Answer<Option<AlarmTaken>> {
    state.own.alarms.system(system)?;
    let room = state.own.alarms.body(system).await?;
    let body = read(state, request).await?;
    let (own, name) = (state.clone(), system.to_owned());
    let opened = spawn_blocking(move || {
        let _room = room;
        open(&own, &name, body)
    });
    let opened =
        opened.await.map_err(|e| Error::internal("a thread that read an alarm died").because(e))?;
    let now = state.clock.now();
    let Some(Opened { alarm, sighting, meaning, media, original, kept, lost }) = opened? else {
        state.store.alarm_system_heard(system, now).await?;
        return Ok(None);
    };
    if state.store.sighting_of_alarm(system, &alarm.id).await?.is_none() {
        state.own.alarms.device(system, &alarm.device)?;
    }
    let (observed_at, late) = alarm.seen_at(now).map_err(impossible)?;
    let county = state.county();
    let moved = |camera: &CameraId| state.status.get(camera).is_some_and(|it| it.has_moved);
    let Placed { locus, labels, camera, note } =
        place(&alarm, &county, moved).map_err(impossible)?;
    if let Locus::Disc { centre, .. } = locus {
        check_near(centre, &county)?;
    }
    let mut notes: Vec<Words> = late.into_iter().chain(note).collect();
    if camera.is_none() {
        notes.push(unregistered(&alarm.device));
    }
    let new = NewAlarm {
        system,
        id: &alarm.id,
        meaning_sha256: &meaning,
        sighting,
        media: &media,
        original: &original,
    };
    let stored = state.store.keep_alarm(&new, now).await?;
    let evidence = Sighting {
        id: sighting,
        source: Source::System {
            name: system.to_owned(),
            device: alarm.device.trim().to_owned(),
            alarm: Some(SystemAlarm {
                id: alarm.id.clone(),
                class: alarm.class.trim().to_owned(),
                sha256: hex::encode(Sha256::digest(&stored)),
            }),
        },
        observed_at,
        locus,
        confidence: alarm.confidence.unwrap_or(CONFIDENCE),
        pictures: kept.iter().map(|(id, _)| *id).collect(),
        drill: alarm.drill,
        labels,
    };
    // The alarm first: it waits for no picture.
    let incident = state.desk.sighting(evidence).await?;
    for (id, bytes) in kept {
        state.store.keep_picture(id, bytes).await?;
    }
    say_lost(state, incident, sighting, &lost).await;
    notes.extend(lost);
    let filed = state.desk.incident(incident).await?;
    tracing::info!(system, device = alarm.device, incident.code = %filed.code, "an alarm of another system was taken");
    let notes = notes.iter().map(|it| it.pick(lang).to_owned()).collect();
    Ok(Some(AlarmTaken { sighting, incident, code: filed.code, camera, notes }))
}

/// Into the incident's log: the device reads no answer, and an officer waits for the picture.
async fn say_lost(state: &WebState, incident: IncidentId, sighting: SightingId, lost: &[Words]) {
    if lost.is_empty() {
        return;
    }
    let words = Words::joined(lost).pick(Lang::from_env()).to_owned();
    let action = Some(ActionId(named(format!("lost pictures {sighting}"))));
    let by = By { actor: Actor::System, action, happened_at: None };
    let note = Input::Note { words };
    if let Err(e) = state.desk.act(incident, note, &by).await {
        tracing::warn!("that pictures are not kept was not written down: {}", e.chain());
    }
}

fn unregistered(device: &str) -> Words {
    Words::new(
        format!("设备 {device} 不在摄像机登记册里：请登记，编号与告警一致"),
        format!("the device {device} is not in the camera register: register it under this id"),
    )
}

/// An alarm as it was understood.
struct Opened {
    alarm: Alarm,
    sighting: SightingId,
    meaning: String,
    media: String,
    /// Without its pictures.
    original: Vec<u8>,
    kept: Vec<(PictureId, Vec<u8>)>,
    lost: Vec<Words>,
}

/// `None`: it is no alarm. On a thread of its own: a body may have 12 MB.
fn open(state: &WebState, system: &str, body: Body) -> Answer<Option<Opened>> {
    let Message { alarm, media, text } =
        message_of(state.config.alarms.of(system), system, &body.parts)?;
    let Some(mut alarm) = alarm else { return Ok(None) };
    alarm.check().map_err(impossible)?;
    let sighting = SightingId(named(format!("alarm\n{system}\n{}", alarm.id)));
    let inside = std::mem::take(&mut alarm.pictures);
    let Enclosed { came, kept, lost } = Enclosed::of(sighting, &inside, &body.pictures);
    let meaning = meaning(&alarm, &came)?;
    let original = without_pictures(&text, &kept);
    Ok(Some(Opened { alarm, sighting, meaning, media, original, kept, lost }))
}

fn impossible(words: Words) -> Problem {
    Problem::impossible(words.zh, words.en)
}

/// The same for the same alarm, however it is packed.
fn meaning(bare: &Alarm, pictures: &[Vec<u8>]) -> Answer<String> {
    let mut digest = Sha256::new();
    digest.update(
        serde_json::to_vec(bare)
            .map_err(|e| Error::internal("an alarm cannot be written").because(e))?,
    );
    for picture in pictures {
        digest.update(Sha256::digest(picture));
    }
    Ok(hex::encode(digest.finalize()))
}

async fn add_picture(
    state: &WebState,
    system: &str,
    alarm: &str,
    request: Request,
) -> Answer<PictureId> {
    state.own.alarms.system(system)?;
    let room = state.own.alarms.body(system).await?;
    let sighting = state.store.sighting_of_alarm(system, alarm).await?.ok_or_else(|| {
        Problem::new(
            Kind::NotFound,
            "没有收到过这个编号的告警：先发告警，再发图片。",
            "No alarm with this id was taken: send the alarm first, then its pictures.",
        )
    })?;
    let incident = state.store.incident_of(sighting).await?.ok_or_else(|| {
        Problem::new(
            Kind::Unavailable,
            "告警还在归入警情，请稍后重发图片。",
            "The alarm is still being filed. Send the picture again in a moment.",
        )
    })?;
    pictures::check_kind(request.headers())?;
    let bytes = bytes(request, state).await?.to_vec();
    check_picture(&bytes)?;
    drop(room);
    let picture = name_of(sighting, &bytes);
    let filed = state.desk.incident(incident).await?;
    let added = |it: &&std::sync::Arc<crate::triage::event::Recorded>| {
        matches!(it.event, Event::PhotoAdded { .. }) && it.actor == Actor::System
    };
    if filed.incident.log.iter().filter(added).count() >= ALARM_PICTURES_AN_INCIDENT {
        return Err(Problem::impossible(
            format!("这起警情的告警图片已达上限（{ALARM_PICTURES_AN_INCIDENT}张）。"),
            format!("This incident has {ALARM_PICTURES_AN_INCIDENT} pictures of alarms, the most."),
        ));
    }
    state.store.keep_picture(picture, bytes).await?;
    let action = Some(ActionId(named(format!("add {picture}"))));
    let by = By { actor: Actor::System, action, happened_at: None };
    state.desk.act(incident, Input::AddPhoto { picture }, &by).await?;
    Ok(picture)
}

/// All that becomes of a body before anybody is asked. The parts stand between zeros.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(mapping: Option<&SystemMap>, media: &str, bytes: &[u8]) {
    let part = |(n, bytes): (usize, &[u8])| Part {
        name: if n == 0 { String::new() } else { format!("field{n}") },
        media: media.to_owned(),
        bytes: bytes.to_vec(),
    };
    let parts: Vec<Part> = bytes.split(|byte| *byte == 0).enumerate().map(part).collect();
    let message = match message_of(mapping, "x", &parts) {
        Ok(message) => message,
        Err(problem) => {
            let Words { zh, en } = problem.words();
            assert!(!zh.is_empty() && !en.is_empty(), "a refusal says why");
            return;
        }
    };
    let Some(mut alarm) = message.alarm.filter(|alarm| alarm.check().is_ok()) else { return };
    let sighting = SightingId(named(format!("alarm\nx\n{}", alarm.id)));
    let inside = std::mem::take(&mut alarm.pictures);
    let Enclosed { came, kept, lost } = Enclosed::of(sighting, &inside, &[] as &[Vec<u8>]);
    assert!(kept.len() + lost.len() >= inside.len().min(came.len()), "no picture is lost unsaid");
    assert!(meaning(&alarm, &came).is_ok());
    let bare = without_pictures(&message.text, &kept);
    assert!(!kept.is_empty() || bare == message.text.as_bytes(), "the original is as it came");
    _ = alarm.seen_at(jiff::Timestamp::UNIX_EPOCH);
    _ = place(&alarm, &crate::county::County::default(), |_| false);
}
