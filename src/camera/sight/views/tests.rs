use super::*;
use crate::camera::sight::kit::panorama;
use proptest::prelude::*;

fn at(s: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + s).expect("a time in this century")
}

/// What the pictures show, one every ten seconds.
fn story(views: &mut Views, pictures: &[Picture]) -> Vec<Shown> {
    let looks = pictures.iter().enumerate();
    let shown = looks.map(|(i, picture)| {
        let small = || Arc::new(picture.fitted(320, 180));
        views.observe(&Measurements::at(picture), at(10 * i as i64), small)
    });
    shown.collect()
}

fn clear(direction: i64) -> Picture {
    panorama(direction, 1.0, 0.0)
}

#[test]
fn a_view_is_known_from_the_second_look_on_and_again_from_the_first() {
    use Shown::{Turning, View};
    let mut views = Views::default();
    let directions = [0, 0, 0, 250, 500, 500, 700, 1000, 1000, 0, 0, 300, 500, 1000];
    let shown = story(&mut views, &directions.map(clear));
    assert_eq!(
        shown,
        [
            Turning, // Nothing is known of the first picture.
            View(1),
            View(1),
            Turning,
            Turning, // Arrived, where it has never been seen.
            View(2),
            Turning,
            Turning,
            View(3),
            View(1), // Known: at once.
            View(1),
            Turning,
            View(2),
            View(3),
        ]
    );
    let counts: Vec<_> =
        views.known().map(|it| (it.record.number, it.record.visits, it.record.looks)).collect();
    assert_eq!(counts, [(1, 2, 4), (2, 2, 2), (3, 2, 2)]);
}

#[test]
fn night_and_fog_are_no_view_and_no_turning() {
    let mut views = Views::default();
    story(&mut views, &[0, 0].map(clear));
    for (what, picture) in [("night", panorama(0, 0.1, 0.0)), ("fog", panorama(0, 1.0, 0.97))] {
        let shown = story(&mut views, &[picture.clone(), picture]);
        assert!(shown.iter().all(|it| matches!(it, Shown::Unclear { .. })), "{what}: {shown:?}");
    }
    assert_eq!(story(&mut views, &[clear(0)]), [Shown::View(1)], "and then it is as before");
}

#[test]
fn a_direction_beside_a_view_is_another_view() {
    for aside in [20, 40, 64, 96] {
        let mut views = Views::default();
        let shown = story(&mut views, &[0, 0, aside, aside].map(clear));
        assert_eq!(shown[3], Shown::View(2), "{aside} of 320 pixels: {shown:?}");
    }
}

#[test]
fn two_presets_that_look_alike_are_not_guessed() {
    let mut views = Views::default();
    story(&mut views, &[0, 0, 500, 500].map(clear));
    // The second view's reference becomes the first's: a camera before a wall.
    views.all[1].rounded = views.all[0].rounded.clone();
    assert_eq!(story(&mut views, &[clear(0)]), [Shown::Unclear { is_other: true }]);
    let north = |view| ViewName { view, preset: Some("north".into()) };
    [1, 2].into_iter().for_each(|view| views.name(north(view)));
    assert!(matches!(story(&mut views, &[clear(0)])[..], [Shown::View(_)]), "both are one preset");
}

#[test]
fn what_a_restart_knows_is_recognised_at_the_first_look() {
    let mut views = Views::default();
    story(&mut views, &[0, 0, 500, 500].map(clear));
    views.name(ViewName { view: 2, preset: Some("east".into()) });
    let known: Vec<KnownView> = views.known().cloned().collect();
    let mut views = Views::of(&known);
    assert_eq!(story(&mut views, &[500, 0].map(clear)), [Shown::View(2), Shown::View(1)]);
    assert_eq!(views.get(2).and_then(|it| it.record.preset.clone()), Some("east".into()));
}

#[test]
fn the_oldest_nameless_view_makes_room_and_a_named_one_never() {
    let mut views = Views::default();
    let seen = edges(&Measurements::at(&clear(0)).luma);
    let begin = |views: &mut Views, n: usize| {
        views.begin(&seen, at(n as i64), || Arc::new(clear(0)));
        assert!(views.known().count() <= VIEWS_MAX, "the bound holds");
    };
    begin(&mut views, 1);
    views.name(ViewName { view: 1, preset: Some("north".into()) });
    (2..=VIEWS_MAX).for_each(|n| begin(&mut views, n));
    assert_eq!((views.known().count(), views.take_dropped()), (VIEWS_MAX, None), "and is reached");
    begin(&mut views, VIEWS_MAX + 1);
    assert_eq!(views.take_dropped(), Some(2));
    assert!(views.get(1).is_some() && views.get(2).is_none());
}

#[test]
fn the_edges_of_hills_are_far_above_the_limit_and_those_of_fog_below() {
    let edges_of = |picture: &Picture| strength(&edges(&Measurements::at(picture).luma));
    for direction in [0, 300, 900] {
        let (hills, fog) = (edges_of(&clear(direction)), edges_of(&panorama(direction, 1.0, 0.97)));
        assert!(hills > 3.0 * EDGES_MIN && fog < EDGES_MIN / 1.5, "{hills} {fog}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever the order of visits, the light and the sway of the mast: a picture of one view is
    /// never taken for another. It may be called unknown.
    #[test]
    fn a_view_is_never_taken_for_another(
        visits in prop::collection::vec((0usize..4, 0.5f32..1.3, -3i64..=3, 0.0f32..0.6), 1..10),
    ) {
        let directions = [0i64, 260, 700, 1200];
        let mut views = Views::default();
        for direction in directions {
            story(&mut views, &[clear(direction), clear(direction)]);
        }
        for (preset, light, sway, haze) in visits {
            let picture = panorama(directions[preset] + sway, light, haze);
            if let [Shown::View(number)] = story(&mut views, &[picture])[..] {
                let own = preset as u32 + 1;
                prop_assert!(number == own || number > 4, "{number} for {own}");
            }
        }
    }
}
