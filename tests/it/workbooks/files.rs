//! Workbooks written by hand, as small as they can be.

use std::fmt::Write;

/// One line of a sheet. `46348#1` is a number in style 1; what reads as a number is one.
pub fn row(line: usize, cells: &[&str]) -> String {
    let mut text = format!("<row r=\"{line}\">");
    for (column, cell) in ('A'..='Z').zip(cells).filter(|(_, cell)| !cell.is_empty()) {
        let (number, style) = cell.split_once('#').unwrap_or((*cell, "0"));
        _ = if number.parse::<f64>().is_ok() {
            write!(text, "<c r=\"{column}{line}\" s=\"{style}\"><v>{number}</v></c>")
        } else {
            write!(text, "<c r=\"{column}{line}\" t=\"inlineStr\"><is><t>{cell}</t></is></c>")
        };
    }
    text + "</row>"
}

pub fn sheet(rows: &[String]) -> String {
    merged(rows, &[])
}

/// `B3:B6` is one cell.
pub fn merged(rows: &[String], cells: &[&str]) -> String {
    let cells: String = cells.iter().map(|cells| format!("<mergeCell ref=\"{cells}\"/>")).collect();
    let cells = match cells.is_empty() {
        true => cells,
        false => format!("<mergeCells>{cells}</mergeCells>"),
    };
    format!("<worksheet><sheetData>{}</sheetData>{cells}</worksheet>", rows.concat())
}

/// `去年#hidden` is a sheet that is hidden.
pub fn xlsx(sheets: &[(&str, &str)]) -> Vec<u8> {
    xlsx_of(sheets, "", "")
}

/// With these shared strings and properties of the workbook. Style 1 shows day and hour, 2 the day.
pub fn xlsx_of(sheets: &[(&str, &str)], strings: &str, properties: &str) -> Vec<u8> {
    const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const RELATED: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    let (mut names, mut relations) = (String::new(), String::new());
    for (n, (name, _)) in (1..).zip(sheets) {
        let (name, state) = match name.strip_suffix("#hidden") {
            Some(name) => (name, "hidden"),
            None => (*name, "visible"),
        };
        _ = write!(
            names,
            "<sheet name=\"{name}\" sheetId=\"{n}\" state=\"{state}\" r:id=\"rId{n}\"/>"
        );
        _ = write!(
            relations,
            "<Relationship Id=\"rId{n}\" Type=\"{OFFICE}/worksheet\" \
             Target=\"worksheets/sheet{n}.xml\"/>"
        );
    }
    let workbook = format!(
        "{HEAD}<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" \
         xmlns:r=\"{OFFICE}\">{properties}<sheets>{names}</sheets></workbook>"
    );
    let styles = format!(
        "{HEAD}<styleSheet><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"22\"/>\
         <xf numFmtId=\"14\"/></cellXfs></styleSheet>"
    );
    let mut parts = vec![
        ("[Content_Types].xml".to_owned(), format!("{HEAD}<Types/>")),
        (
            "_rels/.rels".to_owned(),
            format!(
                "{HEAD}<Relationships xmlns=\"{RELATED}\"><Relationship Id=\"rId1\" \
                 Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        ("xl/workbook.xml".to_owned(), workbook),
        (
            "xl/_rels/workbook.xml.rels".to_owned(),
            format!("{HEAD}<Relationships xmlns=\"{RELATED}\">{relations}</Relationships>"),
        ),
        ("xl/styles.xml".to_owned(), styles),
    ];
    if !strings.is_empty() {
        parts.push(("xl/sharedStrings.xml".to_owned(), format!("{HEAD}{strings}")));
    }
    for (n, (_, sheet)) in (1..).zip(sheets) {
        parts.push((format!("xl/worksheets/sheet{n}.xml"), format!("{HEAD}{sheet}")));
    }
    zip(&parts)
}

/// Stored, not compressed.
fn zip(parts: &[(String, String)]) -> Vec<u8> {
    let (mut all, mut directory) = (Vec::new(), Vec::new());
    for (name, text) in parts {
        let begins = all.len() as u32;
        let size = (text.len() as u32).to_le_bytes();
        let mut about = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        about.extend(crc32(text.as_bytes()).to_le_bytes());
        about.extend([size, size].concat());
        about.extend((name.len() as u16).to_le_bytes());
        about.extend([0, 0]);
        all.extend(b"PK\x03\x04");
        all.extend(&about);
        all.extend(name.as_bytes());
        all.extend(text.as_bytes());
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&about);
        directory.extend([0; 10]);
        directory.extend(begins.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (begins, size) = (all.len() as u32, directory.len() as u32);
    let count = (parts.len() as u16).to_le_bytes();
    all.extend(directory);
    all.extend(b"PK\x05\x06\x00\x00\x00\x00");
    all.extend([count, count].concat());
    all.extend([size.to_le_bytes(), begins.to_le_bytes()].concat());
    all.extend([0, 0]);
    all
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

/// An XLS of one empty sheet that says it is as large as can be said.
pub fn far_xls() -> Vec<u8> {
    let record = |kind: u16, data: &[u8]| {
        [&kind.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), data].concat()
    };
    let begin = |kind: u8| record(0x0809, &[0, 6, kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let end = record(0x000a, &[]);
    let named = |at: u32| record(0x0085, &[&at.to_le_bytes()[..], &[0, 0, 1, 0, b'A']].concat());
    let head = begin(5).len() + named(0).len() + end.len();
    let mut size = [0; 14];
    size[4..8].fill(0xff);
    size[10..12].fill(0xff);
    let mut stream = [begin(5), named(head as u32), end.clone()].concat();
    stream.extend([begin(0x10), record(0x0200, &size), end].concat());
    stream.resize(4096, 0);

    let mut file = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    file.resize(24, 0);
    file.extend([0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0]);
    file.resize(44, 0);
    // One sector of the table of sectors, the first; the directory is the second.
    let none = u32::MAX;
    let last = none - 1;
    for number in [1, 1, 0, 4096, last, 0, last, 0, 0] {
        file.extend(number.to_le_bytes());
    }
    file.resize(512, 0xff);
    let chain = [none - 2, last].into_iter().chain(3..10).chain([last]);
    for number in chain.chain(std::iter::repeat(none)).take(128) {
        file.extend(number.to_le_bytes());
    }
    for (name, kind, begins, size) in [("Root Entry", 5, last, 0), ("Workbook", 2, 2, 4096)] {
        let mut entry: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        entry.resize(64, 0);
        entry.extend([name.len() as u8 * 2 + 2, 0, kind, 1]);
        entry.extend([0xff; 12]);
        entry.resize(116, 0);
        entry.extend([begins.to_le_bytes(), u32::to_le_bytes(size), [0; 4]].concat());
        file.extend(entry);
    }
    file.resize(512 * 3, 0);
    file.extend(stream);
    file
}
