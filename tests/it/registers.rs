//! 登记: the registers are facts with a history. The office edits files or pages, alone or at once;
//! nothing is lost, and every day can be asked who was in charge of which grid then.

use crate::fixture::*;
use crate::store_contract::contract;
use huoyan::clock::Clock;
use huoyan::county::County;
use huoyan::desk::{Import, Registry};
use huoyan::error::Kind;
use huoyan::lang::Lang;
use huoyan::register::{Author, Fact, Register};
use huoyan::triage::policy::Policy;
use jiff::SignedDuration;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

mod dated;
mod files;

contract!(
    a_folder_of_the_first_release_is_taken_over_as_it_is,
    an_edited_file_is_a_change_and_the_day_before_keeps_its_names,
    a_correction_on_a_page_reaches_the_file_of_the_office,
    file_and_page_changed_at_once_and_both_count,
    two_desks_know_the_same,
    of_two_who_decide_on_one_view_at_two_desks_one_is_told,
    no_login_of_a_camera_is_in_the_log,
    a_change_is_taken_back_unless_somebody_built_on_it,
    a_row_that_cannot_be_used_costs_nobody_the_entry_they_had,
    a_stand_in_is_in_charge_until_the_day_that_was_said,
    rules_that_change_at_a_start_are_written_down_and_keep_their_number,
    whoever_decides_on_an_old_view_is_told,
    a_file_that_nobody_knows_is_not_taken_for_the_truth,
    the_login_that_a_camera_had_does_not_vanish_without_a_word,
    a_change_that_is_sent_again_changes_nothing,
);

const PEOPLE: &str = "编号,姓名,电话,岗位,网格\nr1,张三,13900000001,护林员A角,g1\nr2,李\
    四,13900000002,护林员B角,g1\n";

/// An office with a folder of registers, and a clock.
struct Office {
    store: TestStore,
    folder: TempDir,
    clock: Clock,
}

impl Office {
    fn new(store: TestStore) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { store, folder, clock: Clock::simulated(start()) }
    }

    fn file(&self, register: Register) -> PathBuf {
        self.folder.path().join("registers").join(register.file_name())
    }

    fn write(&self, register: Register, text: &str) {
        fs::create_dir_all(self.folder.path().join("registers")).expect("a folder");
        fs::write(self.file(register), text).expect("written");
    }

    fn read(&self, register: Register) -> String {
        fs::read_to_string(self.file(register)).expect("a file")
    }

    async fn registry(&self) -> Registry {
        self.registry_in(&self.folder.path().join("registers")).await
    }

    async fn registry_in(&self, dir: &Path) -> Registry {
        Registry::open(&self.store.store, dir, self.clock.clone(), Lang::Zh)
            .await
            .expect("registers")
    }

    /// What somebody saved is taken when it has stayed the same for a while.
    async fn settle(&self, registry: &Registry) -> bool {
        registry.follow().await.expect("followed");
        self.clock.advance(SignedDuration::from_secs(10));
        registry.follow().await.expect("followed")
    }

    fn later(&self) {
        self.clock.advance(SignedDuration::from_hours(1));
    }
}

fn name(county: &Arc<County>, id: &str) -> Option<String> {
    county.person(&id.into()).map(|person| person.name.clone())
}

fn officer() -> Author {
    Author::Person("o1".into())
}

/// 张三's row with another number, as a page sends it.
fn phone(id: &str, name: &str, post: &str, phone: &str) -> Fact {
    let row =
        serde_json::json!({"id": id, "name": name, "phone": phone, "post": post, "grid": "g1"});
    Fact::set(
        Register::People,
        huoyan::county::register_entry(Register::People, &row, Lang::Zh).expect("a row"),
    )
}

async fn a_folder_of_the_first_release_is_taken_over_as_it_is(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, PEOPLE);
    office.write(Register::County, "name = \"云溪县\"\n");
    office.write(
        Register::Burns,
        "名称,经度,纬度,开始,结束,批准人\n炼山,110.4,28.5,2026-04-05,2026-04-06,镇政府\n坏行,,,,,\n",
    );
    let registry = office.registry().await;
    let county = registry.registers().current();
    assert_eq!((county.name.as_str(), county.people.len(), county.burns.len()), ("云溪县", 2, 1));
    assert_eq!(county.problems.len(), 1, "{:?}", county.problems);
    assert_eq!(office.read(Register::People), PEOPLE, "the file stays to the letter");
    let history = registry.registers().history();
    assert!(
        history.changes().iter().all(|change| matches!(change.by, Author::File(_))),
        "{history:?}"
    );

    // The next start finds nothing new.
    let again = office.registry().await;
    assert_eq!(again.registers().history().number(), history.number());
    assert_eq!(again.registers().current().people, county.people);
}

