//! `huoyan detect`: an edge. Cameras and model here; sightings and pictures through the spool to
//! the centre. No database, no pages.

use super::intake::{EdgeEnds, Evidence, Found};
use super::lane::{Lane, LaneState};
use super::site::{REGISTERS_EVERY, Site, reload_registers, sleep_or_stop, spawn};
use super::supervise::Stage;
use super::vitals::{self, said, say};
use super::watching::watch;
use super::{
    CAMERAS_END_WITHIN, REST_ENDS_WITHIN, disk, ended, hear_signals, intake, lookout, measures, own,
};
use crate::base::file::write_whole;
use crate::bus::{self, Line, Login};
use crate::clock::Clock;
use crate::config::Config;
use crate::county::Registers;
use crate::drill::DrillBoard;
use crate::edge::{self, CameraWord, Fault, Spool, Way, Word};
use crate::error::{Error, Result};
use crate::frame::{StatusBoard, Tuning};
use crate::lang::{Lang, Words};
use crate::triage::confirm::Thresholds;
use crate::web::{self, Parts};
use metrics_exporter_prometheus::PrometheusHandle;
use std::borrow::Borrow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, watch as signal};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Interval between two words to the centre.
const SPEAKS_EVERY: Duration = Duration::from_secs(5);
/// Thresholds last heard from the centre, in the data folder.
const THRESHOLDS: &str = "thresholds.json";

/// A site that sends what it sees; clones share it.
#[derive(Clone)]
struct Edge {
    site: Site,
    name: Arc<str>,
    line: Line,
    spool: Spool,
}

impl Borrow<Site> for Edge {
    fn borrow(&self) -> &Site {
        &self.site
    }
}

/// Runs until Ctrl-C or SIGTERM.
///
/// # Errors
/// `Invalid` when the configuration lacks what an edge needs; `Unavailable` when data folder or
/// address cannot be used. A centre that is away is no error.
pub async fn run(config: Config, lang: Lang) -> Result<()> {
    let name = check(&config)?;
    let mut asked_to_stop = hear_signals(lang)?;
    let (clock, data) = (Clock::System, config.store.data.clone());
    let _lock = own(&data)?;
    let measures = measures::install()?;
    let listener = TcpListener::bind(config.server.listen).await.map_err(|e| {
        Error::unavailable(format!(
            "{}: cannot listen: the port may be in use; try --listen 127.0.0.1:0",
            config.server.listen
        ))
        .because(e)
    })?;
    let registers = Registers::load(&data.join("registers"), clock.now())?;
    let line = Line::connect(&config.bus, Login::of(&config)?, &name).await?;
    let spool =
        Spool::open(&data.join("spool"), (config.edge.spool_max_gib * f64::from(1 << 30)) as u64)?;
    let (stop, stopped) = signal::channel(Stage::Running);
    let thresholds = last_told(&data.join(THRESHOLDS)).unwrap_or_else(|| config.thresholds.clone());
    let site = Site {
        config: Arc::new(config),
        lang,
        clock,
        registers,
        status: StatusBoard::default(),
        thresholds: Tuning::new(thresholds),
        points: Arc::default(),
        parts: Parts::default(),
        drills: DrillBoard::default(),
        room: disk::Room::new(false),
        lookout: lookout::Lookout::default(),
        stop: stopped,
    };
    let edge = Edge { site: site.clone(), name: name.into(), line, spool };
    let (mut cameras, mut tasks) = (JoinSet::new(), JoinSet::new());
    let (lanes, EdgeEnds { sightings, pictures }) = intake::lanes_of_an_edge();
    watch(&mut cameras, &site, lanes);
    spawn(&mut tasks, "sightings", &edge, move |edge| file(edge, Arc::clone(&sightings)));
    spawn(&mut tasks, "evidence", &edge, move |edge| keep(edge, Arc::clone(&pictures)));
    spawn(&mut tasks, "sender", &edge, send);
    spawn(&mut tasks, "words", &edge, speak);
    spawn(&mut tasks, "thresholds", &edge, obey);
    let upkeep = measures.clone();
    spawn(&mut tasks, "housekeeping", &site, move |site| housekeeping(site, upkeep.clone()));
    let at = listener
        .local_addr()
        .map_err(|e| Error::unavailable("the listening socket has no address").because(e))?;
    tracing::info!(edge = &*edge.name, waits = ?edge.spool.waits(), "the edge watches; \
        http://{at}/healthz and /metrics");
    web::serve_machines(listener, measures, async move {
        drop(asked_to_stop.wait_for(|asked| *asked).await)
    })
    .await?;
    stop.send_replace(Stage::Cameras);
    ended("cameras", CAMERAS_END_WITHIN, cameras).await;
    stop.send_replace(Stage::All);
    ended("spool and sender", REST_ENDS_WITHIN, tasks).await;
    Ok(())
}

/// The edge's name.
fn check(config: &Config) -> Result<String> {
    if config.bus.is_local() {
        return Err(Error::invalid(Words::new(
            "边缘通过 NATS 发送告警：请设置 [bus] url，例如 nats://10.0.0.2:4222",
            "an edge sends its alarms over NATS: set [bus] url, for example nats://10.0.0.2:4222 \
            (docs/cluster.md)",
        )));
    }
    if !config.server.listen.ip().is_loopback() {
        return Err(Error::invalid(Words::new(
            "边缘没有网页，[server] listen 只能是本机地址，例如 127.0.0.1:8131",
            "an edge has no pages: [server] listen must be a loopback address, for example \
            127.0.0.1:8131",
        )));
    }
    config.edge.name.clone().ok_or_else(|| {
        Error::invalid(Words::new(
            "请给本边缘取名：[edge] name = \"edge-1\"，县内唯一",
            "this edge needs a name, unique in its county: [edge] name = \"edge-1\"",
        ))
    })
}

