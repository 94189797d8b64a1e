//! `huoyan drill`: asks the running program on this machine for smoke in a camera's picture, and
//! follows what the office makes of it, second by second, to the end. All of it is marked as a
//! drill.

use super::{Common, Outcome};
use crate::app::serving::Serving;
use crate::clock::Clock;
use crate::error::{Error, Kind, Result};
use crate::lang::Lang;
use crate::notify::post_json;
use crate::store::Store;
use crate::triage::event::{Dispatched, Event, Recorded};
use crate::triage::id::{CameraId, IncidentId};
use crate::triage::policy::Stage;
use crate::triage::sighting::{Sighting, Source};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The camera's id in the office's register
    #[arg(long, value_name = "ID")]
    pub camera: String,
    /// Address of the running program; default: what it says in the data folder
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
}

/// Interval at which the log is read.
const EVERY: Duration = Duration::from_secs(1);
/// Rendered smoke covers 1 % of the picture after a minute. A model that has not confirmed it after
/// five does not see it.
const CONFIRMED_WITHIN: SignedDuration = SignedDuration::from_mins(5);
/// How long the closure is waited for after the last limit of the 131 rule.
const CLOSED_WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// Log lines read at once.
const LINES: u32 = 200;

pub(super) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::unavailable("cannot start the network").because(e))?;
    runtime.block_on(drill(&args, common))
}

async fn drill(args: &Args, common: &Common) -> Result<Outcome> {
    let data = &common.config.store.data;
    let token = admin_token(data)?;
    let store = Store::of(&common.config).await?;
    let camera = CameraId::from(args.camera.as_str());
    let running =
        || Serving::of_running(data).unwrap_or_else(|| Serving::of(&common.config)).local_url;
    let server = args.server.clone().unwrap_or_else(running);
    let url = format!("{}/api/v1/drills", server.trim_end_matches('/'));
    let (cursor, clock) = (store.cursor().await?, Clock::System);

    post_json(&url, Some(&token), &json!({ "camera": camera })).await?;
    let mut story =
        Story { camera, since: clock.now(), incident: None, lang: common.lang, json: common.json };
    story.say(
        "smoke",
        story.since,
        story.lang.pick("开始渲染烟雾", "smoke begins to rise in the picture"),
        None,
    );
    let patience = common.config.policy.report_within + CLOSED_WITHIN;
    follow(&store, &clock, cursor, &mut story, patience).await
}

/// The running program writes it at the start; only its own user can read it.
fn admin_token(data: &Path) -> Result<String> {
    let path = data.join("admin.token");
    let text = std::fs::read_to_string(&path).map_err(|e| {
        Error::unavailable(format!(
            "{} cannot be read: check that `huoyan run` is running with this data folder, and that \
            you are its user",
            path.display()
        ))
        .because(e)
    })?;
    Ok(text.trim().to_owned())
}

async fn follow(
    store: &Store,
    clock: &Clock,
    mut cursor: u64,
    story: &mut Story,
    patience: SignedDuration,
) -> Result<Outcome> {
    loop {
        for entry in store.events_after(cursor, LINES).await? {
            cursor = entry.cursor;
            let Some(recorded) = entry.recorded else { continue };
            let code = store.incident(entry.incident).await?.code;
            if story.tell(entry.incident, &recorded, &code) {
                return Ok(Outcome::Fine);
            }
        }
        let waited = clock.now().duration_since(story.since);
        if story.incident.is_none() && waited > CONFIRMED_WITHIN {
            return Err(Error::unavailable(format!(
                "no smoke was confirmed within {} min: run `huoyan check` to see whether camera {} \
                is watched",
                CONFIRMED_WITHIN.as_mins(),
                story.camera
            )));
        }
        if waited > patience {
            return Err(Error::new(
                Kind::Unavailable,
                "the drill's incident is still open: close it at /office",
            ));
        }
        clock.sleep(EVERY).await;
    }
}

/// The story of the drill's incident, in the reader's language.
struct Story {
    camera: CameraId,
    since: Timestamp,
    incident: Option<IncidentId>,
    lang: Lang,
    json: bool,
}

