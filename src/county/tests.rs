//! Stories of a small county: nine square grids of about five kilometres, three townships from south to north.

mod places;

use super::*;
use crate::lang::Lang;
use crate::triage::event::Place;
use crate::triage::geo::{Fix, FixMethod};
use crate::triage::policy::Role;
use crate::triage::sighting::Label;
use std::fs;
use std::path::Path;

fn at(lat: f64, lon: f64) -> LatLon {
    LatLon::new(lat, lon).expect("a place")
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// 14:00 on 21 November in the county.
fn now() -> Timestamp {
    time("2026-11-21T06:00:00Z")
}

fn square(south: f64, west: f64, size: f64) -> Area {
    let corners = [(0.0, 0.0), (0.0, size), (size, size), (size, 0.0)];
    Area::from_rings(vec![corners.map(|(up, right)| at(south + up, west + right)).to_vec()]).expect("a ring")
}

fn person(id: &str, post: Post, grid: Option<&str>, township: Option<&str>) -> Person {
    Person {
        id: id.into(),
        name: format!("{id}先生"),
        phone: Some(format!("1900000{:04}", id.bytes().fold(0, |n, byte| (n * 31 + u32::from(byte)) % 10_000))),
        post,
        grid: grid.map(Into::into),
        village: None,
        township: township.map(str::to_owned),
    }
}

fn duty(date: &str, role: Role, township: Option<&str>, grid: Option<&str>, person: &str) -> Duty {
    Duty {
        date: date.parse().expect("a date"),
        role,
        township: township.map(str::to_owned),
        grid: grid.map(Into::into),
        person: person.into(),
    }
}

fn county() -> County {
    let mut county = County {
        name: "云溪县".to_owned(),
        outline: Some(square(28.0, 110.0, 0.15)),
        neighbours: vec![
            Neighbour { name: "北县".to_owned(), direction_deg: 0.0, phone: Some("19000000000".to_owned()) },
            Neighbour { name: "南县".to_owned(), direction_deg: 180.0, phone: None },
        ],
        ..County::default()
    };
    for (row, township) in ["南乡", "中镇", "北乡"].into_iter().enumerate() {
        for column in 0..3 {
            let code = format!("G{row}{column}");
            county.people.push(person(&format!("A{row}{column}"), Post::RangerA, Some(&code), None));
            county.people.push(person(&format!("B{row}{column}"), Post::RangerB, Some(&code), None));
            county.grids.push(Grid {
                id: code.as_str().into(),
                name: format!("{column}号网格"),
                village: format!("{township}村"),
                township: township.to_owned(),
                area: square(28.0 + 0.05 * row as f64, 110.0 + 0.05 * f64::from(column), 0.05),
            });
        }
        county.people.push(person(&format!("T{row}"), Post::TownshipOfficer, None, Some(township)));
    }
    county
        .people
        .push(Person {
            village: Some("中镇村".to_owned()), ..person("V1", Post::VillageChief, None, Some("中镇"))
        });
    county
        .people
        .extend([person("C1", Post::CountyOfficer, None, None), person("C22", Post::CountyOfficer, None, None)]);
    county.people.push(person("L1", Post::Leader, None, None));
    county
}

fn fix(lat: f64, lon: f64, radius_m: f64) -> Fix {
    Fix { centre: at(lat, lon), radius_m, method: FixMethod::Satellite, spread: None }
}

fn ids(people: &[PersonId]) -> Vec<&str> {
    people.iter().map(PersonId::as_str).collect()
}

#[test]
fn who_stands_in_today_goes_instead() {
    let mut county = county();
    county.duties.push(duty("2026-11-21", Role::Ranger, None, Some("G11"), "B22"));
    let fire = fix(28.075, 110.075, 375.0);
    assert_eq!(ids(&county.place(&fire, &[], now()).suggested)[..2], ["B22", "B11"]);
    let tomorrow = now() + jiff::SignedDuration::from_hours(24);
    assert_eq!(ids(&county.place(&fire, &[], tomorrow).suggested)[..2], ["A11", "B11"]);
}

#[test]
fn nobody_without_a_phone_is_suggested_first() {
    let mut county = county();
    for person in &mut county.people {
        if person.id.as_str() == "A11" {
            person.phone = None;
        }
    }
    let suggested = county.place(&fix(28.075, 110.075, 375.0), &[], now()).suggested;
    assert_eq!(ids(&suggested)[0], "B11");
    assert_eq!(ids(&suggested).last(), Some(&"A11"));
}

fn told(county: &County, roles: &[Role], place: &Place) -> Vec<String> {
    let ranger = "A11".into();
    county.recipients(roles, place, Some(&ranger), now()).into_iter().map(|r| r.person.to_string()).collect()
}

#[test]
fn roles_are_todays_people() {
    let mut county = county();
    county.duties.extend([
        duty("2026-11-21", Role::CountyDuty, None, None, "C22"),
        duty("2026-11-22", Role::CountyDuty, None, None, "C1"),
    ]);
    let place = county.place(&fix(28.075, 110.075, 375.0), &[], now());
    let ladder = [
        Role::Ranger,
        Role::BackupRanger,
        Role::VillageChief,
        Role::TownshipDuty,
        Role::CountyDuty,
        Role::CountyLeader,
    ];
    assert_eq!(told(&county, &ladder, &place), ["A11", "B11", "V1", "T1", "C22", "L1"]);
    let nearly_midnight = time("2026-11-21T15:59:59Z");
    assert_eq!(county.duty(Role::CountyDuty, None, nearly_midnight).map(|p| p.id.as_str()), Some("C22"));
    let midnight = time("2026-11-21T16:00:00Z");
    assert_eq!(county.duty(Role::CountyDuty, None, midnight).map(|p| p.id.as_str()), Some("C1"));
}

#[test]
fn a_missing_role_goes_one_rung_up_and_nobody_is_told_twice() {
    let mut county = county();
    county.people.retain(|person| !matches!(person.post, Post::VillageChief | Post::TownshipOfficer));
    let place = county.place(&fix(28.075, 110.075, 375.0), &[], now());
    assert_eq!(told(&county, &[Role::VillageChief, Role::TownshipDuty], &place), ["C1"]);
    county.people.retain(|person| person.post != Post::CountyOfficer);
    assert_eq!(told(&county, &[Role::VillageChief, Role::TownshipDuty], &place), ["L1"]);
    assert_eq!(told(&County::default(), &[Role::Ranger, Role::CountyDuty], &Place::default()), Vec::<String>::new());
}

#[test]
fn gaps_are_seen_a_day_ahead() {
    let mut county = county();
    for date in ["2026-11-21", "2026-11-22"] {
        county.duties.push(duty(date, Role::CountyDuty, None, None, "C1"));
        for (row, township) in ["南乡", "中镇", "北乡"].into_iter().enumerate() {
            county.duties.push(duty(date, Role::TownshipDuty, Some(township), None, &format!("T{row}")));
        }
    }
    county.duties.push(duty("2026-11-21", Role::CountyLeader, None, None, "L1"));
    county.people.retain(|person| person.id.as_str() != "B02");
    let shared = county.people[0].phone.clone();
    county.people[1].phone = shared;
    let day: jiff::civil::Date = "2026-11-22".parse().expect("a date");
    assert_eq!(
        county.gaps(now()),
        [
            Gap::NoDuty { date: day, role: Role::CountyLeader, township: None },
            Gap::NoRanger {
                grid: "G02".into(), name: "南乡南乡村 2号网格".to_owned(), missing: vec![Post::RangerB]
            },
            Gap::SharedPhone { people: vec!["A00先生（A00）".to_owned(), "B00先生（B00）".to_owned()] },
        ]
    );
    county.duties.push(duty("2026-11-22", Role::CountyLeader, None, None, "nobody"));
    assert!(county.gaps(now()).contains(&Gap::UnknownPerson { person: "nobody".into() }));
    assert_eq!(County::default().gaps(now())[0], Gap::NoGrids);
}

fn options(replace: bool) -> ImportOptions {
    ImportOptions { dry_run: false, replace, lang: Lang::Zh, now: now() }
}

fn bring(kind: Kind, text: &str, dir: &Path, options: &ImportOptions) -> crate::error::Result<ImportReport> {
    let file = dir.join("名册.csv");
    fs::write(&file, text).expect("a file");
    import(kind, &file, &dir.join("registers"), options)
}

#[test]
fn the_office_brings_a_sheet_and_the_registers_know_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let registers = Registers::load(&dir.path().join("registers")).expect("empty registers work");
    assert_eq!(*registers.current(), County::default());
    assert!(!registers.reload_if_changed().expect("nothing to read"));

    let sheet = "姓名,编号,岗位,网格,电话\n向某,R1,A角,G1,19000000001\n田某,R2,B角,G1,12\n彭某,R1,B角,G1,\n";
    let report = bring(Kind::People, sheet, dir.path(), &options(false)).expect("a sheet of people");
    assert_eq!(report.accepted, 1);
    let lines: Vec<u64> = report.rejected.iter().map(|row| row.line).collect();
    assert_eq!(lines, [3, 4], "the short number and the repeated id: {report:?}");

    assert!(registers.reload_if_changed().expect("good files"));
    let current = registers.current();
    assert_eq!(current.people.len(), 1);
    assert_eq!(current.person(&"R1".into()).map(|p| p.name.as_str()), Some("向某"));
    let originals: Vec<_> = fs::read_dir(dir.path().join("registers/originals")).expect("kept").flatten().collect();
    assert_eq!(originals.len(), 1);
    assert_eq!(fs::read_to_string(originals[0].path()).expect("readable"), sheet);
    assert_eq!(originals[0].file_name(), "20261121-140000-名册.csv");
}

