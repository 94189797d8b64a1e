//! One county at work: its database, desk and tasks, and what its pages need. `huoyan run` and
//! `huoyan desk` have one; a centre has one for each of its counties, and they share nothing but
//! the process: a flood of one fills its own queue, connections and tasks.

use super::serving::{Announced, Serving};
use super::site::{REGISTERS_EVERY, sleep_or_stop, spawn};
use super::supervise::Stage;
use super::{
    App, CAMERAS_END_WITHIN, DATABASE_ENDS_WITHIN, REST_ENDS_WITHIN, Role, Site, backups, channels,
    disk, edges, ended, feeds, inbound_key, intake, links, lookout, proof, prune, record, video,
    vitals, watching, webhooks,
};
use crate::bus::{Bus, Line, Login};
use crate::clock::{Clock, Heartbeat};
use crate::config::Config;
use crate::desk::{Desk, Registry};
use crate::drill::DrillBoard;
use crate::error::Result;
use crate::frame::{StatusBoard, Tuning};
use crate::lang::Lang;
use crate::notify::{Keys, Notifier};
use crate::store::{self, Store};
use crate::triage::id::CameraId;
use crate::web::{self, Parts, WebState};
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use tokio::sync::{mpsc, watch as signal};
use tokio::task::JoinSet;

pub(super) struct Cell {
    pub app: App,
    pub web: WebState,
    pub cameras: JoinSet<()>,
    pub tasks: JoinSet<()>,
    line: Option<Line>,
    drills: mpsc::Receiver<CameraId>,
    stop: signal::Sender<Stage>,
    announced: Option<Announced>,
}

impl Cell {
    /// Opens what it needs; nothing works yet.
    pub(super) async fn open(config: Arc<Config>, lang: Lang, clock: Clock) -> Result<Self> {
        let data = &config.store.data;
        let inbound_key = inbound_key(&config)?;
        let store = Store::of(&config).await?;
        let registry = Registry::open(&store, &data.join("registers"), clock.clone(), lang).await?;
        let registers = registry.registers().clone();
        // A centre's own office hears no edges.
        let line = match config.bus.is_local() || config.is_centre() {
            true => None,
            false => Some(Line::connect(&config.bus, Login::of(&config)?, "desk").await?),
        };
        let bus = match &line {
            Some(line) => Bus::over(line).await?,
            None => Bus::local(),
        };
        let (stop, stopped) = signal::channel(Stage::Running);
        let desk = Arc::new(Desk::new(
            store.clone(),
            bus.clone(),
            registers.clone(),
            registry.enforce(&config.policy).await?,
            config.notify.signature.clone(),
            clock.clone(),
        ));
        let site = Site {
            lang,
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
            stop: stopped,
            config: Arc::clone(&config),
        };
        let app =
            App { site, store: store.clone(), registry: registry.clone(), desk: desk.clone() };
        if let Some(words) = app.store.thresholds_set_aside().await? {
            tracing::error!("{}", words.pick(lang));
            app.parts.set("thresholds", false, words.zh, words.en);
        }
        // Where nobody receives them, the ops page learns that no drill is possible here.
        let (drill, drills) = mpsc::channel(1);
        let web = WebState {
            desk,
            store,
            bus,
            registers,
            registry,
            status: app.status.clone(),
            config,
            clock,
            drills: drill,
            thresholds: app.thresholds.clone(),
            points: Arc::clone(&app.points),
            visitor: None,
            parts: app.parts.clone(),
            metrics: None,
            admin_token_hash: None,
            inbound_key_hash: inbound_key.as_deref().map(web::hash_secret),
            own: web::Own::default(),
        };
        let (cameras, tasks) = Default::default();
        Ok(Self { app, web, cameras, tasks, line, drills, stop, announced: None })
    }

