//! The only module that may import all others: wiring, and the order of start and stop.
//!
//! Start: data folder → registers → database → desk → cameras and model → feeds → web. Stop: web
//! first (no new actions), then the cameras, then their last results are taken in, then the desk
//! and the sender, then the database. So accepted actions are committed, committed messages are
//! sent later, and the database file is complete.

pub mod backups;
pub mod capacity;
mod certificate;
mod channels;
mod demo;
pub mod disk;
pub mod evidence;
mod feeds;
mod intake;
mod lane;
pub mod links;
mod measures;
mod proof;
pub mod prune;
pub mod record;
pub mod serving;
pub mod strips;

mod supervise;
mod video;
mod vitals;

use crate::backup::Office;
use crate::bus::Bus;
use crate::camera;
use crate::clock::{Clock, Heartbeat};
use crate::config::Config;
use crate::county::Registers;
use crate::desk::{Desk, Registry};
use crate::drill::DrillBoard;
use crate::engine;
use crate::error::{Error, Result};
use crate::frame::{StatusBoard, Tuning};
use crate::lang::{Lang, Words};
use crate::notify::{Keys, Notifier};
use crate::store::{self, Store};
use crate::triage::point::Points;
use crate::web::tls::Keeper;
use crate::web::{self, Parts, WebState};
use metrics_exporter_prometheus::PrometheusHandle;
use parking_lot::RwLock;
use serving::Serving;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal as unix_signal};
use tokio::sync::{Mutex, mpsc, watch as signal};
use tokio::task::JoinSet;

/// Interval between checks of the register files: an import takes effect within seconds, at no
/// cost.
const REGISTERS_EVERY: Duration = Duration::from_secs(5);

/// A key of this length cannot be guessed over the network.
const INBOUND_KEY_MIN_BYTES: usize = 16;

/// What `huoyan run` was started with.
pub struct Options {
    pub config: Config,
    pub lang: Lang,
    pub json: bool,
    pub quiet: bool,
    /// Prepare and play the demo county.
    pub demo: bool,
    /// Print one-time login links on stdout.
    pub links: bool,
}

/// The shared state; clones share it.
#[derive(Clone)]
pub struct App {
    pub config: Arc<Config>,
    pub lang: Lang,
    pub clock: Clock,
    pub store: Store,
    pub registers: Registers,
    pub registry: Registry,
    pub desk: Arc<Desk>,
    pub status: StatusBoard,
    pub thresholds: Tuning,
    /// The operating points of the loaded model.
    pub points: Arc<RwLock<Option<Points>>>,
    pub parts: Parts,
    pub drills: DrillBoard,
    pub room: disk::Room,
    pub lookout: video::Lookout,
    pub stop: signal::Receiver<Stage>,
}

/// Stages of a stop, in their order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    Running,
    /// No action is accepted any more. The cameras stop, and their last results are taken in.
    Cameras,
    /// Everything else stops.
    All,
}

/// Time limits of the stages of a stop. With the web's grace (`limits::STOP_WITHIN`, 5 s) and the last threads
/// (`cli/run.rs`, 0.5 s) a stop takes at most 10 s.
const CAMERAS_END_WITHIN: Duration = Duration::from_secs(2);
const REST_ENDS_WITHIN: Duration = Duration::from_millis(1_500);
const DATABASE_ENDS_WITHIN: Duration = Duration::from_secs(1);

