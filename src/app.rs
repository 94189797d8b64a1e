//! The only module that may import all others: wiring, and the order of start and stop.
//!
//! Three roles: `run` is everything in one process, a desk is that without cameras of its own, and
//! an edge (`detect`) only watches and sends. The wiring here is that of the first two.
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
pub mod detect;
pub mod disk;
mod edges;
pub mod evidence;
mod feeds;
mod intake;
mod lane;
pub mod links;
mod lookout;
mod measures;
mod proof;
pub mod prune;
pub mod record;
pub mod serving;
mod site;
pub mod strips;

mod supervise;
mod video;
mod vitals;
mod watching;

use crate::backup::BackupSource;
use crate::bus::{Bus, Line, Login};
use crate::camera;
use crate::clock::{Clock, Heartbeat};
use crate::config::Config;
use crate::desk::{Desk, Registry};
use crate::drill::DrillBoard;
use crate::error::{Error, Result};
use crate::frame::{StatusBoard, Tuning};
use crate::lang::{Lang, Words};
use crate::notify::{Keys, Notifier};
use crate::store::{self, Store};
use crate::web::tls::Keeper;
use crate::web::{self, Parts, WebState};
use metrics_exporter_prometheus::PrometheusHandle;
use serving::Serving;
use std::borrow::Borrow;
use std::fs::File;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal as unix_signal};
use tokio::sync::{mpsc, watch as signal};
use tokio::task::JoinSet;

pub use site::Site;
use site::{REGISTERS_EVERY, sleep_or_stop, spawn};
pub use supervise::Stage;

/// A key of this length cannot be guessed over the network.
const INBOUND_KEY_MIN_BYTES: usize = 16;

/// What this process does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// `huoyan run`: everything.
    All,
    /// `huoyan desk`: everything but cameras, beside any number of other desks.
    Desk,
}

/// What `huoyan run` or `huoyan desk` was started with.
pub struct Options {
    pub role: Role,
    pub config: Config,
    pub lang: Lang,
    pub json: bool,
    pub quiet: bool,
    /// Prepare and play the demo county.
    pub demo: bool,
    /// Print one-time login links on stdout.
    pub links: bool,
}

/// A site with a desk; clones share it.
#[derive(Clone)]
pub struct App {
    site: Site,
    pub store: Store,
    pub registry: Registry,
    pub desk: Arc<Desk>,
}

