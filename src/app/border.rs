//! 邻县通报: a fire that may lie in another county of the same centre is told to that county's desk
//! as a report of its neighbour, and told again when its place moves. The log of both says so. Only
//! what a county has seen itself is told, so notices never answer notices.

use super::{App, sleep_or_stop};
use crate::base::id;
use crate::bus::Bus;
use crate::error::{Error, Kind, Result};
use crate::store::Filed;
use crate::triage::category::OUTSIDE;
use crate::triage::event::Actor;
use crate::triage::geo::{Fix, FixMethod, Locus, Spread};
use crate::triage::id::{ActionId, IncidentId, SightingId};
use crate::triage::incident::{By, Incident, Input};
use crate::triage::locate;
use crate::triage::sighting::{Sighting, Source};
use parking_lot::RwLock;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::slice;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Longest wait for what no announcement tells: a neighbour has started, or its database is back.
const LOOKS_EVERY: Duration = Duration::from_secs(15);
/// Longest wait for one neighbour's desk.
const TAKEN_WITHIN: Duration = Duration::from_secs(5);
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

/// What this process has looked at. The neighbours' own logs say what they were told.
#[derive(Default)]
struct Looked {
    /// The version of each incident, and how many changes the neighbours' registers then had.
    versions: HashMap<IncidentId, (u64, u64)>,
    told: BTreeSet<(IncidentId, String)>,
    /// After a start every neighbour is asked what it was told, wherever the place is now.
    is_under_way: bool,
}

pub(super) async fn run(app: App, bus: Bus, neighbours: Neighbours) {
    let mut changes = bus.announcements();
    let mut looked = Looked::default();
    loop {
        if let Err(e) = look(&app, &neighbours.of(&app), &mut looked).await {
            tracing::warn!("the neighbours could not be told; trying again: {}", e.chain());
        }
        tokio::select! {
            // Lag is harmless: the incidents are read.
            _ = changes.recv() => while changes.try_recv().is_ok() {},
            stopped = sleep_or_stop(&app, LOOKS_EVERY) => if stopped { return },
        }
    }
}

/// Tells what is new since the last look, each incident to all whom it concerns at once: one
/// neighbour that cannot take it delays no other.
async fn look(app: &App, neighbours: &[(String, App)], looked: &mut Looked) -> Result<()> {
    let book = app.desk.open_book().await?;
    looked.versions.retain(|id, _| book.find(*id).is_some());
    looked.told.retain(|(id, _)| book.find(*id).is_some());
    let registered = neighbours.iter().map(|(_, it)| it.registers.history().number()).sum();
    // What lies wholly in another county is closed here as it opens.
    let passed_on = book.ended().filter(|it| is_passed_on(&it.incident));
    let mut failed = None;
    for filed in book.open().chain(passed_on) {
        let incident = &filed.incident;
        let seen = (incident.version, registered);
        if looked.versions.get(&incident.id) == Some(&seen) {
            continue;
        }
        let mut telling = JoinSet::new();
        if let Some(fix) = own_fix(incident) {
            for (code, neighbour) in neighbours {
                let is_told = looked.told.contains(&(incident.id, code.clone()));
                if is_told || !looked.is_under_way || may_lie_in(neighbour, &fix) {
                    let (app, neighbour, code) = (app.clone(), neighbour.clone(), code.clone());
                    let filed = Arc::clone(filed);
                    telling.spawn(async move {
                        let tell = tell(&app, &neighbour, &code, &filed, fix);
                        let told = tokio::time::timeout(TAKEN_WITHIN, tell).await;
                        (code, told.unwrap_or_else(|_| Err(silent())))
                    });
                }
            }
        }
        let mut is_done = true;
        while let Some(told) = telling.join_next().await {
            match told {
                Ok((code, Ok(true))) => _ = looked.told.insert((incident.id, code)),
                Ok((_, Ok(false))) => {}
                Ok((_, Err(e))) => (is_done, failed) = (false, Some(e)),
                Err(e) => std::panic::resume_unwind(e.into_panic()),
            }
        }
        if is_done {
            looked.versions.insert(incident.id, seen);
        }
    }
    looked.is_under_way |= failed.is_none();
    failed.map_or(Ok(()), Err)
}

/// 转报: the rule of sending closed it because it lies outside the county.
fn is_passed_on(incident: &Incident) -> bool {
    incident.closure.as_ref().is_some_and(|it| it.category == OUTSIDE)
}

/// Where this county's own evidence puts it; `None`: it has none, or another incident has it.
fn own_fix(incident: &Incident) -> Option<Fix> {
    let own: Vec<Sighting> =
        incident.sightings.iter().filter(|it| !is_notice(it)).cloned().collect();
    if own.is_empty() || incident.merged_into.is_some() {
        return None;
    }
    // An officer may have joined what only crosses; then the incident's own fix knows better.
    Some(match own.len() == incident.sightings.len() {
        true => incident.fix,
        false => locate::fix(&own),
    })
}