    /// Starts the tasks. `upkeep`: the measures of the process, where this cell is all of it.
    ///
    /// # Errors
    /// Before anything is started.
    pub(super) async fn work(
        &mut self,
        role: Role,
        upkeep: Option<PrometheusHandle>,
    ) -> Result<()> {
        let Self { app, cameras, tasks, .. } = self;
        let desk = Arc::clone(&app.desk);
        let notifier = Notifier::new(
            app.store.clone(),
            &app.config.notify,
            Keys::of(&app.config)?,
            app.clock.clone(),
            desk.bell(),
        );
        let notifier = Arc::new(notifier.await?.told_by(app.desk.outbox()));
        let (teller, sender) = (Arc::clone(&notifier), notifier.heartbeat());
        let receivers = Arc::new(webhooks::of(app)?);
        // State that must survive a panic is made here, once; each task only borrows it.
        let (_, nobody) = mpsc::channel(1);
        let drills = std::mem::replace(&mut self.drills, nobody);
        if role == Role::All {
            self.web.visitor = Some(video::visitor(&app.config, &app.clock));
            let (lanes, ends) = intake::lanes();
            watching::watch(cameras, &app.site, lanes);
            intake::start(tasks, app, ends, drills);
        }
        spawn(tasks, "housekeeping", app, move |app| {
            housekeeping(app, role, upkeep.clone(), sender.clone())
        });
        spawn(tasks, "desk", app, move |app| {
            let desk = Arc::clone(&desk);
            async move { desk.run(app.stopped()).await }
        });
        spawn(tasks, "messages", app, move |app| {
            let notifier = Arc::clone(&notifier);
            async move { notifier.run(app.stopped()).await }
        });
        if let Some(line) = &self.line {
            edges::hear(tasks, app, line, role == Role::Desk);
        }
        spawn(tasks, "feeds", app, feeds::run);
        spawn(tasks, "webhooks", app, move |app| webhooks::run(app, Arc::clone(&receivers)));
        spawn(tasks, "pruning", app, prune::run);
        spawn(tasks, "backups", app, backups::run);
        spawn(tasks, "record", app, move |app| record::run(app, Arc::clone(&teller)));
        Ok(())
    }

    /// Lets commands on this machine find it: from now on it is to be served.
    pub(super) fn announce(&mut self) -> Result<()> {
        let config = &self.app.config;
        let admin_token = links::write_admin_token(&config.store.data)?;
        self.web.admin_token_hash = Some(web::hash_secret(&admin_token));
        self.announced = Some(Serving::of(config).announce(&config.store.data)?);
        Ok(())
    }

    /// Ends its work, when no action is accepted any more.
    pub(super) async fn end(self) {
        self.stop.send_replace(Stage::Cameras);
        ended("cameras", CAMERAS_END_WITHIN, self.cameras).await;
        self.stop.send_replace(Stage::All);
        ended("desk and sender", REST_ENDS_WITHIN, self.tasks).await;
        // A connection blocked by a silent server is not waited for.
        if tokio::time::timeout(DATABASE_ENDS_WITHIN, self.app.store.close()).await.is_err() {
            tracing::warn!("the database did not close in time; stopping without it");
        }
    }
}

/// Reloads the registers, and looks how the parts of this process are.
async fn housekeeping(app: App, role: Role, measures: Option<PrometheusHandle>, sender: Heartbeat) {
    let mut ledger = proof::ProofLedger::default();
    while !sleep_or_stop(&app, REGISTERS_EVERY).await {
        follow(&app).await;
        vitals::look(&app, &sender);
        channels::look(&app).await;
        if role == Role::All {
            proof::look(&app, &mut ledger).await;
        }
        // Otherwise measurements that nobody reads pile up.
        if let Some(measures) = &measures {
            measures.run_upkeep();
        }
    }
}

pub(super) async fn follow(app: &App) {
    match app.registry.follow().await {
        Ok(true) => tracing::info!("registers renewed"),
        Ok(false) => {}
        Err(e) => {
            tracing::error!("cannot read the registers; the old ones stay in force: {}", e.chain())
        }
    }
}
