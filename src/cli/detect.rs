//! `huoyan detect`: an edge.

use super::{Common, Outcome};
use crate::app::detect;
use crate::error::Result;
use std::net::SocketAddr;

#[derive(clap::Args)]
pub struct Args {
    /// 本机监听地址 / loopback address of /healthz and /metrics; wins over the configuration; port 0 = any free one
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
}

pub fn run(args: Args, common: &Common) -> Result<Outcome> {
    let mut config = common.config.clone();
    if let Some(listen) = args.listen {
        config.server.listen = listen;
    }
    super::serve(detect::run(config, common.lang))
}