#[test]
fn a_rejected_row_never_costs_the_entry_it_had() {
    let dir = tempfile::tempdir().expect("a folder");
    let good = "编号,姓名,岗位,网格\nR1,向某,A角,G1\nR2,田某,B角,G1\n";
    bring(Kind::People, good, dir.path(), &options(false)).expect("good rows");
    let people = || Registers::load(&dir.path().join("registers")).expect("good files").current().people.clone();

    let one_bad = "编号,姓名,岗位,网格\nR1,,A角,G1\nR3,彭某,A角,G2\n";
    let report = bring(Kind::People, one_bad, dir.path(), &options(true)).expect("rows");
    assert_eq!((report.accepted, report.rejected.len()), (1, 1));
    assert_eq!(people().len(), 3, "nobody left: {:?}", report.warnings);

    let report =
        bring(Kind::People, "编号,姓名,岗位,网格\nR3,彭某,A角,G2\n", dir.path(), &options(true)).expect("rows");
    assert_eq!(people().len(), 1);
    assert!(report.warnings[0].contains("R1"), "{:?}", report.warnings);
}

#[test]
fn a_dry_run_leaves_no_trace() {
    let dir = tempfile::tempdir().expect("a folder");
    let dry = ImportOptions { dry_run: true, ..options(false) };
    let report = bring(Kind::HeatSources, "名称,经度,纬度,有效期至\n砖厂,110.4,28.5,2027-01-01\n", dir.path(), &dry);
    assert_eq!(report.expect("a row").accepted, 1);
    assert!(!dir.path().join("registers").exists());
}

