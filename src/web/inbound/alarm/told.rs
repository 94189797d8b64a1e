//! Pure: an alarm as another system tells it, and what of it can be true.

use crate::lang::Words;
use crate::triage::datum::Datum;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longest id of an alarm or device; GB/T 28181 has 20 digits, platforms have up to two UUIDs.
const NAME_MAX_CHARS: usize = 120;
/// Longest word for what was seen.
const CLASS_MAX_CHARS: usize = 60;
/// A device's clock may be so far ahead; beyond it, the time of arrival counts.
const AHEAD_MAX: SignedDuration = SignedDuration::from_mins(5);
/// What was seen longer ago is history: nobody is sent to it by a machine.
const STALE_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// A clock before 2020 was never set: that is no old fire.
const CLOCKS_FROM_S: i64 = 1_577_836_800;
/// Allowed radius of a place, metres, as for a place that a person names.
pub(super) const RADIUS_M: std::ops::RangeInclusive<f64> = 1.0..=20_000.0;
/// As far as a camera on a tower sees.
const RANGE_MAX_M: f64 = 50_000.0;
/// Pictures in one alarm; more may follow one by one.
pub(super) const PICTURES_MAX: usize = 4;
/// No device sends more; what does is no alarm.
const PICTURES_SENT_MAX: usize = 16;

/// Another system's alarm. Where the fire is: `position`; or `bearing` from the device; or, of a
/// registered camera, `bbox` in its picture; or nowhere.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alarm {
    /// The system's own id. The same alarm again has the same id and counts once.
    #[schema(min_length = 1, max_length = 120)]
    pub id: String,
    /// The device that saw it: the camera register's id (国标编号, 20 digits) links it.
    #[schema(min_length = 1, max_length = 120)]
    pub device: String,
    /// When it was seen; left out: now.
    #[serde(default)]
    pub at: Option<Timestamp>,
    #[serde(default)]
    pub position: Option<Position>,
    #[serde(default)]
    pub bearing: Option<Bearing>,
    /// Left, top, width and height as shares of the picture.
    #[serde(default)]
    #[schema(value_type = Option<Vec<f32>>, min_items = 4, max_items = 4)]
    pub bbox: Option<[f32; 4]>,
    /// How sure the system is; left out: it does not say.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1)]
    pub confidence: Option<f32>,
    /// The system's own word for what it saw.
    #[serde(default)]
    #[schema(max_length = 60)]
    pub class: String,
    /// JPEG or PNG, in base64; the first 4 are kept.
    #[serde(default)]
    pub pictures: Vec<String>,
    /// 演练: a trial of the connection, marked everywhere.
    #[serde(default)]
    pub drill: bool,
}

/// Where the fire is.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Position {
    #[schema(minimum = -90, maximum = 90)]
    pub lat_deg: f64,
    #[schema(minimum = -180, maximum = 180)]
    pub lon_deg: f64,
    /// How far off it may be; left out: 500 m.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 20_000)]
    pub radius_m: Option<f64>,
    /// In which coordinate system; left out: WGS-84.
    #[serde(default)]
    pub datum: Datum,
}

/// In which direction the device saw it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bearing {
    /// Clockwise from true north.
    #[schema(minimum = 0, maximum = 360)]
    pub azimuth_deg: f64,
    /// How far off to each side it may be; left out: 3°.
    #[serde(default)]
    #[schema(minimum = 0.1, maximum = 45)]
    pub half_width_deg: Option<f64>,
    /// How far away the device measured it to be.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 50_000)]
    pub range_m: Option<f64>,
    /// Where the device stands; left out: where the register says.
    #[serde(default)]
    pub from: Option<Position>,
}

