//! Pure: bytes → text, in the encodings that offices' programs write.

use crate::lang::Lang;
use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};
use std::borrow::Cow;

/// What stands for bytes that are no character.
pub(super) const UNREADABLE: char = '\u{fffd}';
/// Bytes of a beginning that show the encoding.
const HEAD: usize = 4096;
/// Broken UTF-8 has many whole characters for each broken one; in GB18030 taken for UTF-8 whole ones
/// are chance.
const WHOLE_FOR_BROKEN: usize = 4;

/// Bytes that are no character become U+FFFD.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let (encoding, mark) = of(bytes);
    let text = &bytes[mark..];
    if encoding == UTF_8 {
        return String::from_utf8_lossy(text);
    }
    encoding.decode_without_bom_handling(text).0
}

/// UTF-8 or UTF-16 by the byte order mark or by what the bytes are, otherwise GB18030 (as Chinese
/// Excel and WPS write); and the length of the mark.
pub(super) fn of(bytes: &[u8]) -> (&'static Encoding, usize) {
    if let Some(marked) = Encoding::for_bom(bytes) {
        return marked;
    }
    let is_utf_8 = || std::str::from_utf8(bytes).is_ok() || is_broken_utf_8(bytes);
    (utf_16(bytes).unwrap_or_else(|| if is_utf_8() { UTF_8 } else { GB18030 }), 0)
}

/// Only UTF-16 has bytes of zero in a text: commas, digits and line ends have one each.
fn utf_16(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(HEAD)];
    let zeros = |from: usize| head.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    match (even, odd) {
        _ if bytes.len() % 2 == 1 || even.max(odd) * 16 < head.len() => None,
        _ if odd > even * WHOLE_FOR_BROKEN => Some(UTF_16LE),
        _ if even > odd * WHOLE_FOR_BROKEN => Some(UTF_16BE),
        _ => None,
    }
}

fn is_broken_utf_8(bytes: &[u8]) -> bool {
    let (mut whole, mut broken) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        whole += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    whole > broken * WHOLE_FOR_BROKEN
}

/// Why a row cannot be used that has such bytes.
pub(super) fn unreadable(column: &str, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!(
            "“{column}”中有无法识别的字节（编码损坏）：请改正这一格，把文件另存为 UTF-8 或 XLSX"
        ),
        Lang::En => format!(
            "\"{column}\" holds bytes that are no character: correct that cell, and save the file \
            as UTF-8 or XLSX"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHEET: &str = "编号,姓名,电话\np01,张一,13800000001\np02,李四,13800000002\n";

    #[test]
    fn a_text_is_read_in_each_encoding_with_or_without_its_mark() {
        let le: Vec<u8> = SHEET.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = SHEET.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let gb = GB18030.encode(SHEET).0;
        for bytes in [SHEET.as_bytes(), &le, &be, &gb] {
            assert_eq!(decode(bytes), SHEET);
        }
    }

    #[test]
    fn one_bad_byte_does_not_make_another_encoding_of_a_text() {
        let at = SHEET.find("李").expect("it is there");
        let mut bytes = SHEET.as_bytes().to_vec();
        bytes.remove(at);
        let text = decode(&bytes);
        assert!(text.contains("p01,张一") && text.contains(UNREADABLE), "{text}");
        assert!(text.contains("四,13800000002"), "{text}");
    }
}
