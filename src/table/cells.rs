//! Pure: what people and spreadsheets write into a cell: degrees, phones, days, hours.

use crate::base::time::county_time;
use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, ToSpan};

mod digits;

pub use digits::{Lost, phone, phone_in, unspread};

/// How several areas are separated in one cell.
const SEPARATORS: [char; 6] = ['、', ',', '，', ';', '；', '\n'];
/// `110.4`, `116°14'37.289"E`, `116度14分37.3秒`, `东经116°14′37″`, `28°30′` (any mixture of
/// 度′分″).
pub fn degrees(text: &str) -> Option<f64> {
    let text = half_width(text).trim().to_uppercase();
    if let Some(number) = number(&text) {
        return Some(number);
    }
    let negative = text.contains(['S', 'W', '南', '西']) || text.starts_with('-');
    let numbers: String = text
        .chars()
        .filter(|c| {
            !matches!(
                c,
                'N' | 'S' | 'E' | 'W' | '东' | '西' | '南' | '北' | '经' | '纬' | '-' | '+'
            )
        })
        .map(|c| if c.is_ascii_digit() || c == '.' { c } else { ' ' })
        .collect();
    if !text.contains(['°', '度', 'º', '′', '\'', 'N', 'S', 'E', 'W', '经', '纬']) {
        return None;
    }
    let parts: Vec<f64> =
        numbers.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let (&whole, rest) = parts.split_first()?;
    if rest.len() > 2 || rest.iter().any(|part| *part >= 60.0) {
        return None;
    }
    let value = whole + rest.first().unwrap_or(&0.0) / 60.0 + rest.get(1).unwrap_or(&0.0) / 3600.0;
    Some(if negative { -value } else { value })
}

/// The areas of a cell; none for the whole county.
pub fn areas(cell: &str) -> Vec<String> {
    let names = cell.split(SEPARATORS).map(str::trim).filter(|name| !name.is_empty());
    let is_all = |name: &str| matches!(name, "全县" | "全域" | "county" | "all");
    let names: Vec<&str> = names.collect();
    if names.iter().any(|name| is_all(name)) {
        return Vec::new();
    }
    names.into_iter().map(str::to_owned).collect()
}

/// `2026-11-21`, `2026/11/21`, `20261121`, `2026年11月21日`, `46347` (days of a spreadsheet); the
/// day of the week and an hour of midnight behind it do not matter. Full-width digits are taken for
/// their plain ones.
pub fn date(text: &str) -> Option<Date> {
    let plain = half_width(text);
    let text = without_weekday(plain.trim());
    let text =
        text.strip_suffix("00:00:00").or(text.strip_suffix("0:00:00")).unwrap_or(text).trim_end();
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return match text.len() {
            8 => {
                let parts =
                    [&text[..4], &text[4..6], &text[6..]].map(|part| part.parse::<i16>().ok());
                let [Some(year), Some(month), Some(day)] = parts else { return None };
                Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
            }
            5 => SPREADSHEET_BEGINS.checked_add(text.parse::<i32>().ok()?.days()).ok(),
            _ => None,
        };
    }
    let spaced = text.replace(['-', '/', '.', '年', '月'], " ").replace('日', "");
    let parts: Vec<i16> =
        spaced.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let [first, second, third] = parts[..] else { return None };
    let day = |year: i16, month: i16, day: i16| {
        Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
    };
    if first > 1900 {
        return day(first, second, third);
    }
    // 12/4/2026 is April to some and December to others; 11/21/2026 has one reading.
    let readings = [day(third, first, second), day(third, second, first)];
    match readings.map(|it| it.filter(|it| it.year() > 1900)) {
        [Some(one), None] | [None, Some(one)] => Some(one),
        [Some(one), Some(other)] if one == other => Some(one),
        _ => None,
    }
}

/// Day 0 of spreadsheets, which count the 29 February 1900 that never was.
pub const SPREADSHEET_BEGINS: Date = jiff::civil::date(1899, 12, 30);

/// Full-width forms as their plain ones, and every kind of blank as a space.
pub fn half_width(text: &str) -> String {
    /// Unicode puts the full-width forms of `!`..=`~` at U+FF01, in the same order.
    const APART: u32 = '！' as u32 - '!' as u32;
    let plain = |c| match c {
        '！'..='～' => char::from_u32(c as u32 - APART).unwrap_or(c),
        '\u{3000}' | '\u{a0}' => ' ',
        other => other,
    };
    text.chars().map(plain).collect()
}

