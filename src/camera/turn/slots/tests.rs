use super::*;
use crate::camera::Codec;
use crate::triage::detection::Stream;

fn slots(cameras: usize) -> (Arc<Slots>, StatusBoard) {
    let sources = (0..cameras).map(|i| {
        CameraSource::new(format!("c{i}").as_str().into(), "default".into(), format!("北山{i}"), "rtsp://h/s")
    });
    let status = StatusBoard::default();
    let clock = Clock::simulated(Timestamp::from_second(1_790_000_000).expect("a time in this century"));
    let slots = Slots::new(sources.collect(), CameraConfig::default(), clock, status.clone(), Lang::En);
    (slots, status)
}

fn keyframe(slots: &Slots, mark: u8) -> Keyframe {
    Keyframe { captured_at: slots.clock.now(), codec: Codec::Jpeg, bytes: vec![mark].into(), stream: Stream::Screened }
}

#[test]
fn the_newest_keyframe_wins() {
    let (slots, status) = slots(1);
    for mark in 0..5 {
        slots.put(0, keyframe(&slots, mark));
    }
    let (index, taken) = slots.take(Duration::ZERO).expect("a fresh keyframe");
    assert_eq!((index, &taken.bytes[..]), (0, &[4][..]));
    let status = status.get(&"c0".into()).expect("a status");
    assert_eq!((status.keyframes, status.health), (5, Health::Ok));
    assert!(slots.take(Duration::ZERO).is_none(), "nothing fresh is left");
}

#[test]
fn a_keyframe_waits_for_its_turn() {
    let (slots, _) = slots(1);
    slots.put(0, keyframe(&slots, 1));
    assert!(slots.take(Duration::ZERO).is_some());
    slots.put(0, keyframe(&slots, 2));
    assert!(slots.take(Duration::ZERO).is_none(), "ten seconds have not passed");
    slots.clock.advance(SignedDuration::from_secs(10));
    slots.put(0, keyframe(&slots, 3));
    assert!(slots.take(Duration::ZERO).is_some());
}

#[test]
fn slots_are_counted_for_each_camera_whether_it_is_looked_at_or_not() {
    let (slots, status) = slots(2);
    for _ in 0..3 {
        slots.looked(0, slots.clock.now());
        slots.clock.advance(SignedDuration::from_secs(10));
        slots.tick(slots.clock.now());
    }
    slots.clock.advance(SignedDuration::from_secs(30));
    slots.tick(slots.clock.now());
    let counted = |camera: &str| status.get(&camera.into()).map(|it| (it.slots_met, it.slots_missed));
    assert_eq!(counted("c0"), Some((3, 3)));
    assert_eq!(counted("c1"), Some((0, 6)), "never looked at");
}

#[test]
fn a_picture_that_lay_there_before_the_turn_gives_way_to_the_next_one_or_is_taken_half_a_cadence_later() {
    let (slots, _) = slots(1);
    let wait = |seconds| slots.clock.advance(SignedDuration::from_secs(seconds));
    slots.put(0, keyframe(&slots, 1));
    slots.take(Duration::ZERO).expect("the first turn");
    for next in [Some(3), None] {
        wait(9);
        slots.put(0, keyframe(&slots, 2));
        wait(1);
        assert!(slots.take(Duration::ZERO).is_none(), "due, but the picture is a second old");
        if let Some(mark) = next {
            wait(1);
            slots.put(0, keyframe(&slots, mark));
            assert_eq!(&slots.take(Duration::ZERO).expect("fresh").1.bytes[..], [mark]);
            slots.clock.advance(SignedDuration::from_secs(-1));
        } else {
            wait(5);
            assert_eq!(&slots.take(Duration::ZERO).expect("what is there").1.bytes[..], [2]);
        }
    }
}

#[test]
fn workers_that_cannot_keep_up_are_told_of_once_for_the_office_and_no_camera_is_called_late() {
    let (slots, status) = slots(3);
    let second = || {
        slots.clock.advance(SignedDuration::from_secs(1));
        (0..3).for_each(|i| slots.put(i, keyframe(&slots, 1)));
        slots.tick(slots.clock.now());
    };
    for s in 0..120 {
        second();
        if s % 5 == 0 {
            slots.take(Duration::ZERO);
        }
    }
    let overload = slots.overload().expect("three looks in 15 s, where 10 s were asked");
    let (zh, en) = overload.words();
    assert!(
        zh.contains("3 路实际 15 秒") && en.contains("3 cameras are looked at every 15 s (configured: 10 s)"),
        "{zh} {en}"
    );
    assert!(status.all().values().all(|status| status.health == Health::Ok), "none of them is to blame");
    for _ in 0..30 {
        second();
        while slots.take(Duration::ZERO).is_some() {}
    }
    assert_eq!(slots.overload(), None, "and it is taken back");
}

#[test]
fn a_fault_of_the_link_outranks_the_picture_and_a_keyframe_ends_it() {
    let (slots, status) = slots(2);
    let health = |camera: &str| status.get(&camera.into()).map(|s| s.health);
    assert_eq!(health("c0"), Some(Health::Starting));
    slots.put(0, keyframe(&slots, 1));
    slots.saw(0, slots.clock.now(), Err(&Error::invalid("grey mush")));
    assert_eq!(health("c0"), Some(Health::Undecodable));
    slots.set_link(0, Fault::StreamEnded);
    assert_eq!(health("c0"), Some(Health::Offline));
    assert!(slots.take(Duration::ZERO).is_none(), "pictures from before the gap are no longer news");
    slots.put(0, keyframe(&slots, 2));
    assert_eq!(health("c0"), Some(Health::Ok));
    assert_eq!(health("c1"), Some(Health::Starting), "the other camera is left alone");
}

#[test]
fn a_view_that_the_office_accepts_is_right_from_then_on() {
    let (slots, status) = slots(1);
    slots.put(0, keyframe(&slots, 1));
    let view = |horizon: usize| {
        let luma = (0..160 * 90).map(|i| if i / 160 < horizon { 180 } else { 60 + (i % 160 * 7 + i / 160 * 13) % 29 });
        let mut bytes: Vec<u8> = luma.map(|y| y as u8).collect();
        bytes.resize(160 * 90 * 3 / 2, 110);
        Arc::new(Picture::from_i420(160, 90, bytes).expect("sizes fit"))
    };
    let looks = |horizon: usize, count: usize| {
        for _ in 0..count {
            slots.clock.advance(SignedDuration::from_secs(10));
            slots.saw(0, slots.clock.now(), Ok(&view(horizon)));
        }
        status.get(&"c0".into()).map(|s| s.health)
    };
    assert_eq!(looks(40, 12), Some(Health::Ok));
    assert_eq!(looks(60, 8), Some(Health::Moved));
    let has_moved = || status.get(&"c0".into()).is_some_and(|status| status.has_moved);
    assert!(has_moved());
    status.update(&"c0".into(), |status| status.is_view_accepted = true);
    assert_eq!(looks(60, 8), Some(Health::Ok));
    assert!(!has_moved(), "what it shows now is right");
}

#[test]
fn stopping_frees_the_workers() {
    let (slots, _) = slots(1);
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| slots.take(Duration::from_secs(60)));
        slots.stop();
        assert!(worker.join().expect("no panic").is_none());
    });
}
