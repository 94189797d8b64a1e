//! What a new sighting costs the desk: choosing among open incidents, and folding one log.

use divan::Bencher;
use huoyan::triage;
use huoyan::triage::associate::associate;
use huoyan::triage::incident::Incident;
use huoyan::triage::policy::Policy;
use huoyan::triage::sighting::Sighting;

#[path = "../tests/it/triage_kit.rs"]
mod triage_kit;
use triage_kit::*;

fn main() {
    println!("processor: {}", huoyan::frame::cpu_flags().join(" "));
    divan::main();
}

/// Half pixels, half bearings, spread over 60 × 60 km.
fn open_incidents(count: usize) -> Vec<Incident> {
    let one = |n: usize| -> Sighting {
        let spot = place_m(
            (n * 7919 % 60_000) as f64 - 30_000.0,
            (n * 104_729 % 60_000) as f64 - 30_000.0,
        );
        let id = n as u128 + 1;
        if n.is_multiple_of(2) {
            satellite(id, start(), spot)
        } else {
            camera(id, start(), &format!("tower-{n}"), spot, (n * 37 % 360) as f64, 0.8)
        }
    };
    (0..count).map(|n| Story::opened(one(n), village(), Policy::default()).incident).collect()
}

#[divan::bench(args = [50, 1000])]
fn choose_for_a_pixel(bencher: Bencher, count: usize) {
    let (open, policy) = (open_incidents(count), Policy::default());
    let sighting = satellite(1 << 70, start(), place_m(100.0, 100.0));
    bencher.bench(|| associate(std::slice::from_ref(&sighting), open.iter(), &policy));
}

#[divan::bench(args = [50, 1000])]
fn choose_for_a_bearing(bencher: Bencher, count: usize) {
    let (open, policy) = (open_incidents(count), Policy::default());
    let sighting = camera(1 << 70, start(), "tower-x", place_m(100.0, 100.0), 42.0, 0.8);
    bencher.bench(|| associate(std::slice::from_ref(&sighting), open.iter(), &policy));
}

#[divan::bench]
fn fold_an_unanswered_night(bencher: Bencher) {
    let mut story = Story::dispatched();
    for n in 2..40 {
        story.see(satellite(n, at(n as f64), place_m(10.0 * n as f64, 0.0)));
    }
    story.until(600.0);
    bencher.bench(|| Incident::from_log(&story.incident.log));
}