/// Runs until Ctrl-C or SIGTERM.
pub async fn run(mut options: Options) -> Result<()> {
    let mut asked_to_stop = hear_signals(options.lang)?;
    let clock = Clock::System;
    if let Some(refusal) = options.config.server.refusal() {
        let (why, (zh, en)) = (options.lang.pick(&refusal.zh(), &refusal.en()).to_owned(), refusal.cure());
        return Err(Error::invalid(format!("{why}{}", options.lang.pick(&format!("。{zh}"), &format!(". {en}")))));
    }
    let keeper = Keeper::open(&options.config.server, options.lang)?;
    let data = options.config.store.data.clone();
    let _lock = own(&data)?;
    let measures = measures::install()?;
    let inbound_key = inbound_key()?;
    let listener = TcpListener::bind(options.config.server.listen).await.map_err(|e| {
        let words = options.lang.pick(
            "无法监听，端口可能已被占用；换一个：--listen 127.0.0.1:8132",
            "cannot listen: the port may be in use; try --listen 127.0.0.1:8132",
        );
        Error::unavailable(format!("{}: {words}", options.config.server.listen)).because(e)
    })?;
    options.config.server.listen =
        listener.local_addr().map_err(|e| Error::unavailable("the listening socket has no address").because(e))?;
    let demo = if options.demo { Some(demo::Demo::prepare(&mut options, &clock).await?) } else { None };

    let config = Arc::new(options.config.clone());
    let store = Store::open(&store::url(&config), &data).await?;
    let registry = Registry::open(&store, &data.join("registers"), clock.clone(), options.lang).await?;
    let registers = registry.registers().clone();
    let bus = Bus::open(&config.bus.url).await?;
    let (stop, stopped) = signal::channel(Stage::Running);
    let signature = config.notify.signature.clone();
    let desk =
        Desk::new(store.clone(), bus.clone(), registers.clone(), config.policy.clone(), signature, clock.clone());
    let desk = Arc::new(desk);
    let app = App {
        lang: options.lang,
        clock: clock.clone(),
        store: store.clone(),
        registers: registers.clone(),
        registry: registry.clone(),
        desk: desk.clone(),
        status: StatusBoard::default(),
        thresholds: Tuning::new(store.thresholds().await?.unwrap_or_else(|| config.thresholds.clone())),
        points: Arc::default(),
        parts: Parts::default(),
        drills: DrillBoard::default(),
        room: disk::Room::new(store::url(&config) == "sqlite"),
        lookout: video::Lookout::default(),
        stop: stopped.clone(),
        config: Arc::clone(&config),
    };
    if let Some(words) = app.store.thresholds_set_aside().await? {
        tracing::error!("{}", words.pick(app.lang));
        app.parts.set("thresholds", false, words.zh, words.en);
    }

    let mut tasks = JoinSet::new();
    let (seen, seen_rx) = mpsc::channel(engine::SEEN_MAX);
    let (drill_tx, drill_rx) = mpsc::channel(1);
    let mut video = video::Video::new(app.clone(), seen);
    tokio::task::block_in_place(|| video.start());

    let notifier = Notifier::new(store.clone(), &config.notify, Keys::from_env(), clock.clone(), desk.bell()).await?;
    let (desk_runs, notifier) = (Arc::clone(&desk), Arc::new(notifier));
    let teller = Arc::clone(&notifier);
    let (lanes, ends) = intake::lanes();
    let (seen_rx, drill_rx, video) = (shared(seen_rx), shared(drill_rx), shared(video));
    let (upkeep, sender) = (measures.clone(), notifier.heartbeat());
    // State that must survive a panic is made here, once; each task only borrows it.
    let mut cameras = JoinSet::new();
    spawn(&mut cameras, "housekeeping", &app, move |app| {
        housekeeping(app, Arc::clone(&video), upkeep.clone(), sender.clone())
    });
    spawn(&mut cameras, "intake", &app, move |app| intake::seen(app, Arc::clone(&seen_rx), lanes.clone()));
    spawn(&mut tasks, "desk", &app, move |app| {
        let desk = Arc::clone(&desk_runs);
        async move { desk.run(app.stopped()).await }
    });
    spawn(&mut tasks, "messages", &app, move |app| {
        let notifier = Arc::clone(&notifier);
        async move { notifier.run(app.stopped()).await }
    });
    let intake::Ends { sightings, pictures, analyses, looks, strips } = ends;
    spawn(&mut tasks, "sightings", &app, move |app| intake::file(app, Arc::clone(&sightings)));
    spawn(&mut tasks, "evidence", &app, move |app| intake::keep(app, Arc::clone(&pictures)));
    spawn(&mut tasks, "analyses", &app, move |app| intake::record(app, Arc::clone(&analyses)));
    spawn(&mut tasks, "looks", &app, move |app| strips::choose(app, Arc::clone(&looks)));
    spawn(&mut tasks, "strips", &app, move |app| strips::keep(app, Arc::clone(&strips)));
    spawn(&mut tasks, "drills", &app, move |app| intake::drills(app, Arc::clone(&drill_rx)));
    spawn(&mut tasks, "feeds", &app, feeds::run);
    spawn(&mut tasks, "pruning", &app, prune::run);
    spawn(&mut tasks, "backups", &app, backups::run);
    spawn(&mut tasks, "record", &app, move |app| record::run(app, Arc::clone(&teller)));

    let tls = keeper.as_ref().map(Keeper::tls);
    if let Some(keeper) = keeper.map(shared) {
        spawn(&mut tasks, "certificate", &app, move |app| certificate::run(app, Arc::clone(&keeper)));
    }

    let admin_token = links::write_admin_token(&data)?;
    let _announced = Serving::of(&config).announce(&data)?;
    let web = WebState {
        desk: Arc::clone(&desk),
        store,
        bus,
        registers,
        registry,
        status: app.status.clone(),
        config: Arc::clone(&config),
        clock,
        drills: drill_tx,
        thresholds: app.thresholds.clone(),
        points: Arc::clone(&app.points),
        parts: app.parts.clone(),
        metrics: Some(measures.clone()),
        admin_token_hash: Some(web::hash_secret(&admin_token)),
        inbound_key_hash: inbound_key.as_deref().map(web::hash_secret),
        own: web::Own::default(),
    };
    if options.links || options.demo {
        let ranger = demo.as_ref().map(|demo| &demo.ranger);
        let words = demo.as_ref().and_then(|_| demo::policy_sentence(&config, options.lang));
        links::print(&app, ranger, words.as_deref(), options.json).await?;
    } else {
        links::greet(&app);
    }
    if demo.is_some() {
        spawn(&mut tasks, "demo", &app, demo::send_hotspots);
    }
    let connections = camera::left_for_browsers(web.registers.current().cameras.len());
    let web = web.with_network(web::Network { connections, ..web::Network::default() });
    let web = if let Some(tls) = tls { web.with_tls(tls) } else { web };
    web::serve(listener, web, async move { drop(asked_to_stop.wait_for(|asked| *asked).await) }).await?;
    stop.send_replace(Stage::Cameras);
    ended("cameras", CAMERAS_END_WITHIN, cameras).await;
    stop.send_replace(Stage::All);
    ended("desk and sender", REST_ENDS_WITHIN, tasks).await;
    // A connection blocked by a silent server is not waited for.
    if tokio::time::timeout(DATABASE_ENDS_WITHIN, app.store.close()).await.is_err() {
        tracing::warn!("the database did not close in time; stopping without it");
    }
    Ok(())
}

