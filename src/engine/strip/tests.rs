use super::*;
use crate::frame::Picture;
use crate::triage::detection::{Analysis, ModelVersion, Scores};
use std::cell::Cell;
use uuid::Uuid;

/// One camera's looks.
struct Tower {
    strips: Strips,
    looks: Cell<u128>,
    /// Bytes of each picture.
    bytes: usize,
}

fn start() -> Timestamp {
    "2026-03-05T04:00:00Z".parse().expect("a time")
}

fn smoke(confidence: f32, x: f32) -> Detection {
    Detection { class: Class::Smoke, confidence, bbox: [x, 0.5, 0.05, 0.03].into(), tile: None }
}

fn began(sighting: u128, x: f32) -> Began {
    Began {
        sighting: SightingId(Uuid::from_u128(sighting)),
        class: Class::Smoke,
        bbox: [x, 0.5, 0.05, 0.03].into(),
    }
}

fn seen(camera: &str, at_s: i64, stream: Stream, detections: Vec<Detection>) -> Seen {
    let picture = Picture::from_rgb(2, 2, &[60; 12]).expect("a picture");
    let analysis = Analysis {
        camera: camera.into(),
        pose: "default".into(),
        captured_at: start() + SignedDuration::from_secs(at_s),
        scores: Scores::default(),
        detections,
        model: ModelVersion { name: "m".into(), version: "1".into() },
        stream,
        tiles: Vec::new(),
        has_past: true,
    };
    Seen { analysis, confirmed: Vec::new(), picture: Arc::new(picture), drill: false }
}

impl Tower {
    fn new(bytes: usize) -> Self {
        Self { strips: Strips::default(), looks: Cell::new(0), bytes }
    }

    fn look(&mut self, seen: &Seen, began: &[Began]) -> Vec<Kept> {
        let encode = |_| {
            self.looks.set(self.looks.get() + 1);
            let picture = PictureId::of(Uuid::from_u128(self.looks.get()), b"");
            Some(Encoded { picture, jpeg: vec![0; self.bytes] })
        };
        self.strips.look(seen, began, encode)
    }

    /// When the kept pictures were taken, in seconds after the start.
    fn times(kept: &[Kept]) -> Vec<i64> {
        kept.iter().map(|it| it.frame.captured_at.duration_since(start()).as_secs()).collect()
    }
}

#[test]
fn three_minutes_before_and_five_after_are_kept_and_say_where_the_smoke_was() {
    let mut tower = Tower::new(10);
    for at_s in (0..600).step_by(10) {
        assert!(
            tower.look(&seen("north", at_s, Stream::Screened, vec![]), &[]).is_empty(),
            "nothing was confirmed"
        );
    }
    // The smoke is seen at two looks; the third confirms it.
    for at_s in [600, 610] {
        tower.look(
            &seen("north", at_s, Stream::Screened, vec![smoke(0.6, 0.4), smoke(0.9, 0.8)]),
            &[],
        );
    }
    let kept =
        tower.look(&seen("north", 620, Stream::Screened, vec![smoke(0.7, 0.41)]), &[began(7, 0.4)]);
    let (before, at) = kept.split_at(kept.len() - 1);
    assert_eq!(Tower::times(before), (440..=600).step_by(20).collect::<Vec<i64>>());
    assert!(before[..8].iter().all(|it| it.frame.seen.is_none()), "nothing was there");
    assert_eq!(
        before[8].frame.seen.map(|it| it.score),
        Some(0.6),
        "of this place, and not the surer one elsewhere"
    );
    assert_eq!(at[0].frame.seen.map(|it| (it.score, it.bbox.x)), Some((0.7, 0.41)));
    assert!(kept.iter().all(|it| it.frame.sighting == SightingId(Uuid::from_u128(7))));
    // A suspicious camera is looked at every 5 s. The smoke drifts, and every still of the main
    // stream is kept.
    let mut after = Vec::new();
    for (i, at_s) in (625..1_000).step_by(5).enumerate() {
        let stream = if at_s == 635 { Stream::Main } else { Stream::Screened };
        after.extend(
            tower
                .look(&seen("north", at_s, stream, vec![smoke(0.8, 0.41 + 0.005 * i as f32)]), &[]),
        );
    }
    assert_eq!(Tower::times(&after)[..3], [630, 635, 645]);
    assert_eq!(after[1].frame.stream, Stream::Main);
    assert_eq!(*Tower::times(&after).last().expect("some"), 915, "for five minutes");
    assert!(after.iter().all(|it| it.frame.seen.is_some()), "and is followed where it drifts");
}

#[test]
fn a_strip_has_forty_pictures_a_ring_ten_and_a_drill_its_own_past() {
    let mut tower = Tower::new(10);
    (0..40).for_each(|i| drop(tower.look(&seen("north", i * 20, Stream::Screened, vec![]), &[])));
    assert_eq!(tower.strips.rings.values().map(VecDeque::len).collect::<Vec<_>>(), [BEFORE_MAX]);
    let mut kept = tower.look(&seen("north", 800, Stream::Main, vec![]), &[began(1, 0.4)]);
    (1..200)
        .for_each(|i| kept.extend(tower.look(&seen("north", 800 + i, Stream::Main, vec![]), &[])));
    assert_eq!(kept.len(), STRIP_MAX);
    let drill = Seen { drill: true, ..seen("north", 1_000, Stream::Screened, vec![]) };
    assert_eq!(
        Tower::times(&tower.look(&drill, &[began(2, 0.4)])),
        [1_000],
        "what is real is no past of it"
    );
}

