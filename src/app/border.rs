//! 邻县通报: a fire that may lie in another county of the same centre is told to that county's desk
//! as a report of its neighbour, and told again when its place moves. The log of both says so. Only
//! what a county has seen itself is told, so notices never answer notices.

use super::{App, sleep_or_stop};
use crate::base::id;
use crate::bus::Bus;
use crate::error::{Error, Kind, Result};
use crate::triage::event::Actor;
use crate::triage::geo::{Fix, FixMethod, Locus, Spread};
use crate::triage::id::{ActionId, IncidentId, SightingId};
use crate::triage::incident::{By, Incident, Input};
use crate::triage::locate;
use crate::triage::sighting::{Sighting, Source};
use parking_lot::RwLock;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// What its source is called, in the language of the program: 邻县通报 沅陵县 0405-003.
const NAMES: [&str; 2] = ["邻县通报", "Neighbour's notice"];
/// Longest wait for what no announcement tells: a neighbour has started, or its database is back.
const LOOKS_EVERY: Duration = Duration::from_secs(15);
/// A place has moved when its centre did by so much, metres, and by a quarter of its doubt …
const MOVED_FROM_M: f64 = 200.0;
const MOVED_SHARE: f64 = 0.25;
/// … or when its doubt became so many times smaller or larger.
const NARROWER: f64 = 2.0;

/// The counties of the centre that run, by code; clones share it.
#[derive(Clone, Default)]
pub(super) struct Neighbours(Arc<RwLock<BTreeMap<String, App>>>);

impl Neighbours {
    pub(super) fn add(&self, code: &str, app: App) {
        self.0.write().insert(code.to_owned(), app);
    }

    fn of(&self, own: &App) -> Vec<(String, App)> {
        let all = self.0.read();
        let others = all.iter().filter(|(code, _)| own.config.code.as_ref() != Some(*code));
        others.map(|(code, app)| (code.clone(), app.clone())).collect()
    }
}

/// What a neighbour was told last of an incident.
#[derive(Clone, Copy)]
struct Told {
    fix: Fix,
    notice: SightingId,
}

type Notices = HashMap<(IncidentId, String), Told>;

pub(super) async fn run(app: App, bus: Bus, neighbours: Neighbours) {
    let mut changes = bus.announcements();
    // After a restart everything is told once more under the same ids, which changes nothing.
    let (mut told, mut versions) = (Notices::new(), HashMap::new());
    loop {
        let looked = look(&app, &neighbours.of(&app), &mut told, &mut versions).await;
        if let Err(e) = looked {
            tracing::warn!("the neighbours could not be told; trying again: {}", e.chain());
        }
        tokio::select! {
            // Lag is harmless: the open incidents are read.
            _ = changes.recv() => while changes.try_recv().is_ok() {},
            stopped = sleep_or_stop(&app, LOOKS_EVERY) => if stopped { return },
        }
    }
}

/// Tells what is new since the last look. One neighbour that cannot take it delays no other.
async fn look(
    app: &App,
    neighbours: &[(String, App)],
    told: &mut Notices,
    versions: &mut HashMap<IncidentId, (u64, usize)>,
) -> Result<()> {
    let book = app.desk.open_book().await?;
    versions.retain(|id, _| book.get(*id).is_some());
    told.retain(|(id, _), _| book.get(*id).is_some());
    let mut failed = None;
    for filed in book.open() {
        let incident = &filed.incident;
        let seen = (incident.version, neighbours.len());
        if versions.get(&incident.id) == Some(&seen) {
            continue;
        }
        let mut is_done = true;
        for (code, neighbour) in neighbours {
            let known = told.get(&(incident.id, code.clone())).copied();
            match tell(app, neighbour, code, &filed.code, incident, known).await {
                Ok(Some(now)) => _ = told.insert((incident.id, code.clone()), now),
                Ok(None) => {}
                Err(e) => (is_done, failed) = (false, Some(e)),
            }
        }
        if is_done {
            versions.insert(incident.id, seen);
        }
    }
    failed.map_or(Ok(()), Err)
}

