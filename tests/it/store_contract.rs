//! The promises of both databases. SQLite always; PostgreSQL when HUOYAN_TEST_POSTGRES names a
//! server.

mod systems;
mod thresholds;

use crate::fixture::*;
use huoyan::clock::Clock;
use huoyan::error::Kind;
use huoyan::store::{
    Access, Addressee, Commit, Filter, Login, NewMessage, Occasion, OpenSession, Session, Store,
};
use huoyan::triage::confirm::{Numbers, Thresholds};
use huoyan::triage::detection::{Analysis, Class, Detection, ModelVersion, Scores, Stream, Tile};
use huoyan::triage::event::Recorded;
use huoyan::triage::id::{DispatchId, MessageId, PictureId};
use huoyan::triage::incident::Incident;
use huoyan::triage::policy::{Channel, Role};
use huoyan::triage::proof::{Light, Scale, Tested};
use huoyan::triage::retention::{Keeping, Retention};
use huoyan::triage::sighting::Sighting;
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;

macro_rules! contract {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(super::TestStore::sqlite().await).await })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                match super::TestStore::postgres().await {
                    Some(store) => super::$name(store).await,
                    None => eprintln!("skipped: HUOYAN_TEST_POSTGRES is not set"),
                }
            })+
        }
    };
}

pub(crate) use contract;
use systems::*;
use thresholds::*;

contract!(
    a_sighting_is_new_once,
    pictures_of_a_sighting_are_owed_until_it_is_filed,
    an_incident_comes_back_from_its_log,
    of_concurrent_committers_exactly_one_wins,
    one_sighting_opens_one_incident,
    two_desks_do_not_open_two_incidents_for_one_fire,
    cursors_never_skip_under_concurrency,
    an_aborted_commit_leaves_all_or_nothing,
    codes_count_by_the_offices_day,
    lists_page_newest_first,
    a_message_exists_exactly_once,
    hotspots_come_back_until_sighted,
    thresholds_are_published_one_after_the_other,
    thresholds_that_counted_frames_are_read_as_evidence,
    thresholds_that_an_older_version_accepted_are_set_aside_with_words,
    a_login_link_works_once,
    analyses_are_kept_by_days_and_go_by_days,
    pictures_are_whole_or_not_there,
    how_a_camera_was_proved_is_summed_up_and_goes_after_its_time,
    another_systems_alarm_is_kept_once_as_it_came,
    a_key_is_one_systems_until_it_is_revoked,
    a_receiver_is_told_from_its_cursor_on_by_one_process,
);

async fn open(store: &Store) -> Incident {
    let (incident, events) = recorded_opening(store).await;
    file(store, &incident, &events).await.expect("opens");
    incident
}

pub async fn recorded_opening(store: &Store) -> (Incident, Vec<Recorded>) {
    let sighting = camera_sighting();
    store.record_sightings(std::slice::from_ref(&sighting), start()).await.expect("recorded");
    opened(sighting, start())
}

async fn file(
    store: &Store,
    incident: &Incident,
    events: &[Recorded],
) -> huoyan::error::Result<huoyan::store::Committed> {
    store.commit(Commit { incident, events, last_opened: None }, |_| vec![]).await
}

pub fn message(person: Option<&str>, occasion: Occasion) -> NewMessage {
    NewMessage {
        id: MessageId(id()),
        dispatch: Some(DispatchId(uuid::Uuid::nil())),
        occasion,
        to: Addressee {
            role: Role::TownshipDuty,
            person: person.map(Into::into),
            name: "李四".into(),
            phone: Some("13800000000".into()),
        },
        channel: Channel::Sms,
        words: "【森防】…".into(),
        drill: false,
        error: None,
    }
}

