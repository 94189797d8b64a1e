//! 邻县通报: a fire that may lie in another county of the same centre is told to that county's desk
//! as a report of its neighbour, and told again when its place moves. The log of both says so. Only
//! what a county has seen itself is told, so notices never answer notices.

use super::{App, sleep_or_stop};
use crate::base::id;
use crate::bus::Bus;
use crate::error::{Error, Kind, Result};
use crate::store::Filed;
use crate::triage::category::OUTSIDE;
use crate::triage::event::{Actor, Event, Recorded};
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
    /// Who has answered for all incidents since the start: before, a neighbour is asked what it was
    /// told wherever the place is now.
    under_way: BTreeSet<String>,
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

/// Tells what is new since the last look, each incident to all whom it concerns at once. Whoever
/// does not answer is waited for once a look, so that it delays the others for [`TAKEN_WITHIN`].
async fn look(app: &App, neighbours: &[(String, App)], looked: &mut Looked) -> Result<()> {
    let book = app.desk.open_book().await?;
    looked.versions.retain(|id, _| book.find(*id).is_some());
    looked.told.retain(|(id, _)| book.find(*id).is_some());
    let registered = neighbours.iter().map(|(_, it)| it.registers.history().number()).sum();
    // What lies wholly in another county is closed here as it opens.
    let passed_on = book.ended().filter(|it| is_passed_on(&it.incident));
    let (mut failed, mut silent_now) = (None, BTreeSet::new());
    for filed in book.open().chain(passed_on) {
        let incident = &filed.incident;
        let seen = (incident.version, registered);
        if looked.versions.get(&incident.id) == Some(&seen) {
            continue;
        }
        let (mut telling, mut is_done) = (JoinSet::new(), true);
        if let Some(fix) = own_fix(incident) {
            for (code, neighbour) in neighbours {
                let is_told = looked.told.contains(&(incident.id, code.clone()));
                let is_asked = is_told || !looked.under_way.contains(code);
                if !is_asked && !may_lie_in(neighbour, &fix) {
                    continue;
                }
                if silent_now.contains(code) {
                    is_done = false;
                    continue;
                }
                let (app, neighbour, code) = (app.clone(), neighbour.clone(), code.clone());
                let filed = Arc::clone(filed);
                telling.spawn(async move {
                    let tell = tell(&app, &neighbour, &code, &filed, fix);
                    let told = tokio::time::timeout(TAKEN_WITHIN, tell).await;
                    (code, told.unwrap_or_else(|_| Err(silent())))
                });
            }
        }
        while let Some(told) = telling.join_next().await {
            match told {
                Ok((code, Ok(true))) => _ = looked.told.insert((incident.id, code)),
                Ok((_, Ok(false))) => {}
                Ok((code, Err(e))) => {
                    (is_done, failed) = (false, Some(e));
                    silent_now.insert(code);
                }
                Err(e) => std::panic::resume_unwind(e.into_panic()),
            }
        }
        if is_done {
            looked.versions.insert(incident.id, seen);
        }
    }
    let answered = neighbours.iter().map(|(code, _)| code).filter(|it| !silent_now.contains(*it));
    looked.under_way.extend(answered.cloned());
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
    let (mut live, mut struck) = (Vec::new(), Vec::new());
    for there in book.open().chain(book.ended()).map(|it| &it.incident) {
        live.extend(there.sightings.iter().filter(is_ours).map(|it| (there, it)));
        struck.extend(there.struck_out.iter().filter(is_ours).map(|it| (there, it)));
    }
    if live.is_empty() && struck.is_empty() && !may_lie_in(neighbour, &fix) {
        return Ok(false);
    }
    // Every desk picks the same one.
    let fitting = |all: &[(&Incident, &Sighting)]| {
        let fits = |it: &Sighting| !has_moved(&locate::fix(slice::from_ref(it)), &fix);
        let all = all.iter().filter(|(_, it)| fits(it)).map(|(there, it)| (there.id, it.id));
        all.min_by_key(|(_, id)| *id)
    };
    let is_by_officer = |(there, it): &(&Incident, &Sighting)| !is_struck_by_us(there, it.id);
    let (refused, taken_back): (Vec<_>, Vec<_>) = struck.into_iter().partition(is_by_officer);
    // What an officer there has struck out is not told again.
    let stands = fitting(&live).or_else(|| fitting(&refused));
    let name = name_of(app, code, incident.id, &fix);
    let now = match (stands, fitting(&taken_back)) {
        (Some((_, id)), _) => id,
        // The place is again where it was.
        (None, Some((at, id))) => {
            let back = by_system(&format!("return {id} {}", incident.version));
            neighbour.desk.act(at, Input::Reinstate { sighting: id }, &back).await?;
            id
        }
        (None, None) => {
            let id = SightingId(id::named(&name));
            neighbour.desk.sighting(notice(incident, id, source.clone(), &fix)).await?;
            id
        }
    };
    // Whoever was told the old place is told the new one, also when it is no longer theirs.
    for (there, old) in live.iter().filter(|(_, it)| it.id != now) {
        correct(neighbour, there.id, old.id, now, incident.version).await?;
    }
    if stands.is_none() {
        let is_moved = !live.is_empty() || !taken_back.is_empty();
        let name = format!("{name} {}", incident.version);
        note(app, neighbour, code, incident.id, is_moved, &name).await?;
        tracing::info!(incident.code = filed.code, neighbour = code, "a neighbour is told");
    }
    Ok(true)
}

/// This program has taken it back, because its place had moved.
fn is_struck_by_us(there: &Incident, notice: SightingId) -> bool {
    let strikes = |it: &&Arc<Recorded>| matches!(&it.event, Event::StruckOut { sighting, .. } if *sighting == notice);
    let last = there.log.iter().rev().find(strikes);
    last.is_some_and(|it| it.actor == Actor::System)
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
async fn correct(
    neighbour: &App,
    at: IncidentId,
    old: SightingId,
    new: SightingId,
    version: u64,
) -> Result<()> {
    let Some(new_at) = neighbour.store.incident_of(new).await? else { return Ok(()) };
    let lang = neighbour.lang;
    let words = lang.pick("邻县已更正位置", "the neighbouring county has corrected the place");
    if at == new_at {
        let strike = Input::StrikeOut { sighting: old, reason: words.to_owned() };
        let by = by_system(&format!("correction {old} {new} {version}"));
        match neighbour.desk.act(at, strike, &by).await {
            Err(Error { kind: Kind::Conflict | Kind::NotFound | Kind::Invalid, .. }) => {}
            done => return done.map(drop),
        }
    }
    // The old incident rests on it: its officer decides.
    let by = by_system(&format!("correction {old} {new}"));
    match neighbour.desk.act(at, Input::Note { words: words.to_owned() }, &by).await {
        // It is closed.
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
