//! Pure: the records of a delimited text, each with the line that it begins on. A quote that nobody
//! closes takes none of the lines after it along; its own line is read without quotes, if it then
//! has as many cells as the others.

use crate::lang::Lang;
use std::borrow::Cow;

/// Lines that one quoted cell may span. People write addresses and notes into cells; nobody writes
/// a page.
const LINES_OF_A_CELL: usize = 20;
/// A line's number and its cells. `Err`: why it is no row.
pub(super) type Line = (u64, Result<Vec<String>, String>);

const QUOTE: char = '"';

/// Every line that is not empty, in order. `Err`: why a line is no record.
pub(super) fn each(text: &str, within_lines: usize, lang: Lang, mut take: impl FnMut(Line)) {
    let delimiter = delimiter(text, within_lines);
    let (text, torn, width) = without_torn(text, delimiter, within_lines);
    let mut torn = torn.into_iter().map(|(line, torn)| {
        let cells = torn.replace(QUOTE, "");
        let cells: Vec<_> = cells.split(delimiter).map(|cell| cell.trim().to_owned()).collect();
        let why = lang.pick(
            "引号没有配对；请补上或删去这一行的引号",
            "a quotation mark is not closed: close it or delete it",
        );
        (line, if cells.len() == width { Ok(cells) } else { Err(why.to_owned()) })
    });
    let mut next_torn = torn.next();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter as u8)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    loop {
        let (at, cells) = match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {
                let cells = record.iter().map(str::to_owned).collect();
                (line(&text, record.position()), Ok(cells))
            }
            Err(e) => (line(&text, e.position()), Err(e.to_string())),
        };
        while let Some(torn_line) = next_torn.take_if(|(line, _)| *line < at) {
            take(torn_line);
            next_torn = torn.next();
        }
        take((at, cells));
    }
    next_torn.into_iter().chain(torn).for_each(take);
}

/// The separator that the text says (`sep=;`, as spreadsheets write), or shows in its first lines.
pub(super) fn delimiter(text: &str, within_lines: usize) -> char {
    if let Some(said) = text.lines().next().and_then(|line| line.trim().strip_prefix("sep="))
        && let Some(said @ (',' | ';' | '\t')) = said.chars().next()
    {
        return said;
    }
    let head: String = text.lines().take(within_lines).collect();
    let count = |c: char| head.chars().filter(|&d| d == c).count();
    if count('\t') > count(',') {
        '\t'
    } else if count(';') > count(',') {
        ';'
    } else {
        ','
    }
}

/// The text with every line emptied whose quote is never closed; these lines, with their numbers;
/// and how many cells the first lines have at most. A reader of CSV would take all that follows such
/// a quote for one cell.
fn without_torn(
    text: &str,
    delimiter: char,
    within_lines: usize,
) -> (Cow<'_, str>, Vec<(u64, &str)>, usize) {
    if !text.contains(QUOTE) {
        return (Cow::Borrowed(text), Vec::new(), 0);
    }
    let end = if text.contains('\n') { '\n' } else { '\r' };
    let lines: Vec<&str> = text.split(end).collect();
    let width = lines.iter().take(within_lines).map(|line| scan(line, delimiter, false).fields);
    let width = width.max().unwrap_or(1);
    let (mut kept, mut torn, mut at) = (lines.clone(), Vec::new(), 0);
    while at < lines.len() {
        let mut is_open = scan(lines[at], delimiter, false).is_open;
        let mut next = at + 1;
        while is_open && next < lines.len() && next - at < LINES_OF_A_CELL {
            let (alone, going_on) =
                (scan(lines[next], delimiter, false), scan(lines[next], delimiter, true));
            // What reads as a row of its own, or as the torn beginning of one, is no continuation:
            // the quote before it was never closed.
            let all = lines[next].split(delimiter).count();
            let is_begun = !alone.is_odd && (all >= width || alone.is_open && alone.fields > 1);
            let is_row = width > 1 && (is_begun || going_on.fields >= width);
            if is_row || going_on.is_odd {
                break;
            }
            is_open = going_on.is_open;
            next += 1;
        }
        if is_open {
            kept[at] = "";
            torn.push((at as u64 + 1, lines[at]));
            next = at + 1;
        }
        at = next;
    }
    match torn.is_empty() {
        true => (Cow::Borrowed(text), torn, width),
        false => (Cow::Owned(kept.join(&end.to_string())), torn, width),
    }
}