async fn an_edited_file_is_a_change_and_the_day_before_keeps_its_names(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, PEOPLE);
    let registry = office.registry().await;
    let yesterday = office.clock.now();
    office.later();
    office.write(Register::People, &PEOPLE.replace("张三", "张三丰"));
    assert!(office.settle(&registry).await);
    assert!(!registry.follow().await.expect("followed"), "nothing new");
    assert_eq!(name(&registry.registers().current(), "r1").as_deref(), Some("张三丰"));
    assert_eq!(
        name(&registry.registers().at(yesterday), "r1").as_deref(),
        Some("张三"),
        "old reports keep their names"
    );
    let history = registry.registers().history();
    let newest = history.changes().last().expect("a change");
    assert_eq!((newest.facts.len(), &newest.by), (1, &Author::File("people.csv".to_owned())));

    // Edited while the program was off.
    office.later();
    office.write(Register::People, "编号,姓名,电话,岗位,网格\nr2,李四,13900000002,护林员B角,g1\n");
    let registry = office.registry().await;
    office.settle(&registry).await;
    assert_eq!(
        name(&registry.registers().current(), "r1"),
        None,
        "who is not on the list any more is not in charge"
    );
    whole(&office.store.store).await;
}

async fn a_correction_on_a_page_reaches_the_file_of_the_office(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, &format!("云溪县护林员花名册,,,,\n{PEOPLE}"));
    let registry = office.registry().await;
    let fact = phone("r1", "张三", "护林员A角", "13900000009");
    let diff = registry.diff(std::slice::from_ref(&fact));
    let cell = &diff.changed[0].cells[0];
    assert_eq!(
        (cell.column.as_str(), cell.before.as_str(), cell.after.as_str()),
        ("phone", "13900000001", "13900000009")
    );
    registry.change(vec![fact], officer(), "换了手机", None).await.expect("changed");
    let file = office.read(Register::People);
    assert!(file.contains("13900000009") && file.contains("李四"), "{file}");
    let originals = fs::read_dir(office.folder.path().join("registers/originals"))
        .expect("kept")
        .flatten()
        .count();
    assert_eq!(originals, 1, "the office's own sheet is kept");
    registry.follow().await.expect("followed");
    assert_eq!(registry.registers().history().number(), 2, "its own writing is no edit");
}

async fn file_and_page_changed_at_once_and_both_count(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, PEOPLE);
    let (page, folder) = (office.registry().await, office.registry().await);
    // The clerk has the sheet open while the officer corrects a number, and saves it afterwards.
    let sheet = PEOPLE.replace("李四", "李四光");
    page.change(vec![phone("r1", "张三", "护林员A角", "13900000009")], officer(), "换了手机", None)
        .await
        .expect("changed");
    office.write(Register::People, &sheet);
    office.settle(&folder).await;
    let county = folder.registers().current();
    assert_eq!(name(&county, "r2").as_deref(), Some("李四光"));
    assert_eq!(county.person(&"r1".into()).and_then(|it| it.phone.as_deref()), Some("13900000009"));
    assert!(
        county.problems.iter().any(|it| it.reason.zh.contains("r1")),
        "and the clerk is told: {:?}",
        county.problems
    );
}

async fn two_desks_know_the_same(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, PEOPLE);
    let (one, elsewhere) = (office.registry().await, tempfile::tempdir().expect("a folder"));
    let other = office.registry_in(&elsewhere.path().join("registers")).await;
    assert_eq!(other.registers().current().people, one.registers().current().people);
    let written =
        fs::read_to_string(elsewhere.path().join("registers/people.csv")).expect("its own copy");
    assert!(written.contains("张三"), "{written}");
    other
        .change(vec![phone("r1", "张三丰", "护林员A角", "13900000001")], officer(), "更正", None)
        .await
        .expect("changed");
    one.follow().await.expect("followed");
    assert_eq!(name(&one.registers().current(), "r1").as_deref(), Some("张三丰"));
}

