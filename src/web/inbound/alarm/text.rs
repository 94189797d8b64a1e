//! Pure: the parts of a body → the text of its alarm, JSON or XML in UTF-8. A form is the JSON of its
//! fields; a field that holds JSON or XML is what it holds.

use super::xml;
use crate::lang::Words;
use encoding_rs::{Encoding, GB18030, UTF_8};
use percent_encoding::percent_decode;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// No device has more.
const FIELDS_MAX: usize = 500;
/// How far a declaration of XML may reach.
const DECLARATION_MAX: usize = 200;

/// One part of a body; of a body that is no multipart, all of it.
pub(super) struct Part {
    pub name: String,
    /// Its type in small letters.
    pub media: String,
    pub bytes: Vec<u8>,
}

/// The text, and what it now is. `Err` says why it cannot be read.
pub(super) fn of(parts: &[Part]) -> Result<(String, String), Words> {
    let json = |fields| Ok(("application/json".to_owned(), Value::Object(fields).to_string()));
    let first = parts
        .first()
        .ok_or_else(|| Words::new("消息里没有告警本身", "the message holds no alarm"))?;
    let text = decoded(first)?;
    if is_structured(&text) {
        return Ok((first.media.clone(), text.into_owned()));
    }
    let mut fields = Map::new();
    if first.media.starts_with("application/x-www-form-urlencoded") {
        for (name, value) in pairs(first)? {
            add(&mut fields, name, value)?;
        }
        return json(fields);
    }
    if parts.len() == 1 && first.name.is_empty() {
        return Ok((first.media.clone(), text.into_owned()));
    }
    for part in parts {
        add(&mut fields, part.name.clone(), decoded(part)?.into_owned())?;
    }
    json(fields)
}

/// Whether it may be JSON or XML.
fn is_structured(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[', '<'])
}

/// In the encoding that it declares; otherwise UTF-8, or GB18030 if it is none.
fn decoded(part: &Part) -> Result<Cow<'_, str>, Words> {
    let bytes = part.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&part.bytes);
    let encoding = match declared(part) {
        Some(label) => Encoding::for_label(label.as_bytes()).ok_or_else(|| {
            Words::new(
                format!("不认识编码 {label}：请用 UTF-8 或 GB18030"),
                format!("the encoding {label} is not known: send UTF-8 or GB18030"),
            )
        })?,
        None if std::str::from_utf8(bytes).is_ok() => UTF_8,
        None => GB18030,
    };
    encoding.decode_without_bom_handling_and_without_replacement(bytes).ok_or_else(|| {
        let name = encoding.name();
        Words::new(
            format!("内容不是有效的 {name}：请用 UTF-8，或在 Content-Type 里写明 charset"),
            format!("it is no valid {name}: send UTF-8, or say its charset in Content-Type"),
        )
    })
}

/// `application/xml; charset="GB2312"`, `<?xml version="1.0" encoding="GBK"?>`.
fn declared(part: &Part) -> Option<String> {
    let after = |text: &str, mark: &str| {
        let rest = text.split_once(mark)?.1.trim_start_matches(['"', '\'']);
        let label: String =
            rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_:.".contains(*c)).collect();
        Some(label).filter(|label| !label.is_empty())
    };
    let head = String::from_utf8_lossy(&part.bytes[..part.bytes.len().min(DECLARATION_MAX)]);
    let declaration = head.trim_start_matches('\u{feff}').trim_start().strip_prefix("<?xml");
    let declaration = declaration.and_then(|it| it.split_once("?>"));
    after(&part.media, "charset=").or_else(|| after(declaration?.0, "encoding="))
}

/// `a=1&b=%E7%83%9F`.
fn pairs(form: &Part) -> Result<Vec<(String, String)>, Words> {
    let text = |written: &[u8]| {
        let spaced: Vec<u8> =
            written.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        let bytes = percent_decode(&spaced).collect();
        let part = Part { name: String::new(), media: form.media.clone(), bytes };
        decoded(&part).map(Cow::into_owned)
    };
    let written = form.bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    let pair = |pair: &[u8]| {
        let end = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        Ok((text(&pair[..end])?, text(pair.get(end + 1..).unwrap_or_default())?))
    };
    if written.clone().count() > FIELDS_MAX {
        return Err(Words::new(
            format!("超过{FIELDS_MAX}个字段"),
            format!("it has more than {FIELDS_MAX} fields"),
        ));
    }
    written.map(pair).collect()
}

