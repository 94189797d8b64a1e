//! A desk with a county, real SQLite and a clock that stands still, and browsers that talk to it.

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use huoyan::address::Address;
use huoyan::bus::Bus;
use huoyan::clock::Clock;
use huoyan::config::Config;
use huoyan::county::{Area, CameraEntry, County, Grid, Person, Post, Registers};
use huoyan::desk::{Desk, Registry};
use huoyan::frame::{Picture, StatusBoard, Tuning};
use huoyan::lang::Lang;
use huoyan::register::{Author, Fact, Register};
use huoyan::store::{Access, Store};
use huoyan::triage::geo::LatLon;
use huoyan::triage::id::CameraId;
use huoyan::web::{self, WebState};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tower::ServiceExt;
use uuid::Uuid;

pub const ADMIN_TOKEN: &str = "the-admin-token";
pub const INBOUND_KEY: &str = "the-gateways-key";

pub struct World {
    pub state: WebState,
    pub clock: Clock,
    pub drills: mpsc::Receiver<CameraId>,
    _folder: tempfile::TempDir,
}

impl World {
    pub async fn new() -> Self {
        Self::with(Config::default()).await
    }

    /// By this configuration.
    pub async fn with(config: Config) -> Self {
        Self::of(config, county()).await
    }

    /// Of this county.
    pub async fn of(config: Config, county: County) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open("sqlite", folder.path()).await.expect("SQLite opens");
        let start: Timestamp = "2026-11-21T06:00:00Z".parse().expect("a time");
        let clock = Clock::simulated(start);
        let (registers, bus) = (Registers::fixed(county), Bus::local());
        let (drill, drills) = mpsc::channel(1);
        let registry = Registry::over(&store, registers.clone(), clock.clone(), Lang::Zh);
        let state = WebState {
            desk: Arc::new(Desk::new(
                store.clone(),
                bus.clone(),
                registers.clone(),
                config.policy.clone(),
                "沅溪森防",
                clock.clone(),
            )),
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
            drills: drill,
            parts: web::Parts::default(),
            metrics: None,
            admin_token_hash: Some(web::hash_secret(ADMIN_TOKEN)),
            inbound_key_hash: Some(web::hash_secret(INBOUND_KEY)),
            own: web::Own::default(),
        };
        Self { state, clock, drills, _folder: folder }
    }

    /// The same county, as the office has registered it: what changes a register leaves the others.
    pub async fn registered() -> Self {
        let mut world = Self::new().await;
        let dir = world._folder.path().join("registers");
        let registry =
            Registry::open(&world.state.store, &dir, world.clock.clone(), Lang::Zh).await;
        let (registry, county) = (registry.expect("registers"), county().entries());
        let of =
            |register| county.of(register).iter().map(move |it| Fact::set(register, it.clone()));
        let facts = Register::ALL.into_iter().flat_map(of).collect();
        let by = Author::Account("office".to_owned());
        registry.change(facts, by, "", None).await.expect("registered");
        world.state.registers = registry.registers().clone();
        world.state.registry = registry;
        world
    }

    pub fn router(&self) -> Router {
        web::router(self.state.clone())
    }

    pub fn minutes_pass(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
    }

    /// A browser in which this person has opened a login link and pressed the button.
    pub async fn browser(&self, person: &str, access: Access) -> Browser {
        let life = SignedDuration::from_mins(15);
        let path = web::issue_login(&self.state.store, &person.into(), access, life, &self.clock)
            .await
            .expect("a link");
        let stranger = self.stranger();
        let answer =
            stranger.send(Request::post(path).body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
        let cookie = answer.headers[header::SET_COOKIE]
            .to_str()
            .expect("text")
            .split(';')
            .next()
            .expect("a pair")
            .to_owned();
        Browser { cookie: Some(cookie), ..stranger }
    }

    /// Lets another system send alarms, and returns its key.
    pub async fn system(&self, name: &str) -> &'static str {
        let key = web::secret().expect("random");
        let (hash, now) = (web::hash_secret(&key), self.clock.now());
        let added = self.state.store.add_alarm_system(name, &hash, None, now).await;
        added.expect("a new system");
        key.leak()
    }

    /// The machine's administrator asks for somebody's login link.
    pub async fn asks_link(&self, person: &str, role: &str) -> Answer {
        let request = Request::post("/api/v1/logins")
            .header("Idempotency-Key", Uuid::now_v7().to_string())
            .header(header::AUTHORIZATION, format!("Bearer {ADMIN_TOKEN}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(json!({"person": person, "role": role}).to_string()));
        self.stranger().send(request.expect("a request")).await
    }

    pub fn stranger(&self) -> Browser {
        Browser::new(self.router())
    }
}

#[derive(Clone)]
pub struct Browser {
    pub router: Router,
    pub cookie: Option<String>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("not JSON: {e}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body of an answer, which must be a success.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        self.json()
    }

    /// The status and code of an answer, which must be a refusal.
    #[track_caller]
    pub fn refused(&self) -> (u16, String) {
        assert!(self.status.is_client_error() || self.status.is_server_error(), "{}", self.text());
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        (self.status.as_u16(), self.json()["code"].as_str().expect("a code").to_owned())
    }
}

impl Browser {
    pub fn new(router: Router) -> Self {
        Self { router, cookie: None }
    }

    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        if let Some(cookie) = &self.cookie {
            request.headers_mut().insert(header::COOKIE, cookie.parse().expect("a cookie"));
        }
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let (head, body) = response.into_parts();
        let body = to_bytes(body, 4 << 20).await.expect("a body");
        Answer { status: head.status, headers: head.headers, body }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.post_as(Uuid::now_v7(), path, body).await
    }

    /// With an idempotency key of the caller's choice.
    pub async fn post_as(&self, key: Uuid, path: &str, body: Value) -> Answer {
        let request = Request::post(path)
            .header("Idempotency-Key", key.to_string())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()));
        self.send(request.expect("a request")).await
    }

    pub async fn photo(&self, path: &str, kind: &str, bytes: Vec<u8>) -> Answer {
        let request = Request::post(path)
            .header("Idempotency-Key", Uuid::now_v7().to_string())
            .header(header::CONTENT_TYPE, kind)
            .body(Body::from(bytes));
        self.send(request.expect("a request")).await
    }
}

