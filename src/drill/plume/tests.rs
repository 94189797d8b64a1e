use super::*;

fn close(found: f64, expected: f64, within: f64) {
    assert!((found - expected).abs() <= within, "{found} is not {expected}");
}

fn sum(alpha: &Alpha) -> f64 {
    alpha.values.iter().map(|&a| f64::from(a)).sum()
}

/// Expected values printed by train/plume.py: `alpha(360, 640, (320, 240), 60, 90, 0.4, 7)`.
#[test]
fn the_plume_is_the_one_of_the_training() {
    let plume = alpha(360, 640, (320.0, 240.0), 60.0, 90.0, 0.4, 7);
    close(sum(&plume), 2614.5130655, 0.05);
    close(plume.values.iter().copied().fold(0.0, f32::max).into(), 0.929272, 1e-5);
    for (row, column, expected) in [
        (240, 320, 0.0233009),
        (225, 322, 0.60324305),
        (200, 330, 0.7188683),
        (180, 340, 0.9027475),
        (150, 350, 0.3840974),
        (245, 321, 0.0),
        (100, 360, 0.0),
    ] {
        close(plume.at(column, row).into(), expected, 1e-5);
    }
}

/// The same for `alpha(180, 320, (20, 120), 30, 400, -1.1, 4294967295)`: a plume that leaves the
/// picture, with negative lattice cells.
#[test]
fn an_old_plume_that_leaves_the_picture_agrees_too() {
    let plume = alpha(180, 320, (20.0, 120.0), 30.0, 400.0, -1.1, u32::MAX);
    close(sum(&plume), 792.4036353, 0.02);
    close(plume.at(10, 100).into(), 0.7625788, 1e-5);
    close(plume.at(3, 60).into(), 0.7269486, 1e-5);
    let inside = |a: usize, size: usize, most: usize| a + size <= most;
    assert!(inside(plume.left, plume.width, 320) && inside(plume.top, plume.height, 180));
}

#[test]
fn colour_and_flicker_agree() {
    for (seed, expected) in
        [(7, [0.8010081, 0.8291337, 0.8572592]), (u32::MAX, [0.8537707, 0.87987363, 0.90597665])]
    {
        colour(seed).iter().zip(expected).for_each(|(c, e)| close(*c, e, 1e-6));
    }
    close(flicker(90.0), 1.0211852833570663, 1e-12);
}

#[test]
fn before_it_begins_there_is_nothing() {
    for age_s in [-10.0, 0.0] {
        assert_eq!(alpha(360, 640, (320.0, 240.0), 60.0, age_s, 0.4, 7).values, [0.0f32; 0]);
    }
}

#[test]
fn the_plume_is_mixed_over_the_picture_and_nowhere_else() {
    let ground = Picture::from_rgb(640, 360, &[60, 90, 50].repeat(640 * 360)).expect("sizes fit");
    let plume = Plume { foot: (0.5, 2.0 / 3.0), scale: 1.0 / 6.0, wind: 0.4, seed: 7 };
    assert_eq!(composite(&ground, &plume, 0.0), ground);
    let smoke = composite(&ground, &plume, 90.0).to_rgb();
    let pixel =
        |x: usize, y: usize| -> [u8; 3] { std::array::from_fn(|c| smoke[(y * 640 + x) * 3 + c]) };
    let untouched = ground.to_rgb();
    assert_eq!(pixel(10, 10), [untouched[0], untouched[1], untouched[2]]);
    // The ground is dark, so smoke gets 0.45 of daylight. At (180, 340) smoke covers 0.9027 of the
    // ground.
    for (c, ground) in [60.0, 90.0, 50.0].into_iter().enumerate() {
        let expected = 0.0973 * ground + 0.9027 * 255.0 * colour(7)[c] * 0.45 * flicker(90.0);
        close(pixel(340, 180)[c].into(), expected, 4.0);
    }
}

#[test]
fn the_skyline_is_where_the_sky_ends() {
    let rgb: Vec<u8> =
        (0..360).flat_map(|y| [if y < 150 { 220 } else { 70 }].repeat(640 * 3)).collect();
    let picture = Picture::from_rgb(640, 360, &rgb).expect("sizes fit");
    close(Small(picture.resized(Small::WIDTH, Small::HEIGHT)).skyline(0.5), 150.0 / 360.0, 0.02);
}

#[test]
fn a_drill_stands_on_the_darkest_ground() {
    // Sky, snow, and a dark wood on the right from 60 % of the width.
    let level = |x: usize, y: usize| {
        if y < 100 {
            220u8
        } else if x < 384 {
            190
        } else {
            50
        }
    };
    let rgb: Vec<u8> =
        (0..360).flat_map(|y| (0..640).flat_map(move |x| [level(x, y); 3])).collect();
    let picture = Picture::from_rgb(640, 360, &rgb).expect("sizes fit");
    // Half a box of background may cross the edge of the wood.
    for seed in 0..20 {
        let (x, y) = Plume::on_terrain(&picture, seed).foot;
        assert!((0.57..0.86).contains(&x) && (0.37..0.93).contains(&y), "seed {seed}: {x} {y}");
    }
}
