//! Pure: incidents and hotspots as rows for other systems: one row, one set of names, whether it
//! goes out as CSV or as GeoJSON. No names of people and no telephone numbers.

use super::category;
use crate::base::time::county_time;
use crate::store::{Filed, KnownHotspot, LogEntry};
use crate::triage::event::Event;
use crate::triage::geo::{LatLon, Spread};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// One row: where it is, if that is a place, and what is known of it, in the order of the columns.
pub struct Row {
    pub at: Option<LatLon>,
    pub cells: Vec<Value>,
}

pub const INCIDENT_COLUMNS: [&str; 29] = [
    "code",
    "id",
    "state",
    "drill",
    "opened_at",
    "first_seen_at",
    "last_seen_at",
    "lat_deg",
    "lon_deg",
    "radius_m",
    "method",
    "mast_lat_deg",
    "mast_lon_deg",
    "azimuth_deg",
    "place",
    "township",
    "village",
    "grid",
    "score",
    "sources",
    "sightings",
    "dispatched_at",
    "acknowledged_at",
    "arrived_at",
    "reported_at",
    "closed_at",
    "category",
    "category_zh",
    "false_alarm",
];

pub const HOTSPOT_COLUMNS: [&str; 14] = [
    "key",
    "acquired_at",
    "lat_deg",
    "lon_deg",
    "satellite",
    "instrument",
    "confidence",
    "frp_mw",
    "brightness_k",
    "scan_km",
    "track_km",
    "pixels",
    "version",
    "incident",
];

pub fn incident(filed: &Filed) -> Row {
    let incident = &filed.incident;
    let (fix, place) = (&incident.fix, &incident.place);
    let at = fix.is_a_place().then_some(fix.centre);
    // A direction has no place: who wants to draw it has the mast and the azimuth.
    let ray = match fix.spread() {
        Spread::Sector(ray) => Some(ray),
        Spread::Ellipse { .. } => None,
    };
    let dispatch = incident.dispatch.as_ref();
    let step = |at: Option<Timestamp>| at.map(time);
    let closure = incident.closure.as_ref();
    let kinds: Vec<String> = {
        let mut kinds: Vec<_> = incident.sightings.iter().map(|it| it.source.kind()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds.iter().map(word).collect()
    };
    let cells: [Value; INCIDENT_COLUMNS.len()] = [
        json!(filed.code),
        json!(incident.id),
        json!(incident.state),
        json!(incident.drill),
        json!(time(incident.opened_at)),
        json!(time(incident.first_seen_at)),
        json!(time(incident.last_seen_at)),
        json!(at.map(|it| degrees(it.lat_deg()))),
        json!(at.map(|it| degrees(it.lon_deg()))),
        json!(fix.radius_m.round()),
        json!(fix.method),
        json!(ray.map(|it| degrees(it.apex.lat_deg()))),
        json!(ray.map(|it| degrees(it.apex.lon_deg()))),
        json!(ray.map(|it| (it.azimuth_deg * 10.0).round() / 10.0)),
        json!(place.name),
        json!(place.township),
        json!(place.village),
        json!(place.grid),
        json!(incident.priority.score.round()),
        json!(kinds.join(" ")),
        json!(incident.sightings.len()),
        json!(step(dispatch.map(|it| it.dispatched_at))),
        json!(step(dispatch.and_then(|it| Some(it.acknowledged.as_ref()?.received_at)))),
        json!(step(dispatch.and_then(|it| Some(it.arrived.as_ref()?.received_at)))),
        json!(step(dispatch.and_then(|it| Some(it.reported.as_ref()?.received_at)))),
        json!(step(incident.closed_at)),
        json!(closure.map(|it| it.category)),
        json!(closure.and_then(|it| Some(category(it.category)?.zh))),
        json!(closure.and_then(|it| it.false_alarm)),
    ];
    Row { at, cells: cells.into() }
}

pub fn hotspot(known: &KnownHotspot) -> Row {
    let it = &known.hotspot;
    let cells: [Value; HOTSPOT_COLUMNS.len()] = [
        json!(it.key),
        json!(time(it.acquired_at)),
        json!(degrees(it.at.lat_deg())),
        json!(degrees(it.at.lon_deg())),
        json!(it.satellite),
        json!(it.instrument),
        json!(it.confidence),
        json!(it.frp_mw),
        json!(it.brightness_k),
        json!(it.scan_km),
        json!(it.track_km),
        json!(it.pixels),
        json!(it.version),
        json!(known.incident),
    ];
    Row { at: Some(it.at), cells: cells.into() }
}

/// What another system is told of one step of an incident: the step, and how the incident stands now.
/// `None`: what only the office's own work consists of.
pub fn step(entry: &LogEntry, filed: &Filed) -> Option<Vec<u8>> {
    use Event::*;
    let recorded = entry.recorded.as_ref()?;
    let is_told = matches!(
        recorded.event,
        Opened { .. }
            | SightingAdded { .. }
            | Relocated { .. }
            | StruckOut { .. }
            | Reinstated { .. }
            | SplitOff { .. }
            | Merged { .. }
            | MergedInto { .. }
            | Unmerged { .. }
            | Reminded { .. }
            | Dispatched(_)
            | Acknowledged { .. }
            | Declined { .. }
            | Arrived { .. }
            | Reported { .. }
            | SupportAsked { .. }
            | SentBack { .. }
            | Closed { .. }
    );
    let event = json!(recorded.event)["type"].clone();
    let row = incident(filed);
    let now: Map<String, Value> =
        INCIDENT_COLUMNS.iter().map(|it| (*it).to_owned()).zip(row.cells).collect();
    let body = json!({
        "id": entry.cursor, "event": event, "at": time(recorded.at), "version": entry.version,
        "drill": filed.incident.drill, "incident": now,
    });
    is_told.then(|| body.to_string().into_bytes())
}

/// With a byte order mark, as Excel and WPS want it.
pub fn csv(columns: &[&str], rows: &[Row]) -> Result<String, String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns).map_err(|e| e.to_string())?;
    for row in rows {
        let cells: Vec<String> = row.cells.iter().map(cell).collect();
        writer.write_record(cells).map_err(|e| e.to_string())?;
    }
    let bytes = writer.into_inner().map_err(|e| e.to_string())?;
    String::from_utf8(bytes).map(|text| format!("\u{feff}{text}")).map_err(|e| e.to_string())
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => harmless(text),
        other => other.to_string(),
    }
}

/// Prefixes text that a spreadsheet would take for a formula with an apostrophe.
pub(super) fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// By the county's clock, with its offset.
fn time(at: Timestamp) -> String {
    at.to_zoned(county_time()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// 1 m; no fix is finer.
fn degrees(value: f64) -> f64 {
    (value * 1e5).round() / 1e5
}

fn word(value: &impl Serialize) -> String {
    json!(value).as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_finds_no_formula_and_every_row_its_columns() {
        let row = Row { at: None, cells: vec![json!("=HYPERLINK(1)"), json!(-3.5), json!(null)] };
        let text = csv(&["place", "azimuth_deg", "grid"], &[row]).expect("text");
        assert_eq!(text, "\u{feff}place,azimuth_deg,grid\n'=HYPERLINK(1),-3.5,\n");
    }
}