fn shared<T>(it: T) -> Arc<Mutex<T>> {
    Arc::new(Mutex::new(it))
}

fn spawn<F>(set: &mut JoinSet<()>, part: &'static str, app: &App, task: impl Fn(App) -> F + Send + Sync + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    let own = app.clone();
    let supervisor =
        supervise::Supervisor { clock: app.clock.clone(), parts: app.parts.clone(), stop: app.stop.clone() };
    set.spawn(supervisor.keep(part, move || task(own.clone())));
}

/// Waits for the tasks. Those that do not end in time are abandoned: everything that was answered
/// is committed.
async fn ended(what: &str, within: Duration, mut tasks: JoinSet<()>) {
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(within, all).await.is_err() {
        tracing::warn!("{what} did not end within {} s; stopping without them", within.as_secs_f32());
    }
}

/// Reloads the registers, and lets the cameras follow their register.
async fn housekeeping(app: App, video: Arc<Mutex<video::Video>>, measures: PrometheusHandle, sender: Heartbeat) {
    let (mut video, mut ledger) = (video.lock().await, proof::Ledger::default());
    while !pause_or(&app, REGISTERS_EVERY, Stage::Cameras).await {
        match app.registry.follow().await {
            Ok(true) => {
                tracing::info!("registers renewed");
                tokio::task::block_in_place(|| video.follow());
            }
            Ok(false) => {}
            Err(e) => tracing::error!("cannot read the registers; the old ones stay in force: {}", e.chain()),
        }
        tokio::task::block_in_place(|| video.revive());
        video.say_whether_it_keeps_up();
        vitals::look(&app, &sender);
        channels::look(&app).await;
        proof::look(&app, &mut ledger).await;
        // Otherwise measurements that nobody reads pile up.
        measures.run_upkeep();
    }
    tokio::task::block_in_place(|| video.end());
}

