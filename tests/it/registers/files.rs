//! The folder is a working copy of the log: what is saved in it is an edit of the version that its
//! editor had open, and nothing that stands only in a file is ever lost.

use super::*;
use huoyan::county::register_entry;

contract!(
    a_refused_row_stays_in_its_file_and_on_the_board_until_it_is_mended,
    a_rota_row_is_taken_as_soon_as_its_person_is_registered,
    a_file_that_is_still_being_saved_removes_nobody,
    a_row_that_an_import_brought_is_removed_by_deleting_it,
    an_old_copy_undoes_nothing_however_old_it_is,
    who_edits_what_was_changed_elsewhere_meanwhile_is_told,
    an_edit_of_the_file_is_taken_back_by_editing_it,
    a_stand_in_that_ended_while_the_program_was_off_stays_ended,
    a_table_beside_the_file_that_is_read_is_named,
    a_folder_that_takes_no_note_holds_no_change_up,
);

const NIGHT: &str = "日期,岗位,人员\n2026-04-05,县值班,r1\n";

fn reasons(registry: &Registry) -> String {
    let county = registry.registers().current();
    county.problems.iter().map(|it| it.said(Lang::Zh) + "\n").collect()
}

fn on_duty(registry: &Registry) -> Vec<String> {
    registry.registers().current().duties.iter().map(|it| it.person.to_string()).collect()
}

fn phone_of(registry: &Registry, id: &str) -> Option<String> {
    registry.registers().current().person(&id.into()).and_then(|it| it.phone.clone())
}

fn duty(date: &str, person: &str) -> Fact {
    let row = serde_json::json!({"date": date, "role": "县值班", "person": person});
    Fact::set(Register::Duty, register_entry(Register::Duty, &row, Lang::Zh).expect("a row"))
}

async fn bring(registry: &Registry, register: Register, sheet: &str) {
    let import = Import { register, name: "x.csv", bytes: sheet.as_bytes(), replace: false };
    let by = Author::Account("office".to_owned());
    registry.import(&import, by, "导入").await.expect("imported");
}

async fn a_refused_row_stays_in_its_file_and_on_the_board_until_it_is_mended(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, &PEOPLE.replace("李四", "张三"));
    office.write(Register::Duty, NIGHT);
    let registry = office.registry().await;
    let sheet = format!("{}2026-04-06,县值班,张三\n", NIGHT.replace("r1", "r2"));
    office.write(Register::Duty, &sheet);
    office.settle(&registry).await;
    assert_eq!(on_duty(&registry), ["r2"], "the good row is taken");
    for _ in 0..2 {
        office.settle(&registry).await;
        assert_eq!(office.read(Register::Duty), sheet, "the clerk's file is the clerk's");
        assert!(reasons(&registry).contains("duty.csv:3"), "{}", reasons(&registry));
    }

    // A page changes the rota: the row that stands nowhere else is not written over.
    registry
        .change(vec![duty("2026-04-07", "r1")], officer(), "加班", None)
        .await
        .expect("changed");
    let again = office.registry().await;
    office.settle(&again).await;
    for registry in [&registry, &again] {
        let said = reasons(registry);
        assert!(said.contains("duty.csv:3") && said.contains("别处的更改"), "{said}");
        assert_eq!(on_duty(registry), ["r2", "r1"]);
    }
    assert_eq!(office.read(Register::Duty), sheet);

    office.write(Register::Duty, &sheet.replace("06,县值班,张三", "06,县值班,r2"));
    office.settle(&again).await;
    assert_eq!(reasons(&again), "");
    assert_eq!(on_duty(&again), ["r2", "r1", "r2"]);
    assert_eq!(
        office.read(Register::Duty).matches("2026-04-0").count(),
        3,
        "and all of it is there"
    );
}

