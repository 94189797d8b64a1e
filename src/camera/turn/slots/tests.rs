use super::*;
use crate::camera::Codec;
use crate::camera::fault::link::Breach;
use crate::error::Error;
use crate::frame::Picture;
use crate::triage::detection::Stream;

fn slots(cameras: usize) -> (Arc<Slots>, StatusBoard) {
    let sources = (0..cameras).map(|i| {
        CameraSource::new(
            format!("c{i}").as_str().into(),
            "default".into(),
            format!("北山{i}"),
            "rtsp://h/s",
        )
    });
    let status = StatusBoard::default();
    let clock =
        Clock::simulated(Timestamp::from_second(1_790_000_000).expect("a time in this century"));
    let slots =
        Slots::new(sources.collect(), CameraConfig::default(), clock, status.clone(), Lang::En);
    (slots, status)
}

fn keyframe(slots: &Slots, mark: u8) -> Keyframe {
    Keyframe {
        captured_at: slots.clock.now(),
        codec: Codec::Jpeg,
        bytes: vec![mark].into(),
        stream: Stream::Screened,
    }
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
    let counted =
        |camera: &str| status.get(&camera.into()).map(|it| (it.slots_met, it.slots_missed));
    assert_eq!(counted("c0"), Some((3, 3)));
    assert_eq!(counted("c1"), Some((0, 6)), "never looked at");
}

#[test]
fn a_picture_that_lay_there_before_the_turn_gives_way_to_the_next_one_or_is_taken_half_a_cadence_later()
 {
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
        zh.contains("3 路实际 15 秒")
            && en.contains("3 cameras are looked at every 15 s (configured: 10 s)"),
        "{zh} {en}"
    );
    assert!(
        status.all().values().all(|status| status.health == Health::Ok),
        "none of them is to blame"
    );
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
    assert!(
        slots.take(Duration::ZERO).is_none(),
        "pictures from before the gap are no longer news"
    );
    slots.put(0, keyframe(&slots, 2));
    assert_eq!(health("c0"), Some(Health::Ok));
    assert_eq!(health("c1"), Some(Health::Starting), "the other camera is left alone");
}