async fn file(Edge { site, spool, .. }: Edge, lane: Arc<Mutex<Lane<Found>>>) {
    let work = |found: Arc<Found>| {
        let spool = spool.clone();
        async move {
            let text = bus::written(&found.sighting)?;
            tokio::task::block_in_place(|| spool.keep_sighting(found.sighting.id, &text))?;
            let (sighting, arrived_at) = (found.sighting.id, found.arrived_at);
            tracing::info!(%sighting, %arrived_at, "{}", edge::KEPT);
            Ok(())
        }
    };
    let told = |round: LaneState<'_>| {
        let zh = format!("{}条火情线索存不进本机，正在重试：请看磁盘和到中心的网络", round.waiting);
        let en = format!(
            "{} sightings wait for this edge's disk; trying again: check the disk and the network \
            to the centre",
            round.waiting
        );
        say(&site, "sightings", &round, zh, en);
    };
    lane.lock().await.run(&site.clock, site.stopped(), work, told).await;
}

async fn keep(Edge { site, spool, .. }: Edge, lane: Arc<Mutex<Lane<Evidence>>>) {
    let work = |it: Arc<Evidence>| {
        let spool = spool.clone();
        async move { tokio::task::block_in_place(|| spool.keep_picture(it.id, &it.jpeg)) }
    };
    let told = |round: LaneState<'_>| {
        let zh = format!("{}张现场图片存不进本机，正在重试：请清理磁盘", round.waiting);
        let en = format!(
            "{} evidence pictures cannot be saved at this edge; trying again: free space on its \
            disk",
            round.waiting
        );
        say(&site, "evidence", &round, zh, en);
    };
    lane.lock().await.run(&site.clock, site.stopped(), work, told).await;
}

async fn send(Edge { site, name, line, spool }: Edge) {
    let told = |way: Way, failed: Option<&Error>| {
        let waits = spool.waits();
        metrics::gauge!("huoyan_spool_sightings").set(waits.sightings as f64);
        metrics::gauge!("huoyan_spool_pictures").set(waits.pictures as f64);
        metrics::gauge!("huoyan_spool_bytes").set(waits.bytes as f64);
        metrics::gauge!("huoyan_spool_unsaved").set(waits.unsaved as f64);
        metrics::gauge!("huoyan_spool_unreadable").set(waits.unreadable as f64);
        let why = failed.map(Error::chain).unwrap_or_default();
        let (part, count, zh, en) = match way {
            Way::Sightings => ("sending", waits.sightings, "条线索", "sightings"),
            Way::Pictures => ("sending pictures", waits.pictures, "张图片", "pictures"),
        };
        said(
            &site,
            part,
            failed.is_some(),
            || format!("发不到中心，{count}{zh}在本机等待（{why}）"),
            || format!("cannot send to the centre; {count} {en} wait at this edge ({why})"),
        );
    };
    tokio::select! {
        () = edge::send(&spool, &line, &name, &site.clock, told) => {}
        () = site.stopped() => {}
    }
}

/// Says every few seconds how this edge is. While there is no network nobody hears it.
async fn speak(Edge { site, name, line, spool }: Edge) {
    let instance = Uuid::now_v7();
    while !sleep_or_stop(&site, SPEAKS_EVERY).await {
        let trouble = line.trouble();
        let words = |lang| trouble.as_ref().map(|it| it.chain_in(lang)).unwrap_or_default();
        said(&site, "line", trouble.is_some(), || words(Lang::Zh), || words(Lang::En));
        let faults = site.parts.faults().into_iter();
        let word = Word {
            instance,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            thresholds_version: site.thresholds.version(),
            cameras: CameraWord::all(&site.status),
            faults: faults.map(|(part, zh, en)| Fault { part, zh, en }).collect(),
            waits: spool.waits(),
        };
        if let Err(e) = line.say(&name, &word).await {
            tracing::debug!("the centre does not hear this edge: {}", e.chain());
        }
    }
}

/// Takes over the thresholds that the ops page publishes, and keeps them for the next start.
async fn obey(Edge { site, line, .. }: Edge) {
    let file = site.config.store.data.join(THRESHOLDS);
    loop {
        match line.told::<Thresholds>().await {
            Ok(mut told) => loop {
                let next = tokio::select! {
                    next = told.next() => next,
                    () = site.stopped() => return,
                };
                let Some(thresholds) = next else { break };
                take_over(&site, &file, thresholds);
            },
            Err(e) => tracing::debug!("the thresholds are not heard: {}", e.chain()),
        }
        if sleep_or_stop(&site, SPEAKS_EVERY).await {
            return;
        }
    }
}

fn take_over(site: &Site, file: &Path, told: Thresholds) {
    if site.thresholds.get() == told {
        return;
    }
    site.thresholds.publish(told.clone());
    tracing::info!(version = told.version, "the thresholds that the centre published are in force");
    let kept = serde_json::to_vec(&told).map_err(std::io::Error::other);
    if let Err(e) = kept.and_then(|text| tokio::task::block_in_place(|| write_whole(file, &text))) {
        tracing::warn!("the thresholds could not be kept for the next start: {e}");
    }
}

/// `None`: none were told yet, or they cannot be read.
fn last_told(file: &Path) -> Option<Thresholds> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

async fn housekeeping(site: Site, measures: PrometheusHandle) {
    while !sleep_or_stop(&site, REGISTERS_EVERY).await {
        reload_registers(&site);
        vitals::machine(&site);
        measures.run_upkeep();
    }
}
