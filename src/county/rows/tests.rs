use super::*;
use crate::county::{Area, Duty, Grid};
use crate::register::{Ban, Danger, Signal};
use crate::table;
use geojson::FeatureCollection;

fn one<T: Record>(text: &str) -> Result<T, String> {
    let table = table::read(text.as_bytes(), T::COLUMNS, &[], Lang::Zh)?;
    let (_, row) = table.rows.into_iter().next().ok_or("no row")?;
    T::read(&row?)
}

fn again<T: Record + PartialEq + std::fmt::Debug>(text: &str) {
    let first: T = one(text).expect("a good row");
    let written = table::write(T::COLUMNS, std::iter::once(first.write())).expect("text");
    assert_eq!(one::<T>(&written), Ok(first), "{written}");
}

#[test]
fn every_register_reads_back_what_it_writes() {
    again::<Person>(
        "编号,姓名,手机号,岗位,网格,村,乡镇\nR1,向某,190-0000-0001,护林员（A角）,G1,大\
        坪村,凤滩镇\n",
    );
    again::<CameraEntry>(
        "id,name,lon,lat,azimuth,url,user,masks\nC1,塔,110.4,28.5,42.5,rtsp://10.0.0.1/1,admin,\"砖\
        厂:0.1,0.2,0.3,0.4\"\n",
    );
    again::<CameraEntry>(
        "id,lon,lat,azimuth,url\nC1,110.4,28.5,42.5,rtsp://admin:p@ss@10.0.0.1/1\n",
    );
    again::<CameraEntry>("id,lon,lat,url\nC1,110.4,28.5,rtsp://h/1\n");
    again::<CameraEntry>(
        "id,lon,lat,azimuth,方位误差,height,tilt,url\nC1,110.4,28.5,42.5,0.2,30,-3.5,rtsp://h/1\n",
    );
    for login in ["", "nvr@", "nvr:p@ss@"] {
        let header = "编号,经度,纬度,方位角,地址,主码流地址,用户";
        again::<CameraEntry>(&format!(
            "{header}\nC1,110.4,28.5,42.5,rtsp://h/2,rtsp://{login}h/1,admin\n"
        ));
    }
    again::<CameraEntry>("id,lon,lat,天际线,url\nC1,110.4,28.5,0.35,rtsp://h/1\n");
    let nameless = one::<CameraEntry>("id,lon,lat,预置位,url\nC1,110.4,28.5,?3,rtsp://h/1\n");
    assert!(nameless.expect_err("a view that is no preset").contains("预置位"));
    again::<Duty>("日期,岗位,乡镇,网格,人员\n2026-11-21,乡镇值班,凤滩镇,,T1\n");
    again::<Duty>("日期,岗位,乡镇,网格,人员\n2026-11-21,A角替班,,G1,R2\n");
    again::<HeatSource>("名称,经度,纬度,半径,有效期至\n砖厂,110.4,28.5,300,2026-12-31\n");
    again::<Burn>(
        "名称,经度,纬度,开始,结束,批准人\n炼山,110.4,28.5,2026-11-21 08:00,2026-11-21 \
        18:00,局\n",
    );
    again::<Danger>("乡镇,火险等级,发布单位,生效,失效\n凤滩镇,四级,县气象局,2026-11-21,\n");
    again::<Signal>(
        "信号,发布单位,开始,结束,原因\n橙色,县森防指,2026-11-21 08:00,2026-11-23,晴热\n",
    );
    again::<Ban>(
        "名称,区域,发布单位,开始,结束\n县政府令,\"凤滩镇、WG-1\",县政府,2026-10-01,2027-05-31\n",
    );
    let forgotten = one::<Ban>("名称,发布单位,开始,结束\n令,县政府,2026-10-01,\n");
    assert!(forgotten.expect_err("no end").contains("结束"));
    let late = one::<Danger>("等级,发布单位,开始,结束\n4,局,2026-11-21,2026-11-20\n");
    assert!(late.expect_err("ends before it begins").contains("结束早于开始"));
    let six = one::<Danger>("等级,发布单位,开始\n6,局,2026-11-21\n");
    assert!(six.expect_err("no such level").contains("“等级”的值“6”"));
}

#[test]
fn an_address_is_written_back_to_the_letter_with_the_column_of_users_beside_it() {
    for text in [
        "rtsp://admin:a%40b%23c@127.0.0.1:9/s1",
        "rtsp://admin:p#a@s/s:%41w@10.0.0.1/1",
        "RTSP://127.0.0.1:9/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp?real_stream",
        "http://127.0.0.1:9/cgi-bin/snapshot.cgi?loginuse=admin&loginpas=geheim1",
        "rtsp://admin@10.0.0.1/cam@1",
        "rtsp://admin:@h/1",
        "drop:/srv/ftp/a@b",
    ] {
        let row = format!(
            "编号,经度,纬度,地址,主码流,用户\nC1,110.4,28.5,\"{text}\",\"{text}\",viewer\n"
        );
        let written = one::<CameraEntry>(&row).expect("a good row").write();
        assert_eq!(
            (written[10].as_str(), written[11].as_str(), written[12].as_str()),
            (text, text, "viewer")
        );
    }
}

