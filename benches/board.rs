//! What pages cost: a fire front of 1,000 pixels (seconds to file, bytes and milliseconds of the
//! board), a fire that five cameras confirm for 30 hours, 500 ranger phones (share of a core), and
//! 10,000 closed incidents (nothing). Goals: 5 s, 60 KB, 100 ms, 20 %, 10 %. Real SQLite, real HTTP
//! on one machine. Run: `cargo bench --bench board`.

use huoyan::bus::Bus;
use huoyan::clock::Clock;
use huoyan::config::Config;
use huoyan::county::{Area, County, Grid, Person, Post, Registers};
use huoyan::desk::{Desk, Registry};
use huoyan::frame::{StatusBoard, Tuning};
use huoyan::lang::Lang;
use huoyan::store::{Access, Login, Store};
use huoyan::triage::event::{Actor, Closure, FalseAlarm};
use huoyan::triage::geo::{LatLon, Locus, RangeBasis, Ray};
use huoyan::triage::id::{IncidentId, SightingId};
use huoyan::triage::incident::{By, Input};
use huoyan::triage::policy::Policy;
use huoyan::triage::sighting::{Sighting, Source};
use huoyan::web::{self, WebState};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use uuid::Uuid;

/// Grids along each side of a square county, 2 km apart: 400 grids with one ranger each, like a
/// real county.
const SIDE: usize = 20;
const STEP_DEG: f64 = 0.02;
const PIXELS: usize = 1_000;
const CONFIRMATIONS: usize = 900;
const PHONES: usize = 500;
/// Poll interval of a phone when nothing has happened (`ui/ranger/state.ts`).
const POLLS_EVERY: Duration = Duration::from_secs(20);
const OPEN: usize = 60;

struct Sizes {
    closed: usize,
    phones_for: Duration,
    boards: u32,
}

fn main() {
    println!("processor: {}", huoyan::frame::cpu_flags().join(" "));
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Without `--bench` it only checks that the benchmark works.
    let measured = std::env::args().any(|it| it == "--bench");
    let sizes = match measured {
        true => Sizes { closed: 10_000, phones_for: Duration::from_secs(60), boards: 300 },
        false => Sizes { closed: 20, phones_for: Duration::from_secs(2), boards: 2 },
    };
    let server = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("office")
        .enable_all()
        .build()
        .expect("a runtime");
    let phones = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("phones")
        .enable_all()
        .build()
        .expect("a runtime");
    a_front(&server, &phones, sizes.boards);
    a_long_fire(&server);
    closed_ones(&server, &phones, &sizes);
    many_phones(&server, &phones, sizes.phones_for);
}

fn a_front(server: &tokio::runtime::Runtime, phones: &tokio::runtime::Runtime, boards: u32) {
    let office = server.block_on(Office::open());
    let empty = phones.block_on(office.board(1)).0;
    let front: Vec<Sighting> = (0..PIXELS)
        .map(|n| pixel(n, 110.0 + (n % 40) as f64 * 0.0038, 28.0 + (n / 40) as f64 * 0.0034))
        .collect();
    let began = Instant::now();
    server.block_on(office.state.desk.sightings(front)).expect("filed");
    let filed = began.elapsed();
    let (bytes, took) = phones.block_on(office.board(boards));
    println!("a front of {PIXELS} pixels: filed in {:.2} s", filed.as_secs_f64());
    println!(
        "  the board: {} bytes more than empty, {:.1} ms",
        bytes - empty,
        took.as_secs_f64() * 1e3
    );
}

/// Five cameras confirm one fire again and again. The last confirmation costs what the first did.
fn a_long_fire(server: &tokio::runtime::Runtime) {
    let office = server.block_on(Office::open());
    let mut took = Vec::with_capacity(CONFIRMATIONS);
    for n in 0..CONFIRMATIONS {
        office.clock.advance(SignedDuration::from_secs(120));
        let began = Instant::now();
        server
            .block_on(office.state.desk.sighting(confirmation(n, office.clock.now())))
            .expect("filed");
        took.push(began.elapsed());
    }
    let mean = |of: &[Duration]| of.iter().sum::<Duration>().as_secs_f64() * 1e3 / of.len() as f64;
    let hundred = took.len().min(100);
    println!(
        "a fire confirmed {CONFIRMATIONS} times: {:.1} ms each at the beginning, {:.1} ms at the \
        end",
        mean(&took[..hundred]),
        mean(&took[took.len() - hundred..])
    );
}