async fn a_sighting_is_new_once(t: TestStore) {
    let sighting = camera_sighting();
    t.store.record_sightings(std::slice::from_ref(&sighting), start()).await.unwrap();
    t.store.record_sightings(std::slice::from_ref(&sighting), at(1)).await.unwrap();
    assert_eq!(
        t.store.unfiled_sightings(at(0), 10).await.unwrap(),
        std::slice::from_ref(&sighting)
    );
    assert_eq!(t.store.unfiled_sightings(at(-1), 10).await.unwrap(), []);
    let (incident, events) = opened(sighting.clone(), at(1));
    file(&t.store, &incident, &events).await.unwrap();
    assert_eq!(t.store.unfiled_sightings(at(5), 10).await.unwrap(), []);
    assert_eq!(t.store.incident_of(sighting.id).await.unwrap(), Some(incident.id));
}

async fn pictures_of_a_sighting_are_owed_until_it_is_filed(t: TestStore) {
    let (evidence, nobodys) = (PictureId::of(id(), b"evidence"), PictureId::of(id(), b"nobody's"));
    for (picture, bytes) in [(evidence, &b"evidence"[..]), (nobodys, b"nobody's")] {
        t.store.keep_picture(picture, bytes.to_vec()).await.unwrap();
    }
    let sighting = Sighting { pictures: vec![evidence], ..camera_sighting() };
    t.store.record_sightings(std::slice::from_ref(&sighting), start()).await.unwrap();
    let a_month_later = || async {
        let now = Clock::System.now() + SignedDuration::from_hours(30 * 24);
        let held = t.store.held_pictures(&Retention::default(), now).await.unwrap();
        held.into_iter()
            .filter(|it| it.keeping == Keeping::Owed)
            .map(|it| it.picture)
            .collect::<Vec<_>>()
    };
    assert_eq!(a_month_later().await, [evidence], "however long it is tried in vain");
    let (incident, events) = opened(sighting, at(1));
    file(&t.store, &incident, &events).await.unwrap();
    assert_eq!(a_month_later().await, [evidence], "then the open incident owes it");
    t.execute("UPDATE sighting SET filed = 0, body = '{}'").await;
    assert_eq!(a_month_later().await.len(), 2, "nobody knows what an unreadable one names");
}

async fn an_incident_comes_back_from_its_log(t: TestStore) {
    let incident = open(&t.store).await;
    let (noted, events) = noted(&incident, "有烟 \"quoted\" 'and' \\ back", at(2));
    let done = file(&t.store, &noted, &events).await.unwrap();
    assert_eq!(done.cursor, noted.version);
    t.store.close().await;
    let again = t.again().await;
    let filed = again.incident(incident.id).await.unwrap();
    assert_eq!((filed.incident, filed.code.as_str()), (noted.clone(), "0405-01"));
    assert_eq!(again.open_incidents().await.unwrap().len(), 1);
    let log = again.events_after(0, 100).await.unwrap();
    assert_eq!(
        log.iter().filter_map(|entry| entry.recorded.clone().map(Arc::new)).collect::<Vec<_>>(),
        noted.log
    );
    assert_eq!(
        again.incident(huoyan::triage::id::IncidentId(id())).await.unwrap_err().kind,
        Kind::NotFound
    );
}

async fn of_concurrent_committers_exactly_one_wins(t: TestStore) {
    let incident = open(&t.store).await;
    for round in 0..10 {
        let current = t.store.incident(incident.id).await.unwrap().incident;
        let racers: Vec<_> = (0..8)
            .map(|racer| {
                let (store, (next, events)) =
                    (t.store.clone(), noted(&current, &format!("{round} {racer}"), at(1)));
                tokio::spawn(async move {
                    store
                        .commit(
                            Commit { incident: &next, events: &events, last_opened: None },
                            |_| vec![],
                        )
                        .await
                })
            })
            .collect();
        let mut won = 0;
        for racer in racers {
            match racer.await.unwrap() {
                Ok(_) => won += 1,
                Err(e) => assert_eq!(e.kind, Kind::Conflict, "{}", e.chain()),
            }
        }
        assert_eq!(won, 1, "round {round}");
    }
    assert_eq!(
        t.store.incident(incident.id).await.unwrap().incident.version,
        incident.version + 10
    );
}

