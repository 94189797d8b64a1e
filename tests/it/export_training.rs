//! `huoyan export-training`: the results of a season's sightings, as the training project reads
//! them.

use crate::fixture::*;
use huoyan::cli::export_training::{Args, Summary, export};
use huoyan::clock::Clock;
use huoyan::desk::Desk;
use huoyan::error::{Kind, Result};
use huoyan::frame::Picture;
use huoyan::lang::Lang;
use huoyan::triage::detection::Stream;
use huoyan::triage::event::{Actor, Closure, FalseAlarm, Verification};
use huoyan::triage::geo::Locus;
use huoyan::triage::id::{ActionId, DispatchId, IncidentId, PictureId};
use huoyan::triage::incident::{By, Input};
use huoyan::triage::policy::Policy;
use huoyan::triage::sighting::{Sighting, Source};
use huoyan::triage::strip::{SeenAt, StripFrame};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// An office with a desk, and a folder to export into.
struct Office {
    t: TestStore,
    clock: Clock,
    desk: Desk,
    out: tempfile::TempDir,
}

impl Office {
    async fn new() -> Self {
        let (t, clock) = (TestStore::sqlite().await, Clock::simulated(start()));
        let desk = desk_of(&t.store, &clock, county(), Policy::default());
        Self { t, clock, desk, out: tempfile::tempdir().expect("a folder") }
    }

    fn wait(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
    }

    /// A camera confirms something now, with its picture; `north` separates fires.
    async fn saw(&self, camera: &str, north: f64, picture: &[u8]) -> (IncidentId, PictureId) {
        let kept = PictureId::of(id(), picture);
        let sighting = Sighting { pictures: vec![kept], ..self.sighting(camera, north) };
        self.t.store.keep_picture(kept, picture.to_vec()).await.expect("kept");
        (self.desk.sighting(sighting).await.expect("filed"), kept)
    }

    fn sighting(&self, camera: &str, north: f64) -> Sighting {
        let mut sighting = camera_sighting();
        if let Source::Camera { camera: id, bbox, .. } = &mut sighting.source {
            (*id, *bbox) = (camera.into(), [0.25, 0.5, 0.125, 0.25].into());
        }
        sighting.locus = Locus::Disc { centre: place(28.41 + north, 110.40), radius_m: 300.0 };
        Sighting {
            observed_at: self.clock.now(),
            pictures: vec![PictureId::of(id(), b"")],
            ..sighting
        }
    }

    async fn act(&self, incident: IncidentId, actor: Actor, input: Input) {
        let by = By { actor, action: Some(ActionId(id())), happened_at: None };
        self.desk.act(incident, input, &by).await.expect("accepted");
    }

    async fn closed(&self, incident: IncidentId, category: u8, false_alarm: Option<FalseAlarm>) {
        let closure = Closure {
            category,
            false_alarm,
            words: "张三电话13800000061：刘老五家烧草".into(),
            passed_to: None,
        };
        self.act(incident, officer(), Input::Close { closure }).await;
    }

    async fn export(&self, since: Option<Timestamp>, until: Option<Timestamp>) -> Result<Summary> {
        let args = Args { out: self.out.path().join("training"), since, until };
        export(&args, &self.t.store, &county(), Lang::En, true).await
    }

    /// Rows of watch.csv by picture.
    fn rows(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        let mut reader =
            csv::Reader::from_path(self.out.path().join("training/watch.csv")).expect("a table");
        let rows = reader.deserialize().map(|row| row.expect("a row"));
        rows.map(|row: BTreeMap<String, String>| (row["image"].clone(), row)).collect()
    }
}

fn officer() -> Actor {
    Actor::Officer { person: "o2".into() }
}

/// A picture of one colour that no other test picture has.
fn jpeg(width: u32, height: u32, colour: [u8; 3]) -> Vec<u8> {
    let rgb = colour.repeat((width * height) as usize);
    Picture::from_rgb(width, height, &rgb).and_then(|p| p.to_jpeg(88)).expect("a picture")
}