/// A name or code without blanks and signs, in capitals: `NOAA-20` is NOAA20.
pub fn folded_code(text: &str) -> String {
    half_width(text).chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// `331.2`, `331,2`, `３３１．２`. One comma and no point is a decimal comma; with both, the number
/// has two readings, and none is taken.
pub fn number(text: &str) -> Option<f64> {
    let plain = half_width(text);
    let plain = plain.trim();
    let read = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    read(plain).or_else(|| match plain.split_once(',') {
        Some((whole, part)) if !part.contains([',', '.']) => read(&format!("{whole}.{part}")),
        _ => None,
    })
}

/// "2026年12月2日 星期三", "2026-12-06（周日）" → the date alone.
fn without_weekday(text: &str) -> &str {
    let end = ["星期", "周", "（", "("].iter().filter_map(|mark| text.find(mark)).min();
    text[..end.unwrap_or(text.len())].trim_end()
}

/// `8:00`, `08:30:00`, `８：００`, `8时`, `8点30分`, `下午3:20`, `3:20 PM`; `24:00` and 晚上12点 are the end
/// of the day, as midnight is.
pub fn time_of_day(text: &str) -> Option<Time> {
    hour(text).map(|(_, time)| time)
}

/// A word for a part of the day: the hours that it names when they are counted to twelve, and all
/// that it may name when they are counted to 24.
struct Part {
    words: &'static [&'static str],
    twelve: std::ops::RangeInclusive<i8>,
    of_day: std::ops::RangeInclusive<i8>,
}

/// 上午12点 is noon to some and midnight to others, and 晚上1点 is not in the evening: such hours are
/// refused.
const PARTS: [Part; 5] = [
    Part { words: &["上午", "早上", "早晨"], twelve: 0..=11, of_day: 0..=11 },
    Part { words: &["凌晨", "AM"], twelve: 0..=12, of_day: 0..=11 },
    Part { words: &["下午", "PM"], twelve: 1..=12, of_day: 12..=23 },
    Part { words: &["傍晚"], twelve: 4..=8, of_day: 16..=20 },
    Part { words: &["晚上"], twelve: 5..=12, of_day: 17..=24 },
];

impl Part {
    /// The hour counted to 24, which is the end of the day.
    fn hour(&self, written: i8) -> Option<i8> {
        let to_24 = match written {
            12 if self.of_day.contains(&24) => 24,
            12 if self.of_day.contains(&0) => 0,
            1..12 if !self.of_day.contains(&0) => written + 12,
            _ => written,
        };
        let is_named = self.twelve.contains(&written) || self.of_day.contains(&written);
        Some(to_24).filter(|hour| is_named && self.of_day.contains(hour))
    }
}