#[test]
fn a_file_of_another_kind_is_refused_by_name() {
    let dir = tempfile::tempdir().expect("a folder");
    let error = bring(Kind::People, "<html>登录</html>", dir.path(), &options(false)).expect_err("no sheet");
    assert!(error.message.contains("名册.csv") && error.message.contains("编号"), "{}", error.message);
    let error = bring(Kind::Grids, "编号,姓名\n", dir.path(), &options(false)).expect_err("no GeoJSON");
    assert!(error.message.contains("GeoJSON"), "{}", error.message);
}

#[test]
fn a_broken_file_keeps_the_county_as_it_was() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("county.toml"), "name = \"云溪县\"\ncentre = { lat_deg = 28.5, lon_deg = 110.4 }\n")
        .expect("ok");
    let registers = Registers::load(dir.path()).expect("good files");
    assert_eq!(registers.current().name, "云溪县");
    fs::write(dir.path().join("county.toml"), "name = \"云溪县\"\noutline = \"missing.geojson\"\n").expect("ok");
    let error = registers.reload_if_changed().expect_err("no such outline");
    assert!(error.message.contains("missing.geojson"), "{}", error.message);
    assert_eq!(registers.current().centre, LatLon::new(28.5, 110.4));
    assert!(!registers.reload_if_changed().expect("said once"), "and is not said again until something changes");
}