async fn of_two_who_decide_on_one_view_at_two_desks_one_is_told(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, PEOPLE);
    let (one, elsewhere) = (office.registry().await, tempfile::tempdir().expect("a folder"));
    let other = office.registry_in(&elsewhere.path().join("registers")).await;
    for n in 10..30 {
        let seen = Some(one.registers().history().number());
        let fact = |post: &str| phone("r1", "张三", "护林员A角", &format!("1390000{n:02}{post}"));
        let (a, b) = tokio::join!(
            one.change(vec![fact("01")], officer(), "换了手机", seen),
            other.change(vec![fact("02")], Author::Person("o2".into()), "换了手机", seen),
        );
        let told = [&a, &b].map(|it| it.as_ref().is_err_and(|e| e.kind == Kind::Conflict));
        assert_eq!(told.iter().filter(|it| **it).count(), 1, "{a:?} {b:?}");
        one.follow().await.expect("followed");
        other.follow().await.expect("followed");
    }
}

async fn no_login_of_a_camera_is_in_the_log(store: TestStore) {
    let office = Office::new(store);
    let sheet = |password: &str| {
        format!("编号,经度,纬度,地址\nc1,110.4,28.5,rtsp://admin:{password}@10.0.0.1/1\n")
    };
    office.write(Register::Cameras, &sheet("geheim1"));
    let registry = office.registry().await;
    let password = |registry: &Registry| {
        registry.registers().current().cameras[0].url.expose().logins[0].1.clone()
    };
    assert_eq!(password(&registry), "geheim1");
    office.write(Register::Cameras, &sheet("geheim2"));
    office.settle(&registry).await;
    assert_eq!(
        (registry.registers().history().number(), password(&registry).as_str()),
        (2, "geheim2")
    );
    let elsewhere = tempfile::tempdir().expect("a folder");
    let other = office.registry_in(&elsewhere.path().join("registers")).await;
    assert_eq!(password(&other), "geheim2", "every desk can connect");
    for change in office.store.store.register_changes(0).await.expect("changes") {
        assert!(!serde_json::to_string(&change).expect("JSON").contains("geheim"), "{change:?}");
    }
}

async fn a_change_is_taken_back_unless_somebody_built_on_it(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, PEOPLE);
    let registry = office.registry().await;
    let wrong = registry
        .change(
            vec![
                phone("r1", "张三丰", "护林员A角", "13900000001"),
                Fact::removed(Register::People, "r2".to_owned()),
            ],
            officer(),
            "调整",
            None,
        )
        .await
        .expect("changed");
    registry.undo(wrong, officer(), "弄错了").await.expect("taken back");
    let county = registry.registers().current();
    assert_eq!(
        (name(&county, "r1").as_deref(), name(&county, "r2").as_deref()),
        (Some("张三"), Some("李四"))
    );

    let first = registry
        .change(vec![phone("r1", "张一", "护林员A角", "13900000001")], officer(), "", None)
        .await
        .expect("changed");
    registry
        .change(vec![phone("r1", "张二", "护林员A角", "13900000001")], officer(), "", None)
        .await
        .expect("changed");
    let error = registry.undo(first, officer(), "").await.expect_err("somebody built on it");
    assert!(error.kind == Kind::Conflict && error.message.contains("r1"), "{error}");
    assert_eq!(
        registry.undo(99, officer(), "").await.expect_err("no such change").kind,
        Kind::NotFound
    );
}

async fn a_row_that_cannot_be_used_costs_nobody_the_entry_they_had(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, PEOPLE);
    let registry = office.registry().await;
    let half = "编号,姓名,电话,岗位,网格\nr1,,13900000001,护林员A角,g1\n";
    office.write(Register::People, half);
    office.settle(&registry).await;
    let county = registry.registers().current();
    assert_eq!(
        (name(&county, "r1").as_deref(), name(&county, "r2").as_deref()),
        (Some("张三"), Some("李四"))
    );
    assert_eq!(
        (county.problems.len(), county.problems[0].line),
        (1, 2),
        "and the board says so: {:?}",
        county.problems
    );
    assert_eq!(office.read(Register::People), half, "the clerk's file is the clerk's");

    let bytes = "<html>登录</html>".as_bytes();
    let import = Import { register: Register::People, name: "x.csv", bytes, replace: true };
    assert_eq!(
        registry.import(&import, officer(), "").await.expect_err("no sheet").kind,
        Kind::Invalid
    );
    office.write(Register::People, "<html>登录</html>");
    registry.follow().await.expect("followed");
    let county = registry.registers().current();
    assert_eq!((county.people.len(), county.problems.len()), (2, 1), "{:?}", county.problems);
}

