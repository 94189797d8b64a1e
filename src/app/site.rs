//! What those who watch share, on one PC and at an edge: the state, the tasks that follow the
//! cameras, and the stages of a stop.

use super::supervise::{self, Stage};
use super::{disk, lookout};
use crate::clock::Clock;
use crate::config::Config;
use crate::county::Registers;
use crate::drill::DrillBoard;
use crate::frame::{StatusBoard, Tuning};
use crate::lang::Lang;
use crate::triage::point::Points;
use crate::web::Parts;
use parking_lot::RwLock;
use std::borrow::Borrow;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch as signal;
use tokio::task::JoinSet;
use tracing::{Instrument, Span};

/// Interval between checks of the register files: an import takes effect within seconds, at no
/// cost.
pub(super) const REGISTERS_EVERY: Duration = Duration::from_secs(5);

/// What those who watch need: an edge has only this. Clones share it.
#[derive(Clone)]
pub struct Site {
    pub config: Arc<Config>,
    pub lang: Lang,
    pub clock: Clock,
    pub registers: Registers,
    pub status: StatusBoard,
    pub thresholds: Tuning,
    /// The operating points of the loaded model.
    pub points: Arc<RwLock<Option<Points>>>,
    pub parts: Parts,
    pub drills: DrillBoard,
    pub room: disk::Room,
    pub lookout: lookout::Lookout,
    pub stop: signal::Receiver<Stage>,
}

impl Site {
    /// Resolves when the program is to stop.
    pub(super) async fn stopped(&self) {
        self.reached(Stage::All).await;
    }

    pub(super) async fn reached(&self, stage: Stage) {
        let mut stop = self.stop.clone();
        // An error means that nobody is left who could send the stop.
        let _ = stop.wait_for(|at| *at >= stage).await;
    }
}

/// True when the program is to stop.
pub(super) async fn sleep_or_stop(site: &Site, duration: Duration) -> bool {
    pause_or(site, duration, Stage::All).await
}

/// True when the stop has reached this stage.
pub(super) async fn pause_or(site: &Site, duration: Duration, stage: Stage) -> bool {
    tokio::select! {
        () = site.clock.sleep(duration) => false,
        () = site.reached(stage) => true,
    }
}

/// `own`: a site or an app, which the task gets.
pub(super) fn spawn<T, F>(
    set: &mut JoinSet<()>,
    part: &'static str,
    own: &T,
    task: impl Fn(T) -> F + Send + Sync + 'static,
) where
    T: Borrow<Site> + Clone + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let Site { clock, parts, stop, config, .. } = own.borrow().clone();
    let own = own.clone();
    let county = config.code.clone();
    let span = county_span(&config);
    let supervisor = supervise::Supervisor { clock, parts, stop, county };
    set.spawn(supervisor.keep(part, move || task(own.clone())).instrument(span));
}

/// Of several counties in one log, whose line it is.
pub(super) fn county_span(config: &Config) -> Span {
    config.code.as_ref().map_or_else(Span::none, |code| tracing::info_span!("county", %code))
}

pub(super) fn reload_registers(site: &Site) {
    match site.registers.reload_if_changed(site.clock.now()) {
        Ok(true) => tracing::info!("registers reloaded"),
        Ok(false) => {}
        Err(e) => {
            tracing::error!("cannot read the registers; the old ones stay in force: {}", e.chain())
        }
    }
}
