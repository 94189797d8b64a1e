//! Pure: grids as GIS programs write them: GeoJSON in degrees of WGS-84 or CGCS2000, properties by
//! any of their usual names, codes as text or numbers.

use super::super::{Area, Grid, crossing};
use super::Rows;
use crate::lang::{Lang, Words};
use crate::table::{self, Column, Spot, cells};
use geojson::{Feature, GeoJson, JsonObject};
use serde_json::Value;
use std::borrow::Cow;

/// Names of properties, the likeliest first; those of shapefiles are Chinese syllables, and short.
const CODE: Column = &[
    "code",
    "编码",
    "网格编码",
    "编号",
    "网格编号",
    "gridcode",
    "gridid",
    "wgbm",
    "wgbh",
    "wgdm",
    "id",
];
const NAME: Column = &["name", "名称", "网格名称", "gridname", "wgmc", "mc"];
const VILLAGE: Column = &["village", "村", "行政村", "所属村", "cun", "cmc", "xzc"];
const TOWNSHIP: Column =
    &["township", "乡镇", "所属乡镇", "town", "xiang", "xiangzhen", "xzmc", "xz"];
/// Coordinate systems whose degrees are ours. CGCS2000 differs from WGS-84 by centimetres.
const DEGREES: [&str; 9] = [
    "4326",
    "4490",
    "4979",
    "4480",
    "CRS84",
    "WGS84",
    "GCSWGS1984",
    "CGCS2000",
    "GCSCHINAGEODETICCOORDINATESYSTEM2000",
];
/// Whole numbers up to here are exact in a GIS program's number.
const EXACT_BELOW: f64 = 9_007_199_254_740_992.0;

/// The grids of a GeoJSON file, each with the number of its feature (from 1) or why it cannot be
/// used. `Err`: the file as a whole cannot.
pub(in crate::county) fn grids(text: &str, lang: Lang) -> Result<Rows<Grid>, String> {
    let read = text.parse::<GeoJson>().map_err(|e| match lang {
        Lang::Zh => format!("不是 GeoJSON：{e}"),
        Lang::En => format!("not GeoJSON: {e}"),
    })?;
    let features = match read {
        GeoJson::FeatureCollection(all) => {
            in_degrees(all.foreign_members.as_ref()).map_err(|why| why.pick(lang).to_owned())?;
            all.features
        }
        GeoJson::Feature(one) => vec![one],
        GeoJson::Geometry(_) => {
            return Err(lang
                .pick(
                    "这是 GeoJSON 的图形，没有属性：请导出带网格编码（code）和乡镇（township）的 \
                    FeatureCollection",
                    "this is a bare GeoJSON geometry: export a FeatureCollection whose features \
                    have the properties code and township",
                )
                .to_owned());
        }
    };
    let sound = |feature| {
        let grid = grid(feature, lang)?;
        crossing::sound(&grid.area).map_err(|why| why.pick(lang).to_owned())?;
        Ok(grid)
    };
    Ok((1..).map(Spot::from).zip(features.iter().map(sound)).collect())
}

/// A grid that is registered, or is to be.
pub(in crate::county) fn grid(feature: &Feature, lang: Lang) -> Result<Grid, String> {
    let said = |why: Words| why.pick(lang).to_owned();
    let geometry = feature
        .geometry
        .as_ref()
        .ok_or_else(|| lang.pick("没有图形", "it has no geometry").to_owned())?;
    in_degrees(feature.foreign_members.as_ref()).map_err(said)?;
    in_degrees(geometry.foreign_members.as_ref()).map_err(said)?;
    let (code, township) = (code(feature, lang)?, need(feature, TOWNSHIP, lang)?);
    Ok(Grid {
        id: code.as_str().into(),
        name: property(feature, NAME).and_then(text).unwrap_or(code),
        village: property(feature, VILLAGE).and_then(text).unwrap_or_default(),
        township,
        area: Area::from_geojson(geometry).map_err(said)?,
    })
}

pub(in crate::county) fn grid_feature(grid: &Grid) -> Feature {
    let mut feature = Feature { geometry: Some(grid.area.to_geojson()), ..Feature::default() };
    feature.set_property("code", grid.id.as_str());
    feature.set_property("name", grid.name.as_str());
    feature.set_property("village", grid.village.as_str());
    feature.set_property("township", grid.township.as_str());
    feature
}