async fn a_stand_in_is_in_charge_until_the_day_that_was_said(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, PEOPLE);
    let registry = office.registry().await;
    let (from, until) = (
        office.clock.now() + SignedDuration::from_hours(1),
        office.clock.now() + SignedDuration::from_hours(3),
    );
    let fact = Fact {
        valid_from: Some(from),
        valid_until: Some(until),
        ..phone("r1", "代班人", "护林员A角", "13900000005")
    };
    registry.change(vec![fact], officer(), "张三请假", None).await.expect("changed");
    for expected in ["张三", "代班人", "代班人", "张三"] {
        registry.follow().await.expect("followed");
        assert_eq!(
            name(&registry.registers().current(), "r1").as_deref(),
            Some(expected),
            "{}",
            office.clock.now()
        );
        assert!(office.read(Register::People).contains(expected), "the printed list says the same");
        office.later();
    }
}

/// An old report names the number of its rules: what they were is in the log.
async fn rules_that_change_at_a_start_are_written_down_and_keep_their_number(store: TestStore) {
    let office = Office::new(store);
    let registry = office.registry().await;
    let usual = Policy::default();
    let quick = Policy { acknowledge_within: SignedDuration::from_mins(5), ..usual.clone() };
    let mut numbers = Vec::new();
    for rules in [&usual, &usual, &quick, &usual] {
        let registry = office.registry().await;
        numbers.push(registry.enforce(rules).await.expect("written down").version);
        office.later();
    }
    assert_eq!(numbers, [1, 1, 2, 1], "the same rules, the same number");
    registry.follow().await.expect("followed");
    let history = registry.registers().history();
    assert_eq!(history.number(), 3, "a start with the same rules says nothing new");
    let at = |hours: i64| {
        let instant = start() + SignedDuration::from_hours(hours);
        let value = history.entry(Register::Policy, "", instant).cloned().expect("rules");
        serde_json::from_value::<Policy>(value).expect("readable").acknowledge_within
    };
    assert_eq!([at(1), at(2), at(3)].map(|it| it.as_mins()), [10, 5, 10]);
    assert!(history.changes().iter().all(|change| change.by == Author::Configuration));
    whole(&office.store.store).await;
}

async fn whoever_decides_on_an_old_view_is_told(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, PEOPLE);
    let registry = office.registry().await;
    let seen = registry.registers().history().number();
    registry
        .change(vec![phone("r1", "张一", "护林员A角", "13900000001")], officer(), "", Some(seen))
        .await
        .expect("changed");
    let late = registry
        .change(vec![phone("r1", "张二", "护林员A角", "13900000001")], officer(), "", Some(seen))
        .await;
    assert_eq!(late.expect_err("an old view").kind, Kind::Conflict);
    let another = registry
        .change(vec![phone("r2", "李一", "护林员B角", "13900000002")], officer(), "", Some(seen))
        .await;
    another.expect("another entry is another matter");
}

async fn the_login_that_a_camera_had_does_not_vanish_without_a_word(store: TestStore) {
    let office = Office::new(store);
    let camera = |address: &str| {
        let row = serde_json::json!(
            {"id": "c1", "longitude": "110.4", "latitude": "28.5", "url": address}
        );
        let entry = huoyan::county::register_entry(Register::Cameras, &row, Lang::Zh);
        Fact::set(Register::Cameras, entry.expect("a row"))
    };
    let registry = office.registry().await;
    let mut numbers = Vec::new();
    for address in [
        "rtsp://10.0.0.1/0",
        "rtsp://admin:OLD@10.0.0.1/1",
        "rtsp://admin:NEW@10.0.0.1/1",
        "rtsp://10.0.0.2/1",
        "rtsp://10.0.0.3/1",
    ] {
        let done = registry.change(vec![camera(address)], officer(), "换地址", None).await;
        numbers.push(done.expect("changed"));
    }
    let url = |registry: &Registry| {
        registry.registers().current().cameras[0].url.expose().written.to_owned()
    };
    // After a restart only the newest login is known.
    let registry = office.registry().await;
    let number = registry.undo(numbers[4], officer(), "").await.expect("there was no login");
    assert_eq!(url(&registry), "rtsp://10.0.0.2/1");
    registry.undo(number, officer(), "").await.expect("taken back");
    let registry = office.registry().await;
    registry.undo(numbers[3], officer(), "").await.expect_err("somebody built on it");

    for (address, next) in [
        ("rtsp://admin:OLD@10.0.0.1/1", "rtsp://10.0.0.2/1"),
        ("rtsp://admin:OLD@10.0.0.1/1", "rtsp://admin:NEW@10.0.0.1/1"),
    ] {
        registry.change(vec![camera(address)], officer(), "", None).await.expect("changed");
        let number = registry.change(vec![camera(next)], officer(), "", None).await;
        let again = office.registry().await;
        let refused = again.undo(number.expect("changed"), officer(), "").await;
        let refused = refused.expect_err("the login is not known any more");
        assert!(refused.kind == Kind::Conflict && refused.message.contains("c1"), "{refused}");
        assert_eq!(url(&again), next);
    }
}

