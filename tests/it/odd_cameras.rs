//! Cameras as they are: what an office sees of RTSP cameras that depart from the standard. Each is
//! looked at all the same, or named with what to do.

use crate::camera_support::{Office, PASSWORD, login, quick, source};
use crate::odd_camera::{Manner, OddCamera};
use huoyan::clock::Clock;
use huoyan::config::CameraConfig;
use huoyan::frame::Health;
use jiff::SignedDuration;

/// The film of these cameras is one second long, so it stands still from loop to loop.
fn patient() -> CameraConfig {
    CameraConfig { frozen_after: SignedDuration::from_mins(5), ..quick() }
}

fn office_of(cameras: &[(&str, &OddCamera)]) -> Office {
    Office::open(cameras.iter().map(|(id, camera)| source(id, &camera.url())).collect(), &patient())
}

/// What the board says of the camera in the course of the next seconds, without repetitions.
fn said(office: &mut Office, camera: &str, seconds: i64) -> Vec<(Health, Option<String>)> {
    let end = Clock::System.now() + SignedDuration::from_secs(seconds);
    let mut said = Vec::new();
    office.until("the time to pass", |office, _| {
        let status = office.of(camera);
        if said.last() != Some(&(status.health, status.detail.clone())) {
            said.push((status.health, status.detail));
        }
        Clock::System.now() > end
    });
    said
}

#[test]
fn pictures_go_on_past_packets_that_cannot_be_read() {
    let foreign = OddCamera::start(Manner::ForeignPackets);
    let broken = OddCamera::start(Manner::BrokenPackets);
    let cameras = [("foreign", &foreign), ("broken", &broken)];
    let mut office = office_of(&cameras);
    for (id, camera) in cameras {
        office.until("eight keyframes", |office, _| office.of(id).keyframes >= 8);
        let status = office.of(id);
        assert_eq!((status.health, status.detail), (Health::Ok, None), "{id}");
        assert_eq!(camera.asked("DESCRIBE"), 1, "{id}: on the first connection");
    }
}

#[test]
fn a_camera_that_answers_keepalives_wrongly_is_received_by_rtspsrc_and_that_is_told_once() {
    let camera = OddCamera::start(Manner::RefusesKeepalives);
    let mut office = office_of(&[("a", &camera)]);
    office.until_health("a", Health::Ok);
    let said = said(&mut office, "a", 12);
    let [(Health::Ok, None), (Health::Ok, Some(note))] = &said[..] else {
        panic!("all is well, and one note: {said:?}")
    };
    assert!(
        note.starts_with("camera-a: received by rtspsrc, because the camera answers keepalives"),
        "{note}"
    );
    let calls = camera.asked("DESCRIBE");
    assert_eq!(calls, 4, "three connections by our own source, and one that lasts");
    let before = office.of("a").keyframes;
    office.until("it goes on", |office, _| office.of("a").keyframes >= before + 3);
    assert_eq!(camera.asked("DESCRIBE"), calls);
}

#[test]
fn packet_numbers_that_begin_anew_cost_no_more_than_a_new_connection_or_two() {
    let camera = OddCamera::start(Manner::NumbersAnew);
    let mut office = office_of(&[("a", &camera)]);
    office.until_health("a", Health::Ok);
    office.until("rtspsrc takes over", |office, _| {
        assert_eq!(office.of("a").health, Health::Ok);
        office.of("a").detail.is_some_and(|note| note.contains("numbers begin anew"))
    });
    let before = office.of("a").keyframes;
    office.until("it goes on", |office, _| office.of("a").keyframes >= before + 5);
}