fn closed_ones(server: &tokio::runtime::Runtime, phones: &tokio::runtime::Runtime, sizes: &Sizes) {
    let office = server.block_on(Office::open());
    let round = |closed: usize| {
        let mut ids = Vec::with_capacity(OPEN);
        for n in 0..OPEN {
            ids.push(server.block_on(office.fire(n)));
        }
        let (bytes, took) = phones.block_on(office.board(sizes.boards));
        println!(
            "{OPEN} open beside {closed} closed: {bytes} bytes, {:.2} ms",
            took.as_secs_f64() * 1e3
        );
        for id in ids {
            server.block_on(office.close(id));
        }
        office.clock.advance(SignedDuration::from_hours(48));
        took
    };
    let before = round(0);
    for n in 0..sizes.closed {
        let id = server.block_on(office.fire(n % OPEN));
        server.block_on(office.close(id));
        if n % 200 == 0 {
            office.clock.advance(SignedDuration::from_hours(1));
        }
    }
    office.clock.advance(SignedDuration::from_hours(48));
    let after = round(sizes.closed);
    println!("  ratio {:.2}", after.as_secs_f64() / before.as_secs_f64());
}

fn many_phones(
    server: &tokio::runtime::Runtime,
    phones: &tokio::runtime::Runtime,
    lasting: Duration,
) {
    let office = server.block_on(Office::open());
    let ids: Vec<IncidentId> = (0..OPEN).map(|n| server.block_on(office.fire(n))).collect();
    let asked = Arc::new(AtomicU64::new(0));
    let mut cookies = Vec::new();
    for n in 0..PHONES {
        // Some rangers carry two phones.
        cookies.push(
            server.block_on(office.login(&format!("r{}", n % (SIDE * SIDE)), Access::Ranger)),
        );
    }
    let arriving = lasting.min(POLLS_EVERY) / PHONES as u32;
    for cookie in cookies {
        let (url, asked) = (office.url.clone(), Arc::clone(&asked));
        phones.spawn(async move { phone(url, cookie, asked).await });
        // They connect one after the other, as people do.
        phones.block_on(Clock::System.sleep(arriving));
    }
    let (cpu, began, first) = (cpu_of_the_office(), Instant::now(), asked.load(Ordering::Relaxed));
    let officer =
        By { actor: Actor::Officer { person: "o1".into() }, action: None, happened_at: None };
    let mut n = 0;
    while began.elapsed() < lasting {
        // Something happens somewhere every two seconds.
        let note = Input::Note { words: format!("第{n}条") };
        server.block_on(office.state.desk.act(ids[n % OPEN], note, &officer)).expect("noted");
        n += 1;
        phones.block_on(Clock::System.sleep(Duration::from_secs(2)));
    }
    let share = (cpu_of_the_office() - cpu) / began.elapsed().as_secs_f64();
    let answers = asked.load(Ordering::Relaxed) - first;
    println!("{PHONES} phones, {n} changes, {answers} answers: {:.1} % of a core", share * 100.0);
}