/// `None`: there is nothing to tell.
async fn tell(
    app: &App,
    neighbour: &App,
    code: &str,
    incident_code: &str,
    incident: &Incident,
    known: Option<Told>,
) -> Result<Option<Told>> {
    let own: Vec<Sighting> =
        incident.sightings.iter().filter(|it| !is_notice(it)).cloned().collect();
    if own.is_empty() || incident.merged_into.is_some() {
        return Ok(None);
    }
    // An officer may have joined what only crosses; then the incident's own fix knows better.
    let fix = match own.len() == incident.sightings.len() {
        true => incident.fix,
        false => locate::fix(&own),
    };
    // Whoever was told the old place is told the new one, also when it is no longer theirs.
    let is_news = match &known {
        Some(known) => has_moved(&known.fix, &fix),
        None => may_lie_in(neighbour, &fix),
    };
    if !is_news {
        return Ok(None);
    }
    let county = app.registers.current().name.clone();
    let here = Some(county).filter(|it| !it.is_empty()).or_else(|| app.config.code.clone());
    let name = name_of(app, code, incident.id, &fix);
    let notice = Sighting {
        id: SightingId(id::named(&name)),
        source: Source::System {
            name: app.lang.pick(NAMES[0], NAMES[1]).to_owned(),
            device: format!("{} {incident_code}", here.unwrap_or_default()),
        },
        observed_at: incident.last_seen_at,
        locus: locus_of(&fix),
        confidence: own.iter().map(|it| it.confidence).fold(0.0, f32::max),
        pictures: Vec::new(),
        drill: incident.drill,
        labels: Vec::new(),
    };
    let (now, at) = (Told { fix, notice: notice.id }, neighbour.desk.sighting(notice).await?);
    if let Some(known) = known {
        correct(neighbour, known.notice, at, &name).await?;
    }
    let there = Some(neighbour.registers.current().name.clone()).filter(|it| !it.is_empty());
    let there = there.unwrap_or_else(|| code.to_owned());
    let words = match known {
        None => app.lang.pick("已通报邻县", "told the neighbouring county").to_owned(),
        Some(_) => app
            .lang
            .pick("位置更正，已再次通报邻县", "place moved, told the neighbouring county again")
            .to_owned(),
    };
    let note = Input::Note { words: format!("{words} {there}") };
    app.desk.act(incident.id, note, &by_system(&format!("note of {name}"))).await?;
    tracing::info!(incident.code = incident_code, neighbour = code, "a neighbour is told");
    Ok(Some(now))
}

/// The same for the same place, in every process and after a restart: told twice, it counts once.
fn name_of(app: &App, to: &str, incident: IncidentId, fix: &Fix) -> String {
    let from = app.config.code.as_deref().unwrap_or_default();
    let Fix { centre, radius_m, .. } = fix;
    format!(
        "border {from} {to} {incident} {:.5} {:.5} {radius_m:.0}",
        centre.lat_deg(),
        centre.lon_deg()
    )
}

/// Takes the old notice back, so that its place does not stand against the new one.
async fn correct(neighbour: &App, old: SightingId, new_at: IncidentId, name: &str) -> Result<()> {
    let Some(at) = neighbour.store.incident_of(old).await? else { return Ok(()) };
    let lang = neighbour.lang;
    let words = lang.pick("邻县已更正位置", "the neighbouring county has corrected the place");
    let step = match at == new_at {
        true => Input::StrikeOut { sighting: old, reason: words.to_owned() },
        // It is what the old incident rests on: its officer decides.
        false => Input::Note { words: words.to_owned() },
    };
    match neighbour.desk.act(at, step, &by_system(&format!("correction {name}"))).await {
        // It is closed, or an officer has struck it out.
        Err(Error { kind: Kind::Conflict | Kind::NotFound | Kind::Invalid, .. }) => Ok(()),
        done => done.map(drop),
    }
}

fn by_system(name: &str) -> By {
    By { actor: Actor::System, action: Some(ActionId(id::named(name))), happened_at: None }
}

fn is_notice(sighting: &Sighting) -> bool {
    matches!(&sighting.source, Source::System { name, .. } if NAMES.contains(&name.as_str()))
}

/// Some of its doubt lies in the neighbour's grids.
fn may_lie_in(neighbour: &App, fix: &Fix) -> bool {
    let county = neighbour.registers.current();
    !county.place(fix, &[], neighbour.clock.now()).candidates.is_empty()
}

fn has_moved(before: &Fix, now: &Fix) -> bool {
    let by_m = before.centre.distance_m(now.centre);
    let ratio = before.radius_m.max(1.0) / now.radius_m.max(1.0);
    by_m > MOVED_FROM_M.max(MOVED_SHARE * before.radius_m)
        || !(1.0 / NARROWER..=NARROWER).contains(&ratio)
}

fn locus_of(fix: &Fix) -> Locus {
    match (fix.method, fix.spread) {
        (FixMethod::Unaimed, _) => Locus::Unaimed { apex: fix.centre, far_m: fix.radius_m },
        (_, Some(Spread::Sector(ray))) => Locus::Sector(ray),
        _ => Locus::Disc { centre: fix.centre, radius_m: fix.radius_m },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::geo::LatLon;

    fn fix(lat_deg: f64, radius_m: f64) -> Fix {
        let centre = LatLon::new(lat_deg, 110.4).expect("a place");
        Fix { centre, radius_m, method: FixMethod::Reported, spread: None }
    }

    #[test]
    fn a_place_that_trembles_is_not_told_again_and_one_that_moves_or_narrows_is() {
        let before = fix(28.45, 2_000.0);
        for (now, has_moved) in [
            (fix(28.45, 2_000.0), false),
            (fix(28.452, 1_900.0), false),
            (fix(28.456, 2_000.0), true),
            (fix(28.45, 900.0), true),
            (fix(28.45, 5_000.0), true),
        ] {
            assert_eq!(super::has_moved(&before, &now), has_moved, "{now:?}");
        }
        assert!(!super::has_moved(&fix(28.45, 50.0), &fix(28.451, 60.0)), "within 200 m");
    }
}
