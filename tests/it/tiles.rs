//! Whole and in tiles: a network with known answers (smoke = brighter than the past; a quarter of
//! the picture is one cell) finds in a tile what the whole view loses.

use crate::detect::{config, model};
use huoyan::config::{DetectConfig, Tiles};
use huoyan::detect::{Detector, Worker};
use huoyan::drill::DrillBoard;
use huoyan::engine::{Analyst, Seen, Tuning};
use huoyan::frame::{Frame, Picture, StatusBoard};
use huoyan::triage::detection::{BoundingBox, Stream, Tile};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where the tiles lie in a picture without a skyline.
const LEFT: Tile = Tile { x: 0, y: 50, w: 100, h: 100 };
const MIDDLE: Tile = Tile { x: 50, y: 50, w: 100, h: 100 };
const RIGHT: Tile = Tile { x: 100, y: 50, w: 100, h: 100 };

/// One camera, looked at every ten seconds.
struct Camera {
    analyst: Analyst,
    worker: Worker,
    now: Timestamp,
}

impl Camera {
    fn new(tiles: Tiles, skyline: Option<f32>) -> Self {
        let folder = model("heatmap", |text| text);
        let detector = Detector::load(folder.path(), &DetectConfig { tiles, ..config() })
            .expect("the model loads");
        let tuning = Tuning::new(detector.thresholds().clone());
        let skylines = skyline.map(|it| (("north".into(), "default".into()), it));
        let analyst =
            Analyst::new(&detector, tuning, DrillBoard::default(), StatusBoard::default())
                .with_skylines(BTreeMap::from_iter(skylines));
        let worker = detector.session().expect("a session opens");
        Self { analyst, worker, now: "2026-03-05T04:00:00Z".parse().expect("a time") }
    }

    fn look(&mut self, picture: &Arc<Picture>) -> Seen {
        self.look_at(picture, Stream::Screened)
    }

    fn look_at(&mut self, picture: &Arc<Picture>, stream: Stream) -> Seen {
        self.now += SignedDuration::from_secs(10);
        let (camera, pose, picture) = ("north".into(), "default".into(), Arc::clone(picture));
        let frame = Frame { camera, pose, captured_at: self.now, picture, stream };
        let mut seen = self.analyst.look(&mut self.worker, &frame).expect("it runs");
        assert_eq!(seen.len(), 1);
        seen.remove(0)
    }
}

/// A textured hill of 128 × 128 with a spot of an eighth of its width at the given place.
fn hill(spot: Option<(u32, u32)>) -> Arc<Picture> {
    let is_smoke = |x: u32, y: u32| {
        spot.is_some_and(|(sx, sy)| (sx..sx + 16).contains(&x) && (sy..sy + 16).contains(&y))
    };
    let grey = |x, y| if is_smoke(x, y) { 230 } else { 56 + (x / 8 % 2 * 8) as u8 };
    let rgb: Vec<u8> = (0..128 * 128).flat_map(|i| [grey(i % 128, i / 128); 3]).collect();
    Arc::new(Picture::from_rgb(128, 128, &rgb).expect("sizes fit"))
}

#[test]
fn smoke_that_the_whole_view_loses_is_found_in_the_tile_that_holds_it() {
    let (clear, smoky) = (hill(None), hill(Some((80, 48))));
    let story = |tiles: Tiles| {
        let mut camera = Camera::new(tiles, None);
        (0..20).for_each(|_| {
            assert_eq!(camera.look(&clear).analysis.detections, [], "nothing smokes yet")
        });
        (0..8).map(|_| camera.look(&smoky)).collect::<Vec<_>>()
    };
    let whole_alone = story(Tiles::Of(0));
    assert!(
        whole_alone
            .iter()
            .all(|seen| seen.analysis.tiles.is_empty() && seen.analysis.detections.is_empty())
    );

    let seen = story(Tiles::Of(1));
    let found: Vec<_> = seen.iter().flat_map(|seen| &seen.analysis.detections).collect();
    let tile = found[0].tile.expect("seen in a tile");
    assert!(tile == MIDDLE || tile == RIGHT, "both hold it: {tile:?}");
    let same = |a: BoundingBox, b: [f32; 4]| {
        <[f32; 4]>::from(a).iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6)
    };
    assert!(
        found.iter().all(|it| same(it.bbox, [0.625, 0.375, 0.125, 0.125])),
        "as fractions of the frame: {found:?}"
    );
    let first = seen.iter().position(|seen| !seen.analysis.detections.is_empty()).expect("found");
    let after = &seen[first..first + 3];
    let at_once =
        after.iter().all(|seen| seen.analysis.detections.iter().any(|it| it.confidence > 0.5));
    assert!(at_once, "a suspected tile is looked at again at once: {after:?}");
    assert!(
        after.iter().all(|seen| seen.analysis.scores.smoke > 0.5),
        "the frame's score is the highest of all views"
    );
    let confirmed = seen.iter().position(|seen| !seen.confirmed.is_empty()).expect("it adds up");
    assert!(confirmed <= 5, "within a minute: look {confirmed}");
    assert_eq!(*seen[confirmed].confirmed[0].picture, *smoky, "the evidence is the whole picture");
}

