use super::*;
use crate::satellite::sighting_of;
use crate::triage::geo::Locus;
use crate::triage::hotspot::{DayNight, Hotspot, HotspotConfidence::*};
use crate::triage::id::SightingId;
use proptest::prelude::*;

const HEADER: &str = "latitude,longitude,bright_ti4,scan,track,acq_date,acq_time,satellite,instrument,confidence,version,bright_ti5,frp,daynight";

fn list(rows: &[&str]) -> Parsed {
    read(&format!("{HEADER}\n{}\n", rows.join("\n"))).expect("a list")
}

fn read(text: &str) -> Result<Parsed> {
    parse(text.as_bytes(), "list.csv", received_at(), Lang::En)
}

fn received_at() -> Timestamp {
    "2026-11-21T02:00:00Z".parse().expect("a time")
}

/// A good row with one value changed.
fn row(column: &str, value: &str) -> String {
    let good =
        "28.51234,110.41234,331.42,0.41,0.37,2026-11-20,1748,N20,VIIRS,n,2.0NRT,291.1,3.42,N";
    let values = HEADER
        .split(',')
        .zip(good.split(','))
        .map(|(name, good)| if name == column { value } else { good });
    values.collect::<Vec<_>>().join(",")
}

fn one(column: &str, value: &str) -> std::result::Result<Hotspot, String> {
    let mut parsed = list(&[&row(column, value)]);
    parsed.hotspots.pop().ok_or_else(|| parsed.rejected.remove(0).reason)
}

#[test]
fn a_viirs_row_means_what_nasa_says() {
    let hotspot = one("frp", "0.0").expect("a good row");
    assert_eq!(hotspot.key, "N20 2026-11-20 1748 28.51234 110.41234");
    assert_eq!(hotspot.acquired_at.to_string(), "2026-11-20T17:48:00Z");
    assert_eq!((hotspot.at.lat_deg(), hotspot.at.lon_deg()), (28.51234, 110.41234));
    assert_eq!((hotspot.satellite.as_str(), hotspot.instrument.as_str()), ("N20", "VIIRS"));
    assert_eq!((hotspot.brightness_k, hotspot.background_k), (Some(331.42), Some(291.1)));
    assert_eq!(
        (hotspot.scan_km, hotspot.track_km, hotspot.frp_mw),
        (Some(0.41), Some(0.37), Some(0.0))
    );
    assert_eq!((hotspot.confidence, hotspot.daynight), (Nominal, Some(DayNight::Night)));
    assert_eq!((hotspot.version.as_str(), hotspot.pixels), ("2.0NRT", 1));
}

#[test]
fn acquisition_times_are_utc_with_or_without_leading_zeros() {
    for (text, utc) in [
        ("48", "00:48"),
        ("0048", "00:48"),
        ("0", "00:00"),
        ("230", "02:30"),
        ("2359", "23:59"),
        ("02:30", "02:30"),
    ] {
        let hotspot = one("acq_time", text).expect(text);
        assert_eq!(hotspot.acquired_at.to_string(), format!("2026-11-20T{utc}:00Z"), "{text}");
        assert_eq!(
            hotspot.key,
            format!("N20 2026-11-20 {} 28.51234 110.41234", utc.replace(':', "")),
            "{text}"
        );
    }
    for text in ["2400", "1260", "-1", "12.5", "noon", "12345", "", "24:00", "25:00"] {
        assert!(one("acq_time", text).is_err(), "{text}");
    }
}

#[test]
fn one_satellite_has_one_name() {
    for (code, name) in [
        ("N", "N"),
        ("1", "N20"),
        ("N20", "N20"),
        ("2", "N21"),
        ("Terra", "Terra"),
        ("T", "Terra"),
        ("A", "Aqua"),
    ] {
        assert_eq!(one("satellite", code).map(|h| h.satellite), Ok(name.to_owned()));
    }
    assert!(one("satellite", "L8").expect_err("Landsat has no such rows").contains("L8"));
}

#[test]
fn confidence_is_letters_words_or_for_modis_a_percentage() {
    for (text, level) in [
        ("l", Low),
        ("n", Nominal),
        ("h", High),
        ("low", Low),
        ("Nominal", Nominal),
        ("HIGH", High),
    ] {
        assert_eq!(one("confidence", text).map(|h| h.confidence), Ok(level));
    }
    assert!(one("confidence", "85").is_err(), "a percentage says nothing about VIIRS");
    let header = HEADER.replace("bright_ti4", "brightness").replace("bright_ti5", "bright_t31");
    for (text, level) in
        [("0", Low), ("29", Low), ("30", Nominal), ("79", Nominal), ("80", High), ("100", High)]
    {
        let modis = row("confidence", text).replace("N20,VIIRS", "Aqua,MODIS");
        let hotspot = read(&format!("{header}\n{modis}\n")).expect("a list").hotspots.remove(0);
        assert_eq!(
            (hotspot.confidence, hotspot.brightness_k, hotspot.background_k),
            (level, Some(331.42), Some(291.1))
        );
    }
}