struct Scan {
    fields: usize,
    /// It ends inside a quoted cell.
    is_open: bool,
    /// A quote stands where none begins or ends a cell.
    is_odd: bool,
}

/// One line, which begins inside a quoted cell if `is_open`. A cell is quoted when a quote is its
/// first character; two quotes in it are one.
fn scan(line: &str, delimiter: char, mut is_open: bool) -> Scan {
    let (mut fields, mut is_odd, mut at_start) = (1, false, !is_open);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            QUOTE if is_open && chars.peek() == Some(&QUOTE) => drop(chars.next()),
            QUOTE if is_open => {
                is_open = false;
                is_odd |= chars.peek().is_some_and(|next| *next != delimiter && *next != '\r');
            }
            _ if is_open => {}
            QUOTE if at_start => (is_open, at_start) = (true, false),
            QUOTE => is_odd = true,
            c if c == delimiter => (fields, at_start) = (fields + 1, true),
            _ => at_start = false,
        }
    }
    Scan { fields, is_open, is_odd }
}

/// The line that a record begins on. The reader counts empty lines above a record as part of it.
fn line(text: &str, position: Option<&csv::Position>) -> u64 {
    position.map_or(0, |position| {
        let begin = usize::try_from(position.byte()).unwrap_or(usize::MAX);
        let above =
            text.as_bytes().iter().skip(begin).take_while(|byte| matches!(byte, b'\r' | b'\n'));
        position.line() + above.filter(|byte| **byte == b'\n').count() as u64
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(text: &str) -> Vec<(u64, Option<Vec<String>>)> {
        let mut said = Vec::new();
        each(text, 5, Lang::En, |(line, row)| said.push((line, row.ok())));
        said
    }

    fn row(cells: &[&str]) -> Option<Vec<String>> {
        Some(cells.iter().map(|&cell| cell.to_owned()).collect())
    }

    #[test]
    fn an_unclosed_quote_costs_its_own_line_at_most() {
        let text = "id,name,phone\n1,\"Zhang, San,1\n2,Li,2\n3,\"Wang\",3\n4,\"Zhao,4\n";
        let rows = [
            (1, row(&["id", "name", "phone"])),
            (2, None),
            (3, row(&["2", "Li", "2"])),
            (4, row(&["3", "Wang", "3"])),
            (5, row(&["4", "Zhao", "4"])),
        ];
        assert_eq!(said(text), rows);
    }

    #[test]
    fn a_cell_may_have_lines_and_quotes() {
        let text = "id,note\n\n1,\"two\nlines, and a \"\"word\"\"\"\n2,5\" wide\n3,\"a\nb\"\n";
        let rows = [
            (1, row(&["id", "note"])),
            (3, row(&["1", "two\nlines, and a \"word\""])),
            (5, row(&["2", "5\" wide"])),
            (6, row(&["3", "a\nb"])),
        ];
        assert_eq!(said(text), rows);
    }

    #[test]
    fn the_separator_is_said_or_seen() {
        for (text, separator) in [
            ("sep=;\na,b;c\n", ';'),
            ("a;b;c\n1,5;2,5;3\n", ';'),
            ("a\tb\n1,2\t3\n", '\t'),
            ("a,b\n", ','),
            ("", ','),
        ] {
            assert_eq!(delimiter(text, 5), separator, "{text:?}");
        }
    }

    proptest! {
        /// A row in is a row out, taken or refused, however many quotes are not closed.
        #[test]
        fn no_line_vanishes(
            cells in proptest::collection::vec("[a-z ]{1,6}|\"[a-z ]{1,6}|\"[a-z ]{0,6}\"", 1..30)
        ) {
            let lines: Vec<String> = cells.iter().map(|cell| format!("x,{cell},y")).collect();
            let text = format!("a,b,c\n{}\n", lines.join("\n"));
            let numbers: Vec<u64> = said(&text).into_iter().map(|it| it.0).collect();
            prop_assert_eq!(numbers, (1..=lines.len() as u64 + 1).collect::<Vec<_>>());
        }

        #[test]
        fn no_text_panics(text in "[\"\\n\\r,;\\t a\u{4e00}]{0,80}") {
            each(&text, 5, Lang::Zh, drop);
        }
    }
}
