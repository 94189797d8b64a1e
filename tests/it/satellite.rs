//! Hotspot lists as they arrive, read by the program itself.

use huoyan::lang::Lang;
use huoyan::satellite::{Parsed, parse};
use huoyan::triage::hotspot::HotspotConfidence;
use proptest::prelude::*;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

fn read(path: &Path) -> huoyan::error::Result<Parsed> {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    parse(&bytes, &path.display().to_string(), received_at(), Lang::En)
}

fn received_at() -> jiff::Timestamp {
    "2026-11-21T02:00:00Z".parse().expect("a time")
}

fn fixture(name: &str) -> huoyan::error::Result<Parsed> {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/firms").join(name))
}

/// For each list, the number of hotspots that no earlier list had.
fn new_in(lists: &[Parsed]) -> Vec<usize> {
    let mut known = HashSet::new();
    lists
        .iter()
        .map(|list| {
            list.hotspots.iter().filter(|hotspot| known.insert(hotspot.key.clone())).count()
        })
        .collect()
}

#[test]
fn a_later_list_of_the_same_day_brings_its_late_rows_only() {
    let lists = ["viirs-area.csv", "viirs-area-later.csv", "viirs-24h.csv"]
        .map(|name| fixture(name).expect(name));
    assert_eq!(
        new_in(&lists),
        [4, 2, 1],
        "a new version is no new hotspot, and N20 is N20 in the 24 h file too"
    );
    assert!(lists.iter().all(|list| list.rejected.is_empty() && list.repeated == 0));
}

#[test]
fn every_form_of_firms_is_read() {
    let modis = fixture("modis.csv").expect("MODIS");
    let levels: Vec<_> =
        modis.hotspots.iter().map(|h| (h.satellite.as_str(), h.confidence)).collect();
    assert_eq!(
        levels,
        [
            ("Terra", HotspotConfidence::Low),
            ("Terra", HotspotConfidence::Nominal),
            ("Aqua", HotspotConfidence::High),
            ("Aqua", HotspotConfidence::High),
        ]
    );
    assert_eq!(fixture("archive.csv").expect("archive").hotspots.len(), 2);
    assert_eq!(fixture("empty-window.csv").expect("a quiet day"), Parsed::default());
    let day = fixture("viirs-24h.csv").expect("24 h");
    assert!(day.hotspots.iter().all(|h| h.instrument == "VIIRS"));
}

#[test]
fn each_broken_row_is_named_and_the_others_are_read() {
    let parsed = fixture("broken-rows.csv").expect("a list");
    let lines: Vec<u64> = parsed.rejected.iter().map(|row| row.line).collect();
    assert_eq!(lines, [3, 4, 5, 6, 7, 8, 9, 10, 14]);
    assert_eq!(parsed.hotspots.len(), 3, "a stray quote costs nothing");
}

#[test]
fn what_is_no_list_is_refused() {
    for (name, word) in [
        ("wrong-key.txt", "HUOYAN_FIRMS_KEY"),
        ("maintenance.html", "web page"),
        ("landsat.csv", "Landsat"),
    ] {
        let message = fixture(name).expect_err(name).message;
        assert!(message.contains(word), "{message}");
    }
}

/// Real lists, where they are available; they may not be copied here.
#[test]
fn real_lists_of_one_day_give_21_then_11() {
    let folder: PathBuf =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/hotspots/firms");
    if !folder.is_dir() {
        eprintln!("skipped: no real lists at {}", folder.display());
        return;
    }
    let lists = ["firms_n20.csv", "firms_n20_later.csv", "firms_n21.csv"]
        .map(|name| read(&folder.join(name)).expect(name));
    assert_eq!(new_in(&lists), [21, 11, 24]);
    assert!(lists.iter().all(|list| list.rejected.is_empty()));
    assert!(read(&folder.join("firms_error.txt")).is_err());
}

/// One pixel of the demo's year, as each of these programs and offices writes it.
fn one(bytes: &[u8], what: &str) -> huoyan::triage::hotspot::Hotspot {
    let parsed = parse(bytes, "list", received_at(), Lang::En).expect(what);
    assert_eq!(parsed.rejected, [], "{what}");
    let [hotspot] = &parsed.hotspots[..] else {
        panic!("{what}: {} hotspots", parsed.hotspots.len())
    };
    hotspot.clone()
}

