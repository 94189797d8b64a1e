//! `huoyan desk`: a centre for the cameras of edges.

use super::{Common, Outcome};
use crate::app::{self, Options, Role};
use crate::error::Result;
use std::net::SocketAddr;

#[derive(clap::Args)]
pub struct Args {
    /// 打印一次性登录链接 / print one-time login links
    #[arg(long)]
    links: bool,
    /// 监听地址 / address to listen on; wins over the configuration; port 0 = any free one
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
}

pub fn run(args: Args, common: &Common) -> Result<Outcome> {
    let mut config = common.config.clone();
    if let Some(listen) = args.listen {
        config.server.listen = listen;
    }
    let Common { lang, json, quiet, .. } = *common;
    let options = Options { role: Role::Desk, config, lang, json, quiet, demo: false, links: args.links };
    super::serve(app::run(options))
}
