use super::*;
use crate::triage::event::{Closure, Place, Verification};
use crate::triage::geo::{Fix, FixMethod, LatLon, Locus};
use crate::triage::id::{DispatchId, IncidentId, SightingId};
use crate::triage::score::Priority;
use crate::triage::sighting::{Sighting, Source};
use jiff::SignedDuration;
use uuid::Uuid;

fn minute(n: i64) -> Timestamp {
    "2026-11-21T00:00:00Z".parse::<Timestamp>().expect("a time") + SignedDuration::from_mins(n)
}

fn camera() -> Source {
    Source::Camera {
        camera: "cam01".into(),
        pose: "default".into(),
        class: crate::triage::detection::Class::Smoke,
        bbox: [0.1, 0.1, 0.1, 0.1].into(),
        model: crate::triage::detection::ModelVersion {
            name: "m".to_owned(),
            version: "1".to_owned(),
        },
        thresholds_version: 1,
        opinion: None,
    }
}

fn satellite() -> Source {
    Source::Satellite {
        hotspot_key: "k".to_owned(),
        satellite: "N20".to_owned(),
        instrument: "VIIRS".to_owned(),
        frp_mw: None,
        pixels: 1,
    }
}

/// Opened at a given minute, first seen by `source`.
fn incident(opened: i64, source: Source) -> Incident {
    let at = LatLon::new(28.5, 110.4).expect("a place");
    Incident {
        id: IncidentId(Uuid::nil()),
        version: 1,
        state: State::NeedsReview,
        drill: false,
        opened_at: minute(opened),
        first_seen_at: minute(opened),
        last_seen_at: minute(opened),
        fix: Fix { centre: at, radius_m: 375.0, method: FixMethod::Satellite, spread: None },
        place: Place::default(),
        sightings: vec![Sighting {
            id: SightingId(Uuid::nil()),
            source,
            observed_at: minute(opened),
            locus: Locus::Disc { centre: at, radius_m: 375.0 },
            confidence: 0.6,
            pictures: vec![],
            drill: false,
            labels: vec![],
        }],
        priority: Priority::default(),
        struck_out: vec![],
        waiting: vec![],
        proposal: None,
        intent: None,
        told: vec![],
        answers: vec![],
        undelivered: vec![],
        links: vec![],
        merged: vec![],
        merged_into: None,
        split_from: None,
        flood: None,
        reminders: vec![],
        dispatch: None,
        past_dispatches: vec![],
        verification: None,
        closure: None,
        closed_at: None,
        log: vec![],
    }
}

fn dispatch(
    at: i64,
    acknowledged: Option<i64>,
    arrived: Option<i64>,
    reported: Option<i64>,
) -> Dispatch {
    let step = |taken: Option<i64>, limit: i64| {
        taken.map(|taken| Step {
            received_at: minute(taken),
            happened_at: None,
            means: Means::Phone,
            late: taken > at + limit,
            position: None,
            distance_m: None,
            unproven: None,
        })
    };
    Dispatch {
        id: DispatchId(Uuid::nil()),
        ranger: "A".into(),
        dispatched_at: minute(at),
        zero_at: minute(at),
        acknowledge_by: minute(at + 10),
        arrive_by: minute(at + 30),
        report_by: minute(at + 60),
        ladder: vec![],
        fired: vec![],
        missed: vec![],
        acknowledged: step(acknowledged, 10),
        arrived: step(arrived, 30),
        claimed: None,
        reported: step(reported, 60),
        declined: None,
        policy_version: 1,
        because: vec![],
        neighbours: vec![],
        grid: None,
        by_person: false,
        told_at: LatLon::new(28.5, 110.4).expect("a place"),
    }
}

fn verified(category: u8) -> Option<Verification> {
    Some(Verification {
        category,
        flames: None,
        area_mu: None,
        extinguished: None,
        words: String::new(),
        photos: vec![],
        no_photo_reason: None,
        position: None,
    })
}

fn closed(category: u8) -> Option<Closure> {
    Some(Closure { category, false_alarm: None, words: String::new(), passed_to: None })
}

/// The report at 17:00 for the county's day so far.
fn day(incidents: &[Incident]) -> Daily {
    Daily::count(incidents, minute(-8 * 60), minute(9 * 60), &Policy::default())
}