/// The service on a real socket.
pub struct Server {
    pub address: SocketAddr,
    pub stop: oneshot::Sender<()>,
    pub done: JoinHandle<huoyan::error::Result<()>>,
}

impl Server {
    pub async fn of(state: WebState) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let done = tokio::spawn(web::serve(listener, state, async { drop(stopped.await) }));
        Self { address, stop, done }
    }
}

/// A picture that compresses badly, like leaves.
pub fn leaves(width: u32, height: u32) -> Picture {
    let mut state = 7u32;
    let mut rgb = vec![0; (width * height * 3) as usize];
    for byte in &mut rgb {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (state >> 24) as u8;
    }
    Picture::from_rgb(width, height, &rgb).expect("sizes fit")
}

pub fn at(lat_deg: f64, lon_deg: f64) -> LatLon {
    LatLon::new(lat_deg, lon_deg).expect("a place on earth")
}

/// Two grids side by side, a ranger each, an officer, a leader, one camera.
pub fn county() -> County {
    let grid = |id: &str, name: &str, west: f64| Grid {
        id: id.into(),
        name: name.to_owned(),
        village: "大坪村".to_owned(),
        township: "官庄镇".to_owned(),
        area: Area::from_rings(vec![vec![
            at(28.4, west),
            at(28.4, west + 0.1),
            at(28.6, west + 0.1),
            at(28.6, west),
        ]])
        .expect("rings"),
    };
    let person = |id: &str, name: &str, phone: &str, post: Post, grid: Option<&str>| Person {
        id: id.into(),
        name: name.to_owned(),
        phone: Some(phone.to_owned()),
        post,
        grid: grid.map(Into::into),
        village: None,
        township: None,
    };
    County {
        name: "沅溪县".to_owned(),
        grids: vec![grid("g1", "1号网格", 110.3), grid("g2", "2号网格", 110.4)],
        people: vec![
            person("r1", "周建国", "13900000001", Post::RangerA, Some("g1")),
            person("r2", "李春生", "13900000002", Post::RangerA, Some("g2")),
            person("o1", "吴敏", "13900000008", Post::CountyOfficer, None),
            person("l1", "陈立新", "13900000009", Post::Leader, None),
        ],
        cameras: vec![CameraEntry {
            id: "c1".into(),
            name: "1号塔".to_owned(),
            at: at(28.5, 110.32),
            height_m: Some(30.0),
            azimuth_deg: Some(70.0),
            azimuth_error_deg: 1.0,
            field_of_view_deg: 60.0,
            tilt_deg: Some(-2.0),
            horizon: None,
            range_m: 8000.0,
            url: Address::parse("rtsp://admin:camera-secret@10.0.0.8/stream2"),
            main_url: Some(Address::parse("rtsp://admin:camera-secret@10.0.0.8/stream1")),
            pipeline: None,
            pose: "default".into(),
            masks: vec![],
        }],
        ..County::default()
    }
}
