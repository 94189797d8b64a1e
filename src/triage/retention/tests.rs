use super::*;
use crate::triage::event::{Actor, Closure};
use crate::triage::kit::{camera, place_m, start};
use crate::triage::sighting::Sighting;
use uuid::Uuid;

/// One incident per number, with a picture of the same number.
struct Log(Ledger);

fn picture(n: u128) -> PictureId {
    PictureId::of(Uuid::from_u128(n), b"")
}

fn evidence(n: u128) -> Sighting {
    let seen = camera(n, start(), "东山", place_m(0.0, 0.0), 90.0, 0.8);
    Sighting { pictures: vec![picture(n)], ..seen }
}

impl Log {
    fn note(&mut self, incident: u128, day: i64, event: Event) {
        let at = start() + SignedDuration::from_hours(day * 24);
        let recorded =
            Recorded { at, actor: Actor::System, action: None, happened_at: None, event };
        self.0.note(IncidentId(Uuid::from_u128(incident)), &recorded);
    }

    fn opened(&mut self, incident: u128, drill: bool) {
        let sighting = Sighting { drill, ..evidence(incident) };
        let event = serde_json::json!({
            "type": "opened", "incident": IncidentId(Uuid::from_u128(incident)), "sighting": sighting, "review_by": null,
            "place": crate::triage::event::Place::default(), "priority": { "score": 1.0, "reasons": [] }, "policy_version": 1,
        });
        self.note(incident, 0, serde_json::from_value(event).expect("an opening"));
    }

    fn closed(&mut self, incident: u128, day: i64, category: u8) {
        let closure =
            Closure { category, false_alarm: None, words: String::new(), passed_to: None };
        self.note(incident, day, Event::Closed { closure });
    }

    fn on(&self, n: u128, day: i64) -> Option<Keeping> {
        self.0.keeping(
            picture(n),
            &Retention::default(),
            start() + SignedDuration::from_hours(day * 24),
        )
    }
}

const SPARE: Option<Keeping> = Some(Keeping::Spare(Spare::FalseAlarm));

#[test]
fn a_fire_s_evidence_is_kept_for_years_a_false_alarm_s_for_months_and_an_open_one_s_as_long_as_it_is_open()
 {
    let mut log = Log(Ledger::default());
    for (incident, category) in [(1, Some(0)), (2, Some(9)), (3, None), (4, Some(0))] {
        log.opened(incident, incident == 4);
        if let Some(category) = category {
            log.closed(incident, 10, category);
        }
    }
    assert_eq!(
        [log.on(1, 11), log.on(1, 1_104), log.on(1, 1_105)].map(|it| it.expect("named")),
        [Keeping::Owed, Keeping::Owed, Keeping::Over]
    );
    assert_eq!(log.on(2, 16), Some(Keeping::Owed), "somebody may still doubt it");
    assert_eq!([log.on(2, 17), log.on(2, 189)], [SPARE; 2], "kept while there is room");
    assert_eq!(log.on(2, 190), Some(Keeping::Over));
    assert_eq!(log.on(3, 99_999), Some(Keeping::Owed), "open");
    assert_eq!(log.on(4, 17), SPARE, "a drill burned nothing");
    assert_eq!(log.on(9, 0), None, "named by nobody");
}

#[test]
fn of_two_incidents_that_name_a_picture_the_one_that_asks_more_counts() {
    let mut log = Log(Ledger::default());
    log.opened(1, false);
    log.opened(2, false);
    log.note(
        2,
        1,
        Event::Merged { other: IncidentId(Uuid::from_u128(1)), sightings: vec![evidence(1)] },
    );
    log.closed(1, 2, 9);
    assert_eq!(log.on(1, 99), Some(Keeping::Owed), "the leading one is open");
    log.closed(2, 3, 0);
    assert_eq!(log.on(1, 99), Some(Keeping::Owed), "and was a fire");
    assert_eq!(log.on(1, 3 + 1_095), Some(Keeping::Over));
}

#[test]
fn a_reminder_of_a_closed_incident_is_kept_from_its_own_day_on() {
    let mut log = Log(Ledger::default());
    log.opened(1, false);
    log.closed(1, 1, 9);
    log.note(1, 100, Event::Reminded { sighting: evidence(7) });
    assert_eq!([log.on(1, 200), log.on(7, 200)], [Some(Keeping::Over), SPARE]);
}

#[test]
fn what_no_incident_names_goes_after_days_and_never_within_the_first() {
    let of = |hours: i64| {
        Retention::default().unclaimed(start(), start() + SignedDuration::from_hours(hours))
    };
    assert_eq!(
        [of(-5), of(23), of(24), of(167), of(168)],
        [
            Keeping::Owed,
            Keeping::Owed,
            Keeping::Spare(Spare::Unclaimed),
            Keeping::Spare(Spare::Unclaimed),
            Keeping::Over
        ]
    );
    assert!(
        Keeping::Spare(Spare::Unclaimed) < Keeping::Spare(Spare::FalseAlarm),
        "and first when room is short"
    );
}

#[test]
fn a_strip_goes_with_its_fire_a_month_after_a_false_alarm_and_first_when_room_is_short() {
    let mut log = Log(Ledger::default());
    for (incident, category) in [(1, Some(0)), (2, Some(9)), (3, None), (4, Some(0))] {
        log.opened(incident, incident == 4);
        if let Some(category) = category {
            log.closed(incident, 10, category);
        }
    }
    let on = |incident: u128, day: i64| {
        let (of, now) =
            (IncidentId(Uuid::from_u128(incident)), start() + SignedDuration::from_hours(day * 24));
        log.0.strip(Some(of), start(), &Retention::default(), now)
    };
    let spare = Keeping::Spare(Spare::Strip);
    assert_eq!(
        [on(1, 0), on(1, 1), on(1, 1_104), on(1, 1_105)],
        [Keeping::Owed, spare, spare, Keeping::Over]
    );
    assert_eq!(
        [on(2, 39), on(2, 40)],
        [spare, Keeping::Over],
        "a month after a false alarm was closed"
    );
    assert_eq!(
        [on(3, 0), on(3, 99_999)],
        [Keeping::Owed, spare],
        "as long as it is open, if there is room"
    );
    assert_eq!([on(4, 39), on(4, 40)], [spare, Keeping::Over], "a drill burned nothing");
    assert_eq!(
        [on(9, 0), on(9, 29), on(9, 30)],
        [Keeping::Owed, spare, Keeping::Over],
        "of nothing filed"
    );
    assert!(spare < Keeping::Spare(Spare::Unclaimed), "before any picture of a sighting");
}