/// Makes what the neighbour knows agree with `fix`, from its own log: whatever another desk or an
/// earlier process has told counts. `false`: there is nothing to tell.
async fn tell(app: &App, neighbour: &App, code: &str, filed: &Filed, fix: Fix) -> Result<bool> {
    let incident = &filed.incident;
    let county = app.registers.current().name.clone();
    let here = Some(county).filter(|it| !it.is_empty()).or_else(|| app.config.code.clone());
    let source = Source::Neighbour { county: here.unwrap_or_default(), code: filed.code.clone() };
    let is_ours = |it: &&Sighting| it.source == source;
    let book = neighbour.desk.open_book().await?;
    let (mut notices, mut known) = (Vec::new(), Vec::new());
    for there in book.open().chain(book.ended()).map(|it| &it.incident) {
        notices.extend(there.sightings.iter().filter(is_ours).map(|it| (there.id, it.id)));
        // An officer there may have struck it out: then it is not told again.
        known.extend(there.sightings.iter().chain(&there.struck_out).filter(is_ours));
    }
    // Every desk picks the same one.
    let stands = known
        .iter()
        .filter(|it| !has_moved(&locate::fix(slice::from_ref(**it)), &fix))
        .map(|it| it.id)
        .min();
    if stands.is_none() && known.is_empty() && !may_lie_in(neighbour, &fix) {
        return Ok(false);
    }
    let name = name_of(app, code, incident.id, &fix);
    let now = match stands {
        Some(notice) => notice,
        None => {
            let id = SightingId(id::named(&name));
            let notice = notice(incident, id, source.clone(), &fix);
            neighbour.desk.sighting(notice).await?;
            id
        }
    };
    // Whoever was told the old place is told the new one, also when it is no longer theirs.
    for (at, old) in notices.iter().filter(|(_, it)| *it != now) {
        correct(neighbour, *at, *old, now).await?;
    }
    if stands.is_none() {
        note(app, neighbour, code, incident.id, !known.is_empty(), &name).await?;
        tracing::info!(incident.code = filed.code, neighbour = code, "a neighbour is told");
    }
    Ok(true)
}

fn notice(incident: &Incident, id: SightingId, source: Source, fix: &Fix) -> Sighting {
    let own = incident.sightings.iter().filter(|it| !is_notice(it));
    Sighting {
        id,
        source,
        observed_at: incident.last_seen_at,
        locus: locus_of(fix),
        confidence: own.map(|it| it.confidence).fold(0.0, f32::max),
        pictures: Vec::new(),
        drill: incident.drill,
        labels: Vec::new(),
    }
}

/// The log of the county that tells says so. One that is closed takes no more words.
async fn note(
    app: &App,
    neighbour: &App,
    code: &str,
    incident: IncidentId,
    is_moved: bool,
    name: &str,
) -> Result<()> {
    let there = Some(neighbour.registers.current().name.clone()).filter(|it| !it.is_empty());
    let there = there.unwrap_or_else(|| code.to_owned());
    let words = match is_moved {
        false => app.lang.pick("已通报邻县", "told the neighbouring county"),
        true => app
            .lang
            .pick("位置更正，已再次通报邻县", "place moved, told the neighbouring county again"),
    };
    let note = Input::Note { words: format!("{words} {there}") };
    match app.desk.act(incident, note, &by_system(&format!("note of {name}"))).await {
        Err(Error { kind: Kind::Conflict, .. }) => Ok(()),
        done => done.map(drop),
    }
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

/// Takes an old notice back, so that its place does not stand against the new one.
async fn correct(neighbour: &App, at: IncidentId, old: SightingId, new: SightingId) -> Result<()> {
    let Some(new_at) = neighbour.store.incident_of(new).await? else { return Ok(()) };
    let lang = neighbour.lang;
    let words = lang.pick("邻县已更正位置", "the neighbouring county has corrected the place");
    let step = match at == new_at {
        true => Input::StrikeOut { sighting: old, reason: words.to_owned() },
        // It is what the old incident rests on: its officer decides.
        false => Input::Note { words: words.to_owned() },
    };
    let name = format!("correction {} {}", old.0, new.0);
    match neighbour.desk.act(at, step, &by_system(&name)).await {
        // It is closed, or an officer has struck it out.
        Err(Error { kind: Kind::Conflict | Kind::NotFound | Kind::Invalid, .. }) => Ok(()),
        done => done.map(drop),
    }
}

fn silent() -> Error {
    Error::unavailable("a neighbouring county's desk does not answer")
}

fn by_system(name: &str) -> By {
    By { actor: Actor::System, action: Some(ActionId(id::named(name))), happened_at: None }
}

fn is_notice(sighting: &Sighting) -> bool {
    matches!(sighting.source, Source::Neighbour { .. })
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
