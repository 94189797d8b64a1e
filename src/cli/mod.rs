//! Arguments → configuration → app; one file a subcommand. stderr: progress. stdout: results,
//! `--json` for programs. Exit codes: 0 fine, 1 findings, 2 usage, 3 environment.

mod backup;
mod check;
mod config;
mod coverage;
mod desk;
mod detect;
mod drill;
pub mod export_training;
mod hotspots;
mod import;
mod model;
pub mod replay;
mod report;
mod restore;
mod run;
mod system;
mod user;

use crate::config::{Config, Device};
use crate::error::{Error, Result};
use crate::frame::Licence;
use crate::lang::{Lang, Words};
use crate::register::History;
use crate::store::Store;
use crate::table::apart;
use crate::triage::opinion::{Opinion, Silence};
use crate::triage::point::PointName;
use clap::{Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// 火眼: a county's cameras and satellites to the ranger's phone, and back, within the hour.
#[derive(Parser)]
#[command(name = "huoyan", version, propagate_version = true)]
struct Arguments {
    /// 配置文件 / configuration file (huoyan.toml); without one, the defaults
    #[arg(long, global = true, env = "HUOYAN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// 数据目录 / data folder; wins over the configuration
    #[arg(long, global = true, env = "HUOYAN_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// 县的代号 / one county of a centre, by its code (`[centre] counties`)
    #[arg(long, global = true, value_name = "CODE")]
    county: Option<String>,
    /// 程序自带文件所在目录 / folder in which relative paths of model, pipeline texts and ONNX
    /// Runtime begin; a package sets it
    #[arg(long, global = true, env = "HUOYAN_HOME", value_name = "DIR", hide_short_help = true)]
    home: Option<PathBuf>,
    /// 运算设备 / auto, cpu or cuda; wins over the configuration. With `cuda`, `run` does not start
    /// without the card
    #[arg(long, global = true, value_name = "DEVICE", value_parser = device)]
    device: Option<Device>,
    /// 结果以 JSON 输出 / results as JSON on stdout
    #[arg(long, global = true)]
    json: bool,
    /// 不显示进度 / no progress on stderr
    #[arg(long, short, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// 启动 / everything on one machine: cameras, model, triage, web
    Run(run::Args),
    /// 边缘 / an edge: cameras and model here; alarms go to the centre, and wait on this disk while
    /// it is away
    Detect(detect::Args),
    /// 中心 / a centre: triage, web and messages for the cameras of edges; any number of them on
    /// one PostgreSQL
    Desk(desk::Args),
    /// 体检 / check what works and what does not, and say what to do
    Check(check::Args),
    /// 回放 / run model and confirmation over recorded videos or folders of pictures
    Replay(replay::Args),
    /// 热点文件 / convert a hotspot file to GeoJSON
    Hotspots(hotspots::Args),
    /// 覆盖 / how much of the county the cameras see, over the shape of the ground
    Coverage(coverage::Args),
    /// 导入登记册 / import registers: grids, people, cameras, rota, burns, heat sources
    Import(import::Args),
    /// 演练 / drill: render smoke into a live camera and follow the incident, marked as a drill
    Drill(drill::Args),
    /// 日报 / print the office's daily report
    Report(report::Args),
    /// 导出训练数据 / verified sightings as training data: fine-tune the model on your own cameras
    ExportTraining(export_training::Args),
    /// 备份 / a consistent copy of all data while the program runs
    Backup(backup::Args),
    /// 恢复 / restore a backup into a new data folder and check it
    Restore(restore::Args),
    /// 登录链接 / one-time login links
    User(user::Args),
    /// 外部系统 / other systems that may send alarms: one key each, shown once
    System(system::Args),
    /// 模型 / check whether a model works on this machine, and what it costs
    Model(model::Args),
    /// 配置样例 / print the documented sample configuration
    Config(config::Args),
}

/// The options that every subcommand gets.
#[derive(Clone, Debug)]
pub struct Common {
    pub config: Config,
    /// The value of `--device`; the configuration has it, too.
    pub device: Option<Device>,
    pub lang: Lang,
    /// Results as JSON on stdout.
    pub json: bool,
    /// No progress on stderr.
    pub quiet: bool,
}

/// The result of a subcommand that ran.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Fine,
    /// It ran, and its findings need a person's attention: exit code 1.
    Findings,
}

/// The whole program: arguments in, exit code out.
pub fn main() -> ExitCode {
    // Registers, database and pictures hold people's names, phones and faces: only the owner may
    // read new files.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == apart::COMMAND) {
        let lang = words.next().unwrap_or_default();
        return apart::answer(Lang::from_tag(&lang.to_string_lossy()));
    }
    apart::read_apart();
    let arguments = Arguments::parse();
    let lang = Lang::from_env();
    log_to_stderr(&arguments.command);
    match dispatch(arguments, lang) {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{}: {}", lang.pick("错误", "error"), error.chain_in(lang));
            ExitCode::from(error.kind.exit_code())
        }
    }
}

