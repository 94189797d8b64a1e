//! The demo county, written and then read like an office's own.

use huoyan::county::{self, County, Registers};
use huoyan::lang::Lang;
use huoyan::register::{Author, Change, History, Register};
use huoyan::satellite;
use huoyan::triage::geo::{Fix, FixMethod};
use huoyan::triage::id::SightingId;
use huoyan::triage::policy::Role;
use jiff::Timestamp;
use std::path::Path;

fn now() -> Timestamp {
    "2026-11-21T06:00:00Z".parse().expect("a time")
}

#[test]
fn a_satellite_file_finds_the_ranger_and_everybody_above() {
    let dir = tempfile::tempdir().expect("a folder");
    county::write_demo(&dir.path().join("registers"), 131, now(), &[]).expect("a demo county");
    let registers = Registers::load(&dir.path().join("registers"), now()).expect("its registers");
    let county = registers.current();

    let folder = dir.path().join("hotspots");
    let mut watch = satellite::FolderWatch::new(&folder, Path::new("pipelines"), Lang::Zh);
    watch.scan(now()).expect("an empty folder");
    std::fs::write(folder.join("n20.csv"), county::demo_hotspots(now(), &county)).expect("written");
    watch.scan(now()).expect("it may still grow");
    let scan = watch.scan(now()).expect("now it is read");
    let [batch] = &scan.batches[..] else { panic!("one list: {scan:?}") };
    assert_eq!((batch.hotspots.len(), batch.rejected.len()), (5, 0));

    let sighting = satellite::sighting_of(&batch.hotspots[0], SightingId(uuid::Uuid::nil()));
    let fix = Fix {
        centre: sighting.locus.centre(),
        radius_m: sighting.locus.radius_m(),
        method: FixMethod::Satellite,
        spread: None,
    };
    let place = county.place(&fix, &[], now());
    assert!(place.unique, "{place:?}");
    let ladder = [
        Role::Ranger,
        Role::BackupRanger,
        Role::VillageChief,
        Role::TownshipDuty,
        Role::CountyDuty,
        Role::CountyLeader,
    ];
    let told = county.recipients(&ladder, &place, place.suggested.first(), now());
    assert_eq!(told.iter().map(|recipient| recipient.role).collect::<Vec<_>>(), ladder);
    assert!(told.iter().all(|recipient| {
        recipient.phone.as_deref().is_some_and(|phone| phone.starts_with("1900000"))
    }));
}

#[test]
fn sheets_from_an_office_program_are_taken_as_they_are() {
    let mut history = History::default();
    let mut bring = |register, name: &str, bytes: &[u8]| {
        let (report, facts) =
            county::import(register, name, bytes, &history, false, now(), Lang::Zh)
                .expect("a sheet");
        let (number, by) = (history.number() + 1, Author::Account("office".to_owned()));
        history.push(Change { number, at: now(), by, why: String::new(), facts });
        (report, County::of(&history.at(now()), Lang::Zh))
    };
    let sheet = "云溪县护林员花名册,,,,\n姓 \
        名,手机号码,职务,责任网格,工号,备注\n向某,１９０-0000-0001,护林员（A角）,YX01,R1,\n";
    let gb18030 = encoding_rs::GB18030.encode(sheet).0.into_owned();
    let (report, _) = bring(Register::People, "花名册.csv", &gb18030);
    assert_eq!((report.accepted, report.rejected), (1, vec![]));
    assert!(report.warnings[0].contains("备注"), "{:?}", report.warnings);

    let cameras = "设备编号,名称,经度,纬度,方位角,视频地址\n43122200001320000001,鹰嘴\
        岩,110°24'00\"E,28度30分0秒N,42,rtsp://admin:p@ss@10.1.2.3/1\n\
         43122200001320000002,写反了,28.5,110.4,42,rtsp://10.1.2.4/1\n";
    let (report, county) = bring(Register::Cameras, "摄像机.csv", cameras.as_bytes());
    assert_eq!((report.accepted, report.rejected.len()), (1, 1));
    assert!(
        report.rejected[0].line == 3 && report.rejected[0].reason.contains("对调"),
        "{:?}",
        report.rejected
    );

    let camera = &county.cameras[0];
    assert!(
        (camera.at.lat_deg() - 28.5).abs() < 1e-9 && (camera.at.lon_deg() - 110.4).abs() < 1e-9
    );
    assert_eq!(camera.url.shown(), "rtsp://10.1.2.3/1");
    assert_eq!(camera.url.expose().logins, [("admin".to_owned(), "p@ss".to_owned())]);
    assert!(!format!("{county:?}").contains("p@ss"), "no password in any log");
}
