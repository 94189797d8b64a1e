//! `huoyan import`: a file of the office → a register, with a list of every row that could not be
//! used.

use super::{Common, Outcome};
use crate::clock::Clock;
use crate::county::{self, ImportOptions, ImportReport, Kind};
use crate::error::{Error, Result};
use crate::lang::Lang;
use clap::ValueEnum;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    /// 登记册 / which register
    #[arg(value_enum)]
    register: Register,
    /// CSV（UTF-8 或 GB18030，列序不限）；网格为 GeoJSON / CSV in any column order; GeoJSON for grids
    file: PathBuf,
    /// 只检查，不改动 / only report what would happen; change nothing
    #[arg(long)]
    dry_run: bool,
    /// 文件中没有的条目从登记册移除 / remove entries from the register that the file does not have
    #[arg(long)]
    replace: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Register {
    Grids,
    People,
    Cameras,
    Duty,
    Burns,
    HeatSources,
}

impl From<Register> for Kind {
    fn from(register: Register) -> Self {
        match register {
            Register::Grids => Self::Grids,
            Register::People => Self::People,
            Register::Cameras => Self::Cameras,
            Register::Duty => Self::Duty,
            Register::Burns => Self::Burns,
            Register::HeatSources => Self::HeatSources,
        }
    }
}

pub fn run(args: Args, common: &Common) -> Result<Outcome> {
    let registers = common.config.store.data.join("registers");
    let options =
        ImportOptions { dry_run: args.dry_run, replace: args.replace, lang: common.lang, now: Clock::System.now() };
    let report = county::import(args.register.into(), &args.file, &registers, &options)?;
    if common.json {
        let json = serde_json::to_string(&report)
            .map_err(|e| Error::internal("the report cannot be written as JSON").because(e))?;
        println!("{json}");
    } else {
        print!("{}", words(&report, args.dry_run, common.lang));
    }
    Ok(if report.rejected.is_empty() { Outcome::Fine } else { Outcome::Findings })
}

fn words(report: &ImportReport, dry_run: bool, lang: Lang) -> String {
    let mut text = match (lang, dry_run) {
        (Lang::Zh, false) => format!("已导入{}条\n", report.accepted),
        (Lang::Zh, true) => format!("可导入{}条（试运行，未改动）\n", report.accepted),
        (Lang::En, false) => format!("{} entries imported\n", report.accepted),
        (Lang::En, true) => format!("{} entries could be imported (dry run, nothing changed)\n", report.accepted),
    };
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