async fn a_rota_row_is_taken_as_soon_as_its_person_is_registered(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, PEOPLE);
    office.write(Register::Duty, NIGHT);
    let registry = office.registry().await;
    let sheet = NIGHT.replace("r1", "钱某某");
    office.write(Register::Duty, &sheet);
    office.settle(&registry).await;
    assert_eq!(on_duty(&registry), ["r1"], "nobody is taken off for a name that nobody has");
    assert!(reasons(&registry).contains("钱某某"));
    let registry = office.registry().await;
    office.later();
    bring(&registry, Register::People, "编号,姓名,电话,岗位\nr7,钱某某,13900000007,县值班员\n")
        .await;
    assert_eq!(on_duty(&registry), ["r7"]);
    assert_eq!(reasons(&registry), "");
    assert_eq!(office.read(Register::Duty), sheet, "the clerk need not save it again");
}

async fn a_file_that_is_still_being_saved_removes_nobody(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, PEOPLE);
    let registry = office.registry().await;
    let sheet = PEOPLE.replace("李四", "李四光");
    let half = PEOPLE.lines().take(2).collect::<Vec<_>>().join("\n");
    office.write(Register::People, &half);
    for _ in 0..2 {
        registry.follow().await.expect("followed");
        office.clock.advance(SignedDuration::from_secs(4));
    }
    // A page changes somebody meanwhile: the file is not taken away from whoever saves it.
    registry
        .change(vec![phone("r1", "张三", "护林员A角", "13900000009")], officer(), "", None)
        .await
        .expect("changed");
    assert_eq!(office.read(Register::People), half);
    office.write(Register::People, &sheet);
    registry.follow().await.expect("followed");
    assert_eq!(name(&registry.registers().current(), "r2").as_deref(), Some("李四"));
    office.settle(&registry).await;
    assert_eq!(name(&registry.registers().current(), "r2").as_deref(), Some("李四光"));
    assert_eq!(phone_of(&registry, "r1").as_deref(), Some("13900000009"));
    let changes = registry.registers().history();
    let gone = |fact: &&Fact| fact.entry.is_none();
    assert_eq!(changes.changes().iter().flat_map(|it| &it.facts).filter(gone).count(), 0);
}

async fn a_row_that_an_import_brought_is_removed_by_deleting_it(store: TestStore) {
    let office = Office::new(store);
    let registry = office.registry().await;
    bring(&registry, Register::People, PEOPLE).await;
    let sheet: String = office
        .read(Register::People)
        .lines()
        .filter(|it| !it.contains("r2"))
        .fold(String::new(), |sheet, line| format!("{sheet}{line}\n"));
    office.write(Register::People, &sheet);
    office.settle(&registry).await;
    assert_eq!(name(&registry.registers().current(), "r2"), None);
    assert_eq!(reasons(&registry), "");
}

async fn an_old_copy_undoes_nothing_however_old_it_is(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, PEOPLE);
    let registry = office.registry().await;
    for number in ["13900000008", "13900000009"] {
        office.later();
        for fact in
            [phone("r1", "张三", "护林员A角", number), phone("r9", "王五", "护林员B角", number)]
        {
            registry.change(vec![fact], officer(), "", None).await.expect("changed");
        }
    }
    // Somebody edits the newest file; somebody else saves the one from the first day, with an edit.
    let newest = office.read(Register::People).replace("王五", "王五一");
    office.write(Register::People, &newest);
    office.settle(&registry).await;
    assert_eq!(name(&registry.registers().current(), "r9").as_deref(), Some("王五一"));
    office.write(Register::People, &PEOPLE.replace("李四", "李四光"));
    office.settle(&registry).await;
    let county = registry.registers().current();
    assert_eq!(phone_of(&registry, "r1").as_deref(), Some("13900000009"));
    assert_eq!(name(&county, "r9").as_deref(), Some("王五一"));
    assert_eq!(name(&county, "r2").as_deref(), Some("李四光"), "the edit counts");
    let said = reasons(&registry);
    assert!(said.contains("r1：") && said.contains("r9：") && !said.contains("r2："), "{said}");
    let file = office.read(Register::People);
    assert!(file.contains("13900000009") && file.contains("王五一"), "written anew: {file}");
}

