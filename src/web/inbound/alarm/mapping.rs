//! Pure: from another system's message to an alarm, by the mapping in `[[alarms.systems]]`. What is
//! missing is named by its field and by the place where it should stand.

use super::told::{Alarm, Bearing, Position};
use crate::base::time::county_time;
use crate::config::{Scaled, SystemMap, Take, TakeNumber, TakeTime, Written};
use crate::lang::Words;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

/// `None`: by the mapping this message is no alarm.
pub(super) fn map(system: &SystemMap, message: &Value) -> Result<Option<Alarm>, Words> {
    let mut absent = None;
    for when in &system.when {
        match message.pointer(&when.at) {
            Some(found) if when.is.contains(&text_of(found).unwrap_or_default()) => {}
            Some(_) => return Ok(None),
            None => absent = absent.or(Some(&when.at)),
        }
    }
    // A device whose new firmware names the field otherwise would look well and never alarm.
    if let Some(at) = absent {
        return Err(missing("when", at));
    }
    let number = |field, take: &Option<TakeNumber>| {
        take.as_ref().map_or(Ok(None), |take| number(field, take, message))
    };
    let device = text("device", &system.device, message)?;
    let class = match &system.class {
        // A class is only shown: an alarm without one is an alarm.
        Some(take) => text("class", take, message).unwrap_or_default(),
        None => String::new(),
    };
    let (lat_deg, lon_deg) =
        (number("lat_deg", &system.lat_deg)?, number("lon_deg", &system.lon_deg)?);
    let radius_m = number("radius_m", &system.radius_m)?;
    // Devices without a fix write zeros.
    let place = lat_deg.zip(lon_deg).filter(|at| *at != (0.0, 0.0));
    let position = place.map(|(lat_deg, lon_deg)| Position {
        lat_deg,
        lon_deg,
        radius_m,
        datum: system.datum,
    });
    let (half_width_deg, range_m) =
        (number("half_width_deg", &system.half_width_deg)?, number("range_m", &system.range_m)?);
    let bearing = number("azimuth_deg", &system.azimuth_deg)?.map(|azimuth_deg| Bearing {
        azimuth_deg,
        half_width_deg,
        range_m,
        from: None,
    });
    Ok(Some(Alarm {
        id: text("id", &system.id, message)?,
        device: system.devices.get(&device).cloned().unwrap_or(device),
        at: match &system.time {
            Some(take) => time(take, message)?,
            None => None,
        },
        position,
        bearing,
        bbox: bbox(system, message)?,
        confidence: number("confidence", &system.confidence)?.map(|it| it as f32),
        class: system.classes.get(&class).cloned().unwrap_or(class),
        pictures: system.pictures.iter().flat_map(|at| pictures(message.pointer(at))).collect(),
        drill: false,
    }))
}

/// All four or none: part of a box is no box.
fn bbox(system: &SystemMap, message: &Value) -> Result<Option<[f32; 4]>, Words> {
    let Some(takes) = &system.bbox else { return Ok(None) };
    let mut sides = [0.0_f32; 4];
    for (side, take) in sides.iter_mut().zip(takes) {
        let Some(value) = number("bbox", take, message)? else { return Ok(None) };
        *side = value as f32;
    }
    Ok(Some(sides))
}

fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(is) => is.to_string(),
        _ => return None,
    };
    Some(text).filter(|it| !it.is_empty())
}

fn text(field: &str, take: &Take, message: &Value) -> Result<String, Words> {
    let parts: Result<Vec<String>, Words> = take
        .parts()
        .iter()
        .map(|part| match part.starts_with('/') {
            true => message.pointer(part).and_then(text_of).ok_or_else(|| missing(field, part)),
            false => Ok(part.clone()),
        })
        .collect();
    Ok(parts?.join("-"))
}

/// `None`: the message does not have it, or says that it is not known.
fn number(field: &str, take: &TakeNumber, message: &Value) -> Result<Option<f64>, Words> {
    let (at, times, none) = match take {
        TakeNumber::Is(constant) => return Ok(Some(*constant)),
        TakeNumber::At(at) => (at, 1.0, [].as_slice()),
        TakeNumber::Scaled(Scaled { at, times, none }) => (at, *times, none.as_slice()),
    };
    let Some(text) = message.pointer(at).and_then(text_of) else { return Ok(None) };
    match text.parse::<f64>() {
        Ok(value) if none.contains(&value) => Ok(None),
        Ok(value) if value.is_finite() => Ok(Some(value * times)),
        _ => Err(unreadable(field, at, &text)),
    }
}

fn time(take: &TakeTime, message: &Value) -> Result<Option<Timestamp>, Words> {
    let Some(text) = message.pointer(&take.at).and_then(text_of) else { return Ok(None) };
    let civil = |zone: TimeZone| {
        let at: DateTime = text.replacen(' ', "T", 1).parse().ok()?;
        Some(at.to_zoned(zone).ok()?.timestamp())
    };
    let epoch = |per_second: f64| {
        let seconds = text.parse::<f64>().ok()? / per_second;
        Timestamp::from_millisecond((seconds * 1000.0).round() as i64).ok()
    };
    let at = match take.written {
        Written::Rfc3339 => text.parse::<Timestamp>().ok(),
        Written::Local => civil(county_time()),
        Written::Utc => civil(TimeZone::UTC),
        Written::EpochS => epoch(1.0),
        Written::EpochMs => epoch(1000.0),
    };
    at.map(Some).ok_or_else(|| unreadable("time", &take.at, &text))
}