#[test]
fn a_view_that_the_office_accepts_is_right_from_then_on() {
    let (slots, status) = slots(1);
    slots.put(0, keyframe(&slots, 1));
    let view = |horizon: usize| {
        let luma = (0..160 * 90)
            .map(|i| if i / 160 < horizon { 180 } else { 60 + (i % 160 * 7 + i / 160 * 13) % 29 });
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

fn of(camera: usize, address: &str) -> CameraSource {
    CameraSource::new(
        format!("c{camera}").as_str().into(),
        "default".into(),
        format!("北山{camera}"),
        address,
    )
}

fn frame(slots: &Slots, camera: &str) -> crate::frame::Frame {
    let picture = Arc::new(Picture::from_i420(2, 2, vec![128; 6]).expect("sizes fit"));
    let (camera, pose, captured_at) = (camera.into(), "default".into(), slots.clock.now());
    crate::frame::Frame { camera, pose, captured_at, picture, stream: Stream::Screened }
}

#[test]
fn one_of_267_cameras_is_connected_anew_and_the_others_notice_nothing() {
    let (slots, status) = slots(267);
    let before = slots.new_roster().expect("all are new");
    assert_eq!(before.len(), 267);
    (0..267).for_each(|index| slots.put(index, keyframe(&slots, 1)));
    slots.describe(of(100, "rtsp://h/other"), true);
    let after = slots.new_roster().expect("one is new");
    let (new, gone): (Vec<_>, Vec<_>) = (
        after.keys().filter(|index| !before.contains_key(index)).collect(),
        before.keys().filter(|index| !after.contains_key(index)).collect(),
    );
    assert_eq!(
        (new, gone, after.len()),
        (vec![&267], vec![&100], 267),
        "one receiver ends and one begins"
    );
    assert!(slots.new_roster().is_none(), "it is said once");
    slots.put(100, keyframe(&slots, 2));
    slots.set_link(100, Fault::StreamEnded);
    let of_status = |camera: &str| status.get(&camera.into()).map(|it| (it.health, it.keyframes));
    assert_eq!(
        of_status("c100"),
        Some((Health::Starting, 1)),
        "the former connection is not listened to"
    );
    assert_eq!(of_status("c99"), Some((Health::Ok, 1)));
    let looked_at = std::iter::from_fn(|| slots.take(Duration::ZERO)).count();
    assert_eq!(looked_at, 266, "the keyframes of the others have waited");
    slots.put(267, keyframe(&slots, 3));
    assert_eq!(
        slots.take(Duration::ZERO).map(|(index, _)| index),
        Some(267),
        "and its turn is still due"
    );
}

#[test]
fn a_new_name_is_in_force_at_once_and_restarts_nothing() {
    let (slots, status) = slots(2);
    slots.new_roster();
    slots.set_link(0, Fault::StreamEnded);
    slots.put(1, keyframe(&slots, 1));
    for index in [0, 1] {
        slots.describe(CameraSource { name: "南山".to_owned(), ..of(index, "rtsp://h/s") }, false);
    }
    let of_status = |camera: &str| status.get(&camera.into()).expect("a status");
    assert_eq!(of_status("c0").health, Health::Offline);
    assert!(of_status("c0").detail.is_some_and(|words| words.starts_with("南山")));
    assert_eq!(of_status("c1").health, Health::Ok);
    assert!(
        slots.new_roster().is_none()
            && slots.take(Duration::ZERO).is_some_and(|(index, _)| index == 1)
    );
}

#[test]
fn a_camera_that_leaves_is_forgotten_even_by_those_who_still_have_its_picture() {
    let (slots, status) = slots(2);
    slots.put(1, keyframe(&slots, 1));
    let in_work = frame(&slots, "c1");
    assert!(slots.still_counts(&in_work));
    slots.remove(&"c1".into(), &"default".into());
    slots.put(1, keyframe(&slots, 2));
    slots.saw(1, slots.clock.now(), Err(&Error::invalid("grey mush")));
    slots.main_came(1, Err(Fault::StreamEnded));
    slots.looked(1, slots.clock.now());
    assert!(status.get(&"c1".into()).is_none() && slots.take(Duration::ZERO).is_none());
    // A look that was under way has just noted its scores.
    status.update(&"c1".into(), |status| status.analysed += 1);
    assert!(!slots.still_counts(&in_work), "what is remembered of it is to be forgotten");
    assert!(status.get(&"c1".into()).is_none() && status.get(&"c0".into()).is_some());
    slots.add(of(1, "rtsp://h/s"));
    assert_eq!(status.get(&"c1".into()).map(|it| it.health), Some(Health::Starting));
    slots.put(2, keyframe(&slots, 3));
    assert_eq!(
        slots.take(Duration::ZERO).map(|(index, _)| index),
        Some(2),
        "it is looked at at once"
    );
}

#[test]
fn another_direction_voids_what_the_board_says_of_the_former_view_and_no_connection() {
    let (slots, status) = slots(1);
    slots.new_roster();
    slots.put(0, keyframe(&slots, 1));
    let taken = slots.take(Duration::ZERO).expect("its turn").1.captured_at;
    status.update(&"c0".into(), |status| status.has_moved = true);
    slots.clock.advance(SignedDuration::from_secs(5));
    slots.put(0, keyframe(&slots, 2));
    slots.aim_anew(&"c0".into(), &"default".into());
    assert_eq!(
        status.get(&"c0".into()).map(|it| (it.has_moved, it.health)),
        Some((false, Health::Ok))
    );
    assert!(slots.new_roster().is_none(), "its receiver goes on");
    slots.clock.advance(SignedDuration::from_secs(15));
    assert!(slots.take(Duration::ZERO).is_none(), "the keyframe that waited shows the former view");
    let at = |captured_at| crate::frame::Frame { captured_at, ..frame(&slots, "c0") };
    assert!(!slots.still_counts(&at(taken)), "nor does the picture that a worker has");
    assert!(slots.still_counts(&at(slots.clock.now())), "but the next");
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

fn words(status: &StatusBoard, camera: &str) -> (Health, String) {
    let status = status.get(&camera.into()).expect("a status");
    (status.health, status.detail.unwrap_or_default())
}

#[test]
fn pictures_that_are_fetched_one_by_one_have_no_keyframe_interval() {
    let told = |address: &str| {
        let source = CameraSource::new("c".into(), "default".into(), "北山", address);
        let (status, clock) =
            (StatusBoard::default(), Clock::simulated(Timestamp::UNIX_EPOCH + CADENCES));
        let slots =
            Slots::new(vec![source], CameraConfig::default(), clock, status.clone(), Lang::En);
        for mark in 0..6 {
            slots.put(0, keyframe(&slots, mark));
            slots.clock.advance(SignedDuration::from_secs(20));
        }
        words(&status, "c")
    };
    let (health, said) = told("rtsp://h/s");
    assert!(health == Health::Late && said.contains("GOP is 20 s"), "{said}");
    for address in ["http://h/a.jpg", "https://h/a.jpg", "drop:/srv/ftp"] {
        assert_eq!(told(address), (Health::Ok, String::new()), "{address}");
    }
}

/// Long enough after 1970 for every clock of these tests.
const CADENCES: SignedDuration = SignedDuration::from_hours(1000);

#[test]
fn no_camera_is_to_send_keyframes_more_often_than_it_is_really_looked_at() {
    let (slots, status) = slots(3);
    let pass = |seconds: i64, is_busy: bool| {
        for s in 0..seconds {
            slots.clock.advance(SignedDuration::from_secs(1));
            (0..2).for_each(|i| slots.put(i, keyframe(&slots, 1)));
            if s % 14 == 0 {
                slots.put(2, keyframe(&slots, 1));
            }
            slots.tick(slots.clock.now());
            let looks = if is_busy { i64::from(s % 5 == 0) } else { 3 };
            (0..looks).for_each(|_| drop(slots.take(Duration::ZERO)));
        }
        words(&status, "c2").1
    };
    let said = pass(140, true);
    assert_eq!(said, "", "three looks in 15 s: one keyframe in 14 s is enough");
    let said = pass(140, false);
    assert!(said.contains("GOP is 14 s; set it to 10 s or less"), "{said}");
}

#[test]
fn a_link_that_breaks_again_and_again_is_unsteady_until_it_is_gone_or_calm() {
    let (slots, status) = slots(1);
    let pass = |seconds| {
        for _ in 0..seconds {
            slots.clock.advance(SignedDuration::from_secs(1));
            slots.tick(slots.clock.now());
        }
    };
    let mut healths = Vec::new();
    for _ in 0..10 {
        slots.put(0, keyframe(&slots, 1));
        pass(14);
        slots.set_link(0, Fault::StreamEnded);
        pass(2);
        healths.push(words(&status, "c0").0);
    }
    assert_eq!(healths[..3], [Health::Offline; 3], "the first are told one by one");
    assert_eq!(healths[3..], [Health::Late; 7], "the rest once");
    let (_, said) = words(&status, "c0");
    assert!(
        said.contains("unsteady: 10 reconnections in 3 min, because the camera ended"),
        "{said}"
    );
    slots.put(0, keyframe(&slots, 2));
    assert_eq!(words(&status, "c0").0, Health::Late, "a picture alone does not end it");
    slots.set_link(0, Fault::StreamEnded);
    assert!(slots.take(Duration::ZERO).is_some(), "and its last picture is looked at all the same");
    pass(60);
    assert_eq!(words(&status, "c0").0, Health::Offline, "a camera that stays away is not there");
    slots.put(0, keyframe(&slots, 3));
    pass(181);
    assert_eq!(words(&status, "c0"), (Health::Ok, String::new()), "three minutes later");
}

#[test]
fn an_unsteady_camera_that_shows_nothing_is_named_for_that_and_one_that_stays_away_for_its_link() {
    let (slots, status) = slots(1);
    let pass = |seconds| {
        for _ in 0..seconds {
            slots.clock.advance(SignedDuration::from_secs(1));
            slots.tick(slots.clock.now());
        }
    };
    for _ in 0..6 {
        slots.put(0, keyframe(&slots, 1));
        pass(14);
        slots.set_link(0, Fault::StreamEnded);
        pass(2);
    }
    slots.put(0, keyframe(&slots, 1));
    assert_eq!(words(&status, "c0").0, Health::Late, "it shakes");
    slots.saw(0, slots.clock.now(), Err(&Error::invalid("grey mush")));
    assert_eq!(words(&status, "c0").0, Health::Undecodable, "and it sees nothing, which is worse");
    slots.set_link(0, Fault::StreamEnded);
    assert_eq!(words(&status, "c0").0, Health::Undecodable, "one more break changes nothing");
    pass(61);
    assert_eq!(words(&status, "c0").0, Health::Offline, "until it stays away");
}

#[test]
fn what_is_to_be_known_of_a_camera_that_is_fine_stands_beside_its_health() {
    let (slots, status) = slots(1);
    slots.note(0, Some(Fault::ByRtspsrc { because: Breach::Keepalive }));
    assert_eq!(words(&status, "c0").0, Health::Starting);
    slots.put(0, keyframe(&slots, 1));
    let (health, said) = words(&status, "c0");
    assert!(health == Health::Ok && said.contains("about 8 times the CPU"), "{said}");
    slots.note(0, None);
    assert_eq!(words(&status, "c0"), (Health::Ok, String::new()));
}
