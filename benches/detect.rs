//! What one analysed frame costs, with the network and without it. `cargo bench --bench detect`

use huoyan::config::{Batch, DetectConfig};
use huoyan::detect::Detector;
use huoyan::drill::{Plume, composite};
use huoyan::frame::Picture;

fn main() {
    println!("processor: {}", huoyan::frame::cpu_flags().join(" "));
    divan::main();
}

/// 1080p with some texture.
fn picture() -> Picture {
    let rgb: Vec<u8> =
        (0..1920 * 1080u32).flat_map(|i| [i as u8, (i / 1920) as u8, (i % 97) as u8]).collect();
    Picture::from_rgb(1920, 1080, &rgb).expect("sizes fit")
}

#[divan::bench]
fn shrink_1080p(bencher: divan::Bencher) {
    let picture = picture();
    bencher.bench(|| picture.resized(640, 360));
}

#[divan::bench]
fn plume_over_360p(bencher: divan::Bencher) {
    let picture = picture().resized(640, 360);
    let plume = Plume { foot: (0.5, 0.7), scale: 1.0 / 6.0, wind: 0.4, seed: 1 };
    bencher.bench(|| composite(&picture, &plume, 120.0));
}

/// The configured model. Without one, the benchmark is skipped with a message.
#[divan::bench]
fn analyse_1080p_with_past(bencher: divan::Bencher) {
    let config = DetectConfig::default();
    let picture = picture();
    match Detector::load(&config.model, &config).and_then(|detector| detector.session()) {
        Ok(mut worker) => {
            let past = worker.shrink(&picture);
            bencher
                .bench_local(|| worker.analyse(&picture, Some(&past)).expect("the network runs"));
        }
        Err(e) => eprintln!("skipped: {}", e.chain()),
    }
}

/// Several looks in one batch: on the CPU this gains nothing, on a card it should.
#[divan::bench(args = [1, 2, 4, 8])]
fn analyse_at_once(bencher: divan::Bencher, looks: usize) {
    let config = DetectConfig { batch: Batch::Of(looks), ..DetectConfig::default() };
    let picture = picture();
    match Detector::load(&config.model, &config).and_then(|detector| detector.session()) {
        Ok(mut worker) => {
            let small = worker.shrink(&picture);
            let all = vec![(&small, Some(&small)); looks];
            let bencher = bencher.counter(divan::counter::ItemsCount::new(looks));
            bencher.bench_local(|| worker.analyse_many(&all).expect("the network runs"));
        }
        Err(e) => eprintln!("skipped: {}", e.chain()),
    }
}