const HEADER: &str = "latitude,longitude,bright_ti4,scan,track,acq_date,acq_time,satellite,\
                      instrument,confidence,version,bright_ti5,frp,daynight";
const ROW: &str =
    "28.45231,110.41012,331.2,0.39,0.36,2026-11-21,0048,N20,VIIRS,n,2.0NRT,290.1,4.2,N";

#[test]
fn a_list_that_went_through_a_spreadsheet_is_the_same_list() {
    let plain = one(format!("{HEADER}\n{ROW}\n").as_bytes(), "as NASA sends it");
    let with = |from: &str, to: &str| format!("{HEADER}\n{}\n", ROW.replace(from, to));
    let semicolons = format!("{HEADER}\n{ROW}\n").replace(',', ";");
    let utf16 = |text: &str| {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
    };
    let quoted = |line: &str| format!("\"{}\"\n", line.replace(',', "\",\""));
    let texts = [
        ("Chinese Excel", with("2026-11-21,0048", "2026/11/21,48")),
        ("an American one", with("2026-11-21", "11/21/2026")),
        ("a date that became a number", with("2026-11-21", "46347")),
        ("a time of day", with("0048", "0:48:00")),
        ("semicolons", semicolons.clone()),
        ("decimal commas", semicolons.replace('.', ",").replace("2,0NRT", "2.0NRT")),
        ("sep=", format!("sep=,\n{HEADER}\n{ROW}\n")),
        ("tabs", format!("{HEADER}\n{ROW}\n").replace(',', "\t")),
        ("a title", format!("卫星热点 2026-11-21,,,\n{HEADER}\n{ROW}\n")),
        ("empty columns and a row of commas", format!("{HEADER},,\n{ROW},,\n,,,,,,,,,,,,,,,\n")),
        ("everything quoted", quoted(HEADER) + &quoted(ROW)),
        ("full-width digits", with("28.45231", "２８．４５２３１").replace(",0048", ",\u{a0}0048")),
        ("a vendor's name of the satellite", with("N20", "NASA-NOAA20")),
    ];
    for (what, text) in texts {
        assert_eq!(one(text.as_bytes(), what), plain, "{what}");
    }
    let text = format!("卫星热点,,\n{HEADER}\n{ROW}\n");
    assert_eq!(one(&utf16(&text.replace(',', "\t")), "UTF-16"), plain);
    assert_eq!(one(&encoding_rs::GB18030.encode(&text).0, "GB18030"), plain);
}

#[test]
fn the_same_pixel_in_another_form_of_firms_is_the_same_hotspot() {
    let plain = one(format!("{HEADER}\n{ROW}\n").as_bytes(), "CSV");
    let geojson = br#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":
        {"DAYNIGHT":"N","SCAN":0.39,"CONFIDENCE":"nominal","FRP":4.2,"SATELLITE":"N20",
        "ACQ_DATE":"2026-11-21","BRIGHT_TI5":290.1,"TRACK":0.36,"VERSION":"2.0NRT",
        "BRIGHT_TI4":331.2,"ACQ_TIME":"0048","INSTRUMENT":"VIIRS"},
        "geometry":{"type":"Point","coordinates":[110.41012,28.45231]}}]}"#;
    assert_eq!(one(geojson, "GeoJSON"), plain);
    let described = |html: &str| {
        format!(
            "<?xml version=\"1.0\"?><kml xmlns=\"http://www.opengis.net/kml/2.2\"><Document>\
             <Placemark><name>1</name><description>{html}</description><Point><coordinates>\
             110.41012,28.45231,0</coordinates></Point></Placemark></Document></kml>"
        )
    };
    let breaks = "<b>Detection Time: </b> 2026-11-21 00:48 UTC<br/><b>Sensor: </b> VIIRS NOAA-20\
                  <br/><b>Confidence: </b> nominal<br/><b>FRP:</b> 4.2";
    let table = "<table><tr><td>acq_date</td><td>2026-11-21</td></tr><tr><td>acq_time</td>\
                 <td>0048</td></tr><tr><td>satellite</td><td>N20</td></tr><tr><td>Confidence:</td>\
                 <td>n</td></tr><tr><td>FRP</td><td>4.2</td></tr></table>";
    for html in [breaks, table] {
        for text in [
            described(&format!("<![CDATA[{html}]]>")),
            described(&html.replace('<', "&lt;").replace('>', "&gt;")),
        ] {
            let hotspot = one(text.as_bytes(), &text);
            assert_eq!(
                (&hotspot.key, hotspot.frp_mw, hotspot.confidence, hotspot.instrument.as_str()),
                (&plain.key, Some(4.2), HotspotConfidence::Nominal, "VIIRS"),
                "{text}"
            );
        }
    }
}

