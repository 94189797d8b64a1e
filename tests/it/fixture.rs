//! What the stories share: a day in spring, evidence, and a store of either kind.

use huoyan::bus::Bus;
use huoyan::clock::Clock;
use huoyan::county::{Area, County, Duty, Grid, Person, Post, Registers};
use huoyan::desk::Desk;
use huoyan::lang::Lang;
use huoyan::store::{Inspection, Record, Store};
use huoyan::triage::detection::{Class, ModelVersion};
use huoyan::triage::event::{Event, Hint, Place, Recorded, Remark};
use huoyan::triage::geo::{Fix, LatLon, Locus};
use huoyan::triage::hotspot::{Hotspot, HotspotConfidence};
use huoyan::triage::id::{DispatchId, IncidentId, PersonId, SightingId};
use huoyan::triage::incident::{Incident, NewIncident, Office};
use huoyan::triage::policy::{Policy, Review, Role};
use huoyan::triage::retention::Retention;
use huoyan::triage::sighting::{Sighting, Source};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// 清明 2026, 14:00 in Beijing.
pub fn start() -> Timestamp {
    "2026-04-05T06:00:00Z".parse().expect("a time")
}

/// `minutes` after the start.
pub fn at(minutes: i64) -> Timestamp {
    start() + SignedDuration::from_mins(minutes)
}

pub fn place(lat_deg: f64, lon_deg: f64) -> LatLon {
    LatLon::new(lat_deg, lon_deg).expect("a place on earth")
}

pub fn id() -> Uuid {
    Uuid::now_v7()
}

pub fn camera_sighting() -> Sighting {
    Sighting {
        id: SightingId(id()),
        source: Source::Camera {
            camera: "yl-01".into(),
            pose: "default".into(),
            class: Class::Smoke,
            bbox: [0.4, 0.5, 0.05, 0.03].into(),
            model: ModelVersion { name: "smoke-fire".into(), version: "0.1.0".into() },
            thresholds_version: 1,
            opinion: None,
        },
        observed_at: start(),
        locus: Locus::Disc { centre: place(28.45, 110.40), radius_m: 300.0 },
        confidence: 0.82,
        pictures: vec![],
        drill: false,
        labels: vec![],
    }
}

pub fn satellite_sighting(hotspot: &Hotspot) -> Sighting {
    Sighting {
        source: Source::Satellite {
            hotspot_key: hotspot.key.clone(),
            satellite: hotspot.satellite.clone(),
            instrument: hotspot.instrument.clone(),
            frp_mw: hotspot.frp_mw,
            pixels: hotspot.pixels,
        },
        locus: hotspot.locus(),
        observed_at: hotspot.acquired_at,
        ..camera_sighting()
    }
}

pub fn hotspot(key: &str, version: &str) -> Hotspot {
    Hotspot {
        key: key.into(),
        at: place(28.45, 110.40),
        acquired_at: start(),
        satellite: "N20".into(),
        instrument: "VIIRS".into(),
        confidence: HotspotConfidence::Nominal,
        frp_mw: Some(4.1),
        brightness_k: Some(331.5),
        background_k: None,
        scan_km: Some(0.4),
        track_km: Some(0.4),
        version: version.into(),
        pixels: 1,
        daynight: None,
    }
}

/// An incident of one sighting that waits for an officer, and the events that made it.
pub fn opened(sighting: Sighting, now: Timestamp) -> (Incident, Vec<Recorded>) {
    let mut policy = Policy::default();
    (policy.review.camera, policy.review.satellite) = (Review::Officer, Review::Officer);
    let new = NewIncident {
        id: IncidentId(id()),
        dispatch: DispatchId(id()),
        sightings: vec![sighting],
        links: vec![],
        split_from: None,
        flood: None,
    };
    let place = |_: &Fix, _: &[Hint]| Place {
        name: "官庄镇界亭驿村".into(),
        suggested: vec!["r1".into()],
        unique: true,
        ..Place::default()
    };
    let holder = |_: Role, _: &Place, _: Option<&PersonId>| Some(PersonId::from("o1"));
    let events =
        Incident::open(new, &Office { policy: &policy, place: &place, holder: &holder }, now);
    let incident = Incident::from_log(&events).expect("begins with its opening");
    (incident, events)
}

/// The next state and its event, as the desk would decide it.
pub fn noted(incident: &Incident, words: &str, now: Timestamp) -> (Incident, Vec<Recorded>) {
    let recorded = Recorded {
        at: now,
        actor: huoyan::triage::event::Actor::Officer { person: PersonId::from("o1") },
        action: None,
        happened_at: None,
        event: Event::Noted { words: words.into(), about: Remark::Plain },
    };
    let mut next = incident.clone();
    next.apply(&recorded);
    (next, vec![recorded])
}

/// A store in its own folder, which is removed with it.
pub struct TestStore {
    pub store: Store,
    pub folder: tempfile::TempDir,
    /// The address with which `Store::open` opens the same data again.
    pub url: String,
}

impl TestStore {
    pub async fn sqlite() -> Self {
        Self::open("sqlite".into()).await
    }

    /// A schema of its own in HUOYAN_TEST_POSTGRES; `None` when that is not set.
    pub async fn postgres() -> Option<Self> {
        let server = std::env::var("HUOYAN_TEST_POSTGRES").ok()?;
        let schema = format!("huoyan_{}", id().simple());
        let pool =
            sqlx::PgPool::connect(&server).await.expect("PostgreSQL at HUOYAN_TEST_POSTGRES");
        let create = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
        sqlx::query(create).execute(&pool).await.expect("a schema of our own");
        let mark = if server.contains('?') { '&' } else { '?' };
        let own = format!("application_name={schema}&options=-csearch_path%3D{schema}");
        Some(Self::open(format!("{server}{mark}{own}")).await)
    }

