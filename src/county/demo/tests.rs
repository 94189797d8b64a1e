use super::*;
use crate::county::{ImportOptions, Registers, import};
use crate::lang::Lang;
use crate::triage::geo::{Fix, FixMethod, Locus};
use crate::triage::sighting::Label;

fn now() -> Timestamp {
    "2026-11-21T06:00:00Z".parse().expect("a time")
}

#[test]
fn the_demo_county_is_one_an_office_could_keep() {
    let dir = tempfile::tempdir().expect("a folder");
    write(dir.path(), 131, now(), &["rtsp://127.0.0.1:8554/smoke".to_owned()]).expect("written");
    let county = Registers::load(dir.path()).expect("its own files").current();
    assert_eq!(county.problems, []);
    assert_eq!((county.grids.len(), county.cameras.len(), county.people.len()), (30, 13, 115));
    assert_eq!((county.heat_sources.len(), county.burns.len(), county.duties.len()), (3, 1, 16 * 8));
    assert_eq!(county.gaps(now()), [], "nobody is missing, no phone is shared");
    assert_eq!(*county, build(131, now(), &["rtsp://127.0.0.1:8554/smoke".to_owned()]).expect("the same"));
    assert!(write(dir.path(), 131, now(), &[]).is_err(), "a county is never overwritten");

    for kind in Kind::ALL {
        let options = ImportOptions { dry_run: true, replace: true, lang: Lang::Zh, now: now() };
        let report = import(kind, &dir.path().join(kind.file_name()), dir.path(), &options).expect("its own files");
        assert_eq!((report.rejected, report.warnings), (vec![], vec![]), "{kind:?}");
    }
}

#[test]
fn its_grids_tile_it_without_gap_or_overlap() {
    let county = build(7, now(), &[]).expect("a county");
    let outline = county.outline.as_ref().expect("an outline");
    let (low, high) = outline.bounds().expect("corners");
    let mut dice = Dice(1);
    for _ in 0..3000 {
        let between = |low: f64, high: f64, dice: &mut Dice| low + (high - low) * (dice.stray(0.5) + 0.5);
        let at = LatLon::new(
            between(low.lat_deg(), high.lat_deg(), &mut dice),
            between(low.lon_deg(), high.lon_deg(), &mut dice),
        )
        .expect("a place");
        let owners = county.grids.iter().filter(|grid| grid.area.contains(at)).count();
        assert_eq!(owners, usize::from(outline.contains(at)), "{at:?}");
    }
}

#[test]
fn its_hotspots_show_each_case_once() {
    let county = build(131, now(), &[]).expect("a county");
    let csv = hotspot_csv(now(), &county);
    let rows: Vec<Vec<&str>> = csv.lines().skip(1).map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0][5..7], ["2026-11-21", "525"], "UTC without leading zeros");
    let seen = now() - SignedDuration::from_mins(35);
    let cases: Vec<_> = rows
        .iter()
        .map(|row| {
            let at = LatLon::new(row[0].parse().expect("lat"), row[1].parse().expect("lon")).expect("a place");
            let fix = Fix { centre: at, radius_m: 375.0, method: FixMethod::Satellite };
            let place = county.place(&fix, now());
            let known = county.labels(&Locus::Disc { centre: at, radius_m: 375.0 }, seen, 1);
            (place.unique, place.labels.contains(&Label::OutsideCounty), known.len())
        })
        .collect();
    assert_eq!(cases, [(true, false, 0), (true, false, 0), (true, false, 1), (false, true, 0)]);
}
