//! Workbooks as offices send them, and as nobody should.

mod files;

use crate::program::{GRIDS, Office, binary, centre};
use files::{far_xls, merged, row, sheet, xlsx, xlsx_of};
use huoyan::clock::Clock;
use huoyan::county;
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