/// Listens to the stream, polls every 20 s, and fetches what the stream announces.
async fn phone(url: String, cookie: String, asked: Arc<AtomicU64>) {
    let client = reqwest::Client::builder().build().expect("a client");
    let cookie = format!("huoyan_session={cookie}");
    let ask = || client.get(format!("{url}/api/v1/ranger")).header("Cookie", &cookie).send();
    let stream = client
        .get(format!("{url}/api/v1/stream"))
        .header("Cookie", &cookie)
        .send()
        .await
        .expect("a stream");
    assert_eq!(stream.status(), 200);
    let mut stream = stream;
    loop {
        let answer = ask().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        answer.bytes().await.expect("a body");
        asked.fetch_add(1, Ordering::Relaxed);
        let begun = Instant::now();
        while let Some(left) = POLLS_EVERY.checked_sub(begun.elapsed()) {
            match tokio::time::timeout(left, stream.chunk()).await {
                Ok(Ok(Some(heard))) if heard.windows(7).any(|it| it == b"changed") => break,
                Ok(Ok(Some(_))) => {}
                Ok(_) => return,
                Err(_) => break,
            }
        }
    }
}

/// CPU seconds of all threads except the phones' and this one.
fn cpu_of_the_office() -> f64 {
    let ticks = procfs::ticks_per_second() as f64;
    let tasks = procfs::process::Process::myself().and_then(|it| it.tasks()).expect("threads");
    let stats = tasks.flatten().filter_map(|task| task.stat().ok());
    let own = stats.filter(|it| it.comm.starts_with("office") || it.comm.starts_with("sqlx"));
    own.map(|it| (it.utime + it.stime) as f64 / ticks).sum()
}

struct Office {
    state: WebState,
    clock: Clock,
    url: String,
    cookie: String,
    _folder: tempfile::TempDir,
}

impl Office {
    async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open("sqlite", folder.path()).await.expect("a store");
        let clock = Clock::simulated("2026-04-05T06:00:00Z".parse().expect("a time"));
        let (registers, bus) = (Registers::fixed(county()), Bus::local());
        let policy = Policy {
            flood_per_minute: 100_000,
            quiet_after: SignedDuration::ZERO,
            ..Policy::default()
        };
        let config = Config { policy: policy.clone(), ..Config::default() };
        let desk =
            Desk::new(store.clone(), bus.clone(), registers.clone(), policy, "森防", clock.clone());
        let registry = Registry::over(&store, registers.clone(), clock.clone(), Lang::Zh);
        let state = WebState {
            desk: Arc::new(desk),
            store,
            bus,
            registers,
            registry,
            status: StatusBoard::default(),
            thresholds: Tuning::new(config.thresholds.clone()),
            points: Arc::default(),
            visitor: None,
            config: Arc::new(config),
            clock: clock.clone(),
            drills: mpsc::channel(1).0,
            parts: web::Parts::default(),
            metrics: None,
            admin_token_hash: None,
            inbound_key_hash: None,
            own: web::Own::default(),
        };
        let network = web::Network { connections: 2 * PHONES + 100, ..web::Network::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(web::serve(
            listener,
            state.clone().with_network(network),
            std::future::pending(),
        ));
        let mut office = Self { state, clock, url, cookie: String::new(), _folder: folder };
        office.cookie = office.login("o1", Access::Officer).await;
        office
    }

    async fn login(&self, person: &str, access: Access) -> String {
        let (token, login) = (Uuid::now_v7().to_string(), Login { person: person.into(), access });
        let (hash, now) = (web::hash_secret(&token), self.clock.now());
        let life = SignedDuration::from_hours(100_000);
        self.state.store.create_session(&hash, &login, now, life).await.expect("logged in");
        token
    }

    /// Bytes, and the median time of an answer.
    async fn board(&self, times: u32) -> (usize, Duration) {
        let client = reqwest::Client::new();
        let ask = async || {
            let request = client.get(format!("{}/api/v1/board", self.url));
            let answer =
                request.header("Cookie", format!("huoyan_session={}", self.cookie)).send().await;
            answer.expect("an answer").bytes().await.expect("a body").len()
        };
        let bytes = ask().await;
        let mut took = Vec::new();
        for _ in 0..times {
            let began = Instant::now();
            ask().await;
            took.push(began.elapsed());
        }
        took.sort();
        (bytes, took[took.len() / 2])
    }

