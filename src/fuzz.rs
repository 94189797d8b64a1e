//! What fuzzing runs (`make fuzz`, and a bounded share of it as an ordinary test): every reader of
//! what strangers send, given any bytes. None panics, and none loses a row without a word.

#[cfg(test)]
mod tests;

use crate::camera::{fuzz_answer, fuzz_picture, time_in_name};
use crate::config::{Config, SystemMap};
use crate::county;
use crate::lang::Lang;
use crate::register::Register;
use crate::satellite::{self, Orbits};
use crate::table::{self, cells};
use crate::triage::geo::LatLon;
use crate::web::{fuzz_alarm, fuzz_reply};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::sync::LazyLock;

/// One reader of one kind of input.
pub type Target = fn(&[u8]);

/// By the names of `fuzz/fuzz_targets` and `fuzz/seeds`.
pub const TARGETS: [(&str, Target); 9] = [
    ("hotspots", hotspots),
    ("registers", registers),
    ("alarms", alarms),
    ("orbits", orbits),
    ("pictures", pictures),
    ("answers", answers),
    ("settings", settings),
    ("addresses", addresses),
    ("words", words),
];

/// A title and a header stand within the first five lines.
const ABOVE_ROWS_MAX: usize = 5;

/// Hotspot lists of every form: what was not taken is said.
pub fn hotspots(bytes: &[u8]) {
    // A workbook is read by a process of its own, which may die of it.
    if table::is_workbook(bytes) {
        return;
    }
    let received_at = Timestamp::UNIX_EPOCH;
    let parsed = both(|lang| satellite::parse(bytes, "list.csv", received_at, lang));
    let Ok(parsed) = parsed else { return };
    let counted = parsed.hotspots.len() + parsed.rejected.len() + parsed.repeated;
    let text = table::decode(bytes);
    if text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
        let json: serde_json::Value =
            serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default();
        let features = json["features"].as_array().map_or(0, Vec::len);
        assert_eq!(counted, features, "a feature was lost");
    } else if !text.trim_start_matches('\u{feff}').trim_start().starts_with('<') {
        all_counted(counted, bytes);
    }
}

/// Each register: every row is taken or refused, and what was taken can be written and read again.
pub fn registers(bytes: &[u8]) {
    let Some((&which, bytes)) = bytes.split_first() else { return };
    let register = Register::ALL[usize::from(which) % Register::ALL.len()];
    if table::is_workbook(bytes) {
        return;
    }
    let parsed = both(|lang| county::parse_sheet(register, bytes, lang));
    if register == Register::Cameras {
        _ = county::fuzz_without_secrets(bytes);
    }
    let Ok(sheet) = parsed else { return };
    if register != Register::Grids {
        all_counted(sheet.entries.len() + sheet.rejected.len(), bytes);
    }
    let entries: Vec<_> = sheet.entries.into_iter().map(|(_, entry)| entry).collect();
    let lasting = |entry: &crate::register::Entry| !entry.valid.is_given();
    let entries: Vec<_> = entries.into_iter().filter(lasting).collect();
    let written = county::render_sheet(register, &entries).expect("what was read can be written");
    let again = county::parse_sheet(register, written.as_bytes(), Lang::Zh);
    let again = again.unwrap_or_else(|why| panic!("{why}: {written}"));
    assert!(again.rejected.is_empty(), "{:?}: {written}", again.rejected);
    let again: Vec<_> = again.entries.into_iter().map(|(_, entry)| entry).collect();
    assert_eq!(again, entries, "{written}");
}

/// Every row of a table that has a header. Lines that are not closed rightly count, too.
fn all_counted(counted: usize, bytes: &[u8]) {
    let rows = table::fuzz_lines(bytes);
    let least = rows.saturating_sub(ABOVE_ROWS_MAX);
    assert!((least..rows.max(1)).contains(&counted), "{counted} of {rows} lines are accounted for");
}

/// Other systems' alarms: own form, by a mapping, in parts.
pub fn alarms(bytes: &[u8]) {
    static SYSTEMS: LazyLock<Vec<SystemMap>> = LazyLock::new(|| {
        let config = Config::parse(include_str!("fuzz/alarms.toml")).expect("mappings");
        config.alarms.systems
    });
    const MEDIA: [&str; 6] = [
        "",
        "application/json; charset=gbk",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=gb2312",
        "text/plain",
    ];
    let Some((&which, bytes)) = bytes.split_first() else { return };
    let (media, system) = (usize::from(which) % MEDIA.len(), usize::from(which) / MEDIA.len());
    let mapping = SYSTEMS.get(system % (SYSTEMS.len() + 1));
    fuzz_alarm(mapping, MEDIA[media], bytes);
}

/// Orbits, and the passes of a day by them.
pub fn orbits(bytes: &[u8]) {
    let text = table::decode(bytes);
    let Ok(orbits) = both(|lang| Orbits::read(&text, lang)) else { return };
    let over = LatLon::new(28.5, 110.4).expect("a place");
    let from = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 365 * 56);
    let until = from + SignedDuration::from_hours(6);
    for pass in orbits.passes(over, from, until) {
        assert!(pass.at >= from - SignedDuration::from_mins(1), "a pass before the day");
    }
    _ = (orbits.unread(), orbits.oldest());
}

/// The first picture of an answer, in whatever pieces it comes.
pub fn pictures(bytes: &[u8]) {
    fuzz_picture(bytes);
}

/// The head of a camera's answer that sends on.
pub fn answers(bytes: &[u8]) {
    fuzz_answer(bytes);
}

/// The configuration: whatever is wrong is said.
pub fn settings(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(why) = Config::parse(text) {
        let words = why.words().expect("in both languages");
        assert!(!words.zh.is_empty() && !words.en.is_empty());
    }
}

/// Addresses with logins, as people write them.
pub fn addresses(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let address = crate::address::Address::parse(&text);
    _ = (address.expose(), address.form(), address.has_mistyped_scheme(), address.readings());
    _ = crate::address::masked(&text);
}

/// What people write into one cell, one message or the name of a file.
pub fn words(bytes: &[u8]) {
    let text = &*String::from_utf8_lossy(bytes);
    _ = (cells::degrees(text), cells::areas(text), cells::number(text), cells::folded_code(text));
    _ = (cells::date(text), cells::time_of_day(text), cells::unspread(text));
    for end in [false, true] {
        if let Some(at) = cells::instant(text, end) {
            _ = cells::local(at);
        }
    }
    if let Some(phone) = cells::phone(text) {
        assert_eq!(cells::phone(&phone).as_ref(), Some(&phone), "a phone stays itself");
    }
    _ = time_in_name(text, &TimeZone::UTC);
    fuzz_reply(text);
}

/// What one language takes the other takes, too.
fn both<T, E>(read: impl Fn(Lang) -> Result<T, E>) -> Result<T, E> {
    let (zh, en) = (read(Lang::Zh), read(Lang::En));
    assert_eq!(zh.is_ok(), en.is_ok(), "it depends on the language");
    zh
}
