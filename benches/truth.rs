//! What it costs per look to judge a camera's health. `cargo bench --bench truth`

use huoyan::camera::Sight;
use huoyan::drill::scene;
use huoyan::frame::Picture;
use jiff::{SignedDuration, Timestamp};
use std::path::Path;

fn main() {
    println!("processor: {}", huoyan::frame::cpu_flags().join(" "));
    divan::main();
}

const EVERY: SignedDuration = SignedDuration::from_secs(10);

fn judge(bencher: divan::Bencher, learnt: &Picture, seen: &Picture) {
    let mut sight = Sight::default();
    let mut at = Timestamp::UNIX_EPOCH;
    let mut look = |picture: &Picture| {
        at += EVERY;
        sight.judge(picture, at, SignedDuration::from_hours(1_000_000), None)
    };
    (0..10).for_each(|_| drop(look(learnt)));
    bencher.bench_local(|| look(seen));
}

fn view(seed: u32) -> Picture {
    scene::landscape(seed, Path::new(scene::PHOTOGRAPHS)).expect("ridges can always be drawn")
}

#[divan::bench]
fn the_usual_view_360p(bencher: divan::Bencher) {
    judge(bencher, &view(0), &view(0));
}

/// The search for a shift.
#[divan::bench]
fn another_view_360p(bencher: divan::Bencher) {
    judge(bencher, &view(0), &view(1));
}

#[divan::bench]
fn the_usual_view_1080p(bencher: divan::Bencher) {
    let large = view(0).resized(1920, 1080);
    judge(bencher, &large, &large);
}