impl Alarm {
    /// Refuses what no device can have seen.
    pub(super) fn check(&self) -> Result<(), Words> {
        name(&self.id, "id")?;
        name(&self.device, "device")?;
        if self.class.chars().count() > CLASS_MAX_CHARS {
            return Err(too_long("class", CLASS_MAX_CHARS));
        }
        if let Some(confidence) = self.confidence {
            within("confidence", f64::from(confidence), 0.0..=1.0)?;
        }
        if let Some(position) = &self.position {
            position.check("position")?;
        }
        if let Some([x, y, w, h]) = self.bbox {
            let is_inside = [x, y, w, h].iter().all(|it| (0.0..=1.0).contains(it))
                && w > 0.0
                && h > 0.0
                && x + w <= 1.001
                && y + h <= 1.001;
            if !is_inside {
                return Err(Words::new(
                    "bbox 应为画面中的左、上、宽、高，都是0到1之间的比例",
                    "bbox must be left, top, width and height as shares of the picture, 0 to 1",
                ));
            }
        }
        if self.pictures.len() > PICTURES_SENT_MAX {
            let count = self.pictures.len();
            return Err(Words::new(
                format!("pictures 有{count}张，一条告警最多{PICTURES_SENT_MAX}张"),
                format!("pictures has {count} entries: {PICTURES_SENT_MAX} at most in one alarm"),
            ));
        }
        let Some(bearing) = &self.bearing else { return Ok(()) };
        within("bearing.azimuth_deg", bearing.azimuth_deg, 0.0..=360.0)?;
        if let Some(half_width_deg) = bearing.half_width_deg {
            within("bearing.half_width_deg", half_width_deg, 0.1..=45.0)?;
        }
        if let Some(range_m) = bearing.range_m {
            within("bearing.range_m", range_m, 1.0..=RANGE_MAX_M)?;
        }
        bearing.from.as_ref().map_or(Ok(()), |from| from.check("bearing.from"))
    }

    /// When it was seen, and what is to be said of that.
    pub(super) fn seen_at(&self, now: Timestamp) -> Result<(Timestamp, Option<Words>), Words> {
        let Some(at) = self.at else {
            let words = Words::new(
                "告警没有时间：按收到时间记",
                "the alarm has no time: the time of arrival counts",
            );
            return Ok((now, Some(words)));
        };
        if at.duration_since(now) > AHEAD_MAX || at.as_second() < CLOCKS_FROM_S {
            let words = Words::new(
                format!("设备时间 {at} 不对（请校时）：按收到时间记"),
                format!(
                    "the device's time {at} is wrong (set its clock): the time of arrival counts"
                ),
            );
            return Ok((now, Some(words)));
        }
        if now.duration_since(at) > STALE_AFTER {
            return Err(Words::new(
                format!("告警时间 {at} 已过24小时：由值班员补录，或校正设备时间"),
                format!(
                    "the alarm's time {at} is more than 24 hours ago: an officer records it by \
                    hand, or set the device's clock"
                ),
            ));
        }
        Ok((at.min(now), None))
    }
}

impl Position {
    fn check(&self, field: &str) -> Result<(), Words> {
        within(&format!("{field}.lat_deg"), self.lat_deg, -90.0..=90.0)?;
        within(&format!("{field}.lon_deg"), self.lon_deg, -180.0..=180.0)?;
        self.radius_m
            .map_or(Ok(()), |radius_m| within(&format!("{field}.radius_m"), radius_m, RADIUS_M))
    }
}

pub(super) fn too_many_pictures() -> Words {
    Words::new(
        format!("一条告警只保存前{PICTURES_MAX}张图片，其余的请随后单独发送"),
        format!("the first {PICTURES_MAX} pictures are kept: send the others after it, one by one"),
    )
}

fn within(field: &str, value: f64, range: std::ops::RangeInclusive<f64>) -> Result<(), Words> {
    if range.contains(&value) {
        return Ok(());
    }
    let (first, last) = (range.start(), range.end());
    Err(Words::new(
        format!("{field} = {value} 应在 {first} 到 {last} 之间"),
        format!("{field} = {value} must lie between {first} and {last}"),
    ))
}

