//! Pure: the placemarks of a FIRMS KML. Their fields stand as HTML in the description, or as
//! extended data.

use super::firms;
use super::list::{List, Parsed};
use crate::lang::Lang;
use crate::table::Row;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// What is kept of one placemark. A description is a few hundred characters.
const TEXT_MAX: usize = 20_000;

pub(super) fn is_one(text: &str) -> bool {
    let head: String = text.chars().take(500).collect::<String>().to_lowercase();
    head.starts_with("<kml") || head.starts_with("<?xml") && head.contains("<kml")
}

#[derive(Default)]
struct Placemark {
    description: String,
    /// `lon,lat,height`.
    coordinates: String,
    /// Name and value of `Data` and `SimpleData`.
    fields: Vec<(String, String)>,
}

pub(super) fn parse(text: &str, lang: Lang) -> Result<Parsed, String> {
    let mut list = List::new(lang);
    let mut reader = Reader::from_str(text);
    let (mut mark, mut number): (Option<Placemark>, u64) = (None, 0);
    let mut within: Vec<String> = Vec::new();
    loop {
        let event = reader.read_event().map_err(|e| {
            let broken = lang.pick("KML 不完整，请重新下载", "broken KML, download it again");
            format!("{broken}: {e}")
        })?;
        match event {
            Event::Eof => return list.end(),
            Event::Start(tag) => {
                let name = local(&tag);
                match (name.as_str(), &mut mark) {
                    ("Placemark", _) => mark = Some(Placemark::default()),
                    ("Data" | "SimpleData", Some(mark)) => {
                        mark.fields.push((attribute(&tag, "name"), String::new()));
                    }
                    _ => {}
                }
                within.push(name);
            }
            Event::End(_) => {
                if within.pop().as_deref() == Some("Placemark")
                    && let Some(mark) = mark.take()
                {
                    number += 1;
                    list.take(number.into(), firms::hotspot(&mark.row(lang), None));
                }
            }
            Event::Text(text) => add(mark.as_mut(), &within, &text),
            Event::CData(text) => add(mark.as_mut(), &within, &text),
            Event::GeneralRef(name) => {
                let sign = match &*name {
                    "lt" => "<",
                    "gt" => ">",
                    "amp" => "&",
                    _ => " ",
                };
                add(mark.as_mut(), &within, sign);
            }
            _ => {}
        }
    }
}

fn local(tag: &BytesStart<'_>) -> String {
    tag.local_name().as_ref().to_owned()
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> String {
    let found = tag.attributes().flatten().find(|it| it.key.as_ref() == name);
    found.map_or(String::new(), |it| it.value.into_owned())
}

fn add(mark: Option<&mut Placemark>, within: &[String], text: &str) {
    let Some(mark) = mark else { return };
    let place = match within.last().map(String::as_str) {
        Some("description") => &mut mark.description,
        Some("coordinates") => &mut mark.coordinates,
        Some("SimpleData" | "value") => match mark.fields.last_mut() {
            Some((_, value)) => value,
            None => return,
        },
        _ => return,
    };
    if place.len() + text.len() <= TEXT_MAX {
        place.push_str(text);
    }
}

impl Placemark {
    fn row(&self, lang: Lang) -> Row {
        let mut point = self.coordinates.split(',').map(|part| part.trim().to_owned());
        let mut fields: Vec<(String, String)> = ["longitude", "latitude"]
            .iter()
            .filter_map(|&name| Some((name.to_owned(), point.next()?)))
            .collect();
        fields.extend(self.fields.iter().cloned());
        for line in lines(&self.description) {
            let Some((name, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match name.trim() {
                // 2026-11-21 00:48 UTC
                "Detection Time" | "Acquisition Time" => {
                    let mut parts = value.split_whitespace().map(str::to_owned);
                    fields.extend(parts.next().map(|date| ("acq_date".to_owned(), date)));
                    fields.extend(parts.next().map(|time| ("acq_time".to_owned(), time)));
                }
                // VIIRS NOAA-20
                "Sensor" => {
                    let (instrument, satellite) = value.split_once(' ').unwrap_or(("", value));
                    fields.push(("instrument".to_owned(), instrument.to_owned()));
                    fields.push(("satellite".to_owned(), satellite.to_owned()));
                }
                name => fields.push((name.to_owned(), value.to_owned())),
            }
        }
        let named = fields.iter().map(|(name, value)| (name.as_str(), value.clone()));
        Row::of_known(named, firms::COLUMNS, lang)
    }
}

/// The text of an HTML description: a line for each break and each row of a table.
fn lines(html: &str) -> Vec<String> {
    let (mut text, mut rest) = (String::new(), html);
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        let (tag, after) = after.split_once('>').unwrap_or((after, ""));
        match tag.trim_start_matches('/').trim_end_matches('/').trim().to_lowercase().as_str() {
            "br" | "tr" | "p" | "li" => text.push('\n'),
            "td" if tag.starts_with('/') && !text.ends_with([':', '\n']) => text.push(':'),
            _ => {}
        }
        rest = after;
    }
    text.push_str(rest);
    text.lines().map(|line| line.trim().trim_end_matches(':').to_owned()).collect()
}