#[test]
fn a_county_that_fills_the_memory_has_a_shorter_past_and_not_more_bytes() {
    let mut tower = Tower::new(15_000);
    for round in 0..10 {
        for camera in 0..400 {
            tower.look(&seen(&format!("c{camera}"), round * 20, Stream::Screened, vec![]), &[]);
            assert!(tower.strips.bytes <= BEFORE_BYTES_MAX);
        }
    }
    let held: usize =
        tower.strips.rings.values().flatten().map(|shot| shot.encoded.jpeg.len()).sum();
    assert_eq!(held, tower.strips.bytes);
    assert!(tower.strips.bytes > BEFORE_BYTES_MAX - 15_000, "all that there is room for");
    let pasts = tower.strips.rings.values().map(VecDeque::len);
    assert_eq!((pasts.clone().min(), pasts.max()), (Some(6), Some(7)), "equally for everybody");
}

#[test]
fn when_fog_sets_in_sixty_four_strips_grow_and_the_others_have_their_past() {
    let mut tower = Tower::new(10);
    let cameras = GROWING_MAX + 2;
    (0..cameras)
        .for_each(|n| drop(tower.look(&seen(&format!("c{n}"), 0, Stream::Screened, vec![]), &[])));
    let kept: Vec<usize> = (0..cameras)
        .map(|n| {
            tower
                .look(
                    &seen(&format!("c{n}"), 20, Stream::Screened, vec![]),
                    &[began(n as u128, 0.4)],
                )
                .len()
        })
        .collect();
    assert_eq!(kept[..GROWING_MAX], [2; GROWING_MAX], "one before and the present one");
    assert_eq!(kept[GROWING_MAX..], [1, 1], "the one before");
    assert_eq!(
        tower.look(&seen("c0", 330, Stream::Screened, vec![]), &[began(99, 0.4)]).len(),
        1,
        "room again"
    );
    let hour_later = seen("c1", 320 + 3_600, Stream::Screened, vec![]);
    tower.look(&hour_later, &[]);
    assert_eq!(
        tower.strips.growing.len(),
        1,
        "cameras that went dark give theirs back, but for the one that ends later"
    );
}

#[test]
fn of_a_camera_that_has_left_nothing_is_kept() {
    let mut tower = Tower::new(10);
    (0..3).for_each(|i| drop(tower.look(&seen("gone", i * 20, Stream::Screened, vec![]), &[])));
    tower.look(&seen("north", 3_600, Stream::Screened, vec![]), &[]);
    assert_eq!(
        (tower.strips.rings.len(), tower.strips.bytes),
        (2, 40),
        "it may be dark and come back"
    );
    tower.look(&seen("north", 3_640, Stream::Screened, vec![]), &[]);
    assert_eq!((tower.strips.rings.len(), tower.strips.bytes), (1, 20));
}

/// The camera uploads with ten minutes' delay: the clocks of live cameras do not end its strip.
#[test]
fn a_camera_that_is_late_has_its_whole_strip() {
    let mut tower = Tower::new(10);
    tower.look(&seen("late", 0, Stream::Screened, vec![]), &[began(1, 0.4)]);
    tower.look(&seen("live", 600, Stream::Screened, vec![]), &[]);
    assert_eq!(tower.look(&seen("late", 10, Stream::Screened, vec![]), &[]).len(), 1);
}

#[test]
fn of_a_picture_full_of_boxes_the_surest_are_remembered() {
    let mut tower = Tower::new(10);
    let boxes = (0..=BOXES_MAX)
        .map(|n| smoke(0.9 - 0.1 * n as f32 / BOXES_MAX as f32, 0.1 * n as f32))
        .collect();
    tower.look(&seen("north", 0, Stream::Screened, boxes), &[]);
    let surest =
        tower.look(&seen("north", 20, Stream::Screened, vec![]), &[began(1, 0.0), began(2, 0.8)]);
    assert_eq!(surest[0].frame.seen.map(|it| it.score), Some(0.9));
    assert_eq!(surest[1].frame.seen, None, "the ninth");
}

#[test]
fn a_picture_that_cannot_be_encoded_costs_itself_alone() {
    let mut strips = Strips::default();
    assert!(
        strips
            .look(&seen("north", 0, Stream::Screened, vec![]), &[began(1, 0.4)], |_| None)
            .is_empty()
    );
    let encode =
        |_| Some(Encoded { picture: PictureId::of(Uuid::from_u128(1), b""), jpeg: vec![0] });
    assert_eq!(strips.look(&seen("north", 10, Stream::Screened, vec![]), &[], encode).len(), 1);
}
