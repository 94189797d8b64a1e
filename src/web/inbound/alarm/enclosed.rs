//! Pure: the pictures of an alarm, and its original without them. Each step takes time and memory
//! that grow with the body, not faster.

use super::told::{PICTURES_MAX, too_many_pictures};
use crate::base::id::named;
use crate::lang::Words;
use crate::triage::id::{PictureId, SightingId};
use crate::web::evidence::pictures;
use crate::web::http::error::{Answer, Problem};
use crate::web::http::limits::ALARM_PICTURE_MAX_BYTES;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest, Sha256};

/// As devices write it, with its padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// No whole picture is shorter: what is shorter is not looked at.
const SHORTEST_CHARS: usize = 32;

/// The pictures of one alarm.
pub(super) struct Enclosed {
    /// Those that were taken, before they are looked at.
    pub came: Vec<Vec<u8>>,
    /// Those that can be looked at, with their names.
    pub kept: Vec<(PictureId, Vec<u8>)>,
    /// What is to be said of the others.
    pub lost: Vec<Words>,
}

impl Enclosed {
    /// Pictures inside the alarm, then those beside it.
    pub(super) fn of(sighting: SightingId, inside: &[String], beside: &[impl AsRef<[u8]>]) -> Self {
        // One that is no base64 is as broken as one that is no JPEG.
        let decoded = inside.iter().map(|it| decode(it).unwrap_or_default());
        let beside_it = beside.iter().map(|it| it.as_ref().to_vec());
        let came: Vec<Vec<u8>> = decoded.chain(beside_it).take(PICTURES_MAX).collect();
        let (mut kept, mut lost) = (Vec::new(), Vec::new());
        for (n, bytes) in came.iter().enumerate() {
            match check_picture(bytes) {
                Ok(()) => kept.push((name_of(sighting, bytes), bytes.clone())),
                Err(problem) => {
                    let Words { zh, en } = problem.words();
                    let n = n + 1;
                    lost.push(Words::new(
                        format!("第{n}张图片没有保存：{zh}"),
                        format!("picture {n} is not kept: {en}"),
                    ));
                }
            }
        }
        let are_too_many = inside.len() + beside.len() > PICTURES_MAX;
        lost.extend(are_too_many.then(too_many_pictures));
        Self { came, kept, lost }
    }
}

/// The same picture of the same alarm always has the same name.
pub(super) fn name_of(sighting: SightingId, bytes: &[u8]) -> PictureId {
    let digest = hex::encode(Sha256::digest(bytes));
    PictureId::of(named(format!("picture {sighting} {digest}")), bytes)
}

pub(super) fn check_picture(bytes: &[u8]) -> Answer<()> {
    if bytes.len() > ALARM_PICTURE_MAX_BYTES {
        return Err(Problem::impossible("图片超过2 MB。", "The picture has more than 2 MB."));
    }
    pictures::check_whole(bytes)
}

/// With line breaks (MIME) or without, and behind `data:image/jpeg;base64,` or not.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bare = text.as_bytes()[prefix(text)..].to_vec();
    bare.retain(|it| !it.is_ascii_whitespace());
    BASE64.decode(bare).ok()
}

fn prefix(text: &str) -> usize {
    text.rfind(',').map_or(0, |comma| comma + 1)
}

/// The original with the name of a kept picture where the picture itself stood, and byte for byte
/// the same everywhere else. Only whole values are looked at: a string of JSON, a text of XML.
pub(super) fn without_pictures(text: &str, kept: &[(PictureId, Vec<u8>)]) -> Vec<u8> {
    if kept.is_empty() {
        return text.as_bytes().to_vec();
    }
    let is_xml = text.trim_start().starts_with('<');
    let values = if is_xml { xml_texts(text) } else { json_strings(text) };
    let (mut bare, mut copied) = (String::new(), 0);
    for (from, to) in values {
        if to - from < SHORTEST_CHARS {
            continue;
        }
        let from = from + prefix(&text[from..to]);
        let Some(name) = name_in(&text[from..to], is_xml, kept) else { continue };
        bare.push_str(&text[copied..from]);
        bare.push_str(&name.to_string());
        copied = to;
    }
    bare.push_str(&text[copied..]);
    bare.into_bytes()
}

/// Which kept picture this value is.
fn name_in(value: &str, is_xml: bool, kept: &[(PictureId, Vec<u8>)]) -> Option<PictureId> {
    let bytes = match is_xml {
        true => decode(value)?,
        // PHP writes `\/`, MIME lines are `\r\n`.
        false => decode(&serde_json::from_str::<String>(&format!("\"{value}\"")).ok()?)?,
    };
    kept.iter().find(|(_, it)| *it == bytes).map(|(name, _)| *name)
}

