//! 生效, 失效: a list is brought ahead of its day, comes into force by itself, and ends by itself.

use super::*;

contract!(
    next_weeks_people_come_into_force_by_themselves,
    a_dated_row_of_the_folder_is_an_edit_once,
    a_list_that_waits_for_its_day_is_taken_back,
);

/// 14:00 in the county. A stand-in from 15:00 to 16:00, and somebody new from 17:00.
const LIST: &str = "编号,姓名,电话,岗位,网格,生效,失效\n\
    r1,代班人,13900000005,护林员A角,g1,2026-04-05 15:00,2026-04-05 16:00\n\
    r3,新护林员,13900000003,护林员A角,g2,2026-04-05 17:00,\n";

async fn bring(registry: &Registry, sheet: &str) -> huoyan::county::ImportReport {
    let (register, bytes) = (Register::People, sheet.as_bytes());
    let import = Import { register, name: "下周.csv", bytes, replace: false };
    registry.import(&import, officer(), "下周名单").await.expect("imported")
}

/// Who r1 and r3 are now, and in the hours that come.
async fn hour_by_hour(office: &Office, registry: &Registry) -> Vec<[Option<String>; 2]> {
    let mut seen = Vec::new();
    for _ in 0..4 {
        registry.follow().await.expect("followed");
        let county = registry.registers().current();
        let now = ["r1", "r3"].map(|id| name(&county, id));
        for name in now.iter().flatten() {
            assert!(office.read(Register::People).contains(name), "the printed list says {name}");
        }
        seen.push(now);
        office.later();
    }
    seen
}

fn planned() -> Vec<[Option<String>; 2]> {
    let names = [("张三", None), ("代班人", None), ("张三", None), ("张三", Some("新护林员"))];
    names.map(|(r1, r3)| [Some(r1.to_owned()), r3.map(str::to_owned)]).to_vec()
}

async fn next_weeks_people_come_into_force_by_themselves(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, PEOPLE);
    let registry = office.registry().await;
    let list = format!(
        "{LIST}r4,反了,13900000004,护林员A角,g3,2026-04-05 17:00,2026-04-05 16:00\n\
        r5,去年的,13900000006,护林员A角,g3,,2025-12-31\n"
    );
    let report = bring(&registry, &list).await;
    assert_eq!((report.accepted, report.diff.dated.len()), (2, 2), "{report:?}");
    assert_eq!(report.rejected.len(), 1, "{report:?}");
    let refused = &report.rejected[0];
    assert!(refused.line == 4 && refused.reason.contains("失效"), "{refused:?}");
    assert!(report.warnings.iter().any(|it| it.contains("1行已过")), "{:?}", report.warnings);
    let number = registry.registers().history().number();
    bring(&registry, &list).await;
    assert_eq!(registry.registers().history().number(), number, "brought twice, said once");
    assert_eq!(hour_by_hour(&office, &registry).await, planned());
    whole(&office.store.store).await;
}

/// Whoever keeps the register as a file writes the coming days into it.
async fn a_dated_row_of_the_folder_is_an_edit_once(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, PEOPLE);
    let registry = office.registry().await;
    let with_days = |r1: &str| {
        let (_, dated) = LIST.split_once('\n').expect("a header");
        format!(
            "编号,姓名,电话,岗位,网格,生效,失效\nr1,{r1},13900000001,护林员A角,g1,,\n\
            r2,李四,13900000002,护林员B角,g1,,\n{dated}"
        )
    };
    let sheet = with_days("张三");
    office.write(Register::People, &sheet);
    office.settle(&registry).await;
    assert_eq!(office.read(Register::People), sheet, "the clerk's file is the clerk's");
    let number = registry.registers().history().number();
    office.write(Register::People, &format!("{sheet}\n"));
    office.settle(&registry).await;
    assert_eq!(registry.registers().history().number(), number, "saved again, said once");
    // A correction of today's row is no word against those who come.
    office.write(Register::People, &with_days("张三丰"));
    office.settle(&registry).await;
    let mut seen = hour_by_hour(&office, &registry).await;
    for [r1, _] in &mut seen {
        *r1 = r1.take().map(|name| name.replace("张三丰", "张三"));
    }
    assert_eq!(seen, planned());
    assert_eq!(name(&registry.registers().current(), "r1").as_deref(), Some("张三丰"));
    assert_eq!(name(&registry.registers().current(), "r2").as_deref(), Some("李四"));

    // The copy from this morning is saved once more: nobody stands in for the past, and it is said.
    office.write(Register::People, &sheet);
    office.settle(&registry).await;
    let county = registry.registers().current();
    assert_eq!(name(&county, "r1").as_deref(), Some("张三丰"));
    assert!(
        county.problems.iter().any(|it| it.reason.zh.contains("旧副本")),
        "{:?}",
        county.problems
    );
}

async fn a_list_that_waits_for_its_day_is_taken_back(store: TestStore) {
    let office = Office::new(store);
    office.write(Register::People, PEOPLE);
    let registry = office.registry().await;
    bring(&registry, LIST).await;
    let number = registry.registers().history().number();
    let back = registry.undo(number, officer(), "弄错了县").await.expect("taken back");
    assert_eq!(back, number + 1);
    let stays = [Some("张三".to_owned()), None];
    assert_eq!(hour_by_hour(&office, &registry).await, vec![stays; 4]);
}
