//! `huoyan desk`: a centre for the cameras of edges.

use super::{Common, Listen, Outcome};
use crate::app::{self, Options, Role};
use crate::error::Result;

#[derive(clap::Args)]
pub(super) struct Args {
    /// 打印一次性登录链接 / print one-time login links
    #[arg(long)]
    links: bool,
    #[command(flatten)]
    listen: Listen,
}

pub(super) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let mut config = common.config.clone();
    args.listen.apply(&mut config);
    let Common { lang, json, quiet, .. } = *common;
    let options =
        Options { role: Role::Desk, config, lang, json, quiet, demo: false, links: args.links };
    super::serve(app::run(options))
}
