use super::*;
use crate::triage::detection::Class;

fn at(s: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + s).expect("a time in this century")
}

/// 640 × 360 pixels; `grey` gives the grey level of each.
fn picture(grey: impl Fn(u32, u32) -> u8) -> Picture {
    let rgb: Vec<u8> = (0..640 * 360).flat_map(|i| [grey(i % 640, i / 640); 3]).collect();
    Picture::from_rgb(640, 360, &rgb).expect("sizes fit")
}

/// Sky over hills, with trees of varying brightness. `edge`: the row of the skyline in each column.
fn hills(edge: impl Fn(u32) -> u32) -> Sketch {
    Sketch::of(&picture(|x, y| {
        if y < edge(x) { 200 - (y / 8) as u8 } else { 60 + (x / 16 % 5 * 8) as u8 }
    }))
}

#[test]
fn the_skyline_is_where_most_of_the_picture_turns_dark() {
    for (what, sketch, expected) in [
        ("flat land", hills(|_| 180), Some(0.5)),
        (
            "a ridge that rises from a third to two thirds",
            hills(|x| 240 - x * 120 / 640),
            Some(0.5),
        ),
        (
            "a mast before it",
            hills(|x| if (300..330).contains(&x) { 0 } else { 96 }),
            Some(96.0 / 360.0),
        ),
        ("a valley seen from above: no sky", hills(|_| 0), None),
        ("fog", Sketch::of(&picture(|_, y| 200 - (y / 6) as u8)), None),
        ("a night without a moon", Sketch::of(&picture(|_, _| 16)), None),
    ] {
        let found = skyline(&sketch);
        let near =
            found.zip(expected).is_some_and(|(a, b)| (a - b).abs() <= 0.025) || found == expected;
        assert!(near, "{what}: {found:?}, expected {expected:?}");
    }
}

#[test]
fn the_tiles_lie_around_the_skyline_inside_the_picture() {
    for (skyline, expected) in [(None, 50), (Some(0.5), 67), (Some(0.05), 0), (Some(0.98), 100)] {
        let tiles = Tiles::new(skyline).all();
        assert_eq!(tiles.map(|tile| tile.y), [expected; 3], "{skyline:?}");
        assert_eq!(
            tiles.map(|tile| (tile.x, tile.w, tile.h)),
            [(0, 100, 100), (50, 100, 100), (100, 100, 100)]
        );
    }
}

#[test]
fn three_pictures_with_a_skyline_decide_where_the_tiles_lie_and_then_they_stay() {
    let mut tiles = Tiles::new(None);
    let fog = Sketch::of(&picture(|_, _| 180));
    for (what, sketch, moves, expected) in [
        ("a first picture", &hills(|_| 288), false, 50),
        ("fog says nothing", &fog, false, 50),
        ("a cloud's edge is one voice", &hills(|_| 40), false, 50),
        ("the third decides", &hills(|_| 288), true, 100),
        ("and stays", &hills(|_| 40), false, 100),
    ] {
        assert_eq!(tiles.find_band(sketch), moves, "{what}");
        assert_eq!(tiles.all()[0].y, expected, "{what}");
    }
    let mut surveyed = Tiles::new(Some(0.2));
    let moved = (0..6).any(|_| surveyed.find_band(&hills(|_| 288)));
    assert!(!moved, "the register knows better");
}