fn dispatch(arguments: Arguments, lang: Lang) -> Result<Outcome> {
    let mut config = Config::load(arguments.config.as_deref())?;
    if let Some(data) = arguments.data {
        config.store.data = data;
    }
    if let Some(home) = arguments.home {
        config.at_home(&home);
    }
    if let Some(device) = arguments.device {
        config.detect.device = device;
    }
    if let Some(code) = &arguments.county {
        if matches!(arguments.command, Command::Run(_) | Command::Detect(_) | Command::Desk(_)) {
            return Err(Error::invalid(Words::new(
                "--county 不用于启动：huoyan desk 服务 [centre] 的全部县",
                "--county is not for starting: `huoyan desk` serves all counties of [centre]",
            )));
        }
        config = config.county(code)?;
    }
    let common = Common {
        config,
        device: arguments.device,
        lang,
        json: arguments.json,
        quiet: arguments.quiet,
    };
    match arguments.command {
        Command::Run(args) => run::run(args, &common),
        Command::Detect(args) => detect::run(args, &common),
        Command::Desk(args) => desk::run(args, &common),
        Command::Check(args) => check::run(args, &common),
        Command::Replay(args) => replay::run(args, &common),
        Command::Hotspots(args) => hotspots::run(args, &common),
        Command::Coverage(args) => coverage::run(args, &common),
        Command::Import(args) => import::run(args, &common),
        Command::Drill(args) => drill::run(args, &common),
        Command::Report(args) => report::run(args, &common),
        Command::ExportTraining(args) => export_training::run(args, &common),
        Command::Backup(args) => backup::run(args, &common),
        Command::Restore(args) => restore::run(args, &common),
        Command::User(args) => user::run(args, &common),
        Command::System(args) => system::run(args, &common),
        Command::Model(args) => model::run(args, &common),
        Command::Config(args) => config::run(args, &common),
    }
}

fn device(word: &str) -> std::result::Result<Device, String> {
    match word {
        "auto" => Ok(Device::Auto),
        "cpu" => Ok(Device::Cpu),
        "cuda" => Ok(Device::Cuda),
        _ => Err("auto, cpu 或 or cuda".to_owned()),
    }
}

/// The service logs its work, the other commands only problems. `RUST_LOG` overrides this, except
/// for the RTSP library: its lines hold unmasked addresses, and those of some makes hold passwords.
fn log_to_stderr(command: &Command) {
    let is_service = matches!(command, Command::Run(_) | Command::Detect(_) | Command::Desk(_));
    // The NATS library says the same at every try; the line says it once, with what to do.
    let default =
        if is_service { "huoyan=info,async_nats=off,warn" } else { "async_nats=off,warn" };
    let filter =
        tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| default.into());
    let filter = filter.add_directive("retina=error".parse().expect("a directive"));
    // A line that stderr does not accept (a full disk, a closed pipe) is dropped. Reporting that on
    // stderr would panic.
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    lines.log_internal_errors(false).init();
}

/// `安静 quiet`: the reader's word, and the name for `--point`.
fn point_words(lang: Lang, point: PointName) -> String {
    let zh = match point {
        PointName::Quiet => "安静",
        PointName::Balanced => "均衡",
        PointName::Eager => "灵敏",
    };
    lang.pick(&format!("{zh} {point}"), point.as_str()).to_owned()
}

/// What the second network said of a place.
fn opinion_words(lang: Lang, opinion: &Opinion) -> String {
    let reason = match opinion {
        Opinion::Given { score, agrees: true, .. } => {
            return format!("{} {score:.2}", lang.pick("复核认可", "second opinion agrees"));
        }
        Opinion::Given { score, .. } => {
            return format!("{} {score:.2}", lang.pick("复核存疑", "second opinion doubts"));
        }
        Opinion::NotGiven { reason } => reason,
    };
    let why = match reason {
        Silence::NoVerifier => lang.pick("模型没有复核网络", "the model has no second network"),
        Silence::Fire => {
            lang.pick("复核网络只学过烟", "the second network is trained on smoke only")
        }
        Silence::NoPast => {
            lang.pick("还没有可比较的早先画面", "no earlier picture to compare with yet")
        }
        Silence::Failed => {
            lang.pick("复核网络出错，见日志", "the second network failed, see the log")
        }
    };
    format!("{}{why}", lang.pick("未复核：", "no second opinion: "))
}

/// The terms for using the weights, as their publisher states them.
fn licence_words(licence: Option<&Licence>, lang: Lang) -> String {
    match (licence, lang) {
        (None, Lang::Zh) => "模型许可：未声明".to_owned(),
        (None, Lang::En) => "licence of the weights: none stated".to_owned(),
        (Some(Licence { name, note_zh, .. }), Lang::Zh) => format!("模型许可 {name}：{note_zh}"),
        (Some(Licence { name, note_en, .. }), Lang::En) => {
            format!("licence of the weights {name}: {note_en}")
        }
    }
}

/// Of every command that serves.
#[derive(clap::Args)]
struct Listen {
    /// 监听地址 / address to listen on; wins over the configuration; port 0 = any free one
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
}

impl Listen {
    fn apply(&self, config: &mut Config) {
        if let Some(listen) = self.listen {
            config.server.listen = listen;
        }
    }
}

/// Runs a service until it is told to stop. A thread that still waits for a remote answer is
/// abandoned.
fn serve(service: impl Future<Output = Result<()>>) -> Result<Outcome> {
    let runtime = runtime()?;
    let ran = runtime.block_on(service);
    runtime.shutdown_timeout(run::THREADS_END_WITHIN);
    ran.map(|()| Outcome::Fine)
}

/// What was ever registered.
async fn history(store: &Store) -> Result<History> {
    let mut history = History::default();
    store.register_changes(0).await?.into_iter().for_each(|change| history.push(change));
    Ok(history)
}

/// A tokio runtime for one command.
fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Runtime::new()
        .map_err(|e| crate::error::Error::unavailable("the async runtime did not start").because(e))
}