fn name(text: &str, field: &str) -> Result<(), Words> {
    if text.trim().is_empty() {
        return Err(Words::new(format!("缺少 {field}"), format!("{field} is missing")));
    }
    if text.chars().count() > NAME_MAX_CHARS {
        return Err(too_long(field, NAME_MAX_CHARS));
    }
    if text.chars().any(char::is_control) {
        return Err(Words::new(
            format!("{field} 中有换行或其他控制字符"),
            format!("{field} holds a line break or another control character"),
        ));
    }
    Ok(())
}

fn too_long(field: &str, most: usize) -> Words {
    Words::new(
        format!("{field} 太长，最多{most}字"),
        format!("{field} is too long: {most} characters at most"),
    )
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::web) fn alarm() -> Alarm {
        Alarm {
            id: "1".to_owned(),
            device: "43122200001320000001".to_owned(),
            at: None,
            position: None,
            bearing: None,
            bbox: None,
            confidence: None,
            class: String::new(),
            pictures: Vec::new(),
            drill: false,
        }
    }

    #[test]
    fn a_clock_that_was_never_set_costs_no_alarm_and_an_old_alarm_sends_nobody() {
        let now: Timestamp = "2026-11-21T06:00:00Z".parse().expect("a time");
        let seen =
            |at: &str| Alarm { at: Some(at.parse().expect("a time")), ..alarm() }.seen_at(now);
        for (at, is_its_own) in [
            ("2026-11-21T05:59:30Z", true),
            ("2026-11-20T06:00:00Z", true),
            ("1970-01-01T08:00:03Z", false),
            ("2026-11-21T09:00:00Z", false),
            ("2038-01-01T00:00:00Z", false),
        ] {
            let (taken, words) = seen(at).expect(at);
            assert_eq!(words.is_none(), is_its_own, "{at}");
            let expected = if is_its_own { at.parse().expect("a time") } else { now };
            assert_eq!(taken, expected, "{at}");
        }
        assert_eq!(seen("2026-11-21T06:03:00Z").expect("a little ahead"), (now, None));
        assert!(seen("2026-11-20T05:59:59Z").expect_err("old").en.contains("24 hours"));
    }

    #[test]
    fn what_no_device_can_have_seen_is_refused_by_the_name_of_its_field() {
        let at = Position { lat_deg: 28.4, lon_deg: 110.4, radius_m: None, datum: Datum::Wgs84 };
        let towards =
            Bearing { azimuth_deg: 10.0, half_width_deg: None, range_m: None, from: None };
        assert_eq!(alarm().check(), Ok(()));
        for (wrong, field) in [
            (Alarm { id: " ".to_owned(), ..alarm() }, "id"),
            (Alarm { device: "7".repeat(121), ..alarm() }, "device"),
            (Alarm { confidence: Some(87.0), ..alarm() }, "confidence"),
            (Alarm { confidence: Some(f32::NAN), ..alarm() }, "confidence"),
            (Alarm { position: Some(Position { lat_deg: 110.4, ..at }), ..alarm() }, "lat_deg"),
            (Alarm { position: Some(Position { radius_m: Some(0.0), ..at }), ..alarm() }, "radius"),
            (
                Alarm { bearing: Some(Bearing { azimuth_deg: -1.0, ..towards }), ..alarm() },
                "azimuth_deg",
            ),
            (
                Alarm { bearing: Some(Bearing { range_m: Some(9e9), ..towards }), ..alarm() },
                "range_m",
            ),
            (Alarm { bbox: Some([0.5, 0.5, 0.6, 0.1]), ..alarm() }, "bbox"),
            (Alarm { id: "1\n2".to_owned(), ..alarm() }, "id"),
            (Alarm { pictures: vec!["1".to_owned(); 17], ..alarm() }, "pictures"),
        ] {
            let words = wrong.check().expect_err(field);
            assert!(words.en.contains(field), "{field}: {}", words.en);
        }
    }
}
