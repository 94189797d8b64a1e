//! `huoyan import`: a file of the office → a register, with a list of every row that could not be
//! used.

use super::{Common, Outcome};
use crate::clock::Clock;
use crate::config::Config;
use crate::county::{self, ImportReport, Registers};
use crate::desk::{Import, Registry};
use crate::error::{Error, Result};
use crate::lang::Lang;
use crate::register::{Author, Change, Dated, Diff, History, Register};
use crate::store::Store;
use crate::table::{self, cells::local};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::Timestamp;
use std::path::PathBuf;

/// Entries of one kind that are named; the rest is counted.
const NAMED: usize = 10;

#[derive(clap::Args)]
pub(super) struct Args {
    /// 登记册 / which register
    #[arg(value_parser = registers())]
    register: Register,
    /// 表格（XLSX、XLS、CSV，列序不限）；网格为 GeoJSON / a spreadsheet or CSV in any column
    /// order; GeoJSON for grids
    file: PathBuf,
    /// 只检查，不改动 / only report what would happen; change nothing
    #[arg(long)]
    dry_run: bool,
    /// 文件中没有的条目从登记册移除 / remove entries from the register that the file does not have
    #[arg(long)]
    replace: bool,
    /// 网格的经度和纬度写反了：对调后导入 / grids with longitude and latitude exchanged: exchange them
    /// back
    #[arg(long)]
    swap_axes: bool,
    /// 改动原因，记入登记历史 / why, for the history of the registers
    #[arg(long)]
    why: Option<String>,
}

/// The lists, by the names of their files without the ending; county.toml is edited where it lies.
fn registers() -> impl TypedValueParser<Value = Register> {
    let lists = || Register::ALL.into_iter().filter(|it| *it != Register::County);
    let known = move |text: &str| lists().find(|it| it.name() == text);
    PossibleValuesParser::new(lists().map(Register::name))
        .try_map(move |text| known(&text).ok_or("no such register"))
}

pub(super) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let mut bytes = std::fs::read(&args.file)
        .map_err(|e| Error::invalid(format!("cannot read {}", args.file.display())).because(e))?;
    let name = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if args.swap_axes {
        bytes = swapped(args.register, &name, &bytes, common.lang)?;
    }
    let data = &common.config.store.data;
    let report = super::runtime()?.block_on(async {
        if args.dry_run {
            let current = registered(&common.config).await?;
            let Args { register, replace, .. } = args;
            let now = Clock::System.now();
            let looked =
                county::import(register, &name, &bytes, &current, replace, now, common.lang);
            return Ok(looked?.0);
        }
        let store = Store::of(&common.config).await?;
        let registry =
            Registry::open(&store, &data.join("registers"), Clock::System, common.lang).await?;
        let import =
            Import { register: args.register, name: &name, bytes: &bytes, replace: args.replace };
        let why = args.why.unwrap_or_else(|| format!("huoyan import {name}"));
        registry.import(&import, Author::Account(account()), &why).await
    })?;
    if common.json {
        let json = serde_json::to_string(&report)
            .map_err(|e| Error::internal("the report cannot be written as JSON").because(e))?;
        println!("{json}");
    } else {
        print!("{}", words(&report, args.dry_run, common.lang));
    }
    Ok(if report.rejected.is_empty() { Outcome::Fine } else { Outcome::Findings })
}

fn swapped(register: Register, name: &str, bytes: &[u8], lang: Lang) -> Result<Vec<u8>> {
    if register != Register::Grids {
        return Err(Error::invalid(lang.pick(
            "--swap-axes 只用于网格；表格请对调“经度”“纬度”两个表头",
            "--swap-axes is for grids; in a table exchange the two headers",
        )));
    }
    let text = county::swap_axes(&table::decode(bytes), lang);
    text.map(String::into_bytes).map_err(|why| Error::invalid(format!("{name}: {why}")))
}

/// What is registered, without opening anything for writing. Before the first start that is what
/// the folder of the registers says.
async fn registered(config: &Config) -> Result<History> {
    let Some(store) = Store::read_only(config).await? else {
        let (folder, at) = (config.store.data.join("registers"), Clock::System.now());
        let facts = Registers::load(&folder, at)?.current().entries().facts();
        let (by, why) = (Author::File(folder.display().to_string()), String::new());
        let mut history = History::default();
        history.push(Change { number: 1, at, by, why, facts });
        return Ok(history);
    };
    let history = super::history(&store).await;
    store.close().await;
    history
}

/// The account of the machine that runs the command.
fn account() -> String {
    ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .unwrap_or_else(|| "?".to_owned())
}

fn words(report: &ImportReport, dry_run: bool, lang: Lang) -> String {
    let mut text = match (lang, dry_run) {
        (Lang::Zh, false) => format!("已导入{}条\n", report.accepted),
        (Lang::Zh, true) => format!("可导入{}条（试运行，未改动）\n", report.accepted),
        (Lang::En, false) => format!("{} entries imported\n", report.accepted),
        (Lang::En, true) => {
            format!("{} entries could be imported (dry run, nothing changed)\n", report.accepted)
        }
    };
    text.push_str(&changes(&report.diff, lang));
    for row in &report.rejected {
        text.push_str(&match lang {
            Lang::Zh => format!("  第{}行未导入：{}\n", row.line, row.reason),
            Lang::En => format!("  line {} not imported: {}\n", row.line, row.reason),
        });
    }
    for warning in &report.warnings {
        text.push_str(&format!("  {}{warning}\n", lang.pick("注意：", "note: ")));
    }
    text
}

/// What the entries change, the first of them by name.
fn changes(diff: &Diff, lang: Lang) -> String {
    let keys = |keys: &[String]| match keys.len() {
        0..=NAMED => keys.join(lang.pick("、", ", ")),
        many => format!("{} … ({many})", keys[..NAMED].join(lang.pick("、", ", "))),
    };
    let mut text = String::new();
    if !diff.added.is_empty() {
        text.push_str(&format!("  {}{}\n", lang.pick("新增：", "new: "), keys(&diff.added)));
    }
    for changed in diff.changed.iter().take(NAMED) {
        let cells = changed
            .cells
            .iter()
            .map(|cell| format!("{} {} → {}", cell.column, cell.before, cell.after));
        let cells = cells.collect::<Vec<_>>().join(lang.pick("；", "; "));
        text.push_str(&format!("  {}{}: {cells}\n", lang.pick("更改：", "changed: "), changed.key));
    }
    for Dated { key, valid_from, valid_until } in diff.dated.iter().take(NAMED) {
        let said = |at: &Option<Timestamp>, zh, en| match at {
            Some(at) => format!("{}{}", lang.pick(zh, en), local(*at)),
            None => String::new(),
        };
        let from = said(valid_from, "，生效 ", ", from ");
        let until = said(valid_until, "，失效 ", ", until ");
        text.push_str(&format!("  {}{key}{from}{until}\n", lang.pick("定时：", "dated: ")));
    }
    if diff.dated.len() > NAMED {
        let rest = diff.dated.len() - NAMED;
        text.push_str(&match lang {
            Lang::Zh => format!("  …另有{rest}条定时\n"),
            Lang::En => format!("  … and {rest} more dated\n"),
        });
    }
    if diff.changed.len() > NAMED {
        let rest = diff.changed.len() - NAMED;
        text.push_str(&match lang {
            Lang::Zh => format!("  …另有{rest}条更改\n"),
            Lang::En => format!("  … and {rest} more changes\n"),
        });
    }
    text
}
