use super::*;
use crate::county::{Grid, Post, Registers, import};
use crate::lang::Lang;
use crate::register::{Author, Change, History};
use crate::triage::geo::{Fix, FixMethod, Locus};
use crate::triage::policy::Role;
use crate::triage::sighting::Label;
use std::collections::BTreeSet;

fn now() -> Timestamp {
    "2026-11-21T06:00:00Z".parse().expect("a time")
}

#[test]
fn the_demo_county_is_one_an_office_could_keep() {
    let dir = tempfile::tempdir().expect("a folder");
    write(dir.path(), 131, now(), &["rtsp://127.0.0.1:8554/smoke".to_owned()]).expect("written");
    let county = Registers::load(dir.path(), now()).expect("its own files").current();
    assert_eq!(county.problems, []);
    assert_eq!((county.grids.len(), county.cameras.len(), county.people.len()), (418, 15, 963));
    assert_eq!(
        (county.heat_sources.len(), county.burns.len(), county.duties.len()),
        (3, 1, 16 * 12)
    );
    let turning: Vec<_> = county.cameras.iter().filter(|it| it.id == "cam08".into()).collect();
    assert!(turning.len() == 3 && crate::county::is_turning(&turning), "one of them turns");
    assert_eq!(county.gaps(now()), [], "nobody is missing, no phone is shared");
    assert_eq!(
        *county,
        build(131, now(), &["rtsp://127.0.0.1:8554/smoke".to_owned()]).expect("the same")
    );
    assert!(write(dir.path(), 131, now(), &[]).is_err(), "a county is never overwritten");

    let (by, facts) = (Author::Account("office".to_owned()), county.entries().facts());
    let mut history = History::default();
    history.push(Change { number: 1, at: now(), by, why: String::new(), facts });
    for register in Register::ALL.into_iter().skip(1) {
        let name = register.file_name();
        let bytes = std::fs::read(dir.path().join(name)).expect("a file");
        let (report, facts) =
            import(register, name, &bytes, &history, true, now(), Lang::Zh).expect("its own files");
        assert_eq!(
            (report.rejected, report.warnings, facts),
            (vec![], vec![], vec![]),
            "{register:?}"
        );
    }
}

#[test]
fn its_grids_are_as_wide_as_real_ones_and_light_enough_for_every_board() {
    for seed in [1, 7, 131] {
        let county = build(seed, now(), &[]).expect("a county");
        for grid in &county.grids {
            let (low, high) = grid.area.bounds().expect("corners");
            let south_east = LatLon::new(low.lat_deg(), high.lon_deg()).expect("a place");
            for width_m in [low.distance_m(south_east), south_east.distance_m(high)] {
                assert!(
                    (1200.0..2600.0).contains(&width_m),
                    "{} is {width_m:.0} m wide",
                    grid.full_name()
                );
            }
        }
        let bytes = county.grids_geojson().to_string().len();
        assert!(bytes < 150_000, "{bytes} bytes");
    }
}

#[test]
fn everybody_who_may_be_told_is_there_once() {
    let county = build(131, now(), &[]).expect("a county");
    let names: BTreeSet<String> = county.grids.iter().map(Grid::full_name).collect();
    assert_eq!(names.len(), county.grids.len(), "no two grids are called the same");
    let phones: BTreeSet<&str> =
        county.people.iter().filter_map(|person| person.phone.as_deref()).collect();
    assert_eq!(phones.len(), county.people.len());
    let neighbours = county.neighbours.iter().filter_map(|neighbour| neighbour.phone.as_deref());
    assert_eq!(neighbours.filter(|phone| phones.contains(phone)).count(), 0);
    assert_eq!(county.neighbours.iter().filter(|neighbour| neighbour.phone.is_some()).count(), 4);

    for grid in &county.grids {
        let middle = grid.area.centroid().expect("corners");
        let fix =
            Fix { centre: middle, radius_m: 100.0, method: FixMethod::Satellite, spread: None };
        let place = county.place(&fix, &[], now());
        let roles = [Role::Ranger, Role::BackupRanger, Role::VillageChief, Role::TownshipDuty];
        let told = county.recipients(&roles, &place, None, now());
        assert_eq!(
            told.iter().map(|recipient| recipient.role).collect::<Vec<_>>(),
            roles,
            "{}",
            grid.full_name()
        );
        let posts =
            told.iter().filter_map(|recipient| Some(county.person(&recipient.person)?.post));
        assert!(
            posts.eq([Post::RangerA, Post::RangerB, Post::VillageChief, Post::TownshipOfficer]),
            "{}: {told:?}",
            grid.full_name()
        );
    }
}

#[test]
fn its_villages_are_those_of_one_township_and_of_a_walk() {
    let county = build(131, now(), &[]).expect("a county");
    let mut villages: Vec<(&str, &str)> =
        county.grids.iter().map(|grid| (grid.township.as_str(), grid.village.as_str())).collect();
    villages.dedup();
    let named: BTreeSet<&(&str, &str)> = villages.iter().collect();
    assert_eq!(
        (named.len(), villages.len()),
        (90, 90),
        "each village is in one piece, its name once in its township"
    );
    assert_eq!(villages.iter().map(|(township, _)| township).collect::<BTreeSet<_>>().len(), 10);
    for village in villages {
        let grids = county
            .grids
            .iter()
            .filter(|grid| (grid.township.as_str(), grid.village.as_str()) == village);
        let names: Vec<&str> = grids.map(|grid| grid.name.as_str()).collect();
        assert!((4..=9).contains(&names.len()) && names[0] == "1号网格", "{village:?}: {names:?}");
    }
}

#[test]
fn its_grids_tile_it_without_gap_or_overlap() {
    let county = build(7, now(), &[]).expect("a county");
    let outline = county.outline.as_ref().expect("an outline");
    let (low, high) = outline.bounds().expect("corners");
    let mut dice = Dice(1);
    for _ in 0..3000 {
        let between =
            |low: f64, high: f64, dice: &mut Dice| low + (high - low) * (dice.stray(0.5) + 0.5);
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
            let at = LatLon::new(row[0].parse().expect("lat"), row[1].parse().expect("lon"))
                .expect("a place");
            let fix =
                Fix { centre: at, radius_m: 375.0, method: FixMethod::Satellite, spread: None };
            let place = county.place(&fix, &[], now());
            let known = county.labels(&Locus::Disc { centre: at, radius_m: 375.0 }, seen);
            (place.unique, place.labels.contains(&Label::OutsideCounty), known.len())
        })
        .collect();
    assert_eq!(
        cases,
        [(true, false, 0), (true, false, 0), (true, false, 1), (false, false, 0), (false, true, 0)],
        "in a grid, near it, on a kiln, on a border, abroad"
    );
}
