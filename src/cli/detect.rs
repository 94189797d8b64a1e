//! `huoyan detect`: an edge.

use super::{Common, Listen, Outcome};
use crate::app::detect;
use crate::error::Result;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    listen: Listen,
}

pub(super) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let mut config = common.config.clone();
    args.listen.apply(&mut config);
    super::serve(detect::run(config, common.lang))
}
