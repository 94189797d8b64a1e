//! The promises of both buses. In one process always; over NATS when HUOYAN_TEST_NATS names a
//! server with JetStream.

use crate::fixture::*;
use huoyan::bus::{ANNOUNCEMENTS, Announcement, Bus, SIGHTINGS};
use huoyan::triage::id::IncidentId;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

macro_rules! contract {
    ($($name:ident),+ $(,)?) => {
        mod local {
            $(#[tokio::test]
            async fn $name() { let bus = super::Bus::local(); super::$name(bus.clone(), bus).await })+
        }
        mod nats {
            $(#[tokio::test]
            async fn $name() {
                let Ok(url) = std::env::var("HUOYAN_TEST_NATS") else {
                    return eprintln!("skipped: HUOYAN_TEST_NATS is not set");
                };
                let prefix = format!("test-{}", super::id().simple());
                let edge = super::Bus::nats(&url, &prefix).await.expect("NATS at HUOYAN_TEST_NATS");
                let centre = super::Bus::nats(&url, &prefix).await.expect("NATS at HUOYAN_TEST_NATS");
                super::$name(edge, centre).await
            })+
        }
    };
}

contract!(everybody_hears_an_announcement, a_sighting_arrives_whole_and_once, a_lagging_listener_is_told);

const SOON: Duration = Duration::from_secs(5);

async fn everybody_hears_an_announcement(edge: Bus, centre: Bus) {
    let (mut one, mut other) = (edge.announcements(), centre.announcements());
    let announcement = Announcement { cursor: 7, incident: IncidentId(id()) };
    centre.announce(announcement).await.unwrap();
    assert_eq!(timeout(SOON, one.recv()).await.unwrap(), Ok(announcement));
    assert_eq!(timeout(SOON, other.recv()).await.unwrap(), Ok(announcement));
}

async fn a_sighting_arrives_whole_and_once(edge: Bus, centre: Bus) {
    let sent = [camera_sighting(), satellite_sighting(&hotspot("a", "2.0NRT"))];
    for sighting in &sent {
        edge.send_sighting(sighting).await.unwrap();
    }
    if matches!(edge, Bus::Nats(_)) {
        edge.send_sighting(&sent[0]).await.expect("sending again is harmless");
    }
    let mut desk = centre.sightings().await.unwrap();
    for sighting in sent {
        let delivery = timeout(SOON, desk.next()).await.unwrap().unwrap();
        assert_eq!(delivery.sighting, sighting);
        delivery.done().await;
    }
    assert!(timeout(Duration::from_millis(300), desk.next()).await.is_err(), "nothing comes twice");
}

async fn a_lagging_listener_is_told(edge: Bus, centre: Bus) {
    let mut slow = centre.announcements();
    let mut quick = centre.announcements();
    let total = ANNOUNCEMENTS as u64 + 10;
    for cursor in 0..total {
        edge.announce(Announcement { cursor, incident: IncidentId(id()) }).await.unwrap();
        assert_eq!(timeout(SOON, quick.recv()).await.unwrap().unwrap().cursor, cursor);
    }
    assert_eq!(slow.recv().await, Err(RecvError::Lagged(10)));
    assert_eq!(slow.recv().await.unwrap().cursor, 10);
}

#[tokio::test]
async fn a_full_queue_makes_the_sender_wait() {
    let bus = Bus::local();
    let sighting = camera_sighting();
    for _ in 0..SIGHTINGS {
        timeout(SOON, bus.send_sighting(&sighting)).await.expect("there is room").unwrap();
    }
    let mut waiting = Box::pin(bus.send_sighting(&sighting));
    assert!(timeout(Duration::from_millis(50), &mut waiting).await.is_err(), "the queue is full");
    let mut desk = bus.sightings().await.unwrap();
    desk.next().await.unwrap().done().await;
    timeout(SOON, waiting).await.expect("one place is free").unwrap();
}

#[tokio::test]
async fn what_a_dead_desk_held_comes_again() {
    let Ok(url) = std::env::var("HUOYAN_TEST_NATS") else {
        return eprintln!("skipped: HUOYAN_TEST_NATS is not set");
    };
    let prefix = format!("test-{}", id().simple());
    let edge = Bus::nats(&url, &prefix).await.unwrap();
    let sighting = camera_sighting();
    edge.send_sighting(&sighting).await.unwrap();
    let dying = Bus::nats(&url, &prefix).await.unwrap();
    drop(timeout(SOON, dying.sightings().await.unwrap().next()).await.unwrap());
    drop(dying);
    let next = Bus::nats(&url, &prefix).await.unwrap();
    let again = timeout(Duration::from_secs(40), next.sightings().await.unwrap().next()).await;
    assert_eq!(again.expect("within the 30 s after which a desk is taken for dead").unwrap().sighting, sighting);
}