impl App {
    /// Resolves when the program is to stop.
    async fn stopped(&self) {
        self.reached(Stage::All).await;
    }

    async fn reached(&self, stage: Stage) {
        let mut stop = self.stop.clone();
        // An error means that nobody is left who could send the stop.
        let _ = stop.wait_for(|at| *at >= stage).await;
    }
}

/// True when the program is to stop.
async fn sleep_or_stop(app: &App, duration: Duration) -> bool {
    pause_or(app, duration, Stage::All).await
}

/// True when the stop has reached this stage.
async fn pause_or(app: &App, duration: Duration, stage: Stage) -> bool {
    tokio::select! {
        () = app.clock.sleep(duration) => false,
        () = app.reached(stage) => true,
    }
}

/// One program per data folder: two would send every message twice.
fn own(data: &Path) -> Result<File> {
    let cannot = |e| Error::unavailable(format!("cannot use the data folder {}", data.display())).because(e);
    std::fs::create_dir_all(data).map_err(cannot)?;
    let lock = File::create(data.join("lock")).map_err(cannot)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(Error::unavailable(format!(
            "another huoyan runs on the data folder {}: stop it, or choose another with --data",
            data.display()
        ))),
        Err(std::fs::TryLockError::Error(e)) => Err(cannot(e)),
    }
}

/// The parts of this office that a backup holds.
pub fn office(config: &Config) -> Office {
    let has_sqlite = store::url(config) == "sqlite";
    let (data, retention) = (config.store.data.clone(), config.retention.clone());
    Office { data, has_sqlite, config: config.file.clone(), retention }
}

/// HUOYAN_INBOUND_KEY. Whoever knows it can acknowledge for every ranger and so silence the ladder.
/// A short one is refused.
pub fn inbound_key() -> Result<Option<String>> {
    let Some(key) = std::env::var("HUOYAN_INBOUND_KEY").ok().filter(|key| !key.is_empty()) else { return Ok(None) };
    if key.len() < INBOUND_KEY_MIN_BYTES || key.trim() != key {
        return Err(Error::invalid(Words::new(
            format!("HUOYAN_INBOUND_KEY 至少{INBOUND_KEY_MIN_BYTES}个字符，首尾无空格"),
            format!(
                "HUOYAN_INBOUND_KEY needs at least {INBOUND_KEY_MIN_BYTES} characters, and no space before or after them"
            ),
        )));
    }
    Ok(Some(key))
}

/// Listens for Ctrl-C and SIGTERM from the first moment on. The first signal stops the program,
/// even during the start. The second ends it at once, with that signal's exit code. Committed work
/// is there at the next start.
fn hear_signals(lang: Lang) -> Result<signal::Receiver<bool>> {
    let listen = |kind| unix_signal(kind).map_err(|e| Error::internal("cannot listen for signals").because(e));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let (asked, heard) = signal::channel(false);
    tokio::spawn(async move {
        loop {
            let kind = tokio::select! {
                _ = interrupt.recv() => SignalKind::interrupt(),
                _ = terminate.recv() => SignalKind::terminate(),
            };
            if asked.send_replace(true) {
                tracing::warn!("{}", lang.pick("立即结束", "ending at once"));
                std::process::exit(128 + kind.as_raw_value());
            }
            tracing::info!("{}", lang.pick("正在停止；再按一次立即结束", "stopping; press again to end at once"));
        }
    });
    Ok(heard)
}
