use super::*;
use crate::camera::sight::kit::panorama;
use crate::frame::Health;

const CADENCE_S: i64 = 10;
const FROZEN_AFTER: SignedDuration = SignedDuration::from_mins(5);
/// Where the patrol stops, and where it passes.
const NORTH: i64 = 0;
const EAST: i64 = 500;
const SOUTH: i64 = 1000;
const BETWEEN: [i64; 3] = [250, 750, 1300];

struct Camera {
    patrol: Patrol,
    now_s: i64,
}

impl Camera {
    fn with(presets: &[&str]) -> Self {
        let presets = presets.iter().map(|it| PoseId::from(*it)).collect();
        Self { patrol: Patrol::new(presets, &[]), now_s: 0 }
    }

    fn look(&mut self, picture: &Picture) -> Option<PoseId> {
        self.now_s += CADENCE_S;
        let at = Timestamp::from_second(1_790_000_000 + self.now_s).expect("a time");
        let small = || Arc::new(picture.clone());
        self.patrol.look(&Measurements::at(picture), at, FROZEN_AFTER, small)
    }

    /// A new picture every time: a sensor has noise.
    fn see(&mut self, direction: i64) -> Option<PoseId> {
        self.look(&panorama(direction, 1.0 + (self.now_s % 7) as f32 / 200.0, 0.0))
    }

    /// One round with `looks` at each stop; the poses of the last look at each.
    fn round(&mut self, looks: usize) -> [Option<PoseId>; 3] {
        [NORTH, EAST, SOUTH].map(|stop| {
            let last = (0..looks).map(|_| self.see(stop)).last().flatten();
            assert_eq!(self.see(BETWEEN[(stop / 500) as usize]), None, "it turns");
            last
        })
    }

    fn name(&mut self, view: u32, preset: &str) {
        self.patrol.name(vec![ViewName { view, preset: Some(preset.into()) }]);
    }

    fn health(&self) -> Option<Health> {
        self.patrol.fault().map(|fault| fault.health())
    }
}

fn poses(names: [&str; 3]) -> [Option<PoseId>; 3] {
    names.map(|name| Some(name.into()))
}

#[test]
fn views_are_found_by_themselves_and_named_by_the_office() {
    let mut camera = Camera::with(&["north", "east", "south"]);
    assert_eq!(camera.round(3), poses(["?1", "?2", "?3"]));
    assert_eq!(camera.health(), Some(Health::Ok), "no fault, and the office is told what to do");
    camera.name(2, "east");
    assert_eq!(camera.round(3), poses(["?1", "east", "?3"]));
    assert_eq!(camera.patrol.fault(), None);
    camera.patrol.has_presets(BTreeSet::from(["north".into()]));
    assert_eq!(camera.round(3), poses(["?1", "?2", "?3"]), "a preset that left the register");
    let board = camera.patrol.board();
    // Three turns a round, and three arrivals where it had never been seen.
    assert_eq!((board.views.len(), board.turning, board.unclear), (3, 3 * 3 + 3, 0));
}

#[test]
fn a_camera_that_comes_by_none_of_its_presets_for_an_hour_is_told() {
    let mut camera = Camera::with(&["north", "east"]);
    camera.round(3);
    camera.name(1, "north");
    for n in 0..400 {
        camera.look(&panorama(NORTH, 0.1 + (n % 5) as f32 / 200.0, 0.0));
    }
    assert_eq!(camera.patrol.fault(), None, "by night nobody knows");
    (0..355).for_each(|_| drop(camera.see(EAST)));
    assert_eq!(camera.patrol.fault(), None, "not yet an hour");
    (0..10).for_each(|_| drop(camera.see(EAST)));
    assert_eq!(camera.health(), Some(Health::Moved));
    assert_eq!(camera.see(NORTH), Some("north".into()));
    assert_eq!(camera.patrol.fault(), None, "it is back");
}

#[test]
fn a_camera_that_never_stops_is_told() {
    let mut camera = Camera::with(&["north", "east"]);
    (0..365).for_each(|n| assert_eq!(camera.see(400 * n), None));
    assert_eq!(camera.health(), Some(Health::Moved));
    assert_eq!(camera.patrol.fault(), Some(Fault::Patrol(Trouble::Restless { minutes: 60 })));
}

#[test]
fn a_picture_that_was_there_at_the_last_visit_is_not_frozen_and_one_that_stays_is() {
    let mut camera = Camera::with(&["north", "east"]);
    camera.name(1, "north");
    let (north, east) = (panorama(NORTH, 1.0, 0.0), panorama(EAST, 1.0, 0.0));
    for _ in 0..10 {
        (0..6).for_each(|_| drop(camera.look(&north)));
        (0..6).for_each(|_| drop(camera.look(&east)));
        assert_ne!(camera.health(), Some(Health::Frozen));
    }
    (0..40).for_each(|_| drop(camera.look(&east)));
    assert_eq!(camera.health(), Some(Health::Frozen));
}

#[test]
fn of_the_main_stream_only_the_view_that_is_looked_at_counts() {
    let mut camera = Camera::with(&["north", "east"]);
    camera.round(3);
    camera.name(1, "north");
    camera.see(NORTH);
    let main = |direction| Measurements::at(&panorama(direction, 1.0, 0.0).resized(1280, 720));
    assert_eq!(camera.patrol.pose_of_main(&main(NORTH)), Some("north".into()));
    for elsewhere in [EAST, BETWEEN[0]] {
        assert_eq!(camera.patrol.pose_of_main(&main(elsewhere)), None, "it has turned on");
    }
}

#[test]
fn where_nobody_can_tell_the_view_each_sight_begins_anew() {
    let mut camera = Camera::with(&["north", "east"]);
    camera.round(3);
    camera.patrol.take_over();
    let village = |lamp: usize| {
        let mut luma = vec![18u8; 320 * 180];
        (0..6).for_each(|n| luma[(90 + 5 * n) * 320 + lamp + 30 * n] = 220);
        luma.iter_mut().enumerate().for_each(|(i, y)| *y += (i * 7919 % 3) as u8);
        let spread: Vec<u8> = (0..320 * 180)
            .map(|i| [0usize, 1, 320, 321].iter().map(|by| luma[(i + by) % luma.len()]).max())
            .map(Option::unwrap_or_default)
            .chain(vec![128; 320 * 90])
            .collect();
        Picture::from_i420(320, 180, spread).expect("sizes fit")
    };
    let unclear = PoseId::unregistered(None);
    for (what, lamp, is_anew) in
        [("night falls", 20, true), ("still there", 20, false), ("it turns", 120, true)]
    {
        assert_eq!(camera.look(&village(lamp)), Some(unclear.clone()), "{what}");
        let over = camera.patrol.take_over();
        assert_eq!(over.contains(&unclear), is_anew, "{what}");
    }
}