async fn one_sighting_opens_one_incident(t: TestStore) {
    let sighting = camera_sighting();
    t.store.record_sightings(std::slice::from_ref(&sighting), start()).await.unwrap();
    let (first, first_events) = opened(sighting.clone(), start());
    let (second, second_events) = opened(sighting, start());
    file(&t.store, &first, &first_events).await.unwrap();
    assert_eq!(file(&t.store, &second, &second_events).await.unwrap_err().kind, Kind::Conflict);
    assert_eq!(t.store.open_incidents().await.unwrap().len(), 1);
}

async fn two_desks_do_not_open_two_incidents_for_one_fire(t: TestStore) {
    let seen = t.store.last_opened().await.unwrap();
    let (first, first_events) = recorded_opening(&t.store).await;
    let (second, second_events) = recorded_opening(&t.store).await;
    let by = |incident, events| Commit { incident, events, last_opened: Some(seen) };
    t.store.commit(by(&first, &first_events), |_| vec![]).await.unwrap();
    let late = t.store.commit(by(&second, &second_events), |_| vec![]).await;
    assert_eq!(late.unwrap_err().kind, Kind::Conflict);
    // After another read it may.
    let last_opened = Some(t.store.last_opened().await.unwrap());
    t.store
        .commit(Commit { last_opened, ..by(&second, &second_events) }, |_| vec![])
        .await
        .unwrap();
}