impl Story {
    /// True at the end of the story.
    fn tell(&mut self, incident: IncidentId, recorded: &Recorded, code: &str) -> bool {
        let event = &recorded.event;
        if let Event::Opened { sighting, .. } | Event::SightingAdded { sighting, .. } = event
            && self.incident.is_none()
            && self.is_ours(sighting)
        {
            self.incident = Some(incident);
        }
        if self.incident != Some(incident) {
            return false;
        }
        if let Some(words) = words(self.lang, event, code) {
            self.say("event", recorded.at, &words, Some(event));
        }
        matches!(event, Event::Closed { .. })
    }

    fn is_ours(&self, sighting: &Sighting) -> bool {
        let seen_by = |camera: &CameraId| *camera == self.camera;
        sighting.drill
            && matches!(&sighting.source, Source::Camera { camera, .. } if seen_by(camera))
    }

    fn say(&self, kind: &str, at: Timestamp, words: &str, event: Option<&Event>) {
        let after_s = at.duration_since(self.since).as_secs_f64();
        if self.json {
            println!(
                "{}",
                json!({ "type": kind, "at": at, "after_s": after_s, "words": words, "event": event })
            );
        } else {
            println!("{after_s:>7.0} s  {}{words}", self.lang.pick("【演练】", "[DRILL] "));
        }
    }
}

