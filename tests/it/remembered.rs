//! What the desk remembers equals the log, and evidence that could not be filed hides nothing.

use crate::fixture::*;
use huoyan::clock::Clock;
use huoyan::triage::event::{Actor, Event};
use huoyan::triage::id::SightingId;
use huoyan::triage::incident::{By, Input};
use huoyan::triage::sighting::Sighting;
use jiff::SignedDuration;
use uuid::Uuid;

fn fire(key: &str, north_deg: f64) -> Sighting {
    let mut pixel = hotspot(key, "2.0NRT");
    pixel.at = place(pixel.at.lat_deg() + north_deg, pixel.at.lon_deg());
    satellite_sighting(&pixel)
}

/// Somebody rewrites a line under the running program. The desk compares every open incident with
/// its log in turn, names the one that differs, and goes on with the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_that_is_not_what_its_log_says_is_named_and_rebuilt() {
    let (t, clock) = (TestStore::sqlite().await, Clock::simulated(start()));
    let desk = desk(&t.store, &clock);
    let officer =
        By { actor: Actor::Officer { person: "o2".into() }, action: None, happened_at: None };
    let mut incidents = Vec::new();
    for (n, north_deg) in [0.0, 0.03, -0.03].into_iter().enumerate() {
        let incident = desk.sighting(fire(&n.to_string(), north_deg)).await.expect("filed");
        desk.act(incident, Input::Note { words: format!("第{n}条") }, &officer)
            .await
            .expect("noted");
        incidents.push(incident);
    }
    let round = async || {
        for _ in 0..incidents.len() {
            desk.audit().await.expect("read");
        }
    };
    round().await;
    assert_eq!(desk.rebuilt(), Vec::<String>::new());

    t.execute("UPDATE event SET body = replace(body, '第1条', '改过的') WHERE body LIKE '%第1条%'")
        .await;
    round().await;
    let code = t.store.incident(incidents[1]).await.expect("read").code;
    assert_eq!(desk.rebuilt(), [code]);
    let book = desk.open_book().await.expect("read");
    let log = &book.get(incidents[1]).expect("open").incident.log;
    assert!(
        log.iter().any(|it| matches!(&it.event, Event::Noted { words, .. } if words == "改过的"))
    );
}

/// A database has lost its last commits (a replica took over, or a backup was restored under the
/// running program). The desk finds that the log ends before its own cursor, and goes on from
/// there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_has_lost_its_end_is_read_anew() {
    let (t, clock) = (TestStore::sqlite().await, Clock::simulated(start()));
    let desk = desk(&t.store, &clock);
    let officer =
        By { actor: Actor::Officer { person: "o2".into() }, action: None, happened_at: None };
    let incident = desk.sighting(fire("a", 0.0)).await.expect("filed");
    desk.act(incident, Input::Note { words: "最后一条".into() }, &officer).await.expect("noted");
    for sql in [
        "DELETE FROM event WHERE seq = (SELECT MAX(seq) FROM event)",
        "UPDATE incident SET version = version - 1",
        "UPDATE log_head SET seq = (SELECT MAX(seq) FROM event), hash = (SELECT hash FROM event \
        ORDER BY seq DESC LIMIT 1)",
    ] {
        t.execute(sql).await;
    }
    desk.audit().await.expect("read");
    assert_eq!(
        desk.open_book().await.expect("read").cursor(),
        t.store.cursor().await.expect("asked")
    );
    desk.act(incident, Input::Note { words: "又一条".into() }, &officer).await.expect("it goes on");
    let another = desk.sighting(fire("b", 0.03)).await.expect("filed");
    assert!(desk.open_book().await.expect("read").get(another).is_some(), "and sees what is new");
}

/// A hundred and twenty pieces of evidence cannot be filed, and one fire comes after them. It is
/// filed at once, and the others are counted and retried with back-off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_that_cannot_be_filed_hides_no_fire() {
    let (t, clock) = (TestStore::sqlite().await, Clock::simulated(start()));
    t.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON event WHEN NEW.body LIKE '%unusable%' \
         BEGIN SELECT RAISE(ABORT, 'unusable'); END",
    )
    .await;
    let desk = desk(&t.store, &clock);
    let unusable: Vec<Sighting> = (0..120)
        .map(|n| Sighting {
            id: SightingId(Uuid::from_u128(n + 1)),
            ..fire(&format!("unusable {n}"), 0.0)
        })
        .collect();
    t.store.record_sightings(&unusable, clock.now()).await.expect("kept");
    clock.advance(SignedDuration::from_secs(1));
    t.store.record_sightings(&[fire("usable", 0.0)], clock.now()).await.expect("kept");
    clock.advance(SignedDuration::from_secs(10));
    for _ in 0..2 {
        desk.tick().await.expect("a look at the clock");
    }
    assert_eq!(t.store.open_incidents().await.expect("a list").len(), 1, "the fire is a card");
    let (count, why) = t.store.not_filed().await.expect("asked").expect("some");
    assert!(count == 120 && why.contains("unusable"), "{count}: {why}");

    t.execute("DROP TRIGGER refuse").await;
    for _ in 0..4 {
        clock.advance(SignedDuration::from_secs(30));
        desk.tick().await.expect("a look at the clock");
    }
    assert_eq!(t.store.not_filed().await.expect("asked"), None, "once it can be filed, it is");
}
