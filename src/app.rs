//! The only module that may import all others: wiring, and the order of start and stop.
//!
//! Three roles: `run` is everything in one process, a desk is that without cameras of its own, and
//! an edge (`detect`) only watches and sends. The wiring here is that of the first two: a `cell` is
//! one county at work, a `centre` has several.
//!
//! Start: data folder → registers → database → desk → cameras and model → feeds → web. Stop: web
//! first (no new actions), then the cameras, then their last results are taken in, then the desk
//! and the sender, then the database. So accepted actions are committed, committed messages are
//! sent later, and the database file is complete.

pub mod backups;
mod border;
pub mod capacity;
mod cell;
mod centre;
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
mod streams;
pub mod strips;

mod supervise;
mod video;
mod views;
mod vitals;
mod watching;
mod webhooks;

use crate::backup::BackupSource;
use crate::camera;
use crate::clock::Clock;
use crate::config::{Config, Secret};
use crate::desk::{Desk, Registry};
use crate::error::{Error, Result};
use crate::lang::{Lang, Words};
use crate::store::{self, Store};
use crate::web::tls::{Keeper, Tls};
use crate::web::{self, WebState};
use cell::Cell;
use metrics_exporter_prometheus::PrometheusHandle;
use std::borrow::Borrow;
use std::fs::File;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal as unix_signal};
use tokio::sync::watch as signal;
use tokio::task::JoinSet;

pub use site::Site;
use site::{sleep_or_stop, spawn};
pub use supervise::Stage;
pub use video::visitor;

/// How the log says that a camera alarms. `examples/county` measures delays from these lines.
pub const CONFIRMED: &str = "confirmed";

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

/// The one process: what is shared, whatever it serves.
struct House {
    asked_to_stop: signal::Receiver<bool>,
    keeper: Option<Keeper>,
    measures: PrometheusHandle,
    listener: TcpListener,
    _lock: File,
}

impl House {
    /// Sets the true address in `options`.
    async fn open(options: &mut Options) -> Result<Self> {
        let asked_to_stop = hear_signals(options.lang)?;
        let server = &mut options.config.server;
        if let Some(refusal) = server.refusal() {
            let (why, (zh, en)) =
                (options.lang.pick(&refusal.zh(), &refusal.en()).to_owned(), refusal.cure());
            return Err(Error::invalid(format!(
                "{why}{}",
                options.lang.pick(&format!("。{zh}"), &format!(". {en}"))
            )));
        }
        let keeper = Keeper::open(server, options.lang)?;
        let lock = own(&options.config.store.data)?;
        let measures = measures::install()?;
        let listener = TcpListener::bind(server.listen).await.map_err(|e| {
            let words = options.lang.pick(
                "无法监听，端口可能已被占用；换一个：--listen 127.0.0.1:8132",
                "cannot listen: the port may be in use; try --listen 127.0.0.1:8132",
            );
            Error::unavailable(format!("{}: {words}", server.listen)).because(e)
        })?;
        server.listen = listener
            .local_addr()
            .map_err(|e| Error::unavailable("the listening socket has no address").because(e))?;
        Ok(Self { asked_to_stop, keeper, measures, listener, _lock: lock })
    }
}

/// Runs until Ctrl-C or SIGTERM.
pub async fn run(mut options: Options) -> Result<()> {
    if options.config.is_centre() {
        return centre::run(options).await;
    }
    if options.role == Role::Desk {
        edges::check(&options.config)?;
    }
    let mut house = House::open(&mut options).await?;
    let clock = Clock::System;
    let demo =
        if options.demo { Some(demo::Demo::prepare(&mut options, &clock).await?) } else { None };
    let config = Arc::new(options.config.clone());
    let mut cell = Cell::open(Arc::clone(&config), options.lang, clock).await?;
    cell.work(options.role, Some(house.measures.clone())).await?;
    let tls = keep_certificate(house.keeper.take(), &mut cell);
    cell.announce()?;
    let app = cell.app.clone();
    if options.links || options.demo {
        let ranger = demo.as_ref().map(|demo| &demo.ranger);
        let words = demo.as_ref().and_then(|_| demo::policy_sentence(&config, options.lang));
        links::print(&app, ranger, words.as_deref(), options.json).await?;
    } else {
        links::greet(&app);
    }
    if demo.is_some() {
        spawn(&mut cell.tasks, "demo", &app, demo::send_hotspots);
    }
    let web = WebState { metrics: Some(house.measures), ..cell.web.clone() };
    let connections = camera::left_for_browsers(web.registers.current().cameras.len());
    let web = web.with_network(web::Network { connections, ..web::Network::default() });
    let web = if let Some(tls) = tls { web.with_tls(tls) } else { web };
    let mut asked_to_stop = house.asked_to_stop;
    let stopping = async move { drop(asked_to_stop.wait_for(|asked| *asked).await) };
    web::serve(house.listener, web, stopping).await?;
    cell.end().await;
    Ok(())
}

/// Follows the certificate's files, and says on this cell's board what is wrong with them.
fn keep_certificate(keeper: Option<Keeper>, cell: &mut Cell) -> Option<Tls> {
    let keeper = keeper?;
    let (tls, keeper) = (keeper.tls(), Arc::new(tokio::sync::Mutex::new(keeper)));
    spawn(&mut cell.tasks, "certificate", &cell.app, move |app| {
        certificate::run(app, Arc::clone(&keeper))
    });
    Some(tls)
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

/// Whoever knows it can acknowledge for every ranger and so silence the ladder. A short one is
/// refused.
pub fn inbound_key(config: &Config) -> Result<Option<String>> {
    let Some(key) = config.secret(Secret::InboundKey)? else { return Ok(None) };
    if key.len() < INBOUND_KEY_MIN_BYTES || key.trim() != key {
        let name = config.variable("HUOYAN_INBOUND_KEY");
        return Err(Error::invalid(Words::new(
            format!("{name} 至少{INBOUND_KEY_MIN_BYTES}个字符，首尾无空格"),
            format!(
                "{name} needs at least {INBOUND_KEY_MIN_BYTES} characters, and no \
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
