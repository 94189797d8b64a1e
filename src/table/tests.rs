use super::*;
use crate::triage::geo::LatLon;

const COLUMNS: &[Column] = &[&["编号", "id"], &["经度", "lon", "longitude"], &["纬度", "lat"]];

fn read(bytes: &[u8], columns: &'static [Column], lang: Lang) -> Result<Table, String> {
    super::read(bytes, columns, &[], lang)
}

fn row(table: &Table, at: usize) -> &Row {
    table.rows[at].1.as_ref().expect("a row")
}

/// The lines that are rows, and those that are none.
fn lines(table: &Table) -> (Vec<u64>, Vec<u64>) {
    let (rows, torn): (Vec<_>, Vec<_>) = table.rows.iter().partition(|(_, row)| row.is_ok());
    let lines = |rows: Vec<&(Spot, _)>| rows.iter().map(|(spot, _)| spot.line).collect();
    (lines(rows), lines(torn))
}

#[test]
fn headers_come_in_any_order_language_and_encoding() {
    let utf8 = "纬度（度）,编号,备注,经度\n28.5,a,x,110.4\n";
    let english = "LAT;Longitude;ID\r\n28.5;110.4;a\r\n";
    let titled = "云溪县一览表,,\n制表：办公室,,\n编号,经度,纬度\na,110.4,28.5\n";
    let marked = format!("\u{feff}{utf8}");
    let gb18030 = encoding_rs::GB18030.encode(utf8).0.into_owned();
    for bytes in
        [utf8.as_bytes(), english.as_bytes(), titled.as_bytes(), marked.as_bytes(), &gb18030]
    {
        let table = read(bytes, COLUMNS, Lang::Zh).expect("a header");
        assert_eq!(table.rows.len(), 1, "{}", decode(bytes));
        assert_eq!(row(&table, 0).get("编号"), Some("a"));
        assert_eq!(row(&table, 0).place(), Ok(LatLon::new(28.5, 110.4).expect("a place")));
    }
    assert_eq!(read(utf8.as_bytes(), COLUMNS, Lang::Zh).expect("a header").unknown, ["备注"]);
    assert!(read(b"a,b\n1,2\n", COLUMNS, Lang::Zh).unwrap_err().contains("编号"));
    assert!(read(b"", COLUMNS, Lang::En).is_err());
}

/// A title, a date cell, an hour, a long number as text, and a sheet of instructions before it;
/// written by hand, as small as one can be.
#[test]
fn a_spreadsheet_says_what_its_text_would() {
    const ROTA: &[Column] =
        &[&["日期", "date"], &["岗位", "role"], &["人员", "person"], &["开始", "begins"]];
    let bytes = std::fs::read("tests/data/rota.xlsx").expect("the workbook");
    let table = read(&bytes, ROTA, Lang::Zh).expect("a header");
    let cells = |at: usize| {
        ["日期", "岗位", "人员", "开始"]
            .map(|column| row(&table, at).text(column).unwrap_or_default())
    };
    let rows: Vec<_> =
        (0..).zip(&table.rows).map(|(at, (spot, _))| (spot.line, cells(at))).collect();
    assert_eq!(table.unread.len(), 1, "the instructions are named: {:?}", table.unread);
    let row = |date: &str, role: &str, person: &str, begins: &str| {
        [date, role, person, begins].map(str::to_owned)
    };
    assert_eq!(
        rows,
        [
            (3, row("2026-11-21", "县值班", "p01", "08:00")),
            (4, row("2026-11-21", "带班领导", "43122200001320000001", "")),
            (6, row("2026-11-22 20:30", "县值班", "7", "20:00")),
        ]
    );
    assert!(read(&bytes[..bytes.len() / 2], ROTA, Lang::Zh).unwrap_err().contains("表格文件"));
}

/// A phone number in a cell with the format of a date, and one point at the end of the world.
#[test]
fn a_stray_cell_and_a_wrong_format_cost_no_more_than_themselves() {
    const ROTA: &[Column] = &[&["日期"], &["岗位"], &["人员"]];
    let bytes = std::fs::read("tests/data/stray.xlsx").expect("the workbook");
    let table = read(&bytes, ROTA, Lang::En).expect("a header");
    assert_eq!(row(&table, 0).get("人员"), Some("13899999999"));
    assert_eq!(lines(&table), (vec![2], vec![1_048_576]));
    assert!(table.rows[1].1.as_ref().is_err_and(|why| why.contains("16384 values")), "{table:?}");
}

#[test]
fn a_merged_cell_of_a_workbook_is_the_cell_of_each_of_its_rows() {
    const PEOPLE: &[Column] = &[&["乡镇"], &["编号"], &["村"]];
    let bytes = std::fs::read("tests/data/merged.xlsx").expect("the workbook");
    let table = read(&bytes, PEOPLE, Lang::Zh).expect("a header");
    let cells = |at: usize| {
        ["乡镇", "编号", "村"].map(|column| row(&table, at).get(column).unwrap_or_default())
    };
    let rows: Vec<_> = (0..table.rows.len()).map(cells).collect();
    assert_eq!(
        rows,
        [["龙潭镇", "p01", "向阳村"], ["龙潭镇", "p02", "向阳村"], ["龙潭镇", "p03", "红星村"]]
    );
}

#[test]
fn an_unclosed_quote_takes_no_other_row_along() {
    let text = "编号,经度,纬度\na,110.4,\"28.5\nb,110.5,28.6\nc,\"110.4,28.5,\n";
    let table = read(text.as_bytes(), COLUMNS, Lang::En).expect("a header");
    assert_eq!(lines(&table), (vec![2, 3], vec![4]));
}

#[test]
fn line_numbers_are_those_of_the_file() {
    let text = "编号,经度\n\na,1\nb,\"two\nlines\"\nc,3\n";
    let table = read(text.as_bytes(), COLUMNS, Lang::En).expect("a header");
    assert_eq!(lines(&table), (vec![3, 4, 6], vec![]));
}

#[test]
fn swapped_columns_are_refused_with_the_cure() {
    let table =
        read("编号,经度,纬度\na,28.5,110.4\n".as_bytes(), COLUMNS, Lang::Zh).expect("a header");
    assert!(row(&table, 0).place().unwrap_err().contains("请对调"));
}