async fn who_edits_what_was_changed_elsewhere_meanwhile_is_told(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, PEOPLE);
    let registry = office.registry().await;
    registry
        .change(vec![phone("r1", "张三", "护林员A角", "13900000009")], officer(), "", None)
        .await
        .expect("changed");
    office.write(Register::People, &PEOPLE.replace("张三", "张三丰"));
    office.settle(&registry).await;
    let county = registry.registers().current();
    assert_eq!(name(&county, "r1").as_deref(), Some("张三"));
    assert_eq!(phone_of(&registry, "r1").as_deref(), Some("13900000009"));
    assert!(reasons(&registry).contains("r1：文件打开之后"), "{}", reasons(&registry));
    // Whoever has seen it may edit it.
    let seen = office.read(Register::People).replace("张三", "张三丰");
    office.write(Register::People, &seen);
    office.settle(&registry).await;
    assert_eq!(name(&registry.registers().current(), "r1").as_deref(), Some("张三丰"));
    assert_eq!(reasons(&registry), "");
}

async fn an_edit_of_the_file_is_taken_back_by_editing_it(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, PEOPLE);
    let registry = office.registry().await;
    for sheet in [PEOPLE.replace("张三", "张三丰").as_str(), PEOPLE] {
        office.write(Register::People, sheet);
        office.settle(&registry).await;
        assert_eq!(office.read(Register::People), sheet, "not written anew for its own edit");
    }
    assert_eq!(name(&registry.registers().current(), "r1").as_deref(), Some("张三"));
    assert_eq!(reasons(&registry), "");
}

async fn a_stand_in_that_ended_while_the_program_was_off_stays_ended(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, PEOPLE);
    office.write(Register::Duty, &format!("{NIGHT}2026-04-06,县值班,r1\n"));
    let registry = office.registry().await;
    let until = Some(office.clock.now() + SignedDuration::from_mins(30));
    let stand_in = Fact { valid_until: until, ..duty("2026-04-05", "r2") };
    registry.change(vec![stand_in], officer(), "代班", None).await.expect("changed");
    let sheet = office.read(Register::Duty);
    assert!(sheet.contains("r2"), "{sheet}");
    drop(registry);
    office.later();
    let registry = office.registry().await;
    assert!(!office.read(Register::Duty).contains("r2"), "the printed list says the same");

    // Edited while the program was off, in the file that still names the stand-in.
    drop(registry);
    office
        .write(Register::Duty, &sheet.replace("2026-04-06,县值班,,,r1", "2026-04-06,县值班,,,r2"));
    let registry = office.registry().await;
    office.settle(&registry).await;
    assert_eq!(on_duty(&registry), ["r1", "r2"]);
}

async fn a_table_beside_the_file_that_is_read_is_named(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, PEOPLE);
    let registry = office.registry().await;
    let beside = office.file(Register::People).with_extension("xlsx");
    fs::write(&beside, "a table").expect("written");
    registry.follow().await.expect("followed");
    let said = reasons(&registry);
    assert!(said.contains("people.xlsx") && said.contains("people.csv"), "{said}");
    fs::remove_file(beside).expect("removed");
    registry.follow().await.expect("followed");
    assert_eq!(reasons(&registry), "");
}

/// The program's own note in the folder, of what it has taken, can be neither read nor written.
async fn a_folder_that_takes_no_note_holds_no_change_up(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, PEOPLE);
    let registry = office.registry().await;
    let note = office.folder.path().join("registers/.taken.json");
    let kept = fs::read(&note).expect("a note");
    fs::remove_file(&note).and_then(|()| fs::create_dir(&note)).expect("a folder in its place");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let other = office.registry_in(&elsewhere.path().join("registers")).await;
    let seen = Some(other.registers().history().number());
    let fact = phone("r1", "张三", "护林员A角", "13900000009");
    other.change(vec![fact], officer(), "换了手机", seen).await.expect("changed");
    office.settle(&registry).await;
    assert_eq!(phone_of(&registry, "r1").as_deref(), Some("13900000009"), "what is in the log");
    assert!(reasons(&registry).contains(".taken.json"), "{}", reasons(&registry));

    fs::remove_dir(&note).and_then(|()| fs::write(&note, kept)).expect("mended");
    office.later();
    office.settle(&registry).await;
    assert!(office.read(Register::People).contains("13900000009"), "the file follows");
    assert!(!reasons(&registry).contains(".taken.json"), "{}", reasons(&registry));
}