/// The same, and whether it belongs to the next day: `24:00`, 晚上12点.
fn hour(text: &str) -> Option<(bool, Time)> {
    let plain = half_width(text).to_uppercase();
    let mut parts = PARTS.iter().filter(|part| part.words.iter().any(|it| plain.contains(it)));
    let part = match (parts.next(), parts.next()) {
        (part, None) => part,
        _ => return None,
    };
    let words = part.into_iter().flat_map(|part| part.words);
    let digits = words.fold(plain.clone(), |text, word| text.replace(word, ""));
    let digits = digits.replace(['时', '点'], ":").replace(['分', '秒'], ":");
    let numbers: Vec<&str> =
        digits.trim().trim_end_matches(':').split(':').map(str::trim).collect();
    let has_unit = text.contains([':', '：', '时', '点']);
    let numbers: Vec<i8> =
        numbers.into_iter().map(|number| number.parse().ok()).collect::<Option<_>>()?;
    let (written, minute, second) = match numbers[..] {
        [hour] if has_unit || part.is_some() => (hour, 0, 0),
        [hour, minute] => (hour, minute, 0),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    match part.map_or(Some(written), |part| part.hour(written))? {
        24 if (minute, second) == (0, 0) => Some((true, Time::midnight())),
        hour => Some((false, Time::new(hour, minute, second, 0).ok()?)),
    }
}

/// An instant in county time; a day alone means its first moment or, with `end`, its last.
pub fn instant(text: &str, end: bool) -> Option<Timestamp> {
    if let Ok(exact) = text.parse::<Timestamp>() {
        return Some(exact);
    }
    let plain = half_width(text);
    if let Some(local) = serial(plain.trim()) {
        return Some(local.to_zoned(county_time()).ok()?.timestamp());
    }
    let local: DateTime = match plain.trim().split_once([' ', 'T', '日']) {
        Some((day, clock)) if clock.contains([':', '时', '点']) => {
            // Not `Date::at`, which panics on 25:00.
            let (is_next_day, time) = hour(clock)?;
            let day = date(day)?;
            let day = if is_next_day { day.tomorrow().ok()? } else { day };
            day.to_datetime(time)
        }
        _ => {
            let day = date(&plain)?;
            let day = if end { day.tomorrow().ok()? } else { day };
            day.to_datetime(Time::midnight())
        }
    };
    Some(local.to_zoned(county_time()).ok()?.timestamp())
}

/// `46355.75`: a day of a spreadsheet and its hour, to the second.
fn serial(text: &str) -> Option<DateTime> {
    let (day, part) = text.split_once('.')?;
    let day = date(day).filter(|_| day.len() == 5)?;
    // Digits alone: `46347.8e308` is no part of a day.
    let is_part = part.bytes().all(|b| b.is_ascii_digit());
    let part: f64 = format!("0.{part}").parse().ok().filter(|_| is_part)?;
    let seconds = (part * 86_400.0).round() as i64;
    day.to_datetime(Time::midnight()).checked_add(seconds.seconds()).ok()
}

/// An instant as people of the county write it; [`instant`] reads it back.
pub fn local(at: Timestamp) -> String {
    at.to_zoned(county_time()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_as_notices_write_them() {
        for (text, hour) in [
            ("8:00", "08:00"),
            ("８：３０", "08:30"),
            ("8时", "08:00"),
            ("上午8:00", "08:00"),
            ("下午3点20分", "15:20"),
            ("下午12:30", "12:30"),
            ("凌晨12:05", "00:05"),
            ("3:20 PM", "15:20"),
            ("24:00", "00:00"),
            ("晚上8点", "20:00"),
            ("晚上20:00", "20:00"),
            ("晚上12点", "00:00"),
            ("傍晚6:30", "18:30"),
            ("下午15:20", "15:20"),
            ("12:05 AM", "00:05"),
            ("12 PM", "12:00"),
            ("上午0:30", "00:30"),
        ] {
            let read = time_of_day(text).map(|time| time.strftime("%H:%M").to_string());
            assert_eq!(read.as_deref(), Some(hour), "{text}");
        }
        for text in ["8", "25:00", "8:60", "noon", "", "1:2:3:4", "-1:00"] {
            assert_eq!(time_of_day(text), None, "{text}");
        }
        // Which hour is meant is not sure, or there is no such hour in that part of the day.
        for text in [
            "上午12点",
            "早上12:00",
            "晚上1点",
            "晚上3:20",
            "晚上12:30",
            "晚上0点",
            "傍晚1点",
            "傍晚12点",
            "上午15:00",
            "13:00 AM",
            "下午0:30",
            "下午8点晚上",
            "下午24:00",
        ] {
            assert_eq!(time_of_day(text), None, "{text}");
        }
    }

    #[test]
    fn a_comma_is_a_point_where_it_cannot_be_anything_else() {
        for (text, value) in [
            ("331,2", Some(331.2)),
            ("３３１．２", Some(331.2)),
            (" 1 ", Some(1.0)),
            ("1,234.5", None),
            ("1,2,3", None),
            ("NaN", None),
            ("", None),
        ] {
            assert_eq!(number(text), value, "{text}");
        }
    }

    #[test]
    fn degrees_in_every_hand() {
        let close = |text: &str, value: f64| {
            let read = degrees(text);
            assert!(
                read.is_some_and(|read| (read - value).abs() < 1e-9),
                "{text}: {read:?}, not {value}"
            );
        };
        let dms = 116.0 + 14.0 / 60.0 + 37.289 / 3600.0;
        for text in [
            "116°14'37.289\"E",
            "116度14分37.289秒",
            "东经116°14′37.289″",
            "E116°14'37.289\"",
            "116 14 37.289 E",
        ] {
            close(text, dms);
        }
        close("28°30′", 28.5);
        close("28.5N", 28.5);
        close("28.5S", -28.5);
        close(" 110.4 ", 110.4);
        for text in ["", "abc", "110°70'", "12 30", "1°2'3\"4", "NaN", "inf"] {
            assert_eq!(degrees(text), None, "{text}");
        }
    }

    #[test]
    fn days_and_hours_are_the_countys() {
        for text in [
            "2026-11-21",
            "2026/11/21",
            "20261121",
            "2026年11月21日",
            "46347",
            "2026年11月21日 星期六",
            "２０２６－１１－２１",
        ] {
            assert_eq!(date(text).map(|d| d.to_string()).as_deref(), Some("2026-11-21"), "{text}");
            assert_eq!(
                instant(text, false).map(|t| t.to_string()).as_deref(),
                Some("2026-11-20T16:00:00Z"),
                "{text}"
            );
            assert_eq!(
                instant(text, true).map(|t| t.to_string()).as_deref(),
                Some("2026-11-21T16:00:00Z"),
                "{text}"
            );
        }
        for text in [
            "2026-11-21 14:05",
            "2026年11月21日14：05",
            "2026-11-21T06:05:00Z",
            "2026/11/21 14:05:00",
            "46347.58680556",
        ] {
            assert_eq!(
                instant(text, false).map(|t| t.to_string()).as_deref(),
                Some("2026-11-21T06:05:00Z"),
                "{text}"
            );
        }
        assert_eq!(
            date("2026-11-21 00:00:00"),
            date("2026-11-21"),
            "as a spreadsheet exports a day"
        );
        assert_eq!(
            (date("12/4/2026"), date("11月21日"), date("21-Nov")),
            (None, None, None),
            "which day is meant is not sure"
        );
        assert_eq!(date("11/21/2026"), date("2026-11-21"), "there is no month 21");
        for text in [
            "2026-11-21 24:00",
            "2026年11月21日24时",
            "2026年11月21日晚上12点",
            "2026-11-21 晚上12:00",
        ] {
            let midnight = instant("2026-11-22", false);
            assert_eq!(instant(text, false), midnight, "{text} is the end of that day");
        }
        for text in ["2026-13-01", "昨天", "2026-11-21 25:00", ""] {
            assert_eq!(instant(text, false), None, "{text}");
        }
    }
}