#[test]
fn a_tile_waits_for_its_past_and_a_still_hill_is_looked_at_in_turn() {
    let (clear, mut camera) = (hill(None), Camera::new(Tiles::Of(3), None));
    let looked: Vec<Vec<Tile>> = (0..26).map(|_| camera.look(&clear).analysis.tiles).collect();
    assert!(looked[..2].iter().all(Vec::is_empty), "its first picture is not 20 s old: {looked:?}");
    for tile in [LEFT, MIDDLE, RIGHT] {
        let at: Vec<usize> = (0..26).filter(|&i| looked[i].contains(&tile)).collect();
        assert_eq!(at, [2, 8, 14, 20], "once in six looks");
    }
}

#[test]
fn without_time_to_spare_and_on_the_main_stream_only_the_whole_is_looked_at() {
    let mut camera = Camera::new(Tiles::Of(3), None);
    (0..20).for_each(|_| drop(camera.look(&hill(None))));
    let smoky = hill(Some((80, 48)));
    let seen = camera.look_at(&smoky, Stream::Main);
    assert_eq!((seen.analysis.tiles.len(), seen.analysis.detections.len()), (0, 0));
    camera.now += SignedDuration::from_secs(10);
    let (id, pose, stream) = ("north".into(), "default".into(), Stream::Screened);
    let frame =
        Frame { camera: id, pose, captured_at: camera.now, picture: Arc::clone(&smoky), stream };
    let seen = camera.analyst.look_many(&mut camera.worker, &[frame], 0).expect("it runs");
    assert_eq!((seen[0].analysis.tiles.len(), seen[0].analysis.detections.len()), (0, 0));
    let seen = camera.look(&smoky);
    let tiles: Vec<Tile> = seen.analysis.detections.iter().filter_map(|it| it.tile).collect();
    assert_eq!(tiles, [MIDDLE, RIGHT], "what moved comes as soon as there is time: {seen:?}");
}

#[test]
fn the_register_says_where_the_skyline_is_and_the_tiles_lie_around_it() {
    let (clear, mut camera) = (hill(None), Camera::new(Tiles::Of(3), Some(0.8)));
    (0..21).for_each(|_| drop(camera.look(&clear)));
    let low = |tile: Tile| Tile { y: 100, ..tile };
    let seen = camera.look(&hill(Some((32, 96))));
    assert_eq!(seen.analysis.tiles, [LEFT, MIDDLE].map(low), "what holds it: {seen:?}");
    let tiles: Vec<_> = seen.analysis.detections.iter().map(|it| it.tile).collect();
    assert_eq!(tiles, [LEFT, MIDDLE].map(|tile| Some(low(tile))));
    assert_eq!(<[f32; 4]>::from(seen.analysis.detections[0].bbox), [0.25, 0.75, 0.125, 0.125]);
}

#[test]
fn a_skyline_written_into_the_register_moves_the_tiles_and_leaves_the_whole_its_past() {
    let (clear, mut camera) = (hill(None), Camera::new(Tiles::Of(3), None));
    let north = |camera: &Camera, skyline| {
        camera.analyst.set_skyline(&"north".into(), &"default".into(), skyline)
    };
    let tiles = |camera: &mut Camera, looks: usize| {
        let seen: Vec<Seen> = (0..looks).map(|_| camera.look(&clear)).collect();
        assert!(seen.iter().all(|it| it.analysis.has_past), "of the whole");
        seen.into_iter().flat_map(|it| it.analysis.tiles).collect::<Vec<Tile>>()
    };
    (0..20).for_each(|_| drop(camera.look(&clear)));
    assert_eq!(tiles(&mut camera, 6), [LEFT, MIDDLE, RIGHT]);
    camera.analyst.set_skyline(&"south".into(), &"default".into(), Some(0.8));
    assert_eq!(tiles(&mut camera, 6), [LEFT, MIDDLE, RIGHT], "another camera's skyline");
    north(&camera, Some(0.8));
    let low = [LEFT, MIDDLE, RIGHT].map(|tile| Tile { y: 100, ..tile });
    let moved = tiles(&mut camera, 12);
    assert!(moved.starts_with(&low) && moved.iter().all(|tile| low.contains(tile)), "{moved:?}");
    north(&camera, Some(0.8));
    assert_eq!(tiles(&mut camera, 6), low, "the same once more moves nothing");
    north(&camera, None);
    assert!(
        tiles(&mut camera, 12).starts_with(&[LEFT, MIDDLE, RIGHT]),
        "found from the pictures again"
    );
}
