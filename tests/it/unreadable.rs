//! Partial availability: one incident whose record cannot be read (written by a newer version, or
//! damaged) is named, and nothing else stops.

use crate::fixture::*;
use huoyan::clock::Clock;
use huoyan::error::Kind;
use huoyan::store::{Access, Login, Store};
use huoyan::triage::confirm::Thresholds;
use huoyan::triage::detection::{Analysis, ModelVersion, Scores, Stream};
use huoyan::triage::event::{Actor, Closure};
use huoyan::triage::id::IncidentId;
use huoyan::triage::incident::{By, Input};
use huoyan::triage::policy::Channel;
use huoyan::triage::sighting::Sighting;
use jiff::{SignedDuration, Timestamp};

const DAMAGE: &str =
    r#"UPDATE event SET body = replace(body, '"noted"', '"noted_by_a_newer_version"')"#;
const REPAIR: &str =
    r#"UPDATE event SET body = replace(body, '"noted_by_a_newer_version"', '"noted"')"#;

fn fire(key: &str, north_deg: f64) -> Sighting {
    let mut pixel = hotspot(key, "2.0NRT");
    pixel.at = place(pixel.at.lat_deg() + north_deg, pixel.at.lon_deg());
    satellite_sighting(&pixel)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_record_that_cannot_be_read_stops_nothing_else() {
    let (t, clock) = (TestStore::sqlite().await, Clock::simulated(start()));
    let before = desk(&t.store, &clock);
    let damaged = before.sighting(fire("a", 0.0)).await.expect("filed");
    let healthy = before.sighting(fire("b", 0.03)).await.expect("filed");
    assert_ne!(damaged, healthy);
    let officer =
        By { actor: Actor::Officer { person: "o2".into() }, action: None, happened_at: None };
    before.act(damaged, Input::Note { words: "看过".into() }, &officer).await.expect("noted");
    t.execute(DAMAGE).await;

    // Tried with the desk that already has it in its book, and with one that starts anew.
    for (desk, north_deg) in [(&before, -0.02), (&desk(&t.store, &clock), -0.04)] {
        desk.sighting(fire(&format!("new {north_deg}"), north_deg))
            .await
            .expect("a new fire is filed");
    }
    let version = |id: IncidentId| {
        let store = t.store.clone();
        async move { store.incident(id).await.map(|filed| filed.incident.version) }
    };
    let at_first = version(healthy).await.expect("read");
    clock.advance(SignedDuration::from_mins(31));
    assert!(before.tick().await.expect("a look at the clock") > 0);
    assert!(version(healthy).await.expect("read") > at_first, "the other one's ladder goes on");

    let open: Vec<IncidentId> =
        t.store.open_incidents().await.expect("a list").iter().map(|it| it.incident.id).collect();
    assert!(open.contains(&healthy) && !open.contains(&damaged) && open.len() == 3, "{open:?}");
    assert!(
        t.store
            .events_after(0, 1000)
            .await
            .expect("a log")
            .iter()
            .any(|entry| entry.recorded.is_none())
    );
    let named: Vec<IncidentId> = t.store.unreadable().iter().map(|it| it.incident).collect();
    assert_eq!(named, [damaged], "and it is named");
    assert_eq!(version(damaged).await.expect_err("not readable").kind, Kind::Internal);

    t.execute(REPAIR).await;
    assert!(version(damaged).await.is_ok());
    assert_eq!(t.store.unreadable(), [], "until it can be read again");
}

/// Every table with words or JSON gets two rows, and one of them is damaged. Every list still
/// returns the other, and names the damaged one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_damaged_row_of_any_table_is_left_out_and_named() {
    const DAMAGE: [&str; 6] = [
        "UPDATE hotspot SET body = '{' WHERE key = (SELECT MIN(key) FROM hotspot)",
        "UPDATE sighting SET body = '{' WHERE id = (SELECT MIN(id) FROM sighting WHERE filed = 0)",
        "UPDATE closed_place SET body = \
        '{' WHERE incident = (SELECT MIN(incident) FROM closed_place)",
        "UPDATE message SET role = 'nobody' WHERE id = (SELECT MIN(id) FROM message)",
        "UPDATE thresholds SET body = '{' WHERE version = (SELECT MIN(version) FROM thresholds)",
        "UPDATE session SET access = 'nobody' WHERE hash = (SELECT MIN(hash) FROM session)",
    ];
    let (t, clock) = (TestStore::sqlite().await, Clock::simulated(start()));
    let (store, desk) = (&t.store, desk(&t.store, &clock));
    let officer =
        By { actor: Actor::Officer { person: "o2".into() }, action: None, happened_at: None };
    let closure = Closure { category: 3, false_alarm: None, words: String::new(), passed_to: None };
    for (n, north_deg) in [(1, 0.0), (2, 0.03)] {
        store.add_hotspots(&[hotspot(&format!("h{n}"), "2.0NRT")], start()).await.expect("kept");
        store.record_sightings(&[camera_sighting()], start()).await.expect("kept");
        let fire =
            desk.sighting(fire(&n.to_string(), north_deg)).await.expect("dispatched, with a text");
        desk.act(fire, Input::Close { closure: closure.clone() }, &officer).await.expect("closed");
        let edited = Thresholds::default().versioned(n - 1);
        store.publish_thresholds(&edited, &"o2".into(), "试", start()).await.expect("published");
        store.record_analyses(&[analysis(at(n.into()))]).await.expect("kept");
        let login = Login { person: "o2".into(), access: Access::Officer };
        store
            .create_session(&format!("s{n}"), &login, start(), SignedDuration::from_hours(1))
            .await
            .expect("in");
    }
    let lists = async || {
        [
            store.hotspots_since(start(), 10).await.expect("hotspots").len(),
            store.unfiled_sightings(at(1), 10).await.expect("sightings").len(),
            store.closed_places(start()).await.expect("closings").len(),
            store.due_messages(Channel::Sms, at(60)).await.expect("messages").len(),
            store.threshold_history().await.expect("thresholds").len(),
            store.analyses(&"cam1".into(), start(), at(60), 10).await.expect("analyses").len(),
            store.sessions(at(1)).await.expect("sessions").len(),
        ]
    };
    for sql in DAMAGE {
        t.execute(sql).await;
    }
    let day = format!("sqlite://{}", t.folder.path().join("analyses/2026-04-05.db").display());
    let day = sqlx::SqlitePool::connect(&day).await.expect("connects");
    let damage = "UPDATE analysis SET detections = \
        '{' WHERE since_us = (SELECT MIN(since_us) FROM analysis)";
    sqlx::query(damage).execute(&day).await.expect("damaged");
    let texts = store.events_after(0, 100).await.expect("a log").len();
    assert!(texts > 4, "and the log is whole");
    let [hotspots, sightings, closings, messages, thresholds, analyses, sessions] = lists().await;
    assert_eq!([hotspots, sightings, closings, thresholds, analyses, sessions], [1; 6]);
    assert!(messages > 0, "the other texts go out");
    assert_eq!(store.unreadable_rows().len(), DAMAGE.len() + 1, "{:?}", store.unreadable_rows());
    // The desk still files sightings and keeps its deadlines, and its board can be read.
    desk.tick().await.expect("a look at the clock");
    desk.sighting(fire("later", -0.03)).await.expect("a new fire is filed");
}

fn analysis(captured_at: Timestamp) -> Analysis {
    Analysis {
        camera: "cam1".into(),
        pose: "default".into(),
        captured_at,
        scores: Scores { smoke: 0.1, fire: 0.0 },
        detections: Vec::new(),
        model: ModelVersion { name: "m".into(), version: "1".into() },
        stream: Stream::Screened,
        tiles: Vec::new(),
        has_past: true,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_a_newer_version_is_refused_with_a_sentence_and_left_as_it_is() {
    let (t, clock) = (TestStore::sqlite().await, Clock::simulated(start()));
    let fire = desk(&t.store, &clock).sighting(fire("a", 0.0)).await.expect("filed");
    t.execute(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'from a newer version', TRUE, x'00', 0)",
    )
    .await;
    t.store.close().await;
    let refused = Store::open("sqlite", t.folder.path()).await.expect_err("refused");
    assert_eq!(refused.kind, Kind::Unavailable);
    assert!(
        refused.message.contains("更新的版本") && refused.message.contains("newer version"),
        "{}",
        refused.message
    );
    // The version that wrote the rows can still read them.
    t.execute("DELETE FROM _sqlx_migrations WHERE version = 9999").await;
    assert!(t.again().await.incident(fire).await.is_ok());
}
