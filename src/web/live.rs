//! Server-sent events: what changed, as it changes. A hint from the bus or a timer makes a stream
//! read the log on from its cursor. So a lost hint loses no change, and a slow page skips states
//! that it would only overwrite.

use super::WebState;
use super::http::error::{Answer, Problem};
use super::http::me::Me;
use super::http::session;
use super::office::theirs::shows_camera;
use super::service::camera_health;
use crate::desk::OpenBook;
use crate::error::{Kind, Result};
use crate::frame::Health;
use crate::store::{HotspotCount, Login};
use crate::triage::id::{CameraId, IncidentId};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use serde_json::json;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

/// Heartbeat for phones. A phone reports a lost connection after 40 s of silence. 15 s leaves room
/// for one lost heartbeat, and lets the radio sleep in between.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);
/// Heartbeat for the office, whose page sounds an alarm after 12 s of silence: the same margin.
const SIGN_OF_LIFE_OFFICE: Duration = Duration::from_secs(5);
/// Cameras fail for minutes, so 2 s is soon enough. It is also soon enough for somebody who left
/// the register.
const HEALTH_EVERY: Duration = Duration::from_secs(2);
/// Poll interval: makes up for lost hints, finds new hotspots, and ends the stream of somebody who
/// was logged out.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// Events prepared ahead of a slow reader. When they are full the stream waits and then skips.
const AHEAD: usize = 8;
const HOTSPOTS_FOR: SignedDuration = SignedDuration::from_hours(24);

/// `changed` (an incident), `health` (cameras), `hotspots`, `registers` (a shift, too); `id` is the
/// log cursor, and `Last-Event-ID` resumes after it.
#[utoipa::path(
    get, path = "/api/v1/stream", tag = "live",
    params(("Last-Event-ID" = Option<String>, Header, description = "Resumes after this cursor.")),
    responses((status = 200, content_type = "text/event-stream"), (status = 429)),
)]
pub(super) async fn stream(
    State(state): State<WebState>,
    me: Me,
    headers: HeaderMap,
) -> Answer<Response> {
    let seat = state.own.seats.stream()?;
    let own = state.own.shares.streams.take(&me.person).ok_or_else(|| {
        Problem::new(
            Kind::TooMany,
            "您打开的页面太多，请关闭一些再刷新。",
            "You have too many pages open. Please close some and reload.",
        )
    })?;
    // Subscribe first, then read the end of the log: what is committed in between is sent twice
    // rather than never.
    let changes = state.bus.announcements();
    let end = state.store.cursor().await?;
    let last = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok())
        .and_then(|id| id.trim().parse::<u64>().ok());
    let (out, events) = mpsc::channel(AHEAD);
    let alive = if me.right.is_office() { SIGN_OF_LIFE_OFFICE } else { SIGN_OF_LIFE };
    let mut reader = Reader {
        session: session::hash_in(&headers, &state.config),
        // A cursor beyond the end dates from before a restore.
        cursor: last.filter(|last| *last <= end).unwrap_or(end),
        health: camera_health(&state),
        registers: state.registers.history().number(),
        hotspots: None,
        state,
        me,
        out,
    };
    tokio::spawn(async move {
        let _seats = (seat, own);
        if let Err(error) = reader.run(changes).await {
            tracing::warn!(
                cause = error.chain(),
                "a live stream failed; the page will open a new one"
            );
        }
    });
    let events = ReceiverStream::new(events).map(Ok::<_, Infallible>);
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(alive).text("alive"));
    // Tells proxies not to buffer events.
    Ok(([("x-accel-buffering", "no")], sse).into_response())
}

struct Reader {
    state: WebState,
    me: Me,
    session: Option<String>,
    cursor: u64,
    health: BTreeMap<CameraId, Health>,
    /// The newest change of the registers that was told: a shift, a ban, a phone number.
    registers: u64,
    /// The last day's hotspot count as last sent.
    hotspots: Option<HotspotCount>,
    out: mpsc::Sender<Event>,
}

