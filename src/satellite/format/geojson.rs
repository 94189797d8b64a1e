//! Pure: hotspots as GeoJSON points, with the properties of FIRMS, in small or capital letters.
//! Without coordinates among the properties, the point's own are taken.

use super::firms;
use super::list::{List, Parsed};
use crate::lang::Lang;
use crate::table::Row;
use serde_json::Value;

pub(super) fn parse(text: &str, lang: Lang) -> Result<Parsed, String> {
    let value: Value = serde_json::from_str(text).map_err(|e| {
        let broken = lang.pick("GeoJSON 不完整，请重新下载", "broken GeoJSON, download it again");
        format!("{broken}: {e}")
    })?;
    let features = value["features"].as_array().ok_or_else(|| {
        lang.pick("GeoJSON 没有 features", "the GeoJSON has no features").to_owned()
    })?;
    let mut list = List::new(lang);
    for (number, feature) in (1..).zip(features) {
        list.take(number.into(), row(feature, lang).and_then(|row| firms::hotspot(&row, None)));
    }
    list.end()
}

fn row(feature: &Value, lang: Lang) -> Result<Row, String> {
    let properties = feature["properties"].as_object();
    let point = &feature["geometry"]["coordinates"];
    let of_point = [("longitude", &point[0]), ("latitude", &point[1])];
    let cells = properties.into_iter().flatten().map(|(name, value)| (name.as_str(), value));
    let named = of_point.into_iter().chain(cells).filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text.clone())),
        Value::Number(number) => Some((name, number.to_string())),
        _ => None,
    });
    Ok(Row::of_known(named, firms::COLUMNS, lang))
}
