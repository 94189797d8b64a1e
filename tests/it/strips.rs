//! 过程图: a person who judges an alarm sees what came before it and what became of it; it stays as long as it is worth its room.

use crate::fixture::*;
use crate::store_contract::contract;
use huoyan::app::prune;
use huoyan::clock::Clock;
use huoyan::config::Config;
use huoyan::triage::detection::Stream;
use huoyan::triage::event::{Actor, Closure};
use huoyan::triage::id::{PictureId, SightingId};
use huoyan::triage::incident::{By, Input};
use huoyan::triage::sighting::Sighting;
use huoyan::triage::strip::{Place, StripFrame};
use jiff::SignedDuration;

contract!(a_strip_comes_back_in_its_order, strips_go_before_evidence_and_after_their_time);

fn frame(sighting: SightingId, after_s: i64, seen: bool) -> (StripFrame, Vec<u8>) {
    let jpeg = format!("picture at {after_s}").into_bytes();
    let captured_at = start() + SignedDuration::from_secs(after_s);
    let seen = seen.then_some(Place { score: 0.75, bbox: [0.25, 0.5, 0.125, 0.25].into() });
    let stream = if after_s > 0 { Stream::Main } else { Stream::Screened };
    (StripFrame { sighting, captured_at, stream, seen, picture: PictureId::of(id(), &jpeg) }, jpeg)
}

async fn a_strip_comes_back_in_its_order(t: TestStore) {
    let (one, other) = (SightingId(id()), SightingId(id()));
    let (after, before, others) = (frame(one, 10, true), frame(one, -20, false), frame(other, 0, false));
    for (frame, jpeg) in [&after, &before, &others, &after] {
        t.store.keep_strip_frame(frame, jpeg.clone()).await.unwrap();
    }
    // Two alarms in one view share their past.
    let shared = StripFrame { sighting: other, ..before.0.clone() };
    t.store.keep_strip_frame(&shared, before.1.clone()).await.unwrap();
    assert_eq!(t.store.strip(one).await.unwrap(), [before.0.clone(), after.0.clone()]);
    assert_eq!(t.store.strip(other).await.unwrap(), [shared, others.0]);
    assert_eq!(t.store.picture(after.0.picture).await.unwrap(), after.1);
}

async fn strips_go_before_evidence_and_after_their_time(t: TestStore) {
    let clock = Clock::simulated(start());
    let (desk, day) = (desk(&t.store, &clock), SignedDuration::from_hours(24));
    let evidence = PictureId::of(id(), b"evidence");
    t.store.keep_picture(evidence, b"evidence".to_vec()).await.unwrap();
    let sighting = Sighting { pictures: vec![evidence], ..camera_sighting() };
    let (strip, jpeg) = frame(sighting.id, -20, false);
    t.store.keep_strip_frame(&strip, jpeg).await.unwrap();
    let incident = desk.sighting(sighting).await.unwrap();
    let closure = Closure { category: 9, false_alarm: None, words: String::new(), passed_to: None };
    let officer = By { actor: Actor::Officer { person: "o2".into() }, action: None, happened_at: None };
    desk.act(incident, Input::Close { closure }, &officer).await.unwrap();
    whole(&t.store).await;

    let mut config = Config::default();
    config.store.data = t.folder.path().to_owned();
    let there = async || {
        let mut held: Vec<PictureId> =
            t.store.strip(strip.sighting).await.unwrap().iter().map(|it| it.picture).collect();
        held.retain(|picture| t.folder.path().join(format!("pictures/{picture}.jpg")).is_file());
        (held.len(), t.store.picture(evidence).await.is_ok())
    };
    // Room is short on the very day: what is judged today stays. Ten days later one thing has to go, and it is the strip.
    let shed = async || prune::shed(&t.store, &config, &clock, || true).await.1.unwrap();
    shed().await;
    assert_eq!(there().await, (1, true));
    clock.advance(day * 10);
    let asked = std::cell::Cell::new(0);
    let until_one_went = || {
        asked.set(asked.get() + 1);
        t.folder.path().join(format!("pictures/{}.jpg", strip.picture)).is_file()
    };
    prune::shed(&t.store, &config, &clock, until_one_went).await.1.unwrap();
    assert_eq!(there().await, (0, true));
    assert!(asked.get() > 0 && t.store.strip(strip.sighting).await.unwrap().is_empty(), "and nothing speaks of it");

    // With room for everything it goes a month after a false alarm.
    let (again, jpeg) = frame(strip.sighting, -40, false);
    t.store.keep_strip_frame(&again, jpeg).await.unwrap();
    for (days, left) in [(19, 1), (1, 0)] {
        clock.advance(day * days);
        prune::prune(&t.store, &config, &clock).await.1.unwrap();
        assert_eq!(there().await, (left, true), "after {days} more days");
    }
    whole(&t.store).await;
}
