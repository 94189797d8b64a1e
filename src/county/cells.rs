//! Pure: what people and spreadsheets write into a cell: degrees, phones, days, hours.

use super::people::county_time;
use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, ToSpan};

/// `110.4`, `116°14'37.289"E`, `116度14分37.3秒`, `东经116°14′37″`, `28°30′` (any mixture of
/// 度′分″).
pub(super) fn degrees(text: &str) -> Option<f64> {
    let text = text.trim().to_uppercase();
    if let Ok(number) = text.parse::<f64>() {
        return number.is_finite().then_some(number);
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

/// The digits of a phone number: a mobile number, or a landline with its area code. Full-width
/// digits and separators are accepted.
pub fn phone(text: &str) -> Option<String> {
    let mut digits = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' => digits.push(c),
            '０'..='９' => digits.push(char::from(b'0' + (c as u32 - '０' as u32) as u8)),
            '+' | '-' | ' ' | '(' | ')' | '－' | '\u{3000}' => {}
            _ => return None,
        }
    }
    let at_home = |prefix| {
        digits.strip_prefix(prefix).filter(|rest: &&str| rest.len() == 11).map(str::to_owned)
    };
    let digits = at_home("86").or_else(|| at_home("0086")).unwrap_or(digits);
    let mobile = digits.len() == 11 && digits.starts_with('1');
    let landline = (7..=12).contains(&digits.len()) && !digits.starts_with('1');
    (mobile || landline).then_some(digits)
}

/// `2026-11-21`, `2026/11/21`, `20261121`, `2026年11月21日`, `46347` (days of a spreadsheet); the
/// day of the week and an hour of midnight behind it do not matter. Full-width digits are taken for
/// their plain ones.
pub(super) fn date(text: &str) -> Option<Date> {
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
    let [year, month, day] = parts[..] else { return None };
    // 12/4/2026 is April to some and December to others.
    (year > 1900)
        .then(|| Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok())
        .flatten()
}

/// Day 0 of spreadsheets, which count the 29 February 1900 that never was.
pub(super) const SPREADSHEET_BEGINS: Date = jiff::civil::date(1899, 12, 30);

fn half_width(text: &str) -> String {
    let plain = |c| match c {
        '０'..='９' => char::from(b'0' + (c as u32 - '０' as u32) as u8),
        '－' => '-',
        '／' => '/',
        '．' => '.',
        '：' => ':',
        '\u{3000}' => ' ',
        other => other,
    };
    text.chars().map(plain).collect()
}

/// "2026年12月2日 星期三", "2026-12-06（周日）" → the date alone.
fn without_weekday(text: &str) -> &str {
    let end = ["星期", "周", "（", "("].iter().filter_map(|mark| text.find(mark)).min();
    text[..end.unwrap_or(text.len())].trim_end()
}

/// `8:00`, `08:30:00`, `８：００`; `24:00` is the end of the day, as midnight is.
pub(super) fn time_of_day(text: &str) -> Option<Time> {
    let plain = half_width(text);
    let mut parts = plain.trim().split(':');
    let (hour, minute) = (parts.next()?.trim(), parts.next()?.trim());
    if (hour, minute) == ("24", "00") {
        return Some(Time::midnight());
    }
    let second = parts.next().unwrap_or("0").trim();
    Time::new(hour.parse().ok()?, minute.parse().ok()?, second.parse().ok()?, 0)
        .ok()
        .filter(|_| parts.next().is_none())
}

/// An instant in county time; a day alone means its first moment or, with `end`, its last.
pub(super) fn instant(text: &str, end: bool) -> Option<Timestamp> {
    if let Ok(exact) = text.parse::<Timestamp>() {
        return Some(exact);
    }
    let local: DateTime = match text.trim().split_once([' ', 'T', '日']) {
        Some((day, clock)) if clock.contains([':', '：']) => {
            let clock = clock.trim().replace('：', ":");
            // Not `Date::at`, which panics on 25:00.
            date(day)?.to_datetime(time_of_day(&clock)?)
        }
        _ => {
            let day = date(text)?;
            let day = if end { day.checked_add(1.day()).ok()? } else { day };
            day.to_datetime(Time::midnight())
        }
    };
    Some(local.to_zoned(county_time()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn phones_are_digits() {
        for (text, digits) in [
            ("190-0000-0001", Some("19000000001")),
            ("+86 19000000001", Some("19000000001")),
            ("008619000000001", Some("19000000001")),
            ("１９０００００００01", Some("19000000001")),
            ("0744-8881234", Some("07448881234")),
            ("1900000", None),
            ("无", None),
            ("", None),
        ] {
            assert_eq!(phone(text).as_deref(), digits, "{text}");
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
        for text in ["2026-13-01", "昨天", "2026-11-21 25:00", ""] {
            assert_eq!(instant(text, false), None, "{text}");
        }
    }
}
