//! What an officer waits for: from a satellite's sighting to a committed dispatch with its text in
//! the outbox, on real SQLite (WAL, synchronous=FULL), in a county of 2,500 grids, with other
//! incidents open. Goal: 2 s on an office PC (domain rule 52). Run:
//! `cargo bench --bench sighting_to_dispatch`.

use divan::Bencher;
use huoyan::bus::Bus;
use huoyan::clock::Clock;
use huoyan::county::{Area, County, Grid, Person, Post, Registers};
use huoyan::desk::Desk;
use huoyan::store::Store;
use huoyan::triage::event::{Actor, Closure, FalseAlarm};
use huoyan::triage::geo::{LatLon, Locus};
use huoyan::triage::id::{IncidentId, SightingId};
use huoyan::triage::incident::{By, Input, State};
use huoyan::triage::policy::Policy;
use huoyan::triage::sighting::{Sighting, Source};
use jiff::{SignedDuration, Timestamp};
use std::cell::Cell;
use tokio::runtime::Runtime;
use uuid::Uuid;

fn main() {
    println!("processor: {}", huoyan::frame::cpu_flags().join(" "));
    divan::main();
}

/// Grids along each side of a square county, 0.02° apart (2 km).
const SIDE: usize = 50;
const STEP_DEG: f64 = 0.02;

#[divan::bench(args = [0, 50, 300, 1000], sample_count = 20, sample_size = 1)]
fn with_open_incidents(bencher: Bencher, open: usize) {
    files(bencher, open, 0);
}

/// Closed incidents must cost nothing: the desk reads only what has changed.
#[divan::bench(args = [0, 300, 1200], sample_count = 20, sample_size = 1)]
fn with_1000_open_and_closed_incidents(bencher: Bencher, closed: usize) {
    files(bencher, 1000, closed);
}

fn files(bencher: Bencher, open: usize, closed: usize) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let store = runtime.block_on(Store::open("sqlite", folder.path())).expect("a store");
    let clock = Clock::simulated(start());
    let registers = Registers::fixed(county());
    let policy = Policy { flood_per_minute: 1000, ..Policy::default() };
    let desk = Desk::new(store.clone(), Bus::local(), registers, policy, "森防", clock.clone());
    let sight = |n: usize| -> IncidentId {
        clock.advance(SignedDuration::from_millis(100)); // 600 a minute are no flood here
        runtime.block_on(desk.sighting(sighting(n))).expect("filed")
    };
    let officer =
        By { actor: Actor::Officer { person: "o1".into() }, action: None, happened_at: None };
    let closure = Closure {
        category: 9,
        false_alarm: Some(FalseAlarm::Unclear),
        words: String::new(),
        passed_to: None,
    };
    for n in 0..closed {
        let close = Input::Close { closure: closure.clone() };
        runtime.block_on(desk.act(sight(SIDE * SIDE - 1 - n), close, &officer)).expect("closed");
    }
    for n in 0..open {
        sight(n);
    }

    let next = Cell::new(open);
    let seen = Cell::new(None);
    bencher.bench_local(|| {
        let n = next.replace(next.get() + 1);
        seen.set(Some(sight(n)));
    });
    let last = seen.get().expect("at least one");
    let incident = runtime.block_on(store.incident(last)).expect("filed").incident;
    assert_eq!(incident.state, State::Dispatched, "the bench measured a dispatch");
}

fn start() -> Timestamp {
    "2026-04-05T06:00:00Z".parse().expect("a time")
}

/// Centre of the n-th grid.
fn centre(n: usize) -> (f64, f64) {
    (28.0 + STEP_DEG * (n / SIDE % SIDE) as f64, 110.0 + STEP_DEG * (n % SIDE) as f64)
}

fn sighting(n: usize) -> Sighting {
    let (lat, lon) = centre(n);
    Sighting {
        id: SightingId(Uuid::now_v7()),
        source: Source::Satellite {
            hotspot_key: format!("bench {n}"),
            satellite: "N20".into(),
            instrument: "VIIRS".into(),
            frp_mw: Some(4.1),
            pixels: 1,
        },
        observed_at: start(),
        locus: Locus::Disc { centre: LatLon::new(lat, lon).expect("a place"), radius_m: 375.0 },
        confidence: 0.6,
        pictures: vec![],
        drill: false,
        labels: vec![],
    }
}

fn county() -> County {
    let mut county = County { name: "试验县".into(), ..County::default() };
    for n in 0..SIDE * SIDE {
        let (lat, lon) = centre(n);
        let half = STEP_DEG / 2.0;
        let corners = [(-half, -half), (-half, half), (half, half), (half, -half), (-half, -half)];
        let ring =
            corners.map(|(dy, dx)| LatLon::new(lat + dy, lon + dx).expect("a place")).to_vec();
        let (id, village) = (format!("g{n}"), format!("{}村", n / 5));
        county.grids.push(Grid {
            id: id.as_str().into(),
            name: "1号网格".into(),
            village: village.clone(),
            township: format!("{}镇", n / 125),
            area: Area::from_rings(vec![ring]).expect("a square"),
        });
        county.people.push(Person {
            id: format!("r{n}").as_str().into(),
            name: "张三".into(),
            phone: Some(format!("138{n:08}")),
            post: Post::RangerA,
            grid: Some(id.as_str().into()),
            village: Some(village),
            township: Some(format!("{}镇", n / 125)),
        });
    }
    county
}