#[test]
fn what_a_hunan_office_receives_is_read_with_its_own_time() {
    let sheet = "县森林防灭火指挥部\n序号,热点编号,卫星编号,热点区域,经度,纬度,像素,地类,烟云,连续,\
                 接收时间,行政区\n1,HN2026112101,NOAA-20,云溪县龙潭镇,\"110°24'36.4\"\"E\",\
                 \"28°27'8.3\"\"N\",2,林地,是,否,2026-11-21 08:55,431299\n";
    let hotspot = one(&encoding_rs::GB18030.encode(sheet).0, "the sheet");
    assert_eq!(
        (hotspot.satellite.as_str(), hotspot.instrument.as_str(), hotspot.pixels),
        ("N20", "VIIRS", 2)
    );
    assert_eq!(hotspot.acquired_at.to_string(), "2026-11-21T00:55:00Z", "Beijing time");
    assert!((hotspot.at.lon_deg() - 110.410_111).abs() < 1e-5, "{:?}", hotspot.at);

    let table = "火区号\t中心经度\t中心纬度\t火点像元个数\t像元覆盖面积(km2)\t明火面积(公顷)\t省地县\n\
                 1\t110.4101\t28.4523\t2\t3.7\t0.12\t湖南省云溪县\n";
    let titled =
        format!("火情信息快报 FY-3D 2026年11月21日14时20分（北京时）\t国家卫星气象中心\n{table}");
    let hotspot = one(titled.as_bytes(), "the centre's table");
    assert_eq!(hotspot.acquired_at.to_string(), "2026-11-21T06:20:00Z");
    assert_eq!((hotspot.satellite.as_str(), hotspot.pixels), ("FY-3D", 2));

    let untimed = format!("火情信息快报\t国家卫星气象中心\n{table}");
    let hotspot = one(untimed.as_bytes(), "a table without a time");
    assert_eq!(hotspot.acquired_at, received_at(), "the time it came is all that is known");
    let later = received_at() + jiff::SignedDuration::from_hours(3);
    let again = parse(untimed.as_bytes(), "list", later, Lang::En).expect("the same table");
    assert_eq!(again.hotspots[0].key, hotspot.key, "sent again, it is the same fire");
}

#[test]
fn himawari_says_watts_a_square_metre_and_counts_in_utc() {
    let list = "# 2026 11 21  0 40 UTC  2026 11 21  0 50 UTC\n# ID,Year,Month,Day,Time(UTC),Lat,Lon,\
                Area(km^2),Volcano,Level,Reliability,FRP(Wm^-2),QF,Hot(ID)\n\
                1,2026,11,21,0042,28.46,110.42,3.73,0,2,1,.64,0,1\n";
    let hotspot = one(list.as_bytes(), "L2");
    assert_eq!(hotspot.acquired_at.to_string(), "2026-11-21T00:42:00Z");
    assert_eq!(
        (hotspot.instrument.as_str(), hotspot.confidence, hotspot.frp_mw),
        ("AHI", HotspotConfidence::Low, Some(0.64 * 3.73))
    );
    let hourly = "year,month,day,hour,lat,lon,FRP(mean),FRP(max),confidence level,N\n\
                  2026,11,21,3,28.46,110.42,12.5,30.0,4.2,6\n";
    let hotspot = one(hourly.as_bytes(), "L3");
    assert_eq!(
        (hotspot.acquired_at.to_string().as_str(), hotspot.frp_mw, hotspot.confidence),
        ("2026-11-21T03:00:00Z", Some(12.5), HotspotConfidence::High)
    );
}