/// What stands between the quotes of each string.
fn json_strings(text: &str) -> Vec<(usize, usize)> {
    let (mut found, mut begun, mut is_escaped) = (Vec::new(), None, false);
    for (at, byte) in text.bytes().enumerate() {
        match (begun, byte) {
            (Some(_), _) if is_escaped => is_escaped = false,
            (Some(_), b'\\') => is_escaped = true,
            (Some(from), b'"') => {
                found.push((from, at));
                begun = None;
            }
            (None, b'"') => begun = Some(at + 1),
            _ => {}
        }
    }
    found
}

/// What stands between two tags.
fn xml_texts(text: &str) -> Vec<(usize, usize)> {
    let (mut found, mut begun) = (Vec::new(), None);
    for (at, byte) in text.bytes().enumerate() {
        match (begun, byte) {
            (_, b'>') => begun = Some(at + 1),
            (Some(from), b'<') => {
                found.push((from, at));
                begun = None;
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Picture;
    use base64::prelude::BASE64_STANDARD;
    use proptest::prelude::*;
    use uuid::Uuid;

    const SIGHTING: SightingId = SightingId(Uuid::from_u128(7));

    fn jpeg() -> Vec<u8> {
        Picture::from_rgb(64, 48, &[90; 64 * 48 * 3]).and_then(|it| it.to_jpeg(80)).expect("a JPEG")
    }

    fn enclosed(inside: &[String]) -> Enclosed {
        Enclosed::of(SIGHTING, inside, &[] as &[Vec<u8>])
    }

    #[test]
    fn base64_is_read_as_devices_write_it() {
        let whole = BASE64_STANDARD.encode(jpeg());
        let lines: Vec<String> = whole
            .as_bytes()
            .chunks(76)
            .map(|it| String::from_utf8_lossy(it).into_owned())
            .collect();
        for written in [
            whole.clone(),
            whole.trim_end_matches('=').to_owned(),
            lines.join("\r\n"),
            format!(" {}\n", lines.join("\n ")),
            format!("data:image/jpeg;base64,{whole}"),
        ] {
            let kept = enclosed(std::slice::from_ref(&written)).kept;
            assert_eq!(kept.first().map(|it| it.1.clone()), Some(jpeg()), "{}", &written[..40]);
        }
        let lost = enclosed(&["not base64".to_owned(), String::new()]).lost;
        assert!(lost[0].en.contains("picture 1") && lost[1].zh.contains("第2张"), "{lost:?}");
    }

    #[test]
    fn only_the_picture_itself_leaves_the_original() {
        let picture = BASE64_STANDARD.encode(jpeg());
        let kept = enclosed(std::slice::from_ref(&picture)).kept;
        let name = kept[0].0.to_string();
        let escaped = picture.replace('/', "\\/");
        for (came, stays) in [
            (
                format!(r#"{{"id":"11", "n":1.10,"p":["{picture}","1"]}}"#),
                format!(r#"{{"id":"11", "n":1.10,"p":["{name}","1"]}}"#),
            ),
            (
                format!(r#"{{"p":"data:image/jpeg;base64,{picture}"}}"#),
                format!(r#"{{"p":"data:image/jpeg;base64,{name}"}}"#),
            ),
            (
                format!(r#"{{"a\"":"\\","p":"{escaped}"}}"#),
                format!(r#"{{"a\"":"\\","p":"{name}"}}"#),
            ),
            (
                format!("<a n=\"1\">\n<p>{picture}</p></a>"),
                format!("<a n=\"1\">\n<p>{name}</p></a>"),
            ),
            (
                format!(r#"{{"words":"see {picture}x"}}"#),
                format!(r#"{{"words":"see {picture}x"}}"#),
            ),
        ] {
            let bare = without_pictures(&came, &kept);
            assert_eq!(String::from_utf8_lossy(&bare), stays);
        }
    }

    #[test]
    fn short_texts_that_call_themselves_pictures_change_nothing() {
        let inside: Vec<String> = ["1", "o", "b"].map(str::to_owned).into();
        let kept = enclosed(&inside).kept;
        let came = r#"{"id":"101","pictures":["1","o","b"]}"#;
        assert_eq!(without_pictures(came, &kept), came.as_bytes());
    }

    proptest! {
        #[test]
        fn no_text_brings_it_down_or_loses_a_byte(text in "[<>\"\\\\a,/é火 ]{0,80}") {
            let kept = enclosed(&[BASE64_STANDARD.encode(jpeg())]).kept;
            prop_assert_eq!(without_pictures(&text, &kept), text.into_bytes());
        }
    }
}
