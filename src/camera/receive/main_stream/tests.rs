use super::*;
use crate::camera::Codec;
use crate::clock::Clock;
use crate::frame::{Health, StatusBoard};
use crate::lang::Lang;
use std::time::Duration;

/// A main stream that is opened and never says anything.
const SILENT: &str = "appsrc is-live=true ! video/x-h264,stream-format=byte-stream,alignment=au ! \
    appsink name=keyframes";

struct Office {
    slots: Arc<Slots>,
    status: StatusBoard,
    fetches: Fetches,
    pipelines: Pipelines,
    _folder: tempfile::TempDir,
}

impl Office {
    /// Cameras whose main streams stay silent, and at the end one without.
    fn new(with_main: usize) -> Self {
        crate::camera::init().expect("GStreamer");
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("silent.gst"), SILENT).expect("writes");
        let source = |i: usize, url: &str| {
            CameraSource::new(
                format!("c{i}").as_str().into(),
                "default".into(),
                format!("北山{i}"),
                url,
            )
        };
        let main = |i| source(i, "rtsp://h/main").with_pipeline("silent");
        let mut sources: Vec<_> =
            (0..with_main).map(|i| source(i, "rtsp://h/sub").with_main(main(i))).collect();
        sources.push(source(with_main, "rtsp://h/only"));
        let status = StatusBoard::default();
        let clock = Clock::simulated(
            Timestamp::from_second(1_790_000_000).expect("a time in this century"),
        );
        let slots = Slots::new(sources, CameraConfig::default(), clock, status.clone(), Lang::En);
        let (fetches, pipelines) =
            (Fetches::new(Arc::clone(&slots)), Pipelines::new(folder.path()));
        Self { slots, status, fetches, pipelines, _folder: folder }
    }

    fn keyframe(&self, stream: Stream) -> Keyframe {
        Keyframe {
            captured_at: self.slots.clock.now(),
            codec: Codec::Jpeg,
            bytes: vec![0].into(),
            stream,
        }
    }

    fn pass(&self, ms: i64) {
        self.slots.clock.advance(SignedDuration::from_millis(ms));
    }

    fn tick(&mut self) {
        self.fetches.tick(&self.pipelines, self.slots.clock.now());
    }

    /// A look that suspects something.
    fn suspect(&self, camera: usize) {
        self.slots.put(camera, self.keyframe(Stream::Screened));
        self.slots.take(Duration::ZERO).expect("its turn");
        self.slots.boost(camera);
    }

    fn wants(&self) -> Option<usize> {
        self.slots.wants_main(self.slots.clock.now(), |_| true)
    }

    fn taken(&self) -> Option<(usize, Stream)> {
        self.slots.take(Duration::ZERO).map(|(index, keyframe)| (index, keyframe.stream))
    }
}

#[test]
fn a_county_full_of_suspicions_opens_eight_main_streams_one_every_half_second() {
    let mut office = Office::new(12);
    (0..12).for_each(|camera| office.suspect(camera));
    let mut open = Vec::new();
    for _ in 0..11 {
        (0..3).for_each(|_| office.tick());
        open.push(office.fetches.running.len());
        office.pass(500);
    }
    assert_eq!(open, [1, 2, 3, 4, 5, 6, 7, FETCHES_MAX, FETCHES_MAX, FETCHES_MAX, FETCHES_MAX]);
    assert_eq!(office.wants(), Some(8), "the next waits for a place, in the order of suspicion");
}

#[test]
fn a_main_stream_that_says_nothing_is_given_up_said_and_in_nobodys_way() {
    let mut office = Office::new(1);
    office.suspect(0);
    office.tick();
    office.pass(5_000);
    office.tick();
    office.slots.put(0, office.keyframe(Stream::Screened));
    assert_eq!(office.taken(), Some((0, Stream::Screened)), "its turn is not put off");
    office.pass(1_000);
    office.tick();
    assert!(office.fetches.running.is_empty());
    let status = office.status.get(&"c0".into()).expect("a status");
    assert_eq!((status.health, status.main_fetched), (Health::Ok, 0));
    let detail = status.main_detail.expect("a sentence");
    assert!(detail.starts_with("北山0 main stream: nothing has come for 6 s"), "{detail}");
    office.tick();
    assert!(office.fetches.running.is_empty(), "it is left alone for a while");
    office.pass(2_000);
    office.tick();
    assert_eq!(office.fetches.running.len(), 1, "and asked again");
}

#[test]
fn the_main_streams_picture_is_taken_at_the_next_turn_and_then_asked_for_again() {
    let office = Office::new(1);
    assert_eq!(office.wants(), None, "nobody is suspicious");
    office.suspect(0);
    assert_eq!((office.wants(), office.wants()), (Some(0), None), "asked once");
    office.pass(1_000);
    office.slots.main_came(0, Ok(office.keyframe(Stream::Main)));
    assert_eq!(office.taken(), None, "it is not its turn yet");
    office.pass(4_000);
    office.slots.put(0, office.keyframe(Stream::Screened));
    assert_eq!(office.taken(), Some((0, Stream::Main)));
    assert_eq!(office.taken(), None, "one look a turn");
    assert_eq!(office.wants(), Some(0));
    office.pass(5_000);
    office.slots.put(0, office.keyframe(Stream::Screened));
    assert_eq!(office.taken(), Some((0, Stream::Screened)), "nothing has come by then");
    office.slots.main_came(0, Ok(office.keyframe(Stream::Main)));
    office.pass(60_000);
    office.slots.put(0, office.keyframe(Stream::Screened));
    assert_eq!(
        office.taken(),
        Some((0, Stream::Screened)),
        "older than a cadence: the sub-stream knows more"
    );
    assert_eq!(office.wants(), None, "six cadences without a suspicion");
}

#[test]
fn a_main_stream_that_cannot_be_decoded_costs_no_turn() {
    let office = Office::new(1);
    office.suspect(0);
    assert_eq!(office.wants(), Some(0));
    office.slots.main_came(0, Ok(office.keyframe(Stream::Main)));
    office.pass(5_000);
    office.slots.put(0, office.keyframe(Stream::Screened));
    assert_eq!(office.taken(), Some((0, Stream::Main)));
    let now = office.slots.clock.now();
    office.slots.saw_main(0, now, Err(&crate::error::Error::invalid("grey mush")));
    assert_eq!(office.slots.instead(0).map(|keyframe| keyframe.stream), Some(Stream::Screened));
    let status = office.status.get(&"c0".into()).expect("a status");
    assert!(
        status.main_detail.is_some_and(|detail| detail.contains("no picture can be made of it"))
            && status.health == Health::Ok
    );
    office.slots.saw_main(0, now, Ok(&Arc::new(grey())));
    assert_eq!(
        office.status.get(&"c0".into()).and_then(|status| status.main_detail),
        None,
        "it is well again"
    );
}

fn grey() -> crate::frame::Picture {
    crate::frame::Picture::from_i420(2, 2, vec![128; 6]).expect("sizes fit")
}

#[test]
fn whoever_had_a_picture_waits_behind_the_others_and_one_stream_is_enough() {
    let office = Office::new(2);
    for camera in [1, 0, 2] {
        office.pass(10);
        office.suspect(camera);
    }
    assert_eq!(office.wants(), Some(1), "the first to be suspected");
    office.slots.main_came(1, Err(Fault::StreamEnded));
    assert_eq!(office.wants(), Some(0));
    assert_eq!(office.wants(), Some(1));
    assert_eq!(office.wants(), None, "the third has no main stream");
}