#[test]
fn a_day_in_one_sentence() {
    let on_time = Incident {
        dispatch: Some(dispatch(0, Some(4), Some(25), Some(50))),
        verification: verified(3),
        closure: closed(0),
        state: State::Closed,
        ..incident(0, satellite())
    };
    let late = Incident {
        dispatch: Some(dispatch(100, Some(115), Some(125), None)),
        verification: verified(STILL_CHECKING),
        state: State::Arrived,
        ..incident(100, camera())
    };
    let fresh =
        Incident { dispatch: Some(dispatch(535, None, None, None)), ..incident(535, camera()) };
    let drill = Incident { drill: true, ..incident(200, camera()) };
    let yesterday = incident(-9 * 60, camera());
    let daily = day(&[on_time, late, fresh, drill, yesterday]);

    assert_eq!(
        (daily.total, daily.camera, daily.satellite, daily.answered, daily.drills),
        (3, 2, 1, 1, 1)
    );
    assert_eq!(
        daily.acknowledged,
        Rate { in_time: 1, due: 2 },
        "the fresh one still has 5 minutes"
    );
    assert_eq!(daily.arrived, Rate { in_time: 2, due: 2 });
    assert_eq!(daily.reported, Rate { in_time: 1, due: 2 });
    assert_eq!(
        daily.words(Lang::Zh),
        "截至21日17时00分，共发现疑似火情3起（摄像机2、卫星1、人工0、其他系统0），已反馈1起，\
        其余2起正在核查中；其中森林火灾1起；10分钟接收率50.0%（1/2），30分钟到达率100.0%（2/2），\
        60分钟反馈率50.0%（1/2）（计时起点：派发时刻，以服务器时间为准）。另有演练1起，\
        不计入以上统计。"
    );
    assert!(daily.words(Lang::En).contains("clocks count from dispatch"));
}

#[test]
fn a_quiet_day_is_a_nil_report_and_has_no_rates() {
    let daily = day(&[]);
    assert_eq!(daily.words(Lang::Zh), "截至21日17时00分，未发现疑似火情（零报告）。");
    assert_eq!(daily.acknowledged.percent(), None);
    let unanswered = day(&[incident(0, camera())]);
    assert!(
        unanswered.words(Lang::Zh).contains("10分钟接收率无"),
        "{}",
        unanswered.words(Lang::Zh)
    );
}

#[test]
fn a_dispatch_taken_over_is_judged_by_what_it_missed() {
    let missed = Dispatch { missed: vec![Stage::Acknowledged], ..dispatch(0, None, None, None) };
    let handed_over = dispatch(0, None, None, None);
    let running = dispatch(20, Some(25), Some(40), Some(70));
    let incident = Incident {
        past_dispatches: vec![missed, handed_over],
        dispatch: Some(running),
        verification: verified(9),
        state: State::Reported,
        ..incident(0, satellite())
    };
    let daily = day(&[incident]);
    assert_eq!(
        daily.acknowledged,
        Rate { in_time: 1, due: 2 },
        "handed over after two minutes is nobody's lateness"
    );
    assert_eq!(daily.arrived, Rate { in_time: 1, due: 1 });
    assert!(daily.words(Lang::Zh).contains("已全部反馈"));
}

#[test]
fn a_proxy_is_counted_apart() {
    let mut dispatch = dispatch(0, Some(5), None, None);
    if let Some(step) = &mut dispatch.acknowledged {
        step.means = Means::Proxy { reason: "电话".to_owned() };
    }
    let daily = day(&[Incident { dispatch: Some(dispatch), ..incident(0, satellite()) }]);
    assert_eq!(daily.acknowledged_by_proxy, 1);
    assert!(daily.words(Lang::Zh).contains("代接收1起"));
}

#[test]
fn the_report_says_where_the_record_ended() {
    let record = Some(LogHead { events: 1234, hash: "3f9a0c21d7e4b850".repeat(4) });
    let daily = Daily { record, ..day(&[]) };
    assert!(
        daily.words(Lang::Zh).ends_with("（零报告）。（记录存证：1234 3f9a0c21d7e4b850）"),
        "{}",
        daily.words(Lang::Zh)
    );
    assert!(
        daily.words(Lang::En).ends_with("(The record ends at 1234 3f9a0c21d7e4b850.)"),
        "{}",
        daily.words(Lang::En)
    );
}