/// The value of the first of these names that says something.
fn property(feature: &Feature, names: Column) -> Option<&Value> {
    let properties = feature.properties.as_ref()?;
    let named = |name: &&str| {
        let written = properties.iter().filter(|(written, _)| table::is_named(written, name));
        written.map(|(_, value)| value).find(|value| text(value).is_some())
    };
    names.iter().find_map(named)
}

fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

fn need(feature: &Feature, names: Column, lang: Lang) -> Result<String, String> {
    property(feature, names).and_then(text).ok_or_else(|| {
        let wanted = names.get(..3).unwrap_or(names).join("/");
        let there = feature.properties.iter().flatten().map(|(name, _)| name.as_str());
        let there = there.collect::<Vec<_>>().join(lang.pick("、", ", "));
        match lang {
            Lang::Zh => format!("缺少属性 {wanted}（现有：{there}）"),
            Lang::En => format!("property {wanted} is missing (there are: {there})"),
        }
    })
}

/// As the office writes it: `430722101`, whether the GIS program wrote `430722101.0` or `4.30722101e8`.
fn code(feature: &Feature, lang: Lang) -> Result<String, String> {
    let written = need(feature, CODE, lang)?;
    let exact = match property(feature, CODE) {
        Some(Value::Number(number)) if number.is_f64() => {
            let number = number.as_f64().filter(|it| it.fract() != 0.0 || it.abs() < EXACT_BELOW);
            number.map(|number| number.to_string())
        }
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => cells::unspread(cells::half_width(&written).trim()).ok().map(Cow::into_owned),
    };
    exact.ok_or_else(|| match lang {
        Lang::Zh => format!(
            "编码 {written} 已被当作数字改写，丢失了末几位：请在 GIS 软件中把该字段改为文本后重新导出"
        ),
        Lang::En => format!(
            "the code {written} was turned into a number and lost its last digits: make that \
            field text in the GIS program and export it again"
        ),
    })
}

/// `Err` where the member `crs` names a system of another kind. Whatever the numbers look like:
/// GCJ-02 looks like degrees and lies 500 m beside.
fn in_degrees(members: Option<&JsonObject>) -> Result<(), Words> {
    let Some(crs) = members.and_then(|members| members.get("crs")).filter(|crs| !crs.is_null())
    else {
        return Ok(());
    };
    let properties = &crs["properties"];
    let named = [&properties["name"], &properties["code"], &properties["href"], crs];
    let name = named.into_iter().find_map(text).unwrap_or_else(|| crs.to_string());
    let last = name.rsplit([':', '/', '#']).find(|part| !part.is_empty()).unwrap_or_default();
    if DEGREES.contains(&cells::folded_code(last).as_str()) {
        return Ok(());
    }
    Err(Words::new(
        format!(
            "文件声明的坐标系是 {name}，需要 WGS-84（或 CGCS2000）的经纬度：请在 GIS 软件中转换后重新导出"
        ),
        format!(
            "the file declares the coordinate system {name}; degrees of WGS-84 (or CGCS2000) are \
            needed: convert it in the GIS program and export it again"
        ),
    ))
}

/// The same file with the two numbers of each corner exchanged. `Err` is a sentence.
pub fn swap_axes(text: &str, lang: Lang) -> Result<String, String> {
    let mut value: Value = serde_json::from_str(text).map_err(|e| match lang {
        Lang::Zh => format!("不是 GeoJSON：{e}"),
        Lang::En => format!("not GeoJSON: {e}"),
    })?;
    swap_in(&mut value, false);
    Ok(value.to_string())
}

fn swap_in(value: &mut Value, is_position: bool) {
    match value {
        Value::Array(numbers)
            if is_position && numbers.len() > 1 && numbers.iter().all(Value::is_number) =>
        {
            numbers.swap(0, 1);
        }
        Value::Array(parts) => parts.iter_mut().for_each(|part| swap_in(part, is_position)),
        Value::Object(members) => {
            members.iter_mut().for_each(|(name, part)| swap_in(part, name == "coordinates"));
        }
        _ => {}
    }
}