/// One sentence per event; none for an event that is no step of the story.
fn words(lang: Lang, event: &Event, code: &str) -> Option<String> {
    let late = |late: bool| if late { lang.pick("（超时）", " (late)") } else { "" };
    let step = |stage: Stage| match stage {
        Stage::Acknowledged => lang.pick("接收", "acknowledge"),
        Stage::Arrived => lang.pick("到达", "arrive"),
        Stage::Reported => lang.pick("反馈", "report"),
    };
    let zh = lang == Lang::Zh;
    Some(match event {
        Event::Opened { place, .. } if zh => format!("烟雾已确认，立案 {code}：{}", place.name),
        Event::Opened { place, .. } => {
            format!("smoke confirmed, incident {code} opened: {}", place.name)
        }
        Event::SightingAdded { .. } => lang.pick("又一条线索", "one more sighting").to_owned(),
        Event::ReviewMissed { .. } => lang
            .pick("无人研判，已呼叫带班领导", "nobody looked in time: the leader on duty is called")
            .to_owned(),
        Event::Rang { round, .. } if zh => format!("无人处理，第 {} 次呼叫", round + 1),
        Event::Rang { round, .. } => format!("nobody acted: call {}", round + 1),
        Event::Relocated { place, .. } if zh => format!("位置更正：{}", place.name),
        Event::Relocated { place, .. } => format!("the place has changed: {}", place.name),
        Event::RelocationProposed { place, .. } if zh => {
            format!("请值班员确认新位置：{}", place.name)
        }
        Event::RelocationProposed { place, .. } => {
            format!("an officer is asked to confirm the new place: {}", place.name)
        }
        Event::Answered { person, .. } if zh => format!("{person} 收到"),
        Event::Answered { person, .. } => format!("{person} has heard"),
        Event::Undelivered { person, .. } if zh => {
            format!("未送达 {}", person.as_ref().map_or("（无人值班）", |it| it.as_str()))
        }
        Event::Undelivered { person, .. } => {
            format!(
                "not delivered to {}",
                person.as_ref().map_or("nobody on duty", |it| it.as_str())
            )
        }
        Event::Dispatched(Dispatched { ranger, .. }) if zh => format!("派单给 {ranger}"),
        Event::Dispatched(Dispatched { ranger, .. }) => format!("dispatched to {ranger}"),
        Event::Acknowledged { late: is, .. } => {
            format!("{}{}", lang.pick("已接收", "acknowledged"), late(*is))
        }
        Event::Declined { reason, .. } => {
            format!("{}: {reason}", lang.pick("不能前往", "cannot go"))
        }
        Event::Arrived { unproven: Some(_), .. } => {
            lang.pick("声称到达，定位未证实", "claims to have arrived, not proven").to_owned()
        }
        Event::Arrived { late: is, .. } => {
            format!("{}{}", lang.pick("已到达", "arrived"), late(*is))
        }
        Event::Reported { late: is, .. } => {
            format!("{}{}", lang.pick("已反馈", "reported"), late(*is))
        }
        Event::DeadlineMissed { stage, .. } if zh => format!("超过{}时限", step(*stage)),
        Event::DeadlineMissed { stage, .. } => format!("the time to {} has passed", step(*stage)),
        Event::Escalated { rung, .. } if zh => format!("第 {} 级升级督办", rung + 1),
        Event::Escalated { rung, .. } => format!("escalated to rung {}", rung + 1),
        Event::SentBack { reason, .. } => {
            format!("{}: {reason}", lang.pick("退回补充", "sent back"))
        }
        Event::SupportAsked { reason, .. } => {
            format!("{}: {reason}", lang.pick("请求支援", "asks for support"))
        }
        Event::Closed { .. } => format!("{code} {}", lang.pick("已销号", "closed")),
        Event::LateActionKept { .. }
        | Event::PhotoAdded { .. }
        | Event::Noted { .. }
        | Event::RelocationDismissed
        | Event::StruckOut { .. }
        | Event::Reinstated { .. }
        | Event::SplitOff { .. }
        | Event::Merged { .. }
        | Event::MergedInto { .. }
        | Event::Unmerged { .. }
        | Event::Linked { .. }
        | Event::Reminded { .. }
        | Event::UndeliveredTaken { .. }
        | Event::Intended { .. }
        | Event::IntentOver => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::event::{Actor, Closure, Place};
    use crate::triage::geo::{LatLon, Locus};
    use crate::triage::id::SightingId;
    use crate::triage::score::Priority;
    use uuid::Uuid;

    fn entry(incident: u128, event: Event) -> (IncidentId, Recorded) {
        let at = Timestamp::UNIX_EPOCH;
        let recorded =
            Recorded { at, actor: Actor::System, action: None, happened_at: None, event };
        (IncidentId(Uuid::from_u128(incident)), recorded)
    }

    fn opened(incident: u128, camera: &str, drill: bool) -> (IncidentId, Recorded) {
        let model =
            crate::triage::detection::ModelVersion { name: "m".into(), version: "1".into() };
        let sighting = Sighting {
            id: SightingId(Uuid::from_u128(incident)),
            source: Source::Camera {
                camera: camera.into(),
                pose: "default".into(),
                class: crate::triage::detection::Class::Smoke,
                bbox: [0.1, 0.1, 0.1, 0.1].into(),
                model,
                thresholds_version: 1,
                opinion: None,
            },
            observed_at: Timestamp::UNIX_EPOCH,
            locus: Locus::Disc {
                centre: LatLon::new(28.0, 110.0).expect("on the earth"),
                radius_m: 10.0,
            },
            confidence: 0.9,
            pictures: Vec::new(),
            drill,
            labels: Vec::new(),
        };
        let event = Event::Opened {
            incident: IncidentId(Uuid::from_u128(incident)),
            sighting,
            place: Place::default(),
            priority: Priority::default(),
            review_by: None,
            policy_version: 1,
            fix: None,
            split_from: None,
            flood: None,
        };
        entry(incident, event)
    }

    fn closed(incident: u128) -> (IncidentId, Recorded) {
        entry(
            incident,
            Event::Closed {
                closure: Closure {
                    category: 1,
                    false_alarm: None,
                    words: String::new(),
                    passed_to: None,
                },
            },
        )
    }

    #[test]
    fn the_story_is_that_of_the_drill_alone() {
        let mut story = Story {
            camera: "north".into(),
            since: Timestamp::UNIX_EPOCH,
            incident: None,
            lang: Lang::En,
            json: false,
        };
        let mut tell =
            |(of, it): (IncidentId, Recorded), code| (story.tell(of, &it, code), story.incident);
        for foreign in [opened(1, "north", false), opened(2, "south", true), closed(1)] {
            assert_eq!(
                tell(foreign, "1121-01"),
                (false, None),
                "a real fire, or another camera's drill"
            );
        }
        let ours = Some(IncidentId(Uuid::from_u128(3)));
        assert_eq!(tell(opened(3, "north", true), "1121-03"), (false, ours));
        assert_eq!(tell(closed(2), "1121-02"), (false, ours), "another one's end is not ours");
        assert_eq!(tell(closed(3), "1121-03"), (true, ours));
    }

    #[test]
    fn every_step_is_said_in_both_languages() {
        let steps = [opened(1, "north", true).1.event, closed(1).1.event];
        for event in steps {
            let said = |lang| words(lang, &event, "1121-03").expect("a step of the story");
            assert!(said(Lang::En).contains("1121-03") && said(Lang::Zh).contains("1121-03"));
            assert!(said(Lang::En).is_ascii() && !said(Lang::Zh).is_ascii());
        }
    }
}