#[test]
fn a_saturated_pixel_is_a_bare_367_and_an_absent_value_is_absent() {
    assert_eq!(one("bright_ti4", "367").map(|h| h.brightness_k), Ok(Some(367.0)));
    assert_eq!(one("frp", "").map(|h| h.frp_mw), Ok(None));
    assert_eq!(one("daynight", "").map(|h| h.daynight), Ok(None));
    assert!(one("frp", "NaN").is_err());
    assert!(one("scan", "wide").expect_err("no number").contains("scan"));
}

#[test]
fn a_new_version_of_a_pixel_is_the_same_pixel_and_the_better_one_stays() {
    let versions = |order: &[&str]| {
        let rows: Vec<String> = order.iter().map(|version| row("version", version)).collect();
        let parsed = list(&rows.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((parsed.hotspots.len(), parsed.repeated), (1, order.len() - 1));
        parsed.hotspots[0].version.clone()
    };
    assert_eq!(versions(&["2.0URT", "2.0RT", "2.0NRT"]), "2.0NRT");
    assert_eq!(versions(&["2.0NRT", "2.0URT"]), "2.0NRT");
    assert_eq!(versions(&["2.0NRT", "2.1NRT"]), "2.1NRT");
    assert_eq!(versions(&["2.10NRT", "2.9NRT"]), "2.10NRT");
    assert_eq!(versions(&["2.0NRT", "2"]), "2");
    let trailing_zero = [row("latitude", "28.51"), row("latitude", "28.51000")];
    assert_eq!(
        list(&[&trailing_zero[0], &trailing_zero[1]]).repeated,
        1,
        "a spreadsheet dropped the zeros"
    );
}

#[test]
fn what_is_no_list_is_refused_with_a_cure() {
    for (text, cure) in [
        ("Invalid MAP_KEY.", "HUOYAN_FIRMS_KEY"),
        ("<!DOCTYPE html><html>", "browser"),
        ("", "empty"),
        ("\u{feff}  \n", "empty"),
        ("PK\u{3}\u{4}", "unpack"),
        ("{\"error\":1}", "CSV"),
        ("# 2025 12 9\n1,2", "FIRMS"),
        ("a,b,c\n1,2,3\n", "latitude"),
        (
            "latitude,longitude,path,row,scan,track,acq_date,acq_time,satellite,confidence,daynight\n",
            "Landsat",
        ),
    ] {
        let message = read(text).expect_err(text).message;
        assert!(message.contains(cure) && message.starts_with("list.csv: "), "{message}");
        let chinese =
            parse(text.as_bytes(), "list.csv", received_at(), Lang::Zh).expect_err(text).message;
        assert_ne!(message, chinese);
    }
}

#[test]
fn a_hotspot_is_evidence_of_its_whole_pixel() {
    let hotspot = one("scan", "1.6").expect("a good row");
    let id = SightingId(uuid::Uuid::nil());
    let sighting = sighting_of(&hotspot, id);
    assert_eq!(
        (sighting.id, sighting.observed_at, sighting.confidence),
        (id, hotspot.acquired_at, 0.6)
    );
    let whole = Locus::Pixel { centre: hotspot.at, scan_m: 1600.0, track_m: 375.0 };
    assert_eq!(sighting.locus, whole, "never narrower than the instrument's own pixel");
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        _ = parse(&bytes, "x", received_at(), Lang::Zh);
        let mut list = format!("{HEADER}\n").into_bytes();
        list.extend(bytes);
        _ = parse(&list, "x", received_at(), Lang::Zh);
    }

    /// Every line after the header is a hotspot, a repeat or a rejection: none is lost.
    #[test]
    fn every_mutated_row_is_accounted_for(
        rows in proptest::collection::vec((0usize..14, "[ !#-~]{0,12}"), 1..20)
    ) {
        let columns: Vec<&str> = HEADER.split(',').collect();
        let rows: Vec<String> = rows.into_iter().map(|(column, value)| row(columns[column], &value)).collect();
        let parsed = read(&format!("{HEADER}\n{}\n", rows.join("\n"))).expect("a header");
        prop_assert_eq!(parsed.hotspots.len() + parsed.rejected.len() + parsed.repeated, rows.len());
        for hotspot in &parsed.hotspots {
            prop_assert!(hotspot.at.lat_deg().abs() <= 90.0 && !hotspot.key.is_empty());
        }
    }
}