    /// A database of its own, empty; `None` when HUOYAN_TEST_POSTGRES is not set.
    pub async fn empty_database() -> Option<String> {
        let server = std::env::var("HUOYAN_TEST_POSTGRES").ok()?;
        let name = format!("huoyan_{}", id().simple());
        let pool =
            sqlx::PgPool::connect(&server).await.expect("PostgreSQL at HUOYAN_TEST_POSTGRES");
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::query(create).execute(&pool).await.expect("a database of our own");
        let mut url: url::Url = server.parse().expect("an address");
        url.set_path(&name);
        Some(url.into())
    }

    async fn open(url: String) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&url, folder.path()).await.expect("opens");
        Self { store, folder, url }
    }

    pub async fn again(&self) -> Store {
        Store::open(&self.url, self.folder.path()).await.expect("opens again")
    }

    /// Runs statements directly on the database, like a person with its password.
    pub async fn execute(&self, sql: impl Into<String>) {
        let sql = sqlx::AssertSqlSafe(sql.into());
        if self.url == "sqlite" {
            sqlx::raw_sql(sql).execute(&self.sqlite_pool().await).await.expect("a statement");
        } else {
            let pool = sqlx::PgPool::connect(&self.url).await.expect("connects");
            sqlx::raw_sql(sql).execute(&pool).await.expect("a statement");
        }
    }

    /// Rows of two text columns, as such a person reads them.
    pub async fn rows(&self, sql: &'static str) -> Vec<(String, String)> {
        if self.url == "sqlite" {
            sqlx::query_as(sql).fetch_all(&self.sqlite_pool().await).await.expect(sql)
        } else {
            let pool = sqlx::PgPool::connect(&self.url).await.expect("connects");
            sqlx::query_as(sql).fetch_all(&pool).await.expect(sql)
        }
    }

    /// Opens it like SQLite's command line, without enforcing foreign keys.
    async fn sqlite_pool(&self) -> sqlx::SqlitePool {
        let file = self.folder.path().join("huoyan.db");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).foreign_keys(false);
        sqlx::SqlitePool::connect_with(options).await.expect("connects")
    }
}

/// Checks the whole record, a year later, without correcting anything.
pub async fn look(store: &Store) -> Record {
    let look = Inspection {
        now: at(365 * 24 * 60),
        mend: false,
        paper: &[],
        retention: &Retention::default(),
    };
    store.look(&look).await.expect("a look").to_the_end().await.expect("a look")
}

/// Asserts that the record is sound. Returns the number of its events.
pub async fn whole(store: &Store) -> u64 {
    let record = look(store).await;
    assert_eq!(record.faults(Lang::En), [""; 0]);
    record.head.events
}

/// 官庄镇 with one grid around the fire. The day's rota names other people than those appointed to
/// the posts.
pub fn county() -> County {
    let person = |id: &str, name: &str, post| Person {
        id: id.into(),
        name: name.into(),
        phone: Some(format!(
            "138000000{}",
            10 + id.len() + usize::from(id.as_bytes()[id.len() - 1])
        )),
        post,
        grid: matches!(post, Post::RangerA | Post::RangerB | Post::VillageChief)
            .then(|| "g1".into()),
        village: Some("界亭驿村".into()),
        township: Some("官庄镇".into()),
    };
    let duty = |role, person: &str, township: Option<&str>| Duty {
        date: jiff::civil::date(2026, 4, 5),
        begins: None,
        ends: None,
        role,
        township: township.map(Into::into),
        grid: None,
        person: person.into(),
    };
    let corners =
        [(28.40, 110.35), (28.40, 110.45), (28.50, 110.45), (28.50, 110.35), (28.40, 110.35)];
    let ring = corners.map(|(lat, lon)| place(lat, lon)).to_vec();
    County {
        name: "沅陵县".into(),
        grids: vec![Grid {
            id: "g1".into(),
            name: "3号网格".into(),
            village: "界亭驿村".into(),
            township: "官庄镇".into(),
            area: Area::from_rings(vec![ring]).expect("a square"),
        }],
        people: vec![
            person("r1", "张三", Post::RangerA),
            person("r2", "李四", Post::RangerB),
            person("chief", "王村长", Post::VillageChief),
            person("t1", "赵乡", Post::TownshipOfficer),
            person("t2", "钱乡", Post::TownshipOfficer),
            person("o1", "孙县", Post::CountyOfficer),
            person("o2", "李县", Post::CountyOfficer),
            person("l1", "周领导", Post::Leader),
            person("l2", "吴领导", Post::Leader),
        ],
        duties: vec![
            duty(Role::TownshipDuty, "t2", Some("官庄镇")),
            duty(Role::CountyDuty, "o2", None),
            duty(Role::CountyLeader, "l2", None),
        ],
        ..County::default()
    }
}

/// A desk with its own clock over a store.
pub fn desk(store: &Store, clock: &Clock) -> Desk {
    desk_of(store, clock, county(), Policy::default())
}

pub fn desk_of(store: &Store, clock: &Clock, county: County, policy: Policy) -> Desk {
    Desk::new(store.clone(), Bus::local(), Registers::fixed(county), policy, "森防", clock.clone())
}