#[test]
fn what_cannot_be_read_is_named_with_what_to_do() {
    let refused =
        |bytes: &[u8]| parse(bytes, "list", received_at(), Lang::En).expect_err("no list").message;
    for (bytes, cure) in [
        (&b"\x00\x00\x27\x0a\x00\x00"[..], "shapefile"),
        (b"Invalid latitude, longitude in area: must be west,south,east,north\n", "FIRMS"),
        (b"<html xmlns:x=\"urn:schemas-microsoft-com:office:excel\">", "XLSX"),
        (b"{\"error\":\"no data\"}", "GeoJSON"),
        (&[0xff, 0xfe, 0x00, 0xd8], "known"),
    ] {
        let said = refused(bytes);
        assert!(said.contains(cure), "{said}");
        assert!(said.chars().all(|c| !c.is_control() && c != '\u{fffd}'), "{said:?}");
    }
}

/// A platform that nobody here has heard of: the office says once what its columns mean.
#[test]
fn any_other_table_is_read_by_a_mapping_of_the_configuration() {
    let config = huoyan::config::Config::parse(
        "[satellite]\nmappings = [{ columns = { \"东经\" = \"longitude\", \"北纬\" = \"latitude\", \
         \"监测日期\" = \"time\", \"时分\" = \"clock\", \"热功率\" = \"frp_mw\" }, utc = true, \
         satellite = \"高分四号\" }]\n",
    )
    .expect("a mapping");
    let list = "省平台导出,,,,\n东经,北纬,监测日期,时分,热功率\n110.41012,28.45231,2026/11/21,0548,4.2\n\
                110.41012,很北,2026/11/21,0548,4.2\n";
    let read = |mappings| {
        let (bytes, at) = (list.as_bytes(), received_at());
        huoyan::satellite::parse_mapped(bytes, "list", at, mappings, Lang::Zh)
    };
    let parsed = read(&config.satellite.mappings).expect("the office's own form");
    let hotspot = &parsed.hotspots[0];
    assert_eq!(hotspot.acquired_at.to_string(), "2026-11-21T05:48:00Z", "its times are UTC");
    assert_eq!((hotspot.satellite.as_str(), hotspot.frp_mw), ("高分四号", Some(4.2)));
    assert!(parsed.rejected[0].line == 4 && parsed.rejected[0].reason.contains("纬度"));
    assert!(read(&[]).expect_err("unknown by itself").message.contains("不是已知的热点列表"));
    let half = "[satellite]\nmappings = [{ columns = { \"东经\" = \"longitude\" } }]\n";
    assert!(huoyan::config::Config::parse(half).is_err());
}

/// One fire as its pixel's place and time; the forms round both.
struct Pixel {
    lat: f64,
    lon: f64,
    minute: i64,
}

impl Pixel {
    fn at(&self) -> jiff::Timestamp {
        let midnight: jiff::Timestamp = "2026-11-21T00:00:00Z".parse().expect("a time");
        midnight + jiff::SignedDuration::from_mins(self.minute)
    }

    fn firms(&self, version: &str) -> String {
        let at = self.at();
        let (date, time) = (at.strftime("%Y-%m-%d"), at.strftime("%H%M"));
        let (lat, lon) = (self.lat, self.lon);
        format!("{lat:.5},{lon:.5},331.2,0.39,0.36,{date},{time},N20,VIIRS,n,{version},290.1,4.2,N")
    }