#[test]
fn suspicion_change_and_time_choose_the_tiles() {
    let still = Wish { is_suspected: false, is_plain: false, change: 0, ago: 1 };
    let windy = |change, ago| Wish { change, ago, ..still };
    let suspected = Wish { is_suspected: true, ..still };
    let sky = Wish { is_plain: true, ..windy(90, 3) };
    let overdue = |ago| Wish { ago, ..still };
    for (what, wishes, most, expected) in [
        ("nothing has changed", [still; 3], 3, &[][..]),
        ("plain sky, however it changes", [sky, still, sky], 3, &[]),
        ("the one that changed", [still, windy(3, 1), still], 3, &[1]),
        ("the suspected one first", [windy(200, 5), suspected, windy(40, 2)], 2, &[1, 0]),
        (
            "who changed as much, and waited longer",
            [windy(10, 1), windy(10, 4), windy(10, 2)],
            1,
            &[1],
        ),
        (
            "who changed more, and waited as long",
            [windy(10, 2), windy(9, 2), windy(50, 2)],
            1,
            &[2],
        ),
        ("nobody is passed over for ever", [suspected, overdue(6), overdue(7)], 3, &[2, 1, 0]),
        ("not even the sky", [Wish { ago: 6, ..sky }, suspected, still], 1, &[0]),
        ("no room", [suspected, overdue(9), windy(99, 5)], 0, &[]),
    ] {
        assert_eq!(choose(&wishes, most), expected, "{what}");
    }
}

/// The left edges of the tiles chosen at each look. Something moves in the columns that `moves`
/// names.
fn looked_at(tiles: &mut Tiles, looks: i64, moves: impl Fn(u32, i64) -> bool) -> Vec<Vec<u8>> {
    let look = |i: i64| {
        let moving = |x, y| (200..220).contains(&y) && moves(x, i) && i % 2 == 0;
        let grey = |x, y| if moving(x, y) { 190 } else { 60 + (x / 16 % 5 * 8) as u8 };
        tiles
            .next(&Sketch::of(&picture(grey)), at(10 * i), 1)
            .into_iter()
            .map(|tile| tile.x)
            .collect()
    };
    (0..looks).map(look).collect()
}

#[test]
fn a_still_hill_is_looked_at_in_turn_once_in_six_looks() {
    let looked = looked_at(&mut Tiles::new(None), 30, |_, _| false);
    for x in LEFTS {
        let at: Vec<usize> = (0..30).filter(|&i| looked[i].contains(&x)).collect();
        assert!(at.windows(2).all(|pair| pair[1] - pair[0] <= 8), "{x}: {at:?}");
        assert!((4..=5).contains(&at.len()), "{x}: {at:?}");
    }
}

#[test]
fn where_trees_sway_is_looked_at_more_often_and_the_rest_is_not_forgotten() {
    let looked = looked_at(&mut Tiles::new(None), 60, |x, _| x > 500);
    let times = |x: u8| looked.iter().filter(|tiles| tiles.contains(&x)).count();
    assert!(
        times(100) > 20 && times(0) >= 7 && times(50) >= 7,
        "{} {} {}",
        times(0),
        times(50),
        times(100)
    );
}

#[test]
fn a_suspected_tile_is_looked_at_again_at_once_for_two_minutes() {
    let mut tiles = Tiles::new(None);
    looked_at(&mut tiles, 3, |_, _| false);
    let smoke = |x: f32, confidence| {
        let bbox = [x, 0.4, 0.02, 0.02].into();
        Detection { class: Class::Smoke, confidence, bbox, tile: None }
    };
    let many: Vec<Detection> = (0..20).map(|_| smoke(0.9, 0.7)).chain([smoke(0.1, 0.95)]).collect();
    tiles.found(&many, at(25));
    assert_eq!(tiles.suspected.len(), SUSPECTED_MAX);
    let still = Sketch::of(&picture(|x, _| 60 + (x / 16 % 5 * 8) as u8));
    let wishes = |tiles: &Tiles, s| {
        let suspected =
            |i: usize| tiles.wish(tiles.all()[i], &tiles.seen[i], &still, at(s)).is_suspected;
        [0, 1, 2].map(suspected)
    };
    assert_eq!(wishes(&tiles, 30), [true, false, true], "the surest are remembered");
    tiles.found(&[], at(35));
    assert_eq!(
        wishes(&tiles, 145),
        [true, false, true],
        "a look that finds nothing takes nothing back"
    );
    assert_eq!(wishes(&tiles, 146), [false; 3]);
    assert_eq!(wishes(&tiles, 20), [false; 3], "nor does a clock that was set back");
}