fn pick<'a>(row: &'a BTreeMap<String, String>, columns: &str) -> Vec<&'a str> {
    columns.split(',').map(|column| row[column].as_str()).collect()
}

#[tokio::test]
async fn a_season_becomes_a_table_that_says_what_people_found() {
    let office = Office::new().await;
    // A farmer burns straw: seen by two cameras, by the first again ten minutes later; the ranger
    // reports, the office closes.
    let (straw, colour) =
        (jpeg(640, 360, [90, 120, 60]), "xmin,ymin,xmax,ymax,unsure,spectrum,verdict,minute_index");
    let (farm, first) = office.saw("yl-01", 0.0, &straw).await;
    let dispatch = Input::Dispatch { dispatch: DispatchId(id()), ranger: "r1".into() };
    office.act(farm, officer(), dispatch).await;
    office.wait(4);
    let (same, other_camera) = office.saw("yl-02", 0.0, &jpeg(1920, 1080, [90, 120, 70])).await;
    assert_eq!(same, farm, "one fire");
    office.wait(8);
    let (_, again) = office.saw("yl-01", 0.0, &jpeg(640, 360, [90, 120, 80])).await;
    office.closed(farm, 3, None).await;
    // Fog, seen by a camera in the dark.
    let (fog, grey) = office.saw("yl-03", 0.03, &jpeg(640, 480, [130, 130, 130])).await;
    office.closed(fog, 9, Some(FalseAlarm::FogOrCloud)).await;
    // A chimney: no fire, and yet smoke.
    let (chimney, smoke) = office.saw("yl-01", 0.045, &straw).await;
    office.closed(chimney, 9, Some(FalseAlarm::FactorySmoke)).await;
    // One that nobody has looked at, and one where the ranger reports before the office closes.
    let (_, open) = office.saw("yl-01", 0.06, &straw).await;
    let (ranger_says, reported) = office.saw("yl-01", 0.08, &straw).await;
    let dispatch = Input::Dispatch { dispatch: DispatchId(id()), ranger: "r1".into() };
    office.act(ranger_says, officer(), dispatch).await;
    let verification = Verification {
        category: 9,
        flames: None,
        area_mu: None,
        extinguished: None,
        words: "李四说没有看到烟".into(),
        photos: vec![PictureId::of(id(), b"")],
        no_photo_reason: None,
        position: None,
    };
    office
        .act(ranger_says, Actor::Ranger { person: "r1".into() }, Input::Report { verification })
        .await;
    // A drill, and a satellite's pixel: neither is a picture to learn from.
    let drill = Sighting { drill: true, ..office.sighting("yl-01", 0.0) };
    office.t.store.keep_picture(drill.pictures[0], straw.clone()).await.expect("kept");
    office.desk.sighting(drill.clone()).await.expect("filed");
    office.desk.sighting(satellite_sighting(&hotspot("n20", "2.0NRT"))).await.expect("filed");

    let summary = office.export(None, None).await.expect("exported");
    assert_eq!((summary.rows, summary.smoke, summary.nothing, summary.unsure), (7, 3, 2, 2));
    assert_eq!((summary.train_cameras + summary.val_cameras, summary.unreadable.len()), (3, 0));

    let rows = office.rows();
    assert_eq!(rows.len(), 7);
    let of = |picture: PictureId| &rows[&format!("{picture}.jpg")];
    let farm_burning = ["160.0", "180.0", "240.0", "270.0", "0", "colour", "Farm burning"];
    assert_eq!(pick(of(first), colour), [farm_burning.as_slice(), &["0"]].concat());
    assert_eq!(pick(of(again), colour), [farm_burning.as_slice(), &["12"]].concat());
    assert_eq!(
        pick(of(other_camera), "xmin,ymin,xmax,ymax,width,height,minute_index"),
        ["480.0", "540.0", "720.0", "810.0", "1920", "1080", "0"]
    );
    let (id, second_view) = (farm.to_string(), format!("{farm}-2"));
    assert_eq!(
        pick(of(again), "event,fire,camera,captured_at"),
        [&id, &id, "yl-01", "2026-04-05T06:12:00Z"]
    );
    assert_eq!(
        pick(of(other_camera), "event,fire,camera"),
        [&second_view, &id, "yl-02"],
        "views are not mixed"
    );
    assert_eq!(
        pick(of(grey), colour),
        ["", "", "", "", "0", "ir", "Nothing found: fog_or_cloud", "0"]
    );
    assert_eq!(
        pick(of(smoke), "xmin,unsure,unsure_reason"),
        ["", "1", "real smoke or heat, but no wildfire"]
    );
    assert_eq!(
        pick(of(open), "xmin,unsure,unsure_reason,verdict"),
        ["", "1", "nobody has judged it yet", "open"]
    );
    assert_eq!(pick(of(reported), "xmin,unsure,verdict"), ["", "0", "Nothing found"]);
    assert!(
        rows.values()
            .filter(|row| row["camera"] == "yl-01")
            .all(|row| row["split"] == of(first)["split"])
    );

    let images = office.out.path().join("training/images");
    assert_eq!(fs::read_dir(&images).expect("a folder").count(), 7, "no drill, no ranger's photo");
    assert_eq!(
        fs::read(images.join(format!("{first}.jpg"))).expect("there"),
        straw,
        "as kept, byte for byte"
    );
    assert_says_nobody(&office.out.path().join("training"));
}