async fn cursors_never_skip_under_concurrency(t: TestStore) {
    let writers: Vec<_> = (0..6)
        .map(|_| {
            let store = t.store.clone();
            tokio::spawn(async move {
                let mut incident = open(&store).await;
                for n in 0..5 {
                    let (next, events) = noted(&incident, &n.to_string(), at(n));
                    file(&store, &next, &events).await.unwrap();
                    incident = next;
                }
            })
        })
        .collect();
    // A reader that follows by cursor sees every event once and in order while events are written.
    let (mut cursor, mut seen) = (0, 0);
    while seen < 36 {
        for entry in t.store.events_after(cursor, 4).await.unwrap() {
            assert_eq!(entry.cursor, cursor + 1);
            (cursor, seen) = (entry.cursor, seen + 1);
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(t.store.cursor().await.unwrap(), 36);
    assert_eq!(whole(&t.store).await, 36);
}

async fn an_aborted_commit_leaves_all_or_nothing(t: TestStore) {
    let mut incidents = Vec::new();
    for round in 0..40_u64 {
        let (incident, events) = recorded_opening(&t.store).await;
        incidents.push(incident.id);
        let store = t.store.clone();
        let committing = tokio::spawn(async move {
            let text = message(Some("p1"), Occasion::Rung(0));
            store
                .commit(Commit { incident: &incident, events: &events, last_opened: None }, |_| {
                    vec![text]
                })
                .await
        });
        Clock::System.sleep(Duration::from_micros(round * 100)).await;
        committing.abort();
        let _ = committing.await;
    }
    // The log's lock is free again, and no commit before this one is still under way.
    open(&t.store).await;
    let mut committed = 1;
    for incident in incidents {
        let there = t.store.incident(incident).await.is_ok();
        assert_eq!(t.store.messages_of(incident).await.unwrap().len(), usize::from(there));
        committed += u64::from(there);
    }
    assert_eq!(whole(&t.store).await, committed);
}

async fn codes_count_by_the_offices_day(t: TestStore) {
    // 15:59Z is still the 5th in Beijing, 16:01Z is the 6th.
    for (minutes, code) in [(0, "0405-01"), (599, "0405-02"), (601, "0406-01"), (602, "0406-02")] {
        let sighting = camera_sighting();
        t.store.record_sightings(std::slice::from_ref(&sighting), at(minutes)).await.unwrap();
        let (incident, events) = opened(sighting, at(minutes));
        let mut heard = String::new();
        let commit = Commit { incident: &incident, events: &events, last_opened: None };
        let done = t.store.commit(commit, |code| {
            heard = code.to_owned();
            vec![]
        });
        assert_eq!((done.await.unwrap().code.as_str(), heard.as_str()), (code, code));
    }
}

async fn lists_page_newest_first(t: TestStore) {
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(open(&t.store).await.id);
    }
    ids.reverse();
    let (mut listed, mut cursor) = (Vec::new(), None);
    loop {
        let page = t.store.incidents(Filter::Open, cursor, 2).await.unwrap();
        listed.extend(page.items.iter().map(|filed| filed.incident.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(listed, ids);
    assert_eq!(t.store.incidents(Filter::Closed, None, 2).await.unwrap().items, []);
    assert_eq!(t.store.incidents_opened(at(0), at(1)).await.unwrap().len(), 5);
    assert_eq!(t.store.incidents_opened(at(1), at(2)).await.unwrap().len(), 0);
}

async fn a_message_exists_exactly_once(t: TestStore) {
    let incident = open(&t.store).await;
    let (next, events) = noted(&incident, "first", at(1));
    let commit = Commit { incident: &next, events: &events, last_opened: None };
    t.store.commit(commit, |_| vec![message(Some("p1"), Occasion::Rung(2))]).await.unwrap();
    let (third, events) = noted(&next, "second", at(2));
    let commit = Commit { incident: &third, events: &events, last_opened: None };
    let again = t.store.commit(commit, |_| vec![message(Some("p1"), Occasion::Rung(2))]).await;
    assert_eq!(again.unwrap_err().kind, Kind::Conflict);
    assert_eq!(
        t.store.incident(incident.id).await.unwrap().incident.version,
        next.version,
        "nothing of it stayed"
    );
    let others = vec![message(Some("p1"), Occasion::Rung(3)), message(None, Occasion::Rung(2))];
    t.store.commit(commit, |_| others).await.unwrap();
    assert_eq!(t.store.messages_of(incident.id).await.unwrap().len(), 3);
}

async fn hotspots_come_back_until_sighted(t: TestStore) {
    let (a, b) = (hotspot("a", "2.0URT"), hotspot("b", "2.0URT"));
    assert_eq!(
        t.store.add_hotspots(&[a.clone(), b.clone(), a.clone()], at(0)).await.unwrap(),
        [a.clone(), b.clone()]
    );
    let sighting = satellite_sighting(&a);
    t.store.record_sightings(std::slice::from_ref(&sighting), at(0)).await.unwrap();
    // The same pixels, reprocessed: one is filed for good, the other was lost between file and
    // desk.
    let (a2, b2) = (hotspot("a", "2.0NRT"), hotspot("b", "2.0NRT"));
    assert_eq!(t.store.add_hotspots(&[a2.clone(), b2.clone()], at(1)).await.unwrap(), [b2]);
    let (incident, events) = opened(sighting, at(1));
    file(&t.store, &incident, &events).await.unwrap();
    let known = t.store.hotspots_since(at(0), 10).await.unwrap();
    assert_eq!(
        known.iter().map(|k| (k.hotspot.key.as_str(), k.incident)).collect::<Vec<_>>(),
        [("b", None), ("a", Some(incident.id))]
    );
    assert_eq!(known[1].hotspot, a2, "the newest processing is shown");
    assert_eq!(t.store.hotspots_since(at(1), 10).await.unwrap(), []);
}

async fn a_login_link_works_once(t: TestStore) {
    let life = SignedDuration::from_mins(90);
    let login = Login { person: "r1".into(), access: Access::Ranger };
    t.store.create_login("hash", &login, at(15)).await.unwrap();
    t.store.create_login("old", &login, at(0)).await.unwrap();
    assert_eq!(t.store.use_login("old", at(0)).await.unwrap_err().kind, Kind::Unauthenticated);
    assert_eq!(t.store.use_login("hash", at(1)).await.unwrap(), login);
    assert_eq!(t.store.use_login("hash", at(1)).await.unwrap_err().kind, Kind::Unauthenticated);

    t.store.create_session("cookie", &login, at(1), life).await.unwrap();
    assert_eq!(
        t.store.session("cookie", at(80), life).await.unwrap(),
        Session { login: login.clone(), prolonged: true }
    );
    let as_it_is = Session { login: login.clone(), prolonged: false };
    assert_eq!(
        t.store.session("cookie", at(100), life).await.unwrap(),
        as_it_is,
        "noted once an hour"
    );
    let open = t.store.sessions(at(100)).await.unwrap();
    let of = |it: &OpenSession| (it.person.clone(), it.access, it.since, it.used_at, it.expires_at);
    assert_eq!(
        open.iter().map(of).collect::<Vec<_>>(),
        [("r1".into(), Access::Ranger, at(1), at(80), at(170))]
    );
    assert_eq!(
        t.store.session_as_it_is("cookie", at(160)).await.unwrap(),
        login,
        "its use at 80 prolonged it"
    );
    assert_eq!(
        t.store.session("cookie", at(300), life).await.unwrap_err().kind,
        Kind::Unauthenticated
    );
    t.store.create_session("phone", &login, at(1), life).await.unwrap();
    t.store.end_session("phone").await.unwrap();
    assert_eq!(
        t.store.session("phone", at(2), life).await.unwrap_err().kind,
        Kind::Unauthenticated
    );
    t.store.create_session("lost", &login, at(1), life).await.unwrap();
    t.store.create_login("sent", &login, at(15)).await.unwrap();
    let ended = t.store.end_sessions_of(&"r1".into()).await.unwrap();
    assert_eq!((ended.sessions, ended.links), (2, 2), "cookie and lost; old and sent");
    assert_eq!(t.store.use_login("sent", at(2)).await.unwrap_err().kind, Kind::Unauthenticated);
    assert_eq!(t.store.session("lost", at(2), life).await.unwrap_err().kind, Kind::Unauthenticated);
}

async fn analyses_are_kept_by_days_and_go_by_days(t: TestStore) {
    let analysis = |camera: &str, minutes, smoke| Analysis {
        camera: camera.into(),
        pose: "default".into(),
        captured_at: at(minutes),
        scores: Scores { smoke, fire: 0.01 },
        detections: vec![Detection {
            class: huoyan::triage::detection::Class::Smoke,
            confidence: smoke,
            bbox: [0.1, 0.2, 0.3, 0.4].into(),
            tile: None,
        }],
        model: ModelVersion { name: "smoke-fire".into(), version: "0.1.0".into() },
        stream: if minutes == 1 { Stream::Main } else { Stream::Screened },
        tiles: (0..minutes % 3).map(|i| Tile { x: 50 * i as u8, y: 67, w: 100, h: 100 }).collect(),
        has_past: minutes > 0,
    };
    let frames = [
        analysis("a", 0, 0.123),
        analysis("a", 1, 0.456),
        analysis("a", 2, 0.789),
        analysis("b", 1, 0.5),
    ];
    t.store.record_analyses(&frames).await.unwrap();
    t.store.record_analyses(&frames[..1]).await.unwrap();
    assert_eq!(t.store.analyses(&"a".into(), at(0), at(2), 10).await.unwrap(), frames[..2]);
    assert_eq!(
        t.store.analyses(&"a".into(), at(0), at(9), 2).await.unwrap(),
        frames[1..3],
        "the newest two"
    );
    // A batch around midnight, and the next day.
    let midnight = 18 * 60;
    let later = [
        analysis("a", midnight - 1, 0.1),
        analysis("a", midnight, 0.2),
        analysis("a", midnight + 24 * 60, 0.3),
    ];
    t.store.record_analyses(&later).await.unwrap();
    let camera = "a".into();
    let all = || t.store.analyses(&camera, at(2), at(9999), 10);
    assert_eq!(
        all().await.unwrap(),
        [&frames[2], &later[0], &later[1], &later[2]].map(Clone::clone),
        "over three days"
    );
    assert_eq!(t.store.prune_analyses(at(midnight - 1)).await.unwrap(), 0, "the day is not over");
    assert_eq!(t.store.prune_analyses(at(midnight)).await.unwrap(), 1);
    assert_eq!(all().await.unwrap(), later[1..], "the others stay");
    t.store.record_analyses(&frames[..1]).await.unwrap();
    assert_eq!(
        t.store.analyses(&"a".into(), at(0), at(2), 10).await.unwrap(),
        frames[..1],
        "written on after that"
    );
}

async fn pictures_are_whole_or_not_there(t: TestStore) {
    let picture = PictureId::of(id(), b"\xff\xd8 whole");
    assert_eq!(t.store.picture(picture).await.unwrap_err().kind, Kind::NotFound);
    // An incomplete file from a crash is not a picture.
    std::fs::write(t.folder.path().join(format!("pictures/{picture}.part")), b"half").unwrap();
    assert_eq!(t.store.picture(picture).await.unwrap_err().kind, Kind::NotFound);
    t.store.keep_picture(picture, b"\xff\xd8 whole".to_vec()).await.unwrap();
    t.store.keep_picture(picture, b"\xff\xd8 other".to_vec()).await.unwrap();
    assert_eq!(t.store.picture(picture).await.unwrap(), b"\xff\xd8 whole");
}

/// The server is restarted, or its connection is cut, in the middle of an act.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_cuts_every_connection_is_found_again() {
    let Some(t) = TestStore::postgres().await else {
        return eprintln!("skipped: HUOYAN_TEST_POSTGRES is not set");
    };
    let incident = open(&t.store).await;
    let cut = || {
        t.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE application_name = current_setting('application_name') AND pid <> \
             pg_backend_pid()",
        )
    };
    let (next, events) = noted(&incident, "烟变浓", at(1));
    cut().await;
    file(&t.store, &next, &events).await.expect("the next act");
    for minute in 2..12 {
        let (next, events) =
            noted(&t.store.incident(incident.id).await.expect("there").incident, "x", at(minute));
        let (done, ()) = tokio::join!(file(&t.store, &next, &events), cut());
        assert!(
            done.is_ok() || done.is_err_and(|e| e.kind == Kind::Unavailable),
            "never answered as anybody's mistake"
        );
        t.store.ping().await.expect("found again");
    }
    whole(&t.store).await;
}

async fn how_a_camera_was_proved_is_summed_up_and_goes_after_its_time(t: TestStore) {
    let now: jiff::Timestamp = "2026-11-21T06:00:00Z".parse().expect("a time");
    let day = SignedDuration::from_hours(24);
    for (camera, seconds, at) in
        [("c1", 300, now), ("c1", 60, now), ("c1", 1000, now - day), ("c2", 10, now - day * 40)]
    {
        t.store.add_watched(&[(camera.into(), seconds)], at).await.expect("written");
    }
    let watched = async |since| -> Vec<(String, u64)> {
        let days = t.store.watched(since).await.expect("read");
        let mut days: Vec<_> =
            days.into_iter().map(|it| (it.camera.to_string(), it.seconds)).collect();
        days.sort();
        days
    };
    let all = now - day * 60;
    assert_eq!(
        watched(all).await,
        [("c1".to_owned(), 360), ("c1".to_owned(), 1000), ("c2".to_owned(), 10)]
    );

    let test = |scale, ago: SignedDuration, smallest| Tested {
        camera: "c1".into(),
        at: now - ago,
        scale,
        smallest,
    };
    let hour = SignedDuration::from_hours(1);
    let tests = [
        test(Scale::Whole, hour, Some(0.08)),
        test(Scale::Whole, hour * 3, Some(0.02)),
        test(Scale::Whole, hour * 4, None),
        test(Scale::Tile, hour, Some(0.01)),
        test(Scale::Whole, day * 40, None),
    ];
    for _ in 0..2 {
        t.store.add_self_tests(&tests).await.expect("twice is once");
    }
    let by_day = t.store.self_tests(now - day * 30).await.expect("read");
    let [whole, tile] = &by_day[..] else { panic!("two scales, both by day: {by_day:?}") };
    assert_eq!(
        (whole.scale, whole.light, whole.tests, whole.passed),
        (Scale::Whole, Light::Day, 3, 2)
    );
    assert_eq!(
        (whole.smallest_best, whole.smallest_worst, whole.last_at),
        (Some(0.02), Some(0.08), now - hour)
    );
    assert_eq!((tile.scale, tile.tests), (Scale::Tile, 1));

    while t.store.prune_proof(now - day * 30).await.expect("pruned") > 0 {}
    assert_eq!(watched(all).await.len(), 2, "c2's day has gone");
    let left: u64 = t.store.self_tests(all).await.expect("read").iter().map(|it| it.tests).sum();
    assert_eq!(left, 4);
}
