//! `huoyan config`: the documented sample on stdout: `huoyan config > huoyan.toml`, then delete
//! what you do not change.

use super::{Common, Outcome};
use crate::config::SAMPLE;
use crate::error::Result;

#[derive(clap::Args)]
pub(super) struct Args {
    /// 显示当前生效的配置 / the configuration in force instead of the sample
    #[arg(long)]
    current: bool,
}

pub(super) fn run(args: Args, common: &Common) -> Result<Outcome> {
    if common.json {
        let value = serde_json::to_string_pretty(&common.config);
        println!(
            "{}",
            value.map_err(|e| crate::error::Error::internal(
                "the configuration cannot be written as JSON"
            )
            .because(e))?
        );
    } else if args.current {
        let text = toml::to_string(&common.config);
        print!(
            "{}",
            text.map_err(|e| crate::error::Error::internal(
                "the configuration cannot be written as TOML"
            )
            .because(e))?
        );
    } else {
        print!("{SAMPLE}");
    }
    Ok(Outcome::Fine)
}
