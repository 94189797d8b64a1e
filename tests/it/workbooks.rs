//! Workbooks as offices send them, and as nobody should.

mod files;

use crate::program::{GRIDS, Office, binary, centre};
use files::{far_xls, merged, row, sheet, xlsx, xlsx_of};
use huoyan::clock::Clock;
use huoyan::county::{self, ImportReport};
use huoyan::lang::Lang;
use huoyan::register::{Fact, History, Register};
use huoyan::satellite::{Parsed, parse};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Looks at the folder often.
const CONFIG: &str = "[satellite]\nfolder_every = \"100ms\"\n";

/// Files that ask for more memory than any machine has, or are damaged.
fn bombs() -> [(&'static str, Vec<u8>); 3] {
    let strings = "<sst uniqueCount=\"1000000000000\" count=\"1\"><si><t>x</t></si></sst>";
    let mut broken = far_xls();
    let end = broken.len() - 4090;
    broken.truncate(end);
    [
        ("strings.xlsx", xlsx_of(&[("一", &sheet(&[row(1, &["编号"])]))], strings, "")),
        ("dimensions.xls", far_xls()),
        ("broken.xls", broken),
    ]
}

#[test]
fn a_workbook_that_would_end_the_program_is_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in bombs() {
        let file = folder.path().join(name);
        fs::write(&file, bytes).expect("written");
        for (lang, cure) in [("en_US.UTF-8", "save it as"), ("zh_CN.UTF-8", "另存为")] {
            let mut command = Command::new(binary());
            let command = command.arg("hotspots").arg(&file).env("LC_ALL", lang);
            let ended = command.output().expect("it runs");
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            assert_eq!(ended.status.code(), Some(2), "{name}: {:?} {said}", ended.status);
            assert!(said.contains(cure) && said.contains(name), "{name}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_office_outlives_the_workbooks_it_is_sent() {
    let office = Office::prepare(CONFIG, GRIDS);
    for (name, bytes) in bombs() {
        fs::write(office.data.join("hotspots").join(name), bytes).expect("into the folder");
    }
    let (mut program, links) = office.first_start().await;
    office.satellite_passes(0);
    let lists = |folder: &str| {
        let files = fs::read_dir(office.data.join("hotspots").join(folder)).into_iter().flatten();
        files.flatten().filter(|it| it.path().extension().is_none_or(|it| it != "txt")).count()
    };
    let all = async {
        while (lists("refused"), lists("read")) != (3, 1) {
            Clock::System.sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), all).await.expect("three refused, one read");

    let officer = office.log_in(&links["office"]).await;
    for (name, bytes) in bombs() {
        let path = format!("/api/v1/registers/people/file?dry_run=true&name={name}");
        let (status, said) = officer.send(&path, bytes).await;
        assert_eq!(status.as_u16(), 422, "{name}: {said}");
        assert!(said.contains("save it as"), "{name}: {said}");
    }
    let people = [
        row(1, &["编号", "姓名", "电话", "岗位", "网格", "村", "乡镇"]),
        row(2, &["n1", "新人", "13800009999", "护林员A角", "g0", "村0", "官庄镇"]),
    ];
    let path = "/api/v1/registers/people/file?dry_run=true&name=people.xlsx";
    let (status, said) = officer.send(path, xlsx(&[("名册", &sheet(&people))])).await;
    assert!(status.is_success() && said.contains("n1"), "a good one is read: {said}");
    assert!(program.0.try_wait().expect("asked").is_none(), "it is the program of the start");
}

fn list(bytes: &[u8]) -> Parsed {
    let received_at = "2026-11-30T02:00:00Z".parse().expect("a time");
    parse(bytes, "list.xlsx", received_at, Lang::En).expect("a list")
}

const HOTSPOTS: [&str; 4] = ["卫星", "接收时间", "经度", "纬度"];

/// One pass of four pixels, ten days old; its time is written once, over all four.
#[test]
fn a_pixel_without_a_time_is_no_fire_of_today() {
    let (lat, lon) = centre(0);
    let (lat, lon) = (lat.to_string(), lon.to_string());
    let east = |n: usize| format!("{}", 110.05 + 0.01 * n as f64);
    let mut rows = vec![
        row(1, &["卫星热点 2026年11月30日 08:00"]),
        row(2, &HOTSPOTS),
        row(3, &["NOAA-20", "2026-11-20 13:30", &lon, &lat]),
    ];
    rows.extend((4..=6).map(|n| row(n, &["NOAA-20", "", &east(n), &lat])));
    let times = |parsed: &Parsed| -> Vec<String> {
        parsed.hotspots.iter().map(|it| it.acquired_at.to_string()).collect()
    };
    let together = list(&xlsx(&[("热点", &merged(&rows, &["B3:B6"]))]));
    assert_eq!(times(&together), ["2026-11-20T05:30:00Z"; 4], "{:?}", together.rejected);

    let apart = list(&xlsx(&[("热点", &sheet(&rows))]));
    assert_eq!(times(&apart), ["2026-11-20T05:30:00Z"]);
    let lines: Vec<u64> = apart.rejected.iter().map(|row| row.line).collect();
    assert_eq!(lines, [4, 5, 6]);
    assert!(apart.rejected.iter().all(|row| row.reason.contains("merged")), "{apart:?}");
    let csv =
        format!("卫星,接收时间,经度,纬度\nNOAA-20,2026-11-20 13:30,{lon},{lat}\n,,{lon},{lat}\n");
    assert_eq!((list(csv.as_bytes()).hotspots.len(), list(csv.as_bytes()).rejected.len()), (1, 1));
}

fn import(register: Register, bytes: &[u8]) -> huoyan::error::Result<Vec<Fact>> {
    let now = "2026-11-20T00:00:00Z".parse().expect("a time");
    let history = History::default();
    county::import(register, "file.xlsx", bytes, &history, false, now, Lang::Zh).map(
        |(report, facts)| {
            assert_eq!(report.rejected, []);
            facts
        },
    )
}

/// Exported, opened in a spreadsheet program, saved as XLSX, brought in: the burn ends when it did.
#[test]
fn a_burn_that_went_through_a_spreadsheet_ends_when_it_did() {
    // 2026-11-22 is day 46348; style 1 shows the hour, style 2 the day alone.
    let ends = |begin: &str, end: &str, workbook: &str| {
        let rows = [
            row(1, &["名称", "经度", "纬度", "半径", "开始", "结束", "批准人"]),
            row(2, &["南山炼山", "110.05", "28.45", "200", begin, end, "李四"]),
        ];
        let file = xlsx_of(&[("炼山", &sheet(&rows))], "", workbook);
        let facts = import(Register::Burns, &file).expect("a table");
        let value = facts[0].entry.as_ref().expect("a burn");
        value["to"].as_str().expect("an instant").to_owned()
    };
    let midnight = "2026-11-22 00:00:00";
    assert_eq!(ends("46346.5#1", "46348#1", ""), midnight, "as it was exported");
    assert_eq!(ends("46346.5#1", "46347.9999999#1", ""), midnight, "as arithmetic leaves it");
    assert_eq!(ends("46346.5#1", "46348#2", ""), "2026-11-23 00:00:00", "a day is a whole day");
    let macintosh = "<workbookPr date1904=\"1\"/>";
    assert_eq!(ends("44884.5#1", "44886#1", macintosh), midnight);
}

/// What nobody has made on purpose: half a file.
#[test]
fn a_damaged_workbook_is_a_sentence_and_no_panic() {
    for name in ["rota.xlsx", "stray.xlsx"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
        let whole = fs::read(file).expect("a workbook");
        for cut in [4, whole.len() / 3, whole.len() - 30] {
            let why = import(Register::Duty, &whole[..cut]).expect_err("half a file").chain();
            assert!(why.contains("另存为"), "{why}");
        }
    }
}

/// Morning and afternoon of one day, each with its own title, and the office's instructions.
#[test]
fn every_sheet_that_is_a_list_is_read_with_its_own_time() {
    let table = |title: &str, n: usize| {
        let (lat, lon) = centre(n);
        let (lat, lon) = (lat.to_string(), lon.to_string());
        sheet(&[
            row(1, &[title]),
            row(2, &["中心经度", "中心纬度", "火点像元个数"]),
            row(3, &[&lon, &lat, "2"]),
            row(4, &[&lon, "北边", "2"]),
        ])
    };
    let words = sheet(&[row(1, &["填表说明"]), row(2, &["经度用十进制"])]);
    let landsat = sheet(&[row(1, &["latitude", "longitude", "path", "row"])]);
    let parsed = list(&xlsx(&[
        ("上午", &table("火情信息快报 FY-3D 2026年11月29日10时20分", 0)),
        ("说明", &words),
        ("下午", &table("火情信息快报 FY-3D 2026年11月29日14时20分", 1)),
        ("空白", &sheet(&[])),
        ("陆地卫星", &landsat),
    ]));
    let times: Vec<_> = parsed.hotspots.iter().map(|it| it.acquired_at.to_string()).collect();
    assert_eq!(times, ["2026-11-29T02:20:00Z", "2026-11-29T06:20:00Z"]);
    let said: Vec<_> = parsed.rejected.iter().map(|it| (it.line, it.reason.as_str())).collect();
    let expected = [(4, "sheet \"上午\": "), (4, "sheet \"下午\": "), (1, "sheet \"陆地卫星\": ")];
    for ((line, reason), (expected, sheet)) in said.iter().zip(expected) {
        assert!(*line == expected && reason.starts_with(sheet), "{said:?}");
    }
    assert_eq!(said.len(), 3, "{said:?}");
    assert_eq!(parsed.unread, ["sheet \"说明\" is not read: it is no hotspot list"]);
}

fn import_people(bytes: &[u8]) -> (ImportReport, Vec<Fact>) {
    let now = "2026-11-20T00:00:00Z".parse().expect("a time");
    let (register, history) = (Register::People, History::default());
    county::import(register, "people.xlsx", bytes, &history, false, now, Lang::Zh).expect("a table")
}

const PEOPLE: [&str; 6] = ["编号", "姓名", "电话", "岗位", "村", "乡镇"];

fn person<'a>(id: &'a str, phone: &'a str) -> [&'a str; 6] {
    [id, "张三", phone, "村级林长", "甲村", "官庄镇"]
}

#[test]
fn a_register_in_several_sheets_is_one_register() {
    let header = row(1, &PEOPLE);
    let person = |line, id: &str| row(line, &person(id, "13800000001"));
    let (report, facts) = import_people(&xlsx(&[
        ("甲村", &sheet(&[header.clone(), person(2, "a"), person(3, "b")])),
        ("乙村", &sheet(&[header.clone(), person(2, "c"), person(3, "a")])),
        ("统计", &sheet(&[row(1, &["合计", "3"])])),
        ("去年#hidden", &sheet(&[header, person(2, "gone")])),
    ]));
    assert_eq!((report.accepted, facts.len()), (3, 3));
    let said: Vec<_> = report.rejected.iter().map(|it| (it.line, it.reason.as_str())).collect();
    assert_eq!(said, [(3, "表「乙村」：与前面的行重复：a")]);
    assert_eq!(
        report.warnings[..2],
        ["表「统计」未读：没有表头", "表「去年」是隐藏的，未读；如要读取，请取消隐藏"]
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    /// Every row of every sheet is taken, or refused by its sheet and line.
    #[test]
    fn rows_of_all_sheets_are_rows_taken_and_refused(
        sheets in proptest::collection::vec(
            proptest::collection::vec(("[a-c]?[0-9]{0,2}", "1380000000[0-9]|12|"), 0..6), 1..5),
    ) {
        let names: Vec<String> = (0..sheets.len()).map(|n| format!("表{n}")).collect();
        let table = |rows: &Vec<(String, String)>| {
            let rows = (2..).zip(rows).map(|(n, (id, phone))| row(n, &person(id, phone)));
            sheet(&std::iter::once(row(1, &PEOPLE)).chain(rows).collect::<Vec<_>>())
        };
        let tables: Vec<String> = sheets.iter().map(table).collect();
        let tables: Vec<(&str, &str)> =
            names.iter().zip(&tables).map(|(name, table)| (name.as_str(), table.as_str())).collect();
        let (report, _) = import_people(&xlsx(&tables));
        let all: usize = sheets.iter().map(Vec::len).sum();
        proptest::prop_assert_eq!(report.accepted + report.rejected.len(), all);
        let mut refused: Vec<_> =
            report.rejected.iter().map(|it| (it.reason.split('：').next(), it.line)).collect();
        refused.dedup();
        proptest::prop_assert_eq!(refused.len(), report.rejected.len(), "no row is said twice");
    }
}
