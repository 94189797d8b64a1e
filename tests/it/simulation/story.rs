//! Pure: a day as text, for a person who repeats one seed.

use super::day::Lived;
use super::fires::Cause;
use huoyan::triage::event::{Event, Recorded};
use huoyan::triage::incident::Incident;
use jiff::Timestamp;

/// Every incident with its events and its true cause.
pub fn story(day: &Lived) -> String {
    let mut text = String::new();
    for filed in &day.incidents {
        let it = &filed.incident;
        let truth =
            day.world.cause_of(it).map_or_else(String::new, |cause| described(day, cause, it));
        text += &format!("\n{} {} {:?} — {truth}\n", filed.code, it.place.name, it.state);
        for recorded in &it.log {
            text += &format!("  {} {}\n", clock(recorded.at), line(day, recorded));
        }
    }
    text
}

fn described(day: &Lived, cause: Cause, it: &Incident) -> String {
    let Some(spot) = day.world.truth.spot(cause) else { return format!("{cause:?}") };
    let grid = day.world.registers.grid_at(spot.at()).map(ToString::to_string).unwrap_or_default();
    let off_m = spot.at().distance_m(it.fix.centre);
    format!(
        "{cause:?} in {grid}, fix {:?} ±{:.0} m is {off_m:.0} m off",
        it.fix.method, it.fix.radius_m
    )
}

fn clock(at: Timestamp) -> String {
    at.to_zoned(huoyan::clock::county_time()).strftime("%H:%M:%S").to_string()
}

/// The event's name and its first words.
fn line(day: &Lived, recorded: &Recorded) -> String {
    let seen = |sighting: &huoyan::triage::sighting::Sighting| {
        let cause = day
            .world
            .evidence
            .causes
            .get(&sighting.id)
            .map(|it| format!("{it:?}"))
            .unwrap_or_default();
        format!("{:?} of {cause}", sighting.source.kind())
    };
    match &recorded.event {
        Event::Opened { sighting, .. } => format!("opened: {}", seen(sighting)),
        Event::SightingAdded { sighting, .. } => format!("added: {}", seen(sighting)),
        Event::Reminded { sighting } => format!("reminded by: {}", seen(sighting)),
        Event::Dispatched(it) => format!("dispatched {}", it.ranger),
        other => format!("{other:?}").chars().take(100).collect(),
    }
}