/// The pictures before and after an alarm are exported with its verdict, so that a row has a past.
#[tokio::test]
async fn a_fires_strip_goes_out_with_it_in_its_order() {
    let office = Office::new().await;
    office.wait(5);
    let sighting = office.sighting("yl-01", 0.0);
    let (straw, fire) = (jpeg(640, 360, [90, 120, 60]), sighting.pictures[0]);
    office.t.store.keep_picture(fire, straw).await.expect("kept");
    let mut strip = Vec::new();
    for (after_s, seen) in [(-120, None), (0, Some(0.75)), (40, Some(0.5))] {
        let bytes = jpeg(480, 270, [90, 120, if after_s < 0 { 61 } else { 62 }]);
        let captured_at = sighting.observed_at + SignedDuration::from_secs(after_s);
        let (picture, seen) = (
            PictureId::of(id(), &bytes),
            seen.map(|score| SeenAt { score, bbox: [0.5, 0.5, 0.25, 0.25].into() }),
        );
        let frame = StripFrame {
            sighting: sighting.id,
            captured_at,
            stream: Stream::Screened,
            seen,
            picture,
        };
        office.t.store.keep_strip_frame(&frame, bytes).await.expect("kept");
        strip.push(picture);
    }
    let incident = office.desk.sighting(sighting).await.expect("filed");
    office.closed(incident, 3, None).await;

    let summary = office.export(None, None).await.expect("exported");
    assert_eq!(
        (summary.rows, summary.smoke, summary.unsure),
        (3, 2, 1),
        "the confirmed look is there once"
    );
    let (rows, columns) =
        (office.rows(), "event,captured_at,minute_index,xmin,unsure,verdict,score");
    let (of, event) = (
        |picture: PictureId| pick(&rows[&format!("{picture}.jpg")], columns),
        incident.to_string(),
    );
    assert_eq!(
        of(strip[0]),
        [&event, "2026-04-05T06:03:00Z", "-2", "", "1", "Farm burning", "0.000"]
    );
    assert_eq!(of(fire)[2..], ["0", "160.0", "0", "Farm burning", "0.820"]);
    assert_eq!(
        of(strip[2]),
        [&event, "2026-04-05T06:05:40Z", "0", "240.0", "0", "Farm burning", "0.500"]
    );
}

/// The export holds no person of the register, no phone, nothing that anybody wrote or said, and no
/// residence.
fn assert_says_nobody(folder: &Path) {
    let text = fs::read_to_string(folder.join("watch.csv")).expect("a table");
    let county = county();
    let people = county
        .people
        .iter()
        .flat_map(|person| [Some(person.name.clone()), person.phone.clone()])
        .flatten();
    let others = ["刘老五", "烧草", "没有看到烟", "界亭驿村", "官庄镇", "网格", "r1", "o2"]
        .map(str::to_owned);
    for words in people.chain(others) {
        let found = text.split([',', '\n', ' ']).any(|cell| cell == words)
            || (!words.is_ascii() && text.contains(&words));
        assert!(!found, "{words} went out:\n{text}");
    }
    assert!(!text.contains("1380000"), "a phone went out:\n{text}");
}

