//! The files of offices as they really are: each row is taken, or refused with its place, the reason
//! and what to do.

use super::*;
use crate::table;
use serde_json::{Value, json};

/// A grid around this corner, `size` degrees wide.
fn feature(code: &Value, west: f64, south: f64, size: f64) -> Value {
    let (east, north) = (west + size, south + size);
    let ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        .map(|at| json!(at));
    json!({
        "type": "Feature",
        "properties": {"code": code, "name": format!("{code}网格"), "township": "龙潭镇"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    })
}

fn collection(features: &[Value]) -> Value {
    json!({"type": "FeatureCollection", "features": features})
}

/// What an import of grids says: how many are taken, what is refused, and what is noticed.
fn grids(file: &Value) -> (usize, Vec<String>, Vec<String>) {
    let read = import(
        Register::Grids,
        "网格.geojson",
        file.to_string().as_bytes(),
        &History::default(),
        false,
        now(),
        Lang::Zh,
    );
    match read {
        Ok((report, _)) => {
            let refused = report.rejected.into_iter().map(|row| row.reason).collect();
            (report.accepted, refused, report.warnings)
        }
        Err(error) => (0, vec![error.message], Vec::new()),
    }
}

fn with_ring(ring: Value) -> Value {
    let mut grid = feature(&json!("G1"), 110.4, 28.5, 0.02);
    grid["geometry"]["coordinates"] = ring;
    collection(&[grid])
}

#[test]
fn a_grid_that_cannot_be_is_refused_with_the_place() {
    let square = json!([[110.4, 28.5], [110.42, 28.5], [110.42, 28.52], [110.4, 28.52]]);
    let hole = json!([[110.5, 28.6], [110.52, 28.6], [110.52, 28.62], [110.5, 28.62]]);
    let bow =
        json!([[110.4, 28.5], [110.42, 28.52], [110.42, 28.5], [110.4, 28.52], [110.4, 28.5]]);
    for (ring, reason, place) in [
        (json!([bow]), "自相交", "110.41000, 28.51000"),
        (json!([square, hole]), "洞在边界之外", "110.50000, 28.60000"),
        (json!([[[0, 0], [0, 0], [0, 0], [0, 0]]]), "没有围住任何地面", "0.00000, 0.00000"),
        (json!([[[28.5, 110.4], [28.5, 110.42], [28.52, 110.42]]]), "--swap-axes", "对调"),
        (json!([[[28.5, 80.4], [28.52, 80.4], [28.52, 80.42]]]), "--swap-axes", "对调"),
        (
            json!([[[39441000, 3153000], [39443000, 3153000], [39443000, 3155000]]]),
            "度",
            "39441000",
        ),
        (json!([]), "没有边界", ""),
    ] {
        let (taken, refused, _) = grids(&with_ring(ring.clone()));
        assert_eq!(taken, 0, "{ring}");
        assert!(refused[0].contains(reason) && refused[0].contains(place), "{ring}: {refused:?}");
    }
}

/// The last corner was clicked 30 cm beyond the border before.
#[test]
fn a_knot_of_drawing_costs_no_grid_its_ranger() {
    let knot = [
        [110.4, 28.5],
        [110.42, 28.5],
        [110.42, 28.52],
        [110.420_003, 28.519_998],
        [110.4, 28.52],
        [110.4, 28.5],
    ];
    let (taken, refused, _) = grids(&with_ring(json!([knot])));
    assert_eq!((taken, refused), (1, vec![]));
}

#[test]
fn what_gis_programs_write_is_taken() {
    let square = json!([[110.4, 28.5], [110.42, 28.5], [110.42, 28.52], [110.4, 28.52]]);
    let hole = json!([[110.405, 28.505], [110.41, 28.505], [110.41, 28.51], [110.405, 28.51]]);
    let high = json!([[110.4, 28.5, 123.4], [110.42, 28.5, 123.4], [110.42, 28.52, 120.0]]);
    let twice = json!([[110.4, 28.5], [110.42, 28.5], [110.42, 28.5], [110.42, 28.52]]);
    for ring in [json!([square]), json!([square, hole]), json!([high]), json!([twice])] {
        assert_eq!(grids(&with_ring(ring.clone())), (1, vec![], vec![]), "{ring}");
    }
    let one = feature(&json!("G1"), 110.4, 28.5, 0.02);
    assert_eq!(grids(&one).0, 1, "a single feature");
    let mut several = one.clone();
    several["geometry"] = json!({"type": "GeometryCollection", "geometries": [one["geometry"]]});
    assert_eq!(grids(&collection(&[several])).0, 1, "a collection of geometries");
    let mut shape = one.clone();
    shape["properties"] =
        json!({"WGBH": "G1", "WGMC": "一号", "XIANG": "龙潭镇", "CUN": "向阳村", "id": 7});
    let (report, after) =
        bring(Register::Grids, &collection(&[shape]).to_string(), &Entries::default(), false);
    let grid = &County::of(&after, Lang::Zh).grids[0];
    assert_eq!(report.accepted, 1);
    assert_eq!((grid.id.as_str(), grid.full_name().as_str()), ("G1", "龙潭镇向阳村 一号"));
}

/// GCJ-02 looks like degrees, and lies 500 m beside.
#[test]
fn another_coordinate_system_is_refused_by_its_name() {
    for (name, taken) in [
        ("urn:ogc:def:crs:OGC:1.3:CRS84", 1),
        ("EPSG:4326", 1),
        ("urn:ogc:def:crs:EPSG::4490", 1),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", 1),
        ("GCJ02", 0),
        ("BD-09", 0),
        ("urn:ogc:def:crs:EPSG::4527", 0),
        ("CGCS2000_3_Degree_GK_Zone_37", 0),
    ] {
        let mut file = collection(&[feature(&json!("G1"), 110.4, 28.5, 0.02)]);
        file["crs"] = json!({"type": "name", "properties": {"name": name}});
        let (accepted, refused, _) = grids(&file);
        assert_eq!(accepted, taken, "{name}: {refused:?}");
        assert!(taken == 1 || refused[0].contains(name) && refused[0].contains("WGS-84"));
    }
}

#[test]
fn a_code_is_what_the_office_writes_however_the_program_wrote_it() {
    for (written, code) in [
        (json!("YX01"), Some("YX01")),
        (json!(430722101), Some("430722101")),
        (json!(430722101.0), Some("430722101")),
        (json!(4.30722101e8), Some("430722101")),
        (json!("430722101.0"), Some("430722101")),
        (json!("Ｇ０１"), Some("G01")),
        (json!(4.3e19), None),
        (json!("4.3E+19"), None),
    ] {
        let file = collection(&[feature(&written, 110.4, 28.5, 0.02)]).to_string();
        let (report, after) = bring(Register::Grids, &file, &Entries::default(), false);
        let codes: Vec<_> = after.of(Register::Grids).iter().map(|it| it.key.clone()).collect();
        assert_eq!(codes.first().map(String::as_str), code, "{written}");
        assert!(code.is_some() || report.rejected[0].reason.contains("文本"), "{report:?}");
    }
}

#[test]
fn what_is_likely_wrong_with_grids_is_noticed_and_changes_nothing() {
    let (g1, g2) = (json!("G1"), json!("G2"));
    let beside = [feature(&g1, 110.4, 28.5, 0.02), feature(&g2, 110.42, 28.5, 0.02)];
    assert_eq!(grids(&collection(&beside)), (2, vec![], vec![]), "neighbours share a border");
    for (other, noticed) in [
        (feature(&g2, 110.41, 28.51, 0.02), "重叠 1.0"),
        (feature(&g2, 110.42, 80.0, 0.02), "离其他网格都超过"),
        (feature(&g2, 110.42, 28.5, 0.001), "一般在0.1到100之间"),
        (feature(&g2, 110.42, 28.5, 0.3), "一般在0.1到100之间"),
    ] {
        let (taken, refused, noted) = grids(&collection(&[beside[0].clone(), other]));
        assert_eq!((taken, refused), (2, vec![]));
        assert!(noted.iter().any(|it| it.contains(noticed) && it.contains("G2")), "{noted:?}");
    }
    let mut same = beside.clone();
    same[1]["properties"]["name"] = same[0]["properties"]["name"].clone();
    let noted = grids(&collection(&same)).2;
    assert!(noted[0].contains("无法区分"), "{noted:?}");
}

#[test]
fn exchanged_axes_are_exchanged_back_in_one_step() {
    let right = collection(&[feature(&json!("G1"), 110.4, 28.5, 0.02)]);
    let wrong = swap_axes(&right.to_string(), Lang::Zh).expect("GeoJSON");
    assert!(grids(&serde_json::from_str(&wrong).expect("JSON")).1[0].contains("--swap-axes"));
    let again = swap_axes(&wrong, Lang::Zh).expect("GeoJSON");
    assert_eq!(serde_json::from_str::<Value>(&again).expect("JSON"), right);
    assert!(swap_axes("编号,经度", Lang::Zh).is_err());
}

fn people(text: &str) -> (ImportReport, County) {
    let (report, after) = bring(Register::People, text, &Entries::default(), false);
    (report, County::of(&after, Lang::Zh))
}

#[test]
fn people_as_a_spreadsheet_leaves_them() {
    let phones = "编号,姓名,电话,岗位,网格\np1,张某,1.3800000001E+10,护林员,G1\n\
                  p2,李某,1.38E+10,护林员,G2\np3,王某,13800000001/0745-1234567,护林员,G3\n";
    let (report, county) = people(phones);
    let of = |id: &str| county.person(&id.into()).and_then(|it| it.phone.clone());
    assert_eq!(
        (of("p1").as_deref(), of("p3").as_deref()),
        (Some("13800000001"), Some("13800000001"))
    );
    let lost = &report.rejected[0];
    assert!(
        lost.line == 3 && lost.reason.contains("电话") && lost.reason.contains("文本"),
        "{lost:?}"
    );
    assert!(report.warnings[0].starts_with("第4行：“电话”中不止一个号码"), "{:?}", report.warnings);

    let merged = "乡镇,村,网格,编号,姓名,岗位\n龙潭镇,向阳村,G1,p1,张一,护林员\n,,,p2,张二,B角\n";
    let (report, _) = people(merged);
    assert!(report.rejected[0].reason.contains("合并的单元格"), "{report:?}");

    let folded = "编号 ,姓　名,岗 位,网格编号\np１ ,张 三　,护林员（A角）,Ｇ０１ \n";
    let (_, county) = people(folded);
    assert_eq!(
        (county.people[0].id.as_str(), county.people[0].grid.clone()),
        ("p1", Some("G01".into()))
    );

    let (report, county) = people("编号,姓名,岗位\np1,\"张三\n（组长）\",县值班员\n");
    assert_eq!((report.rejected, county.people[0].name.as_str()), (vec![], "张三 （组长）"));
}

#[test]
fn a_bad_byte_costs_its_own_row_and_is_named() {
    let text = "编号,姓名,岗位,网格\np1,张三,护林员,G1\np2,李四,护林员,G2\np3,王五,护林员,G3\n";
    let mut bytes = text.as_bytes().to_vec();
    bytes.remove(text.find('李').expect("it is there"));
    let (report, _) =
        import(Register::People, "x.csv", &bytes, &History::default(), false, now(), Lang::Zh)
            .expect("read");
    assert_eq!((report.accepted, report.rejected.len()), (2, 1));
    let row = &report.rejected[0];
    assert!(
        row.line == 3 && row.reason.contains("“姓名”") && row.reason.contains("UTF-8"),
        "{row:?}"
    );
}

#[test]
fn what_is_no_table_is_named() {
    for (bytes, said) in [
        (&b"<html><table><tr><td>1</td></tr></table></html>"[..], "网页"),
        (b"PK\x03\x04\0\0\0\0\0\0", "表格文件"),
        (b"%PDF-1.7 ", "PDF"),
        (b"", "空"),
        (b"{\"a\":1}", "JSON"),
    ] {
        let refused =
            import(Register::People, "x", bytes, &History::default(), false, now(), Lang::Zh);
        let message = refused.expect_err("no table").message;
        assert!(message.contains(said), "{message}");
    }
}

/// Everybody is registered; one works in a grid that nobody knows, one stands twice.
#[test]
fn who_would_be_sent_nowhere_is_named() {
    let grid = collection(&[feature(&json!("G1"), 110.4, 28.5, 0.02)]).to_string();
    let (_, grids) = bring(Register::Grids, &grid, &Entries::default(), false);
    let sheet = "编号,姓名,岗位,网格,村\np1,张三,护林员,G1,向阳村\np2,李四,护林员,G9,\n\
                 p3,张三,护林员,G1,向阳村\n";
    let (report, after) = bring(Register::People, sheet, &grids, false);
    assert!(report.warnings[0].contains("李四 的网格 G9"), "{:?}", report.warnings);
    assert!(report.warnings[1].contains("p1、p3"), "{:?}", report.warnings);
    let odd = County::of(&after, Lang::Zh).oddities();
    let keys: Vec<_> = odd.iter().map(|it| (it.register, it.keys.join(" "))).collect();
    assert_eq!(keys, [(Register::People, "p2".into()), (Register::People, "p1 p3".into())]);
}

#[test]
fn a_rota_as_offices_write_it_is_taken_or_refused_in_its_own_words() {
    let people = "编号,姓名,岗位\np01,张三,县值班员\np02,李四,带班领导\n";
    let (_, people) = bring(Register::People, people, &Entries::default(), false);
    let rota =
        |rows: &str| bring(Register::Duty, &format!("日期,岗位,人员\n{rows}"), &people, false).0;
    for date in
        ["46355", "2026年12月2日 星期三", "2026-12-3 00:00:00", "２０２６－１２－０５", "2026.12.1"]
    {
        assert_eq!(rota(&format!("{date},县值班,p01\n")).accepted, 1, "{date}");
    }
    for date in ["11月29日", "29-Nov", "12/4/2026", "2026-11-29至2026-12-05", "2026/12/08 8:00"]
    {
        let report = rota(&format!("{date},县值班,p01\n"));
        assert!(report.rejected[0].reason.contains("每天一行"), "{date}: {report:?}");
    }
    let report = rota("2026-11-29,县值班,p01\n2026-11-29,县值班,p02\n,带班领导,p02\n");
    assert!(report.rejected[0].reason.contains("前面已有一人"), "{report:?}");
    assert!(report.rejected[1].reason.contains("合并的单元格"), "{report:?}");
}

#[test]
fn burns_as_notices_are_written_begin_and_end_at_the_same_instants() {
    for (from, to) in [
        ("2026-11-29 8:00", "2026-11-29 18:00"),
        ("2026/11/29 8:00", "2026/11/29 18:00:00"),
        ("2026-11-29 08：00", "2026年11月29日18时"),
        ("2026年11月29日8时", "2026-11-29T18:00"),
        ("2026-11-29 上午8:00", "2026-11-29 下午6:00"),
        ("2026-11-29 8:00 AM", "2026-11-29 6:00 PM"),
        ("46355.333333", "46355.75"),
    ] {
        let sheet = format!("名称,经度,纬度,开始,结束,批准人\n炼山,110.4,28.5,{from},{to},王某\n");
        let (report, after) = bring(Register::Burns, &sheet, &Entries::default(), false);
        assert_eq!(report.rejected, [], "{from} {to}");
        let burn = &County::of(&after, Lang::Zh).burns[0];
        assert_eq!(
            (burn.from, burn.to),
            (time("2026-11-29T00:00:00Z"), time("2026-11-29T10:00:00Z")),
            "{from} {to}"
        );
    }
}

proptest::proptest! {
    /// Every line of a table is taken, or refused by its number.
    #[test]
    fn rows_in_are_rows_taken_and_refused(
        rows in proptest::collection::vec("[a-zA-Z0-9张护林员A角,/\" .]{1,24}", 1..12)
    ) {
        let sheet = format!("编号,姓名,岗位,网格,电话\n{}\n", rows.join("\n"));
        let table = table::read(sheet.as_bytes(), <Person as rows::Record>::COLUMNS, &[], Lang::Zh);
        let table = table.expect("a header");
        let (report, _) = people(&sheet);
        proptest::prop_assert_eq!(report.accepted + report.rejected.len(), table.rows.len());
    }
}
