//! Hotspot lists as they arrive, read by the program itself.

use huoyan::lang::Lang;
use huoyan::satellite::{Parsed, parse};
use huoyan::triage::hotspot::HotspotConfidence;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

fn read(path: &Path) -> huoyan::error::Result<Parsed> {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    parse(&bytes, &path.display().to_string(), Lang::En)
}

fn fixture(name: &str) -> huoyan::error::Result<Parsed> {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/firms").join(name))
}

/// For each list, the number of hotspots that no earlier list had.
fn new_in(lists: &[Parsed]) -> Vec<usize> {
    let mut known = HashSet::new();
    lists
        .iter()
        .map(|list| {
            list.hotspots.iter().filter(|hotspot| known.insert(hotspot.key.clone())).count()
        })
        .collect()
}

#[test]
fn a_later_list_of_the_same_day_brings_its_late_rows_only() {
    let lists = ["viirs-area.csv", "viirs-area-later.csv", "viirs-24h.csv"]
        .map(|name| fixture(name).expect(name));
    assert_eq!(
        new_in(&lists),
        [4, 2, 1],
        "a new version is no new hotspot, and N20 is N20 in the 24 h file too"
    );
    assert!(lists.iter().all(|list| list.rejected.is_empty() && list.repeated == 0));
}

#[test]
fn every_form_of_firms_is_read() {
    let modis = fixture("modis.csv").expect("MODIS");
    let levels: Vec<_> =
        modis.hotspots.iter().map(|h| (h.satellite.as_str(), h.confidence)).collect();
    assert_eq!(
        levels,
        [
            ("Terra", HotspotConfidence::Low),
            ("Terra", HotspotConfidence::Nominal),
            ("Aqua", HotspotConfidence::High),
            ("Aqua", HotspotConfidence::High),
        ]
    );
    assert_eq!(fixture("archive.csv").expect("archive").hotspots.len(), 2);
    assert_eq!(fixture("empty-window.csv").expect("a quiet day"), Parsed::default());
    let day = fixture("viirs-24h.csv").expect("24 h");
    assert!(day.hotspots.iter().all(|h| h.instrument == "VIIRS"));
}

#[test]
fn each_broken_row_is_named_and_the_others_are_read() {
    let parsed = fixture("broken-rows.csv").expect("a list");
    let lines: Vec<u64> = parsed.rejected.iter().map(|row| row.line).collect();
    assert_eq!(lines, [3, 4, 5, 6, 7, 8, 9, 10, 14]);
    assert_eq!(parsed.hotspots.len(), 3, "a stray quote costs nothing");
}

#[test]
fn what_is_no_list_is_refused() {
    for (name, word) in [
        ("wrong-key.txt", "HUOYAN_FIRMS_KEY"),
        ("maintenance.html", "web page"),
        ("landsat.csv", "Landsat"),
    ] {
        let message = fixture(name).expect_err(name).message;
        assert!(message.contains(word), "{message}");
    }
}

/// Real lists, where they are available; they may not be copied here.
#[test]
fn real_lists_of_one_day_give_21_then_11() {
    let folder: PathBuf =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/hotspots/firms");
    if !folder.is_dir() {
        eprintln!("skipped: no real lists at {}", folder.display());
        return;
    }
    let lists = ["firms_n20.csv", "firms_n20_later.csv", "firms_n21.csv"]
        .map(|name| read(&folder.join(name)).expect(name));
    assert_eq!(new_in(&lists), [21, 11, 24]);
    assert!(lists.iter().all(|list| list.rejected.is_empty()));
    assert!(read(&folder.join("firms_error.txt")).is_err());
}
