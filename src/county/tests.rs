//! Stories of a small county: nine square grids of about five kilometres, three townships from
//! south to north.

mod forms;
mod places;

use super::*;
use crate::lang::Lang;
use crate::register::{Author, Change, Entries, Fact, History, Register};
use crate::triage::event::Place;
use crate::triage::geo::{Fix, FixMethod};
use crate::triage::policy::Role;
use crate::triage::sighting::Label;
use std::fs;

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
    Area::from_rings(vec![corners.map(|(up, right)| at(south + up, west + right)).to_vec()])
        .expect("a ring")
}

fn person(id: &str, post: Post, grid: Option<&str>, township: Option<&str>) -> Person {
    Person {
        id: id.into(),
        name: format!("{id}先生"),
        phone: Some(format!(
            "1900000{:04}",
            id.bytes().fold(0, |n, byte| (n * 31 + u32::from(byte)) % 10_000)
        )),
        post,
        grid: grid.map(Into::into),
        village: None,
        township: township.map(str::to_owned),
    }
}

fn duty(date: &str, role: Role, township: Option<&str>, grid: Option<&str>, person: &str) -> Duty {
    Duty {
        date: date.parse().expect("a date"),
        begins: None,
        ends: None,
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
            Neighbour {
                name: "北县".to_owned(),
                direction_deg: 0.0,
                phone: Some("19000000000".to_owned()),
            },
            Neighbour { name: "南县".to_owned(), direction_deg: 180.0, phone: None },
        ],
        ..County::default()
    };
    for (row, township) in ["南乡", "中镇", "北乡"].into_iter().enumerate() {
        for column in 0..3 {
            let code = format!("G{row}{column}");
            county.people.push(person(
                &format!("A{row}{column}"),
                Post::RangerA,
                Some(&code),
                None,
            ));
            county.people.push(person(
                &format!("B{row}{column}"),
                Post::RangerB,
                Some(&code),
                None,
            ));
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
    county.people.push(Person {
        village: Some("中镇村".to_owned()),
        ..person("V1", Post::VillageChief, None, Some("中镇"))
    });
    county.people.extend([
        person("C1", Post::CountyOfficer, None, None),
        person("C22", Post::CountyOfficer, None, None),
    ]);
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
    county
        .recipients(roles, place, Some(&ranger), now())
        .into_iter()
        .map(|r| r.person.to_string())
        .collect()
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
    assert_eq!(
        county.duty(Role::CountyDuty, None, nearly_midnight).map(|p| p.id.as_str()),
        Some("C22")
    );
    let midnight = time("2026-11-21T16:00:00Z");
    assert_eq!(county.duty(Role::CountyDuty, None, midnight).map(|p| p.id.as_str()), Some("C1"));
}

#[test]
fn a_missing_role_goes_one_rung_up_and_nobody_is_told_twice() {
    let mut county = county();
    county
        .people
        .retain(|person| !matches!(person.post, Post::VillageChief | Post::TownshipOfficer));
    let place = county.place(&fix(28.075, 110.075, 375.0), &[], now());
    assert_eq!(told(&county, &[Role::VillageChief, Role::TownshipDuty], &place), ["C1"]);
    county.people.retain(|person| person.post != Post::CountyOfficer);
    assert_eq!(told(&county, &[Role::VillageChief, Role::TownshipDuty], &place), ["L1"]);
    assert_eq!(
        told(&County::default(), &[Role::Ranger, Role::CountyDuty], &Place::default()),
        Vec::<String>::new()
    );
}

#[test]
fn gaps_are_seen_a_day_ahead() {
    let mut county = county();
    for date in ["2026-11-21", "2026-11-22"] {
        county.duties.push(duty(date, Role::CountyDuty, None, None, "C1"));
        for (row, township) in ["南乡", "中镇", "北乡"].into_iter().enumerate() {
            county.duties.push(duty(
                date,
                Role::TownshipDuty,
                Some(township),
                None,
                &format!("T{row}"),
            ));
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
            Gap::NoDuty { date: day, since: None, role: Role::CountyLeader, township: None },
            Gap::NoRanger {
                grid: "G02".into(),
                name: "南乡南乡村 2号网格".to_owned(),
                missing: vec![Post::RangerB]
            },
            Gap::SharedPhone {
                people: vec!["A00先生（A00）".to_owned(), "B00先生（B00）".to_owned()]
            },
        ]
    );
    county.duties.push(duty("2026-11-22", Role::CountyLeader, None, None, "nobody"));
    assert!(county.gaps(now()).contains(&Gap::UnknownPerson { person: "nobody".into() }));
    assert_eq!(County::default().gaps(now())[0], Gap::NoGrids);
}

/// What a sheet would make of a register that holds `before`.
fn bring(
    register: Register,
    text: &str,
    before: &Entries,
    replace: bool,
) -> (ImportReport, Entries) {
    let first = before.toward(register, &[], false).is_empty();
    assert!(first, "nothing is asked of an empty sheet");
    let mut history = History::default();
    history.push(change(1, before.facts()));
    let (report, facts) =
        import(register, "名册.csv", text.as_bytes(), &history, replace, now(), Lang::Zh)
            .expect("a sheet of this register");
    history.push(change(2, facts));
    (report, history.at(now()))
}

fn change(number: u64, facts: Vec<Fact>) -> Change {
    let by = Author::Account("office".to_owned());
    Change { number, at: now(), by, why: String::new(), facts }
}

#[test]
fn the_office_brings_a_sheet_and_the_register_knows_it() {
    let sheet = "姓名,编号,岗位,网格,电话\n向某,R1,A角,G1,19000000001\n田某,R2,B角,G1,12\n彭\
        某,R1,B角,G1,\n";
    let (report, after) = bring(Register::People, sheet, &Entries::default(), false);
    assert_eq!((report.accepted, &report.diff.added), (1, &vec!["R1".to_owned()]));
    let lines: Vec<u64> = report.rejected.iter().map(|row| row.line).collect();
    assert_eq!(lines, [3, 4], "the short number and the repeated id: {report:?}");
    let county = County::of(&after, Lang::Zh);
    assert_eq!(county.person(&"R1".into()).map(|p| p.name.as_str()), Some("向某"));
}

#[test]
fn a_rejected_row_never_costs_the_entry_it_had() {
    let good = "编号,姓名,岗位,网格\nR1,向某,A角,G1\nR2,田某,B角,G1\n";
    let (_, two) = bring(Register::People, good, &Entries::default(), false);
    let one_bad = "编号,姓名,岗位,网格\nR1,,A角,G1\nR3,彭某,A角,G2\n";
    let (report, three) = bring(Register::People, one_bad, &two, true);
    assert_eq!((report.accepted, report.rejected.len()), (1, 1));
    assert_eq!(three.of(Register::People).len(), 3, "nobody left: {:?}", report.warnings);

    let (report, one) =
        bring(Register::People, "编号,姓名,岗位,网格\nR3,彭某,A角,G2\n", &three, true);
    assert_eq!(one.of(Register::People).len(), 1);
    assert!(report.warnings[0].contains("R1"), "{:?}", report.warnings);
}

#[test]
fn a_rota_names_people_and_whom_it_cannot_mean_is_said_before_the_night() {
    let people = "编号,姓名,岗位\np01,张三,县值班员\np02,李四,带班领导\np03,王五,县值班员\np04,王\
        五,县值班员\n";
    let (_, people) = bring(Register::People, people, &Entries::default(), false);
    let rota = "日期,岗位,人员\n2026-11-21,县值班,张三\n2026-11-21,带班领导,李四 \
        13800000001\n2026-11-22,县值班,王五\n\
                2026-11-23,县值班,p01、p03\n2026-11-24,县值班,赵六\n2026-11-25,县值班,p03\n";
    let (report, after) = bring(Register::Duty, rota, &people, false);
    let county = County::of(&after, Lang::Zh);
    let on = |role, now| county.duty(role, None, now).map(|person| person.id.to_string());
    assert_eq!(on(Role::CountyDuty, now()).as_deref(), Some("p01"));
    assert_eq!(on(Role::CountyLeader, now()).as_deref(), Some("p02"));
    let refused: Vec<(u64, bool)> = report
        .rejected
        .iter()
        .map(|row| {
            (row.line, ["p03", "每人一行", "没有"].iter().any(|words| row.reason.contains(words)))
        })
        .collect();
    assert_eq!(refused, [(4, true), (5, true), (6, true)], "{:?}", report.rejected);
    assert_eq!(report.accepted, 3);
}

#[test]
fn a_file_of_another_kind_is_refused_by_name() {
    let refused = |register, text: &str| {
        let (bytes, nothing) = (text.as_bytes(), History::default());
        import(register, "名册.csv", bytes, &nothing, false, now(), Lang::Zh)
            .expect_err("another kind")
    };
    let error = refused(Register::People, "<html>登录</html>");
    assert!(
        error.message.contains("名册.csv") && error.message.contains("网页"),
        "{}",
        error.message
    );
    let error = refused(Register::Grids, "编号,姓名\n");
    assert!(error.message.contains("GeoJSON"), "{}", error.message);
}

/// Registers come back from their own files, and from the log, as they were: to the letter, logins
/// included.
#[test]
fn entries_files_and_county_say_the_same() {
    let mut county = county();
    let sheet = "编号,经度,纬度,地\
        址\nc1,110.05,28.05,rtsp://admin:geheim@10.0.0.1/1\nc2,110.06,28.06,rtsp://10.0.0.2/1\n";
    let (_, cameras) = bring(Register::Cameras, sheet, &Entries::default(), false);
    county.cameras = County::of(&cameras, Lang::Zh).cameras;
    assert_eq!(county.cameras[0].url.expose().logins, [("admin".to_owned(), "geheim".to_owned())]);
    let entries = county.entries();
    let kept = serde_json::to_string(&entries.facts()).expect("JSON");
    assert!(!kept.contains("geheim"), "no login in the log");
    assert_eq!(County::of(&entries, Lang::Zh), county);

    let dir = tempfile::tempdir().expect("a folder");
    let folder = Folder::new(dir.path());
    for register in Register::ALL {
        let sha256 = folder.write(register, entries.of(register), now(), true).expect("written");
        let found = folder.read(register, Lang::Zh).expect("readable").expect("there");
        assert_eq!(
            (found.sha256, found.sheet.wanted(now())),
            (sha256, entries.of(register).to_vec()),
            "{register:?}"
        );
    }
}

#[test]
fn a_broken_file_keeps_the_county_as_it_was() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(
        dir.path().join("county.toml"),
        "name = \"云溪县\"\ncentre = { lat_deg = 28.5, lon_deg = 110.4 }\n",
    )
    .expect("ok");
    let registers = Registers::load(dir.path(), now()).expect("good files");
    assert_eq!(registers.current().name, "云溪县");
    fs::write(dir.path().join("county.toml"), "name = \"云溪县\"\noutline = \"missing.geojson\"\n")
        .expect("ok");
    assert!(!registers.reload_if_changed(now()).expect("it may still be being saved"));
    let later = now() + SETTLED_AFTER;
    let error = registers.reload_if_changed(later).expect_err("no such outline");
    assert!(error.message.contains("missing.geojson"), "{}", error.message);
    assert_eq!(registers.current().centre, LatLon::new(28.5, 110.4));
    assert!(
        !registers.reload_if_changed(later + SETTLED_AFTER).expect("said once"),
        "and is not said again until something changes"
    );
}

