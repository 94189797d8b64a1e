//! Pure: a message of a device as JSON, so that one kind of pointer finds its fields. XML elements
//! become objects by their local names, repeated ones lists; attributes tell nothing of a fire.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Map, Value};

/// No device nests deeper, and no message has more.
const DEPTH_MAX: usize = 32;
const ELEMENTS_MAX: usize = 20_000;

/// Why it cannot be read, as the library says it.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<(String, Element)> = vec![(String::new(), Element::default())];
    let mut count = 0;
    loop {
        match reader.read_event().map_err(|e| e.to_string())? {
            Event::Eof => break,
            Event::Start(tag) => {
                count += 1;
                if open.len() > DEPTH_MAX || count > ELEMENTS_MAX {
                    return Err("too deep or too long".to_owned());
                }
                open.push((local(&tag), Element::default()));
            }
            Event::Empty(tag) => {
                count += 1;
                if count > ELEMENTS_MAX {
                    return Err("too long".to_owned());
                }
                add(&mut open, local(&tag), Value::String(String::new()));
            }
            Event::End(_) => {
                let Some((name, element)) = open.pop().filter(|_| !open.is_empty()) else {
                    return Err("an end without a beginning".to_owned());
                };
                add(&mut open, name, element.value());
            }
            Event::Text(text) => say(&mut open, &text),
            Event::CData(text) => say(&mut open, &text),
            Event::GeneralRef(name) => say(
                &mut open,
                match &*name {
                    "amp" => "&",
                    "lt" => "<",
                    "gt" => ">",
                    "quot" => "\"",
                    "apos" => "'",
                    // Others stand in no field that is read.
                    _ => "",
                },
            ),
            _ => {}
        }
    }
    match (open.pop(), open.is_empty()) {
        (Some((_, root)), true) if !root.children.is_empty() => Ok(Value::Object(root.children)),
        _ => Err("it ends too early".to_owned()),
    }
}

#[derive(Default)]
struct Element {
    text: String,
    children: Map<String, Value>,
}

impl Element {
    fn value(self) -> Value {
        if self.children.is_empty() {
            Value::String(self.text.trim().to_owned())
        } else {
            Value::Object(self.children)
        }
    }
}

fn say(open: &mut [(String, Element)], text: &str) {
    if let Some((_, element)) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn add(open: &mut [(String, Element)], name: String, value: Value) {
    let Some((_, parent)) = open.last_mut() else { return };
    match parent.children.get_mut(&name) {
        None => _ = parent.children.insert(name, value),
        Some(Value::Array(all)) => all.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
    }
}

fn local(tag: &BytesStart<'_>) -> String {
    tag.local_name().as_ref().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn elements_are_found_by_their_names_whatever_their_namespace() {
        let text = r#"<?xml version="1.0"?><h:E xmlns:h="x" v="2"><a> 1 &amp; 2 </a><b><c/></b>
            <r>1</r><r>2</r></h:E>"#;
        let read = read(text).expect("it is XML");
        let expected = json!({"E": {"a": "1 & 2", "b": {"c": ""}, "r": ["1", "2"]}});
        assert_eq!(read, expected);
    }

    #[test]
    fn what_is_broken_or_built_to_exhaust_is_refused() {
        for bad in ["", "no XML", "<a>", "<a></b>", "</a>", &"<a>".repeat(100)] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(read(&format!("<a>{}</a>", "<b/>".repeat(30_000))).is_err());
    }

    proptest! {
        #[test]
        fn no_text_brings_it_down(text in "[<>/a-c&;! \\[\\]=\"?-]{0,60}") {
            let _ = read(&text);
        }
    }
}
