//! The promises of the bus: in one process always, over NATS when HUOYAN_TEST_NATS names a server
//! with JetStream. The stories of `clustered.rs` hold what edges and desks make of it.

use crate::fixture::*;
use huoyan::bus::{ANNOUNCEMENTS, Announcement, Bus, Line, Login, written};
use huoyan::clock::Clock;
use huoyan::config::BusConfig;
use huoyan::triage::id::IncidentId;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

/// A line of a county of its own.
async fn line(county: &str) -> Option<Line> {
    let url = std::env::var("HUOYAN_TEST_NATS").ok()?;
    let config = BusConfig { url, county: county.to_owned(), ..BusConfig::default() };
    let line = Line::connect(&config, Login::default(), "desk").await.expect("an address");
    let connected = timeout(SOON, async {
        while !line.is_connected() {
            Clock::System.sleep(Duration::from_millis(10)).await;
        }
    });
    connected.await.expect("NATS at HUOYAN_TEST_NATS");
    Some(line)
}

fn county() -> String {
    format!("test-{}", id().simple())
}

macro_rules! contract {
    ($($name:ident),+ $(,)?) => {
        mod local {
            $(#[tokio::test]
            async fn $name() { let bus = super::Bus::local(); super::$name(bus.clone(), bus).await })+
        }
        mod nats {
            $(#[tokio::test]
            async fn $name() {
                let county = super::county();
                let (Some(one), Some(other)) = (super::line(&county).await, super::line(&county).await) else {
                    return eprintln!("skipped: HUOYAN_TEST_NATS is not set");
                };
                let one = super::Bus::over(&one).await.expect("announcements");
                let other = super::Bus::over(&other).await.expect("announcements");
                super::$name(one, other).await
            })+
        }
    };
}

contract!(everybody_hears_an_announcement_once, a_lagging_listener_is_told);

const SOON: Duration = Duration::from_secs(5);

async fn everybody_hears_an_announcement_once(own: Bus, centre: Bus) {
    let (mut one, mut other) = (own.announcements(), centre.announcements());
    let announcement = Announcement { cursor: 7, incident: IncidentId(id()) };
    centre.announce(announcement).await.unwrap();
    assert_eq!(timeout(SOON, one.recv()).await.unwrap(), Ok(announcement));
    assert_eq!(timeout(SOON, other.recv()).await.unwrap(), Ok(announcement));
    assert!(timeout(Duration::from_millis(300), other.recv()).await.is_err(), "not twice");
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
async fn a_sighting_arrives_whole_and_once() {
    let county = county();
    let (Some(edge), Some(centre)) = (line(&county).await, line(&county).await) else {
        return eprintln!("skipped: HUOYAN_TEST_NATS is not set");
    };
    let mut queue = centre.sightings().await.unwrap();
    let sent = [camera_sighting(), satellite_sighting(&hotspot("a", "2.0NRT"))];
    for sighting in sent.iter().chain(&sent[..1]) {
        // The first is sent twice, which is harmless.
        edge.send_sighting("edge-1", sighting.id, written(sighting).unwrap()).await.unwrap();
    }
    for sighting in sent {
        let delivery = timeout(SOON, queue.next()).await.unwrap().unwrap();
        assert_eq!(delivery.sighting, sighting);
        delivery.done().await;
    }
    assert!(
        timeout(Duration::from_millis(300), queue.next()).await.is_err(),
        "nothing comes twice"
    );
}

#[tokio::test]
async fn what_a_dead_desk_held_comes_again() {
    let county = county();
    let (Some(dying), Some(next)) = (line(&county).await, line(&county).await) else {
        return eprintln!("skipped: HUOYAN_TEST_NATS is not set");
    };
    let mut queue = dying.sightings().await.unwrap();
    let sighting = camera_sighting();
    dying.send_sighting("edge-1", sighting.id, written(&sighting).unwrap()).await.unwrap();
    drop(timeout(SOON, queue.next()).await.unwrap());
    drop((queue, dying));
    let mut queue = next.sightings().await.unwrap();
    let again = timeout(SOON, queue.next()).await;
    assert_eq!(
        again.expect("within the 3 s after which a desk is taken for dead").unwrap().sighting,
        sighting
    );
}