#[tokio::test]
async fn a_lost_picture_is_listed_and_the_window_is_kept() {
    let office = Office::new().await;
    let picture = jpeg(64, 48, [90, 120, 60]);
    let (early, _) = office.saw("yl-01", 0.0, &picture).await;
    office.closed(early, 0, None).await;
    office.wait(60);
    let (fire, good) = office.saw("yl-01", 0.0, &picture).await;
    let (_, torn) = office.saw("yl-02", 0.0, b"\xff\xd8\xff and no more").await;
    let lost = office.sighting("yl-03", 0.0);
    office.desk.sighting(lost.clone()).await.expect("filed");
    office.closed(fire, 0, None).await;
    office.wait(60);
    let (late, _) = office.saw("yl-01", 0.0, &picture).await;
    office.closed(late, 0, None).await;

    let summary = office.export(Some(at(60)), Some(at(120))).await.expect("exported");
    assert_eq!((summary.rows, summary.smoke), (1, 1), "before and after are other exports");
    let listed: Vec<PictureId> = summary.unreadable.iter().map(|it| it.picture).collect();
    assert_eq!(listed, [torn, lost.pictures[0]]);
    assert!(office.rows().contains_key(&format!("{good}.jpg")));
    assert_eq!(
        fs::read_dir(office.out.path().join("training/images")).expect("a folder").count(),
        1
    );

    let again = office.export(None, None).await.expect_err("it is not empty any more");
    assert!(
        again.kind == Kind::Invalid && again.message.contains("not empty"),
        "{}",
        again.message
    );
}

#[tokio::test]
async fn more_incidents_than_a_page_holds_come_oldest_first() {
    let office = Office::new().await;
    let picture = jpeg(64, 48, [90, 120, 60]);
    for _ in 0..201 {
        let (incident, _) = office.saw("yl-01", 0.0, &picture).await;
        office.closed(incident, 9, None).await;
        // A sighting within two hours of the closing is a reminder of the closed one.
        office.wait(121);
    }
    assert_eq!(office.export(None, None).await.expect("exported").nothing, 201);
    let mut reader =
        csv::Reader::from_path(office.out.path().join("training/watch.csv")).expect("a table");
    let times: Vec<String> =
        reader.records().map(|row| row.expect("a row")[5].to_owned()).collect();
    assert!(times.len() == 201 && times.is_sorted(), "{times:?}");
}

/// Whoever trains the model is no clerk: the export takes no edit of the registers, brings no
/// database up to date, and makes none.
#[tokio::test]
async fn an_export_changes_nothing_in_the_office() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let export = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_huoyan"));
        command.args(["export-training", "--out"]).arg(folder.path().join("out"));
        command.arg("--data").arg(&data).env_remove("HUOYAN_STORE_URL").env("LANG", "en");
        command.output().expect("huoyan runs")
    };
    let nothing = export();
    let words = String::from_utf8_lossy(&nothing.stderr).into_owned();
    assert!(!nothing.status.success() && words.contains("--data"), "{words}");
    assert!(!data.exists(), "nothing is made");

    huoyan::store::Store::open("sqlite", &data).await.expect("a database").close().await;
    let registers = data.join("registers");
    fs::create_dir_all(&registers).expect("a folder");
    fs::write(registers.join("people.csv"), "编号,姓名,岗位\no1,吴敏,县值班员\n").expect("written");
    let database = fs::read(data.join("huoyan.db")).expect("a file");
    let done = export();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(fs::read_dir(&registers).expect("a folder").count(), 1, "no list, no file");
    assert!(fs::read(data.join("huoyan.db")).expect("a file") == database, "only read");
}