/// An edge has no database: its files alone say what holds when.
#[test]
fn without_a_database_a_row_comes_into_force_by_itself_too() {
    let dir = tempfile::tempdir().expect("a folder");
    let text = "编号,姓名,岗位,网格,生效,失效\nr1,张三,护林员A角,g1,,\n\
        r1,代班人,护林员A角,g1,2026-11-21 15:00,2026-11-21 16:00\n";
    fs::write(dir.path().join("people.csv"), text).expect("written");
    let registers = Registers::load(dir.path(), now()).expect("good files");
    assert_eq!(registers.current().problems, []);
    let seen = |at: &str| {
        let is_news = registers.reload_if_changed(at.parse().expect("a time")).expect("read");
        let people = registers.current().people.clone();
        (is_news, people.into_iter().map(|person| person.name).collect::<Vec<_>>().join("、"))
    };
    let expected = [
        ("2026-11-21T06:59:59Z", (false, "张三".to_owned())),
        ("2026-11-21T07:00:00Z", (true, "代班人".to_owned())),
        ("2026-11-21T07:59:59Z", (false, "代班人".to_owned())),
        ("2026-11-21T08:00:00Z", (true, "张三".to_owned())),
        ("2026-11-21T09:00:00Z", (false, "张三".to_owned())),
    ];
    expected.into_iter().for_each(|(at, told)| assert_eq!(seen(at), told, "{at}"));
}

/// A clerk saves the camera list over a slow network: at an edge, too, the half that has arrived
/// takes no camera away.
#[test]
fn a_file_that_is_still_being_saved_takes_nobody_away() {
    let dir = tempfile::tempdir().expect("a folder");
    let people = "编号,姓名,岗位,网格\nr1,张三,护林员A角,g1\nr2,李四,护林员B角,g1\n";
    let write = |text: &str| fs::write(dir.path().join("people.csv"), text).expect("written");
    write(people);
    let registers = Registers::load(dir.path(), now()).expect("good files");
    let seconds = |s| now() + jiff::SignedDuration::from_secs(s);
    let reload = |s| registers.reload_if_changed(seconds(s)).expect("read");
    write(&people[..people.len() / 2]);
    assert_eq!([reload(0), reload(5)], [false; 2]);
    write(&format!("{people}r3,王五,护林员A角,g2\n"));
    assert_eq!([reload(9), reload(18)], [false; 2], "it has grown meanwhile");
    assert_eq!(registers.current().people.len(), 2);
    assert!(reload(19));
    assert_eq!((registers.current().people.len(), reload(60)), (3, false));
}
