//! `huoyan restore`: restores a backup into a new data folder. It touches nothing of a running
//! office.

use super::backup::{Bar, local};
use super::{Common, Outcome};
use crate::backup;
use crate::error::{Error, Result};
use crate::lang::Lang;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(super) struct Args {
    /// 备份（huoyan-…），或其所在目录（取最新一份） / a backup huoyan-…, or the folder that holds
    /// them (takes the newest). It is restored into --data, which must be empty or absent
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
}

pub(super) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let runtime = super::runtime()?;
    let _inside = runtime.enter();
    let mut bar = Bar::new(common);
    let restored = backup::restore(&args.backup, &common.config.store.data, common.lang, |step| {
        bar.tell(step)
    })?;
    bar.finish();
    if common.json {
        let json = serde_json::to_string(&restored)
            .map_err(|e| Error::internal("the result cannot be written as JSON").because(e))?;
        println!("{json}");
    } else {
        let (data, at) = (restored.data.display(), local(restored.made_at));
        let (events, pictures) = (restored.events, restored.pictures);
        match common.lang {
            Lang::Zh => println!("{data}：已恢复 {at} 的备份，事件{events}条，图片{pictures}幅"),
            Lang::En => println!(
                "{data}: the backup of {at} is restored, {events} events, {pictures} pictures"
            ),
        }
        for finding in &restored.findings {
            println!("{} {finding}", common.lang.pick("[不行]", "[FAIL]"));
        }
        if restored.findings.is_empty() {
            let words = common.lang.pick(
                "事件链完整，图片齐全。启动：huoyan run --data",
                "the chain is whole and no picture is missing. To start: huoyan run --data",
            );
            println!("{words} {data}");
        }
    }
    Ok(if restored.findings.is_empty() { Outcome::Fine } else { Outcome::Findings })
}
