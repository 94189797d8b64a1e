//! Pure: telephone numbers and codes, whatever people and spreadsheets have made of their digits.

use super::half_width;
use std::borrow::Cow;

/// How several telephone numbers, or a number and its extension, are separated in one cell.
const BETWEEN_PHONES: [char; 8] = ['/', '、', ',', ';', '\n', '|', '转', '或'];

/// The digits of a phone number: a mobile number, or a landline with its area code, however people
/// and spreadsheets write it. Of several numbers the first.
pub fn phone(text: &str) -> Option<String> {
    phone_in(text).map(|(phone, _)| phone)
}

/// The same, and whether the cell says more than this number.
pub fn phone_in(text: &str) -> Option<(String, bool)> {
    let plain: String = half_width(text).chars().filter(|c| !is_unseen(*c)).collect();
    let plain = unspread(plain.trim().trim_start_matches(['\'', '‘', '’', '`'])).ok()?;
    let parts = plain.split(BETWEEN_PHONES).map(number_in).collect::<Vec<_>>();
    if let Some((phone, is_bare)) = parts.iter().flatten().next() {
        return Some((phone.clone(), parts.len() > 1 || !is_bare));
    }
    // `13,800,000,001`: the format of an amount of money.
    let is_grouped = plain.chars().all(|c| c.is_ascii_digit() || c == ',');
    is_grouped.then(|| number_in(&plain.replace(',', ""))).flatten()
}

/// The number in a part of a cell, and whether there is nothing else: people write names beside it.
fn number_in(part: &str) -> Option<(String, bool)> {
    let is_of_number = |c: char| c.is_ascii_digit() || c == '+' || c == '(';
    let begin = part.find(is_of_number)?;
    let end = part.rfind(|c: char| c.is_ascii_digit())? + 1;
    let number = part.get(begin..end)?;
    let between = |c: char| matches!(c, '+' | '-' | ' ' | '(' | ')' | '.' | '—' | '–' | '‐' | '·');
    if number.chars().any(|c| !c.is_ascii_digit() && !between(c)) {
        return None;
    }
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let at_home = |prefix| {
        digits.strip_prefix(prefix).filter(|rest: &&str| rest.len() == 11).map(str::to_owned)
    };
    let digits = at_home("86").or_else(|| at_home("0086")).unwrap_or(digits);
    let mobile = digits.len() == 11 && digits.starts_with('1');
    let landline = (7..=12).contains(&digits.len()) && !digits.starts_with('1');
    let is_bare = part.trim().len() == number.len();
    (mobile || landline).then_some((digits, is_bare))
}

/// Marks of writing direction and of width zero, which programs copy along.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The last digits are not there any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lost;

/// Digits that a spreadsheet took for a number, as they were: `13800000001.0`, `1.3800000001E+10`;
/// any other text as it is. `Err`: `1.38E+10`, whose last digits are lost.
pub fn unspread(text: &str) -> Result<Cow<'_, str>, Lost> {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if let Some((whole, zeros)) = text.split_once('.')
        && is_digits(whole)
        && is_digits(zeros)
        && zeros.bytes().all(|b| b == b'0')
    {
        return Ok(Cow::Borrowed(whole));
    }
    let Some((digits, exponent)) = text.split_once("E+").or(text.split_once("e+")) else {
        return Ok(Cow::Borrowed(text));
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if !is_digits(whole) || !is_digits(exponent) || !part.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(Cow::Borrowed(text));
    }
    let is_whole = whole.len() == 1 && exponent.parse() == Ok(part.len());
    if is_whole { Ok(Cow::Owned(format!("{whole}{part}"))) } else { Err(Lost) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_are_digits() {
        for (text, digits) in [
            ("190-0000-0001", Some("19000000001")),
            ("+86 19000000001", Some("19000000001")),
            ("008619000000001", Some("19000000001")),
            ("１９０００００００01", Some("19000000001")),
            ("0744-8881234", Some("07448881234")),
            ("13800000001.0", Some("13800000001")),
            ("1.3800000001E+10", Some("13800000001")),
            ("'13800000001", Some("13800000001")),
            ("\u{202d}13800000001\u{202c}", Some("13800000001")),
            ("138.0000.0001\u{a0}", Some("13800000001")),
            ("(0745)1234567", Some("07451234567")),
            ("0745—1234567", Some("07451234567")),
            ("13,800,000,001", Some("13800000001")),
            ("13800000001、13900000002", Some("13800000001")),
            ("无/13800000001", Some("13800000001")),
            ("1380000 0001转2", Some("13800000001")),
            ("13800000001 张", Some("13800000001")),
            ("1.38E+10", None),
            ("138000000011", None),
            ("12119", None),
            ("138a0000001", None),
            ("1900000", None),
            ("无", None),
            ("", None),
        ] {
            assert_eq!(phone(text).as_deref(), digits, "{text}");
        }
    }

    #[test]
    fn a_cell_that_says_more_than_one_number_is_seen() {
        let more = |text| phone_in(text).map(|(_, says_more)| says_more);
        assert_eq!(more("+86 138-0000-0001"), Some(false));
        assert_eq!(more("（0745）1234567"), Some(false));
        for text in ["13800000001/0745-1234567", "13800000001 张", "0745-1234567转802"] {
            assert_eq!(more(text), Some(true), "{text}");
        }
    }

    #[test]
    fn digits_that_were_a_number_are_digits_again_or_lost() {
        for (text, digits) in [
            ("430722101.0", Ok("430722101")),
            ("4.30722101E+8", Ok("430722101")),
            ("4.3E+8", Err(Lost)),
            ("4e+19", Err(Lost)),
            ("G-01.5", Ok("G-01.5")),
            ("1e5", Ok("1e5")),
            ("E+1", Ok("E+1")),
        ] {
            assert_eq!(unspread(text).as_deref(), digits.as_ref().map(|it| *it), "{text}");
        }
    }
}
