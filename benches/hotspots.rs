//! What the world's FIRMS day costs: 100,000 rows read, filtered to the county, compared with what is
//! known, and stored.

use divan::Bencher;
use huoyan::county::{Area, County, Grid};
use huoyan::lang::Lang;
use huoyan::satellite::{parse, reconcile};
use huoyan::store::Store;
use huoyan::triage::geo::LatLon;
use huoyan::triage::hotspot::Hotspot;
use jiff::Timestamp;
use std::fmt::Write;

const ROWS: usize = 100_000;
const MARGIN_M: f64 = 5_000.0;

fn main() {
    println!("processor: {}", huoyan::frame::cpu_flags().join(" "));
    divan::main();
}

fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().expect("a time")
}

/// Pixels all over the world; one in a thousand lies in the county.
fn day() -> String {
    let mut list =
        "latitude,longitude,bright_ti4,scan,track,acq_date,acq_time,satellite,instrument,\
                    confidence,version,bright_ti5,frp,daynight\n"
            .to_owned();
    for n in 0..ROWS {
        let (lat, lon) = if n % 1000 == 0 {
            (28.1 + (n / 1000) as f64 * 0.004, 110.2 + (n % 7) as f64 * 0.03)
        } else {
            (
                (n * 7919 % 140_000) as f64 / 1000.0 - 60.0,
                (n * 104_729 % 360_000) as f64 / 1000.0 - 180.0,
            )
        };
        let minute = n % 1440;
        let (hour, minute) = (minute / 60, minute % 60);
        writeln!(
            list,
            "{lat:.5},{lon:.5},331.2,0.39,0.36,2026-11-21,{hour:02}{minute:02},N20,VIIRS,n,2.0NRT,290.1,4.2,N"
        )
        .expect("into a text");
    }
    list
}

fn county() -> County {
    let at = |lat, lon| LatLon::new(lat, lon).expect("a place");
    let ring = vec![at(28.0, 110.1), at(28.0, 110.5), at(28.6, 110.5), at(28.6, 110.1)];
    let grid = Grid {
        id: "G1".into(),
        name: "1".to_owned(),
        village: String::new(),
        township: "镇".to_owned(),
        area: Area::from_rings(vec![ring]).expect("a square"),
    };
    County { grids: vec![grid], ..County::default() }
}

fn ours(list: &str, county: &County) -> Vec<Hotspot> {
    let parsed = parse(list.as_bytes(), "day.csv", now(), Lang::En).expect("a list");
    let near = |it: &Hotspot| county.near(&it.locus(), MARGIN_M);
    parsed.hotspots.into_iter().filter(near).collect()
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn read_the_worlds_day(bencher: Bencher) {
    let list = day();
    bencher
        .bench(|| parse(list.as_bytes(), "day.csv", now(), Lang::En).map(|it| it.hotspots.len()));
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn read_filter_and_file_the_worlds_day(bencher: Bencher) {
    let (list, county) = (day(), county());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    bencher
        .with_inputs(|| {
            let folder = tempfile::tempdir().expect("a folder");
            let store = runtime.block_on(Store::open("sqlite", folder.path())).expect("a database");
            (folder, store)
        })
        .bench_values(|(folder, store)| {
            let filed = runtime.block_on(async {
                let known = store.hotspots_since(now(), 5_000).await.expect("read");
                let known: Vec<Hotspot> = known.into_iter().map(|it| it.hotspot).collect();
                let ours = reconcile(&known, ours(&list, &county));
                store.add_hotspots(&ours, now()).await.expect("stored").len()
            });
            assert!(filed >= ROWS / 1000, "{filed} of the county");
            folder
        });
}