/// One, or a list of them; with or without `data:image/jpeg;base64,`.
fn pictures(found: Option<&Value>) -> Vec<String> {
    let bare = |text: &str| text.rsplit(',').next().unwrap_or_default().trim().to_owned();
    let all: Vec<&Value> = match found {
        Some(Value::Array(all)) => all.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let texts = all.into_iter().filter_map(Value::as_str).map(bare);
    texts.filter(|it| !it.is_empty()).collect()
}

fn missing(field: &str, at: &str) -> Words {
    Words::new(
        format!("消息里没有 {at}（{field}）：请核对 [[alarms.systems]] 的对应关系"),
        format!("the message has no {at} ({field}): check its mapping in [[alarms.systems]]"),
    )
}

fn unreadable(field: &str, at: &str, text: &str) -> Words {
    let text: String = text.chars().take(40).collect();
    Words::new(
        format!("{at} 的“{text}”读不懂（{field}）：请核对 [[alarms.systems]] 的写法"),
        format!("{at}: cannot read \"{text}\" ({field}): check its mapping in [[alarms.systems]]"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn system(rest: &str) -> SystemMap {
        let text =
            format!("[[alarms.systems]]\nname = \"x\"\nid = \"/id\"\ndevice = \"/d\"\n{rest}");
        let config = crate::config::Config::parse(&text).expect("a mapping");
        config.alarms.systems[0].clone()
    }

    fn mapped(rest: &str, message: Value) -> Alarm {
        map(&system(rest), &message).unwrap_or_else(|it| panic!("{}", it.en)).expect("an alarm")
    }

    #[test]
    fn times_are_read_as_the_system_writes_them() {
        for (written, value) in [
            ("rfc3339", json!("2026-11-21T13:59:40+08:00")),
            ("local", json!("2026-11-21 13:59:40")),
            ("local", json!("2026-11-21T13:59:40")),
            ("utc", json!("2026-11-21T05:59:40.000000")),
            ("epoch_s", json!(1_795_240_780)),
            ("epoch_s", json!("1795240780.0")),
            ("epoch_ms", json!(1_795_240_780_000_u64)),
        ] {
            let time = format!("time = {{ at = \"/t\", written = \"{written}\" }}\n");
            let alarm = mapped(&time, json!({"id": 1, "d": "c1", "t": value}));
            let expected = "2026-11-21T05:59:40Z".parse().expect("a time");
            assert_eq!(alarm.at, Some(expected), "{written} {value}");
        }
    }

    #[test]
    fn numbers_are_scaled_and_what_means_unknown_is_unknown() {
        let rest = "lat_deg = \"/y\"\nlon_deg = \"/x\"\ndatum = \"bd09\"\nconfidence = { at = \"/c\", \
            times = 0.01 }\nazimuth_deg = { at = \"/a\", times = 0.1, none = [-1] }\nclass = \
            \"/k\"\n[alarms.systems.classes]\n3 = \"烟\"\n[alarms.systems.devices]\nA = \"c1\"\n";
        let message =
            json!({"id": 1, "d": "A", "y": "28.5", "x": 110.4, "c": 87, "a": 900, "k": 3});
        let alarm = mapped(rest, message);
        let position = alarm.position.expect("a place");
        assert_eq!((position.lat_deg, position.datum), (28.5, crate::triage::datum::Datum::Bd09));
        assert!((alarm.confidence.expect("given") - 0.87).abs() < 1e-6);
        assert_eq!(alarm.bearing.expect("given").azimuth_deg, 90.0);
        assert_eq!((alarm.class.as_str(), alarm.device.as_str()), ("烟", "c1"));
        let unknown = mapped(rest, json!({"id": 1, "d": "B", "y": 0, "x": 0, "a": -1}));
        assert_eq!((unknown.position, unknown.bearing), (None, None));
        assert_eq!((unknown.confidence, unknown.device.as_str()), (None, "B"));
    }

    #[test]
    fn what_cannot_be_read_is_named_by_field_and_place() {
        let time = "time = { at = \"/t\", written = \"rfc3339\" }\nconfidence = \"/c\"\n";
        for (message, place, field) in [
            (json!({"d": "A"}), "/id", "id"),
            (json!({"id": {"x": 1}, "d": "A"}), "/id", "id"),
            (json!({"id": 1, "d": " "}), "/d", "device"),
            (json!({"id": 1, "d": "A", "t": "yesterday"}), "/t", "time"),
            (json!({"id": 1, "d": "A", "c": "high"}), "/c", "confidence"),
        ] {
            let words = map(&system(time), &message).expect_err(field);
            assert!(words.en.contains(place) && words.en.contains(field), "{}", words.en);
            assert!(words.zh.contains("[[alarms.systems]]"), "{}", words.zh);
        }
    }

    #[test]
    fn a_sign_of_life_is_no_alarm() {
        let rest = "when = [{ at = \"/state\", is = [\"active\"] }]\n";
        let message = |state| json!({"id": 1, "d": "A", "state": state});
        let map = |state| map(&system(rest), &message(state)).expect("readable");
        assert!(map("active").is_some() && map("inactive").is_none());
        let two = "when = [{ at = \"/state\", is = [\"active\"] }, { at = \"/type\", is = \
            [\"fire\"] }]\n";
        let beat = json!({"type": "heartbeat"});
        assert_eq!(super::map(&system(two), &beat), Ok(None), "one says no, and that is enough");
        let renamed = json!({"id": 1, "d": "A", "eventState": "active", "type": "fire"});
        let words = super::map(&system(two), &renamed).expect_err("the field is gone");
        assert!(words.en.contains("/state") && words.en.contains("when"), "{}", words.en);
    }
}