#[test]
fn a_camera_that_sends_on_is_followed_and_its_login_goes_to_no_other_host() {
    let (proper, asks) = (OddCamera::start(Manner::Proper), OddCamera::start(Manner::Asks));
    let strange = OddCamera::start(Manner::Asks);
    let sends_on = |to: Option<String>| OddCamera::start(Manner::Refuses(302, to));
    let elsewhere = format!("rtsp://localhost:{}/s?token=s3cret", strange.port());
    let (plain, same) = (sends_on(Some(proper.url())), sends_on(Some(asks.url())));
    let (other, nowhere) = (sends_on(Some(elsewhere)), sends_on(None));
    let circles = OddCamera::start(Manner::SendsInCircles);
    let asks_first =
        |challenge, to: &OddCamera| OddCamera::start(Manner::AsksAndSendsOn(challenge, to.url()));
    let basic = asks_first("Basic realm=\"platform\"", &asks);
    let digest = asks_first("Digest realm=\"platform\", nonce=\"5d1c\"", &proper);
    let sources = vec![
        source("plain", &plain.url()),
        login("same", &same.url(), PASSWORD),
        login("other", &other.url(), PASSWORD),
        login("basic", &basic.url(), PASSWORD),
        login("digest", &digest.url(), PASSWORD),
        source("nowhere", &nowhere.url()),
        source("circles", &circles.url()),
    ];
    let mut office = Office::open(sources, &patient());
    let shown = format!("sends on to rtsp://localhost:{}/s?token=***", strange.port());
    for (id, health, words) in [
        ("plain", Health::Ok, ""),
        ("same", Health::Ok, ""),
        ("basic", Health::Ok, ""),
        ("digest", Health::Ok, ""),
        ("other", Health::Misconfigured, &*shown),
        ("nowhere", Health::Misconfigured, "without saying where to"),
        ("circles", Health::Misconfigured, "sends on again and again"),
    ] {
        let detail = office.until_health(id, health);
        assert!(detail.contains(words), "{id}: {detail}");
    }
    assert!(asks.asked("Authorization: Basic") > 0, "the same host gets the login");
    assert!(strange.asked("DESCRIBE") > 0 && strange.asked("Authorization") == 0, "no other does");
}

#[test]
fn every_refusal_is_named_with_its_own_cure() {
    let refuses = |status| OddCamera::start(Manner::Refuses(status, None));
    let (busy, full, own, forbidden) = (refuses(453), refuses(503), refuses(500), refuses(403));
    let udp = OddCamera::start(Manner::RefusesTcp);
    // Of a refused SETUP, rtspsrc does not tell the status.
    for (pipeline, udp_health) in
        [("rtsp", Health::Misconfigured), ("rtspsrc", Health::Undecodable)]
    {
        let cases = [
            ("busy", &busy, Health::Offline, "serves no more viewers; close others"),
            ("full", &full, Health::Offline, "serves no more viewers; close others"),
            ("own", &own, Health::Offline, "the camera's own error (500); restart"),
            ("forbidden", &forbidden, Health::Misconfigured, "let this user watch (403)"),
            ("udp", &udp, udp_health, "allow TCP (interleaved)"),
        ];
        let sources =
            cases.iter().map(|(id, camera, ..)| source(id, &camera.url()).with_pipeline(pipeline));
        let mut office = Office::open(sources.collect(), &patient());
        for (id, _, health, words) in cases {
            let detail = office.until_health(id, health);
            assert!(detail.contains(words), "{pipeline}: {detail}");
        }
    }
}

#[test]
fn a_description_that_cannot_be_read_is_left_to_rtspsrc_or_named() {
    let (version, codec) = (OddCamera::start(Manner::NoVersion), OddCamera::start(Manner::NoCodec));
    let mut office = office_of(&[("version", &version), ("codec", &codec)]);
    office.until("pictures by rtspsrc", |office, _| {
        let status = office.of("version");
        let is_by_rtspsrc = status.detail.is_some_and(|note| note.contains("received by rtspsrc"));
        status.health == Health::Ok && is_by_rtspsrc
    });
    office.until("both have been tried", |office, _| {
        office.of("codec").detail.is_some_and(|detail| {
            detail.contains("description of its stream (SDP) cannot be read, and rtspsrc gets no")
        })
    });
}

#[test]
fn a_camera_that_falls_silent_is_not_told_to_change_its_keyframes() {
    let camera = OddCamera::start(Manner::Stalls(15));
    let config = CameraConfig {
        late_after: SignedDuration::from_secs(2),
        offline_after: SignedDuration::from_secs(4),
        ..patient()
    };
    let mut office = Office::open(vec![source("a", &camera.url())], &config);
    office.until_health("a", Health::Ok);
    let detail = office.until_health("a", Health::Late);
    assert!(detail.starts_with("camera-a: nothing has come for "), "{detail}");
    let detail = office.until_health("a", Health::Offline);
    assert!(detail.starts_with("camera-a: nothing has come for 4 s"), "{detail}");
}

#[test]
fn a_connection_that_breaks_again_and_again_is_told_once() {
    let camera = OddCamera::start(Manner::Closes(8));
    let mut office = office_of(&[("a", &camera)]);
    let detail = office.until_health("a", Health::Late);
    assert!(
        detail
            .starts_with("camera-a: unsteady: 4 reconnections in 1 min, because the camera ended"),
        "{detail}"
    );
    let said = said(&mut office, "a", 6);
    assert!(said.len() > 2, "the count goes on: {said:?}");
    assert!(said.iter().all(|(health, _)| *health == Health::Late), "and nothing flips: {said:?}");
}
