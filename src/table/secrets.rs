//! Pure: a table of cameras as it came, with stars for its secrets. Whatever is no secret stays as
//! it is, to the byte. In doubt it hides: whoever needs the whole address has the register.

use super::{
    BYTE_ORDER_MARK, Column, HEADER_WITHIN_LINES, apart, encoding, known, records, workbook,
};
use crate::address::{self, Address};
use crate::lang::Lang;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::ops::Range;

const STARS: &str = "***";

#[derive(PartialEq, Eq, Debug)]
pub enum Kept {
    /// It holds no secret.
    AsItIs,
    /// The same text with stars.
    Text(Vec<u8>),
    /// What a workbook with secrets says, as CSV with stars.
    Csv(Vec<u8>),
}

/// `Err` is a sentence: it is a workbook that cannot be read.
pub fn without_secrets(
    bytes: &[u8],
    columns: &'static [Column],
    lang: Lang,
) -> Result<Kept, String> {
    if workbook::is_one(bytes) {
        return of_workbook(bytes, columns, lang);
    }
    let (encoding, mark) = encoding::of(bytes);
    let (mark, body) = bytes.split_at(mark);
    let starred = if [UTF_16LE, UTF_16BE].contains(&encoding) {
        let text = encoding.decode_without_bom_handling(body).0;
        let bytes = |unit: u16| match encoding == UTF_16BE {
            true => unit.to_be_bytes(),
            false => unit.to_le_bytes(),
        };
        let starred = starred(text.as_bytes(), UTF_8, columns);
        starred.map(|it| String::from_utf8_lossy(&it).encode_utf16().flat_map(bytes).collect())
    } else {
        starred(body, encoding, columns)
    };
    Ok(starred.map_or(Kept::AsItIs, |starred: Vec<u8>| Kept::Text([mark, &starred].concat())))
}

/// Line by line, since the separators and the ends of lines are no part of any other character, in
/// UTF-8 and in GB18030. `None`: there is nothing to hide.
fn starred(
    bytes: &[u8],
    encoding: &'static Encoding,
    columns: &'static [Column],
) -> Option<Vec<u8>> {
    let text = |bytes| encoding.decode_without_bom_handling(bytes).0;
    let separator = records::delimiter(&text(bytes), HEADER_WITHIN_LINES) as u8;
    let (mut hiding, mut kept) = (Hiding::of(columns), Vec::with_capacity(bytes.len()));
    for line in bytes.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
        let ranges = cells(line, separator);
        let said: Vec<String> =
            ranges.iter().map(|it| unquoted(&text(&line[it.clone()]))).collect();
        let mut from = 0;
        for (range, shown) in ranges.into_iter().zip(hiding.shown(&said)) {
            let Some(shown) = shown else { continue };
            kept.extend_from_slice(&line[from..range.start]);
            let is_quoted = line[range.start] == b'"';
            let shown =
                if is_quoted { format!("\"{}\"", shown.replace('"', "\"\"")) } else { shown };
            kept.extend_from_slice(&encoding.encode(&shown).0);
            from = range.end;
        }
        kept.extend_from_slice(&line[from..]);
    }
    hiding.has_hidden.then_some(kept)
}

fn of_workbook(bytes: &[u8], columns: &'static [Column], lang: Lang) -> Result<Kept, String> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    let mut has_hidden = false;
    for sheet in apart::sheets(bytes, lang)? {
        let mut hiding = Hiding::of(columns);
        for (_, cells) in sheet.lines {
            let shown = hiding.shown(&cells).into_iter().zip(&cells);
            let shown = shown.map(|(shown, cell)| shown.unwrap_or_else(|| cell.clone()));
            writer.write_record(shown).map_err(|e| e.to_string())?;
        }
        has_hidden |= hiding.has_hidden;
    }
    let text = writer.into_inner().map_err(|e| e.to_string())?;
    Ok(match has_hidden {
        true => Kept::Csv([BYTE_ORDER_MARK.as_bytes(), &text].concat()),
        false => Kept::AsItIs,
    })
}