impl Deref for App {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl Borrow<Site> for App {
    fn borrow(&self) -> &Site {
        &self.site
    }
}

/// Time limits of the stages of a stop. With the web's grace (`limits::STOP_WITHIN`, 5 s) and the
/// last threads (`cli/run.rs`, 0.5 s) a stop takes at most 10 s.
const CAMERAS_END_WITHIN: Duration = Duration::from_secs(2);
const REST_ENDS_WITHIN: Duration = Duration::from_millis(1_500);
const DATABASE_ENDS_WITHIN: Duration = Duration::from_secs(1);

/// Runs until Ctrl-C or SIGTERM.
pub async fn run(mut options: Options) -> Result<()> {
    if options.role == Role::Desk {
        edges::check(&options.config)?;
    }
    let mut asked_to_stop = hear_signals(options.lang)?;
    let clock = Clock::System;
    if let Some(refusal) = options.config.server.refusal() {
        let (why, (zh, en)) =
            (options.lang.pick(&refusal.zh(), &refusal.en()).to_owned(), refusal.cure());
        return Err(Error::invalid(format!(
            "{why}{}",
            options.lang.pick(&format!("。{zh}"), &format!(". {en}"))
        )));
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
    options.config.server.listen = listener
        .local_addr()
        .map_err(|e| Error::unavailable("the listening socket has no address").because(e))?;
    let demo =
        if options.demo { Some(demo::Demo::prepare(&mut options, &clock).await?) } else { None };

    let config = Arc::new(options.config.clone());
    let store = Store::open(&store::url(&config), &data).await?;
    let registry =
        Registry::open(&store, &data.join("registers"), clock.clone(), options.lang).await?;
    let registers = registry.registers().clone();
    let line = match config.bus.is_local() {
        true => None,
        false => Some(Line::connect(&config.bus, Login::from_env()?, "desk").await?),
    };
    let bus = match &line {
        Some(line) => Bus::over(line).await?,
        None => Bus::local(),
    };
    let (stop, stopped) = signal::channel(Stage::Running);
    let signature = config.notify.signature.clone();
    let desk = Desk::new(
        store.clone(),
        bus.clone(),
        registers.clone(),
        config.policy.clone(),
        signature,
        clock.clone(),
    );
    let desk = Arc::new(desk);
    let site = Site {
        lang: options.lang,
        clock: clock.clone(),
        registers: registers.clone(),
        status: StatusBoard::default(),
        thresholds: Tuning::new(
            store.thresholds().await?.unwrap_or_else(|| config.thresholds.clone()),
        ),
        points: Arc::default(),
        parts: Parts::default(),
        drills: DrillBoard::default(),
        room: disk::Room::new(store::url(&config) == "sqlite"),
        lookout: lookout::Lookout::default(),
        stop: stopped.clone(),
        config: Arc::clone(&config),
    };
    let app = App { site, store: store.clone(), registry: registry.clone(), desk: desk.clone() };
    if let Some(words) = app.store.thresholds_set_aside().await? {
        tracing::error!("{}", words.pick(app.lang));
        app.parts.set("thresholds", false, words.zh, words.en);
    }

    let mut tasks = JoinSet::new();
    let (drill_tx, drill_rx) = mpsc::channel(1);

    let notifier =
        Notifier::new(store.clone(), &config.notify, Keys::from_env(), clock.clone(), desk.bell())
            .await?;
    let (desk_runs, notifier) = (Arc::clone(&desk), Arc::new(notifier));
    let teller = Arc::clone(&notifier);
    let (upkeep, sender) = (measures.clone(), notifier.heartbeat());
    // State that must survive a panic is made here, once; each task only borrows it.
    let mut cameras = JoinSet::new();
    // A desk drops the receiver of drills: so its ops page learns that none is possible there.
    if options.role == Role::All {
        let (lanes, ends) = intake::lanes();
        watching::watch(&mut cameras, &app.site, lanes);
        intake::start(&mut tasks, &app, ends, drill_rx);
    }
    let role = options.role;
    spawn(&mut tasks, "housekeeping", &app, move |app| {
        housekeeping(app, role, upkeep.clone(), sender.clone())
    });
    spawn(&mut tasks, "desk", &app, move |app| {
        let desk = Arc::clone(&desk_runs);
        async move { desk.run(app.stopped()).await }
    });
    spawn(&mut tasks, "messages", &app, move |app| {
        let notifier = Arc::clone(&notifier);
        async move { notifier.run(app.stopped()).await }
    });
    if let Some(line) = line {
        edges::hear(&mut tasks, &app, &line);
    }
    spawn(&mut tasks, "feeds", &app, feeds::run);
    spawn(&mut tasks, "pruning", &app, prune::run);
    spawn(&mut tasks, "backups", &app, backups::run);
    spawn(&mut tasks, "record", &app, move |app| record::run(app, Arc::clone(&teller)));

    let tls = keeper.as_ref().map(Keeper::tls);
    if let Some(keeper) = keeper.map(|keeper| Arc::new(tokio::sync::Mutex::new(keeper))) {
        spawn(&mut tasks, "certificate", &app, move |app| {
            certificate::run(app, Arc::clone(&keeper))
        });
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
    web::serve(listener, web, async move { drop(asked_to_stop.wait_for(|asked| *asked).await) })
        .await?;
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

/// Waits for the tasks. Those that do not end in time are abandoned: everything that was answered
/// is committed.
async fn ended(what: &str, within: Duration, mut tasks: JoinSet<()>) {
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(within, all).await.is_err() {
        tracing::warn!(
            "{what} did not end within {} s; stopping without them",
            within.as_secs_f32()
        );
    }
}

/// Reloads the registers, and looks how the parts of this process are.
async fn housekeeping(app: App, role: Role, measures: PrometheusHandle, sender: Heartbeat) {
    let mut ledger = proof::ProofLedger::default();
    while !sleep_or_stop(&app, REGISTERS_EVERY).await {
        match app.registry.follow().await {
            Ok(true) => tracing::info!("registers renewed"),
            Ok(false) => {}
            Err(e) => tracing::error!(
                "cannot read the registers; the old ones stay in force: {}",
                e.chain()
            ),
        }
        vitals::look(&app, &sender);
        channels::look(&app).await;
        if role == Role::All {
            proof::look(&app, &mut ledger).await;
        }
        // Otherwise measurements that nobody reads pile up.
        measures.run_upkeep();
    }
}

/// One program per data folder: two would send every message twice.
fn own(data: &Path) -> Result<File> {
    let cannot =
        |e| Error::unavailable(format!("cannot use the data folder {}", data.display())).because(e);
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
pub fn office(config: &Config) -> BackupSource {
    let has_sqlite = store::url(config) == "sqlite";
    let (data, retention) = (config.store.data.clone(), config.retention.clone());
    BackupSource { data, has_sqlite, config: config.file.clone(), retention }
}

/// HUOYAN_INBOUND_KEY. Whoever knows it can acknowledge for every ranger and so silence the ladder.
/// A short one is refused.
pub fn inbound_key() -> Result<Option<String>> {
    let Some(key) = std::env::var("HUOYAN_INBOUND_KEY").ok().filter(|key| !key.is_empty()) else {
        return Ok(None);
    };
    if key.len() < INBOUND_KEY_MIN_BYTES || key.trim() != key {
        return Err(Error::invalid(Words::new(
            format!("HUOYAN_INBOUND_KEY 至少{INBOUND_KEY_MIN_BYTES}个字符，首尾无空格"),
            format!(
                "HUOYAN_INBOUND_KEY needs at least {INBOUND_KEY_MIN_BYTES} characters, and no \
                space before or after them"
            ),
        )));
    }
    Ok(Some(key))
}

/// Listens for Ctrl-C and SIGTERM from the first moment on. The first signal stops the program,
/// even during the start. The second ends it at once, with that signal's exit code. Committed work
/// is there at the next start.
fn hear_signals(lang: Lang) -> Result<signal::Receiver<bool>> {
    let listen = |kind| {
        unix_signal(kind).map_err(|e| Error::internal("cannot listen for signals").because(e))
    };
    let (mut interrupt, mut terminate) =
        (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
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
            tracing::info!(
                "{}",
                lang.pick("正在停止；再按一次立即结束", "stopping; press again to end at once")
            );
        }
    });
    Ok(heard)
}