    fn geojson(&self) -> String {
        let at = self.at();
        let (date, time) = (at.strftime("%Y-%m-%d"), at.strftime("%H%M"));
        let (lat, lon) = (self.lat, self.lon);
        format!(
            r#"{{"type":"Feature","properties":{{"SATELLITE":"N20","CONFIDENCE":"nominal",
            "ACQ_DATE":"{date}","ACQ_TIME":"{time}","VERSION":"2.0URT"}},
            "geometry":{{"type":"Point","coordinates":[{lon:.5},{lat:.5}]}}}}"#
        )
    }

    fn kml(&self) -> String {
        let at = self.at().strftime("%Y-%m-%d %H:%M UTC");
        let (lat, lon) = (self.lat, self.lon);
        format!(
            "<Placemark><description><![CDATA[<b>Detection Time: </b> {at}<br/><b>Sensor: </b> \
             VIIRS NOAA-20<br/><b>Confidence: </b> nominal]]></description><Point><coordinates>\
             {lon:.5},{lat:.5},0</coordinates></Point></Placemark>"
        )
    }

    /// Of the prefecture: four digits, Beijing time.
    fn sheet(&self) -> String {
        let at = self.at().to_zoned(huoyan::county::county_time()).strftime("%Y-%m-%d %H:%M");
        format!("NOAA-20,{:.4},{:.4},1,{at}", self.lon, self.lat)
    }

    /// In seconds of arc.
    fn sheet_dms(&self) -> String {
        let dms = |degrees: f64| {
            let seconds = (degrees * 3600.0).round() as i64;
            format!("{}°{}′{}″", seconds / 3600, seconds / 60 % 60, seconds % 60)
        };
        let at = self.at().to_zoned(huoyan::county::county_time()).strftime("%Y年%m月%d日%H时%M分");
        format!("NASA-NOAA20,{},{},1,{at}", dms(self.lon), dms(self.lat))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// A day: every fire comes in every form, doubled, in several versions, in any order. It is one
    /// hotspot, and the best version of it is kept.
    #[test]
    fn a_day_in_all_forms_doubled_and_late_is_one_hotspot_a_fire(
        fires in proptest::collection::vec((0u32..1000, 0i64..1440), 1..12),
        order in Just((0..14).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let pixels: Vec<Pixel> = fires.iter().enumerate().map(|(n, (off, minute))| Pixel {
            // Two kilometres apart, and nowhere round.
            lat: 28.2 + n as f64 * 0.02 + f64::from(*off) * 1e-5,
            lon: 110.3 + f64::from(*off) * 1.7e-5,
            minute: *minute,
        }).collect();
        let all = |row: &dyn Fn(&Pixel) -> String, between: &str| {
            pixels.iter().map(row).collect::<Vec<_>>().join(between)
        };
        let firms = |version: &str| format!("{HEADER}\n{}\n", all(&|it| it.firms(version), "\n"));
        let sheet = |row: &dyn Fn(&Pixel) -> String| {
            format!("卫星编号,经度,纬度,像素,接收时间\n{}\n", all(row, "\n"))
        };
        let collection = format!(
            r#"{{"type":"FeatureCollection","features":[{}]}}"#, all(&Pixel::geojson, ",")
        );
        let kml = format!(
            "<?xml version=\"1.0\"?><kml><Document>{}</Document></kml>", all(&Pixel::kml, "")
        );
        let spreadsheet = firms("2.0NRT").replace(',', ";");
        let files: Vec<Vec<u8>> = [
            firms("2.0URT"), firms("2.0RT"), firms("2.0NRT"), spreadsheet, collection, kml,
        ].into_iter().map(String::into_bytes).chain([
            encoding_rs::GB18030.encode(&sheet(&Pixel::sheet)).0.into_owned(),
            sheet(&Pixel::sheet_dms).into_bytes(),
        ]).collect();

        let mut stored: Vec<huoyan::triage::hotspot::Hotspot> = Vec::new();
        for n in order {
            let file = &files[n % files.len()];
            let list = parse(file, "list", received_at(), Lang::En).expect("a list");
            prop_assert_eq!(&list.rejected, &[]);
            prop_assert_eq!(list.hotspots.len(), pixels.len(), "rows in are rows taken");
            for hotspot in huoyan::satellite::reconcile(&stored, list.hotspots) {
                match stored.iter_mut().find(|it| it.key == hotspot.key) {
                    Some(before) => *before = hotspot,
                    None => stored.push(hotspot),
                }
            }
        }
        prop_assert_eq!(stored.len(), pixels.len());
        for hotspot in &stored {
            prop_assert_eq!((hotspot.version.as_str(), hotspot.frp_mw), ("2.0NRT", Some(4.2)));
        }
    }
}