impl Reader {
    /// Runs until the page goes away, the server stops, or the session ends.
    async fn run(
        &mut self,
        mut changes: tokio::sync::broadcast::Receiver<crate::bus::Announcement>,
    ) -> Result<()> {
        let mut closing = self.state.own.closing.subscribe();
        let (mut health, mut look) = (every(HEALTH_EVERY), every(LOOK_EVERY));
        let out = self.out.clone();
        loop {
            let goes_on = tokio::select! {
                () = out.closed() => false,
                () = async { drop(closing.wait_for(|closing| *closing).await) } => false,
                hint = changes.recv() => match hint {
                    // Several desks may announce in any order: the cursor is a hint, never the end.
                    Ok(told) => self.tell_changes(told.cursor).await?,
                    Err(RecvError::Lagged(_)) => self.tell_changes(u64::MAX).await?,
                    Err(RecvError::Closed) => false,
                },
                _ = health.tick() => self.is_entitled() && self.tell_health().await,
                _ = look.tick() => self.is_logged_in().await? && self.tell_changes(u64::MAX).await? && self.tell_hotspots().await?,
            };
            if !goes_on {
                return Ok(());
            }
        }
    }

    /// Sends each changed incident once, however often it changed. `at`: how far the log is known
    /// to reach.
    async fn tell_changes(&mut self, at: u64) -> Result<bool> {
        let book = self.state.desk.open_book_at(at).await?;
        let changed = book.changed_after(self.cursor).unwrap_or_else(|| {
            // Too far behind: send everything that a page may show.
            book.open().chain(book.ended()).map(|it| it.incident.id).collect()
        });
        // Only the last event carries the new id: a stream cut in between resumes before all of
        // them.
        let (before, after) = (self.cursor, book.cursor().max(self.cursor));
        let mine: Vec<IncidentId> =
            changed.into_iter().filter(|it| self.may_hear_of(*it, &book)).collect();
        for (place, incident) in mine.iter().enumerate() {
            let cursor = if place + 1 == mine.len() { after } else { before };
            if !self.send("changed", cursor, &json!({ "incident": incident })).await {
                return Ok(false);
            }
        }
        self.cursor = after;
        Ok(true)
    }

    /// Incidents that ended long ago, or cannot be read, go to the office only.
    fn may_hear_of(&self, incident: IncidentId, book: &OpenBook) -> bool {
        self.me.right.is_county()
            || book.find(incident).is_some_and(|filed| self.me.may_hear_of(&filed.incident))
    }

    async fn tell_health(&mut self) -> bool {
        if !self.me.right.is_office() {
            return true;
        }
        let now = camera_health(&self.state);
        let county = self.state.county();
        let is_shown = |camera: &CameraId| {
            let is_theirs = |it| shows_camera(&self.me, &county, it);
            self.me.right.is_county() || county.camera(camera).is_some_and(is_theirs)
        };
        let changed: Vec<&CameraId> = now
            .iter()
            .filter(|(camera, health)| self.health.get(*camera) != Some(*health))
            .map(|(camera, _)| camera)
            .filter(|camera| is_shown(camera))
            .collect();
        let told = changed.is_empty()
            || self.send("health", self.cursor, &json!({ "cameras": changed })).await;
        self.health = now;
        told && self.tell_registers().await
    }

    async fn tell_registers(&mut self) -> bool {
        let now = self.state.registers.history().number();
        let before = std::mem::replace(&mut self.registers, now);
        now == before || self.send("registers", self.cursor, &json!({})).await
    }

    async fn tell_hotspots(&mut self) -> Result<bool> {
        if !self.me.right.is_office() {
            return Ok(true);
        }
        let now =
            Some(self.state.store.hotspots_count(self.state.clock.now() - HOTSPOTS_FOR).await?);
        let first_look = self.hotspots.is_none();
        let changed = std::mem::replace(&mut self.hotspots, now) != now;
        Ok(first_look || !changed || self.send("hotspots", self.cursor, &json!({})).await)
    }

    async fn is_logged_in(&self) -> Result<bool> {
        let Some(session) = &self.session else { return Ok(false) };
        // This does not count as use of the session: an event cannot renew the browser's cookie.
        match self.state.store.session_as_it_is(session, self.state.clock.now()).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind == Kind::Unauthenticated => {
                tracing::info!(person = %self.me.person, "a stream ended: logged out");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn is_entitled(&self) -> bool {
        let login = Login { person: self.me.person.clone(), access: self.me.right.access() };
        // A right of another kind or ground has another stream, too.
        let right = session::right(&self.state.county(), &login);
        let entitled = right.as_ref() == Some(&self.me.right);
        if !entitled {
            tracing::info!(person = %login.person, "a stream ended: by the registers this person \
                no longer has this right");
        }
        entitled
    }

    /// False when the page has gone away.
    async fn send(&self, name: &str, cursor: u64, data: &serde_json::Value) -> bool {
        let event = Event::default().event(name).id(cursor.to_string()).data(data.to_string());
        self.out.send(event).await.is_ok()
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