    async fn fire(&self, n: usize) -> IncidentId {
        self.clock.advance(SignedDuration::from_millis(100));
        let (lat, lon) = centre(n);
        let one = Sighting { observed_at: self.clock.now(), ..pixel(n, lon, lat) };
        self.state.desk.sighting(one).await.expect("filed")
    }

    async fn close(&self, incident: IncidentId) {
        let officer =
            By { actor: Actor::Officer { person: "o1".into() }, action: None, happened_at: None };
        let closure = Closure {
            category: 9,
            false_alarm: Some(FalseAlarm::Unclear),
            words: String::new(),
            passed_to: None,
        };
        self.state.desk.act(incident, Input::Close { closure }, &officer).await.expect("closed");
    }
}

fn pixel(n: usize, lon: f64, lat: f64) -> Sighting {
    let id = Uuid::now_v7();
    Sighting {
        id: SightingId(id),
        source: Source::Satellite {
            hotspot_key: format!("bench {n} {id}"),
            satellite: "N20".into(),
            instrument: "VIIRS".into(),
            frp_mw: Some(4.1),
            pixels: 1,
        },
        observed_at: "2026-04-05T06:00:00Z".parse().expect("a time"),
        locus: Locus::Disc { centre: LatLon::new(lat, lon).expect("a place"), radius_m: 375.0 },
        confidence: 0.6,
        pictures: vec![],
        drill: false,
        labels: vec![],
    }
}

/// A confirmation by one of five masts around a place, in turn.
fn confirmation(n: usize, at: Timestamp) -> Sighting {
    let fire = LatLon::new(28.2, 110.2).expect("a place");
    let apex = fire.destination(72.0 * (n % 5) as f64, 4_000.0);
    let source = Source::Camera {
        camera: format!("cam{}", n % 5).as_str().into(),
        pose: "p".into(),
        class: huoyan::triage::detection::Class::Smoke,
        model: huoyan::triage::detection::ModelVersion { name: "m".into(), version: "1".into() },
        thresholds_version: 1,
        opinion: None,
        bbox: huoyan::triage::detection::BoundingBox { x: 0.4, y: 0.4, w: 0.1, h: 0.1 },
    };
    let ray = Ray {
        apex,
        azimuth_deg: apex.azimuth_deg(fire),
        half_width_deg: 1.5,
        near_m: 3_000.0,
        far_m: 5_000.0,
        range: RangeBasis::FlatGround,
        profile: None,
    };
    Sighting { source, observed_at: at, locus: Locus::Sector(ray), ..pixel(n, 110.2, 28.2) }
}

/// Centre of the n-th grid.
fn centre(n: usize) -> (f64, f64) {
    (28.0 + STEP_DEG * (n / SIDE % SIDE) as f64, 110.0 + STEP_DEG * (n % SIDE) as f64)
}

fn county() -> County {
    let mut county = County { name: "试验县".into(), ..County::default() };
    for n in 0..SIDE * SIDE {
        let (lat, lon) = centre(n);
        let half = STEP_DEG / 2.0;
        let corners = [(-half, -half), (-half, half), (half, half), (half, -half), (-half, -half)];
        let ring =
            corners.map(|(dy, dx)| LatLon::new(lat + dy, lon + dx).expect("a place")).to_vec();
        let (id, village) = (format!("g{n}"), format!("{}村", n / 5));
        county.grids.push(Grid {
            id: id.as_str().into(),
            name: "1号网格".into(),
            village: village.clone(),
            township: format!("{}镇", n / 40),
            area: Area::from_rings(vec![ring]).expect("a square"),
        });
        county.people.push(person(&format!("r{n}"), Post::RangerA, Some((&id, &village))));
    }
    county.people.push(person("o1", Post::CountyOfficer, None));
    county
}

fn person(id: &str, post: Post, at: Option<(&str, &str)>) -> Person {
    Person {
        id: id.into(),
        name: format!("护林员{id}"),
        phone: Some("13900000001".into()),
        post,
        grid: at.map(|(grid, _)| grid.into()),
        village: at.map(|(_, village)| village.to_owned()),
        township: None,
    }
}