/// Goes through a table from its first line.
struct Hiding {
    columns: &'static [Column],
    /// Once the header was seen: how many columns it has, and the places of those that are called
    /// 密码 and the like.
    header: Option<(usize, Vec<usize>)>,
    has_hidden: bool,
}

impl Hiding {
    fn of(columns: &'static [Column]) -> Self {
        Self { columns, header: None, has_hidden: false }
    }

    /// What is shown instead of each cell; `None`: itself.
    fn shown(&mut self, cells: &[String]) -> Vec<Option<String>> {
        let is_known = |cell: &&String| known(cell, self.columns).is_some();
        if self.header.is_none() && cells.iter().filter(is_known).count() >= 2 {
            let is_secret = |cell: &String| !is_known(&cell) && address::names_a_secret(cell);
            let places = cells.iter().enumerate().filter(|(_, cell)| is_secret(cell));
            self.header = Some((cells.len(), places.map(|(place, _)| place).collect()));
            return vec![None; cells.len()];
        }
        let torn = torn(cells);
        let is_secret = |place: usize| {
            self.header.as_ref().is_some_and(|(width, secret)| {
                // A separator too many has moved what follows to the right.
                let has_moved = cells.len() > *width;
                secret.iter().any(|it| *it == place || has_moved && *it < place)
            })
        };
        let shown = cells.iter().enumerate().map(|(place, cell)| {
            let is_torn = torn.iter().any(|it| it.contains(&place));
            let is_hidden = is_torn || !cell.trim().is_empty() && is_secret(place);
            let shown = if is_hidden { STARS.to_owned() } else { shown(cell) };
            Some(shown).filter(|shown| shown != cell)
        });
        let shown: Vec<_> = shown.collect();
        self.has_hidden |= shown.iter().any(Option::is_some);
        shown
    }
}

/// With the space around it.
fn shown(cell: &str) -> String {
    let trimmed = cell.trim();
    match Address::parse(trimmed).shown() {
        same if same == trimmed => cell.to_owned(),
        shown => cell.replace(trimmed, shown),
    }
}

/// The cells into which a separator in a password has torn an address: from its scheme to its `@`.
fn torn(cells: &[String]) -> Vec<Range<usize>> {
    let begins = |cell: &String| cell.contains("://");
    let torn = cells.iter().enumerate().filter(|(_, cell)| begins(cell) && !cell.contains('@'));
    let whole = torn.filter_map(|(begin, _)| {
        let rest = cells.iter().skip(begin + 1).take_while(|cell| !begins(cell));
        let (more, _) = rest.enumerate().filter(|(_, cell)| cell.contains('@')).last()?;
        Some(begin..begin + more + 2)
    });
    whole.collect()
}

/// Where the cells of a line lie. A quoted cell ends at a quote before a separator or the end; one
/// that does not reaches to the end.
fn cells(line: &[u8], separator: u8) -> Vec<Range<usize>> {
    let end = line.len() - line.iter().rev().take_while(|it| matches!(it, b'\n' | b'\r')).count();
    let (mut cells, mut start) = (Vec::new(), 0);
    while start <= end {
        let is_end = |at: usize| at == end || line[at] == separator;
        let stop = match line[start..end].first() {
            Some(b'"') => {
                let closing = (start + 1..end).find(|at| {
                    let before = line[start + 1..*at].iter().rev();
                    let quotes = before.take_while(|it| **it == b'"').count();
                    line[*at] == b'"' && is_end(at + 1) && quotes % 2 == 0
                });
                closing.map_or(end, |at| at + 1)
            }
            _ => (start..end).find(|at| is_end(*at)).unwrap_or(end),
        };
        cells.push(start..stop);
        start = stop + 1;
    }
    cells
}