#[test]
fn a_bad_row_says_what_is_wrong_without_a_secret() {
    for (row, word) in [
        ("C1,110.4,28.5,rtsp：//admin:geheim@h/s", "半角"),
        ("C1,http://admin:geheim#1@10.1.2.3/s,28.5,rtsp://h/s", "http://10.1.2.3/s"),
        ("C1,http://10.1.2.3/s?loginpas=geheim,28.5,rtsp://h/s", "loginpas=***"),
    ] {
        let why =
            one::<CameraEntry>(&format!("编号,经度,纬度,地址\n{row}\n")).expect_err("not usable");
        assert!(why.contains(word) && !why.contains("geheim"), "{why}");
    }
}

#[test]
fn what_a_row_lacks_is_said_by_its_column() {
    for (text, word) in [
        ("编号,姓名,岗位\nR1,向某,护林员\n", "网格"),
        ("编号,姓名,岗位,网格\nR1,向某,厨师,G1\n", "厨师"),
        ("编号,姓名,岗位,网格,电话\nR1,向某,护林员,G1,123\n", "电话"),
        ("编号,姓名,岗位\nT1,向某,乡镇值班员\n", "乡镇"),
        ("编号,岗位\nT1,县值班员\n", "姓名"),
    ] {
        let reason = one::<Person>(text).expect_err("not usable");
        assert!(reason.contains(word), "{reason}");
    }
    assert!(
        one::<Burn>("名称,经度,纬度,开始,结束,批准人\n炼山,110.4,28.5,2026-11-22,2026-11-20,局\n")
            .is_err()
    );
    let path = "编号,经度,纬度,方位角,地址,管线\nC1,110.4,28.5,10,rtsp://h/1,../../x\n";
    assert!(one::<CameraEntry>(path).expect_err("a path").contains("管线"));
}

#[test]
fn what_nobody_measured_of_a_camera_is_left_open() {
    let camera = |cells: &str| {
        one::<CameraEntry>(&format!(
            "编号,经度,纬度,方位角,方位误差,高度,俯仰角,地址\nC1,110.4,28.5,{cells},rtsp://h/1\n"
        ))
    };
    let open = camera(",,,").expect("a good row");
    assert_eq!(
        (open.azimuth_deg, open.height_m, open.tilt_deg, open.azimuth_error_deg),
        (None, None, None, 1.0)
    );
    let surveyed = camera("350,0.3,25,-4").expect("a good row");
    assert_eq!((surveyed.azimuth_deg, surveyed.azimuth_error_deg), (Some(350.0), 0.3));
    assert_eq!((surveyed.height_m, surveyed.tilt_deg), (Some(25.0), Some(-4.0)));
    for (cells, column) in [
        ("361,,,", "方位角"),
        ("north,,,", "方位角"),
        (",0,,", "方位误差"),
        (",,501,", "高度"),
        (",,,-91", "俯仰角"),
    ] {
        assert!(camera(cells).expect_err("out of range").contains(column), "{cells}");
    }
}

#[test]
fn a_grid_feature_comes_back() {
    let corners: Vec<_> = [(28.0, 110.0), (28.0, 110.1), (28.1, 110.1)]
        .iter()
        .filter_map(|&(lat, lon)| crate::triage::geo::LatLon::new(lat, lon))
        .collect();
    let grid = Grid {
        id: "G1".into(),
        name: "1号网格".to_owned(),
        village: "大坪村".to_owned(),
        township: "凤滩镇".to_owned(),
        area: Area::from_rings(vec![corners]).expect("a ring"),
    };
    let text = FeatureCollection::new([grid_feature(&grid)]).to_string();
    let read = grids(&text, Lang::Zh).expect("a collection");
    assert_eq!(read, [(1.into(), Ok(grid))]);
    assert!(grids("{}", Lang::Zh).is_err());
    let nameless = r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":null}]}"#;
    assert!(grids(nameless, Lang::Zh).expect("a collection")[0].1.is_err());
}

#[test]
fn a_national_id_of_twenty_digits_stays_itself_or_is_refused() {
    let camera = |id: &str| {
        one::<CameraEntry>(&format!(
            "国标编号,经度,纬度,方位角,地址\n{id},110.4,28.5,42.5,rtsp://h/1\n"
        ))
    };
    for id in [
        "43010000001320000001",
        "01010000001320000001",
        "00000000000000000009",
        "\t43010000001320000001\t",
        "E+1",
        "1e5",
    ] {
        let entry = camera(id).expect("a good row");
        assert_eq!(entry.id.as_str(), id.trim());
        let written =
            table::write(CameraEntry::COLUMNS, std::iter::once(entry.write())).expect("text");
        assert_eq!(one::<CameraEntry>(&written), Ok(entry), "{written}");
    }
    for id in ["4.3E+19", "4.301E+19", "4e+19", "43010000001320000000"] {
        let why = camera(id).expect_err("not the camera's id any more");
        assert!(why.contains(id) && why.contains("文本"), "{why}");
    }
}