/// A name that comes again makes a list.
fn add(fields: &mut Map<String, Value>, name: String, text: String) -> Result<(), Words> {
    let broken = |why: String| {
        Words::new(format!("字段 {name} 读不懂：{why}"), format!("the field {name}: {why}"))
    };
    let value = match text.trim_start().chars().next() {
        Some('{' | '[') => serde_json::from_str(&text).map_err(|e| broken(e.to_string()))?,
        Some('<') => xml::read(&text).map_err(broken)?,
        _ => Value::String(text),
    };
    match fields.get_mut(&name) {
        None => _ = fields.insert(name, value),
        Some(Value::Array(all)) => all.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn part(name: &str, media: &str, bytes: &[u8]) -> Part {
        Part { name: name.to_owned(), media: media.to_owned(), bytes: bytes.to_vec() }
    }

    const FORM: &str = "application/x-www-form-urlencoded";

    fn json_of(parts: &[Part]) -> Value {
        let (media, text) = of(parts).unwrap_or_else(|why| panic!("{}", why.en));
        assert_eq!(media, "application/json");
        serde_json::from_str(&text).expect("JSON")
    }

    #[test]
    fn a_form_is_the_json_of_its_fields() {
        let form = b"id=7&device=c1&at=2026-11-21+05%3A59%3A40&class=%E7%83%9F&empty&x=1&x=2";
        let expected = json!({
            "id": "7", "device": "c1", "at": "2026-11-21 05:59:40", "class": "烟", "empty": "",
            "x": ["1", "2"],
        });
        assert_eq!(json_of(&[part("", FORM, form)]), expected);
        let in_gbk = part("", &format!("{FORM}; charset=gbk"), b"class=%D1%CC&id=7");
        assert_eq!(json_of(&[in_gbk]), json!({"class": "烟", "id": "7"}));
        let holding = part("", FORM, b"data=%7B%22Code%22%3A%22FireWarning%22%7D&n=1");
        assert_eq!(json_of(&[holding]), json!({"data": {"Code": "FireWarning"}, "n": "1"}));
        let fields = [part("uid", "", b"7"), part("event", "", b"<E><a>1</a></E>")];
        assert_eq!(json_of(&fields), json!({"uid": "7", "event": {"E": {"a": "1"}}}));
    }

    /// Devices that set no type, or curl's, and those whose message comes first.
    #[test]
    fn json_and_xml_are_found_whatever_the_type_says() {
        let json = br#" {"id":1}"#;
        for parts in [
            vec![part("", FORM, json)],
            vec![part("", "", json)],
            vec![part("event", "text/plain", json), part("note", "text/plain", b"on a mast")],
        ] {
            assert_eq!(of(&parts).expect("read").1, r#" {"id":1}"#);
        }
    }

    #[test]
    fn a_text_is_read_in_the_encoding_that_it_declares_or_shows() {
        let gb = |text: &str| GB18030.encode(text).0.into_owned();
        let xml = r#"<?xml version="1.0" encoding="GB2312"?><E><n>松林烟火</n></E>"#;
        let json = r#"{"n":"松林烟火"}"#;
        let short = r#"{"n":"联通"}"#;
        for (media, bytes, expected) in [
            ("application/xml", gb(xml), xml),
            ("application/json; charset=\"gbk\"", gb(json), json),
            ("application/json; charset=gb18030", gb(short), short),
            ("application/json", gb(json), json),
            ("application/json", json.as_bytes().to_vec(), json),
            ("application/json", [b"\xef\xbb\xbf", json.as_bytes()].concat(), json),
        ] {
            let (_, text) = of(&[part("", media, &bytes)]).expect("read");
            assert_eq!(text, expected, "{media}");
        }
        for (media, bytes, cure) in [
            ("application/json", b"{\"n\":\"\xff\xff\"}".to_vec(), "UTF-8"),
            ("application/json; charset=utf-8", gb(json), "charset"),
            ("application/json; charset=klingon", gb(json), "klingon"),
        ] {
            let why = of(&[part("", media, &bytes)]).expect_err("refused");
            assert!(why.en.contains(cure) && why.zh.contains(cure), "{}", why.en);
        }
    }

    #[test]
    fn more_fields_than_any_device_has_are_refused() {
        let many: String = (0..=FIELDS_MAX).map(|n| format!("f{n}=1&")).collect();
        assert!(of(&[part("", FORM, many.as_bytes())]).is_err());
    }

    proptest! {
        /// No bytes bring it down, and what a form says arrives.
        #[test]
        fn every_field_arrives(
            values in proptest::collection::vec("[^<{\\[\\s\u{feff}][^\\x00]{0,8}", 1..8),
            noise in proptest::collection::vec(any::<u8>(), 0..60),
        ) {
            _ = of(&[part("", FORM, &noise), part("x", "", &noise)]);
            let encode = |text: &String| {
                text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>()
            };
            let pairs = (0..).zip(&values).map(|(n, it)| format!("f{n}={}", encode(it)));
            let form = pairs.collect::<Vec<_>>().join("&");
            let media = format!("{FORM}; charset=utf-8");
            let read = json_of(&[part("", &media, form.as_bytes())]);
            for (n, value) in values.iter().enumerate() {
                prop_assert_eq!(read[format!("f{n}")].as_str(), Some(value.as_str()));
            }
        }
    }
}