async fn a_change_that_is_sent_again_changes_nothing(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, PEOPLE);
    let registry = office.registry().await;
    let seen = registry.registers().history().number();
    let stand_in = || Fact {
        valid_until: Some(office.clock.now() + SignedDuration::from_hours(3)),
        ..phone("r1", "代班人", "护林员A角", "13900000005")
    };
    for _ in 0..2 {
        let done = registry.change(vec![stand_in()], officer(), "请假", Some(seen)).await;
        assert_eq!(done.expect("known"), seen + 1);
    }
    let other = Author::Person("o2".into());
    let late = registry.change(vec![stand_in()], other, "请假", Some(seen)).await;
    assert_eq!(late.expect_err("somebody else's").kind, Kind::Conflict);
    let ahead = registry.change(vec![stand_in()], officer(), "另", Some(99)).await;
    assert_eq!(ahead.expect_err("nobody has seen that").kind, Kind::Invalid);
}

async fn a_file_that_nobody_knows_is_not_taken_for_the_truth(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, PEOPLE);
    office.registry().await;
    let elsewhere = tempfile::tempdir().expect("a folder");
    let dir = elsewhere.path().join("registers");
    fs::create_dir_all(&dir).expect("a folder");
    let old = "编号,姓名,电话,岗位,网格\nr1,张老三,13900000001,护林员A角,g1\n";
    fs::write(dir.join("people.csv"), old).expect("written");
    let registry = office.registry_in(&dir).await;
    let county = registry.registers().current();
    assert_eq!(name(&county, "r1").as_deref(), Some("张三"));
    assert!(county.problems[0].reason.zh.contains("huoyan import"), "{:?}", county.problems);
    assert_eq!(fs::read_to_string(dir.join("people.csv")).expect("kept"), old);
    fs::remove_file(dir.join("people.csv")).expect("removed");
    registry.follow().await.expect("followed");
    assert!(fs::read_to_string(dir.join("people.csv")).expect("written anew").contains("张三"));
    assert_eq!(registry.registers().current().problems, []);
}

/// The database takes nothing for a moment, just when the clerk saves the sheet: nobody has to save
/// it again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_that_met_a_fault_of_the_database_is_taken_when_it_heals() {
    let office = Office::new(TestStore::sqlite().await);
    office.write(Register::People, PEOPLE);
    let registry = office.registry().await;
    office
        .store
        .execute(
            "CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, \
        'full'); END",
        )
        .await;
    office.write(Register::People, &PEOPLE.replace("张三", "张三丰"));
    registry.follow().await.expect("it may still be being saved");
    office.clock.advance(SignedDuration::from_secs(10));
    registry.follow().await.expect_err("nothing can be written down");
    assert_eq!(name(&registry.registers().current(), "r1").as_deref(), Some("张三"));
    office.store.execute("DROP TRIGGER full").await;
    assert!(registry.follow().await.expect("healed"));
    assert_eq!(name(&registry.registers().current(), "r1").as_deref(), Some("张三丰"));
}

/// The folder cannot be written: the officer's correction is in force all the same, and the board
/// says which file is behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correction_is_in_force_although_its_file_cannot_be_written() {
    let office = Office::new(TestStore::sqlite().await);
    office.write(Register::People, PEOPLE);
    let registry = office.registry().await;
    let originals = office.folder.path().join("registers/originals");
    fs::write(&originals, "in the way").expect("written");
    registry
        .change(vec![phone("r1", "张三丰", "护林员A角", "13900000001")], officer(), "更正", None)
        .await
        .expect("it is in the log");
    let county = registry.registers().current();
    assert_eq!(name(&county, "r1").as_deref(), Some("张三丰"));
    assert!(county.problems.iter().any(|it| it.file == "people.csv"), "{:?}", county.problems);
    fs::remove_file(&originals).expect("out of the way");
    registry.follow().await.expect("followed");
    assert!(office.read(Register::People).contains("张三丰"), "tried again by itself");
    assert_eq!(registry.registers().current().problems, []);
}
