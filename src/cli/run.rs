//! `huoyan run`: everything on one machine, until Ctrl-C or SIGTERM.

use super::{Common, Listen, Outcome};
use crate::app::{self, Options, Role};
use crate::config::{Device, StoreConfig};
use crate::detect::Detector;
use crate::error::Result;
use std::time::Duration;

/// The last part of the 10 s of a stop; see `app.rs`.
pub(super) const THREADS_END_WITHIN: Duration = Duration::from_millis(500);

#[derive(clap::Args)]
pub(super) struct Args {
    /// 演示县 / start the demo county: 418 synthetic grids, thirteen cameras played as RTSP, one
    /// plume
    #[arg(long)]
    demo: bool,
    /// 打印一次性登录链接 / print one-time login links (implied by --demo)
    #[arg(long)]
    links: bool,
    #[command(flatten)]
    listen: Listen,
}

pub(super) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let mut config = common.config.clone();
    // The demo never shares a folder with an office's own data.
    if args.demo && config.store.data == StoreConfig::default().data {
        config.store.data.push("demo");
    }
    args.listen.apply(&mut config);
    let Common { device, lang, json, quiet, .. } = *common;
    // Whoever demands a card on the command line is present to read that it is missing. A card
    // named in the configuration may fail at night. Then the board reports it, and satellites and
    // people go on.
    if device == Some(Device::Cuda) {
        Detector::load(&config.detect.model, &config.detect)?;
    }
    let (demo, links) = (args.demo, args.links);
    super::serve(app::run(Options { role: Role::All, config, lang, json, quiet, demo, links }))
}