fn unquoted(cell: &str) -> String {
    match cell.strip_prefix('"') {
        Some(inner) => inner.strip_suffix('"').unwrap_or(inner).replace("\"\"", "\""),
        None => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::GB18030;
    use proptest::prelude::*;

    const COLUMNS: &[Column] =
        &[&["编号", "id"], &["名称", "name"], &["地址", "url"], &["用户", "user"]];

    fn kept(bytes: &[u8]) -> Kept {
        without_secrets(bytes, COLUMNS, Lang::Zh).expect("a text")
    }

    fn text(bytes: &[u8]) -> String {
        match kept(bytes) {
            Kept::Text(kept) => String::from_utf8(kept).expect("UTF-8"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_secret_becomes_stars_and_the_rest_stays_to_the_byte() {
        for (came, is_kept) in [
            ("rtsp://admin:geheim@10.0.0.1/1", "rtsp://10.0.0.1/1"),
            ("\"rtsp://admin:ge,heim@10.0.0.1/1\"", "\"rtsp://10.0.0.1/1\""),
            ("\"rtsp://admin:ge\"\"heim@10.0.0.1/1\"", "\"rtsp://10.0.0.1/1\""),
            (" rtsp://10.0.0.1/1?pwd=geheim ", " rtsp://10.0.0.1/1?pwd=*** "),
            ("rtsp://admin:12,geheim@10.0.0.1/1", "***,***"),
            ("rtsp://a:12,geheim@h/1,rtsp://a:12,geheim@h/2", "***,***,***,***"),
            ("rtsp://10.0.0.1/1", "rtsp://10.0.0.1/1"),
        ] {
            let sheet = |cell: &str| {
                format!(
                    "\u{feff}某县,摄像机;表\r\n编号,\"名称\",地址,密码\r\nc1,  塔\t1 ,{cell},geheim\r\n\r\n\"c2\",塔\"2,,"
                )
            };
            let expected = sheet(is_kept).replace(",geheim\r", ",***\r");
            assert_eq!(text(sheet(came).as_bytes()), expected, "{came}");
        }
    }

    #[test]
    fn encodings_stay_what_they_were() {
        let came = "编号\t名称\t地址\nc1\t乌石\trtsp://admin:密码geheim@10.0.0.1/1\n";
        let stays = came.replace("admin:密码geheim@", "");
        let gb = |text: &str| GB18030.encode(text).0.into_owned();
        // An invalid byte is a byte, too.
        let odd = |text: &str| [gb(text), vec![0xff, b'\n']].concat();
        assert_eq!(kept(&odd(came)), Kept::Text(odd(&stays)));
        let utf16 = |text: &str| -> Vec<u8> {
            format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
        };
        assert_eq!(kept(&utf16(came)), Kept::Text(utf16(&stays)));
    }

    /// The register is read all the same, so its secrets are found all the same.
    #[test]
    fn what_is_read_is_hidden_whatever_its_bytes_are() {
        let came = "编号,名称,地址,密码\nc1,乌石,rtsp://admin:geheim@10.0.0.1/1,geheim\n";
        let stays = came.replace("admin:geheim@", "").replace(",geheim", ",***");
        let torn = |text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            bytes.remove(text.find('乌').expect("it is there"));
            bytes
        };
        assert_eq!(kept(&torn(came)), Kept::Text(torn(&stays)), "one bad byte");
        let bare =
            |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        assert_eq!(kept(&bare(came)), Kept::Text(bare(&stays)), "UTF-16 without its mark");
    }

    #[test]
    fn what_holds_no_secret_is_kept_as_it_is() {
        let none = "c1,rtsp://admin:geheim@10.0.0.1/1\n".as_bytes();
        assert_eq!(text(none), "c1,rtsp://10.0.0.1/1\n", "also where no header is found");
        let sheet = "编号,地址,用户,密码\nc1,rtsp://10.0.0.1/1,viewer,\nc2,drop:/srv/北山,,\n";
        assert_eq!(kept(sheet.as_bytes()), Kept::AsItIs);
    }

    proptest! {
        #[test]
        fn a_password_column_and_an_address_hide_what_they_hold(
            text in "[\",\r@:/a-z密 ]{0,30}", secret in "[a-z0-9#%&=?@:/]{0,8}GEHEIM[a-z0-9#%&=?@:/]{0,8}"
        ) {
            let sheet = format!("编号,地址,密码\n{text}\nc1,rtsp://admin:{secret}@10.0.0.1/1,{secret}\n{text}\n");
            let kept = self::text(sheet.as_bytes());
            prop_assert!(!kept.contains("GEHEIM"), "{kept}");
        }
    }
}
