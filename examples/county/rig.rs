//! One row's farm and program: two child processes and a temporary data folder, removed after the
//! row.

use super::Row;
use huoyan::clock::Clock;
use huoyan::county;
use huoyan::error::{Error, Result};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

/// On its first start the farm renders its clips; a full set takes minutes.
const FARM_WITHIN: Duration = Duration::from_secs(1800);
const PROGRAM_WITHIN: Duration = Duration::from_secs(60);
/// The program needs time to close its streams and its database.
const STOPS_WITHIN: Duration = Duration::from_secs(20);
/// Lines of the program's log waiting to be read.
const LINES: usize = 4096;

pub struct Rig {
    // The order of the fields matters: the program disconnects before its cameras go away.
    pub program: Process,
    pub farm: Process,
    pub office_link: String,
    /// What the program logs.
    pub log: Receiver<String>,
    _data: tempfile::TempDir,
}

impl Rig {
    /// Error: what did not start, with its own output.
    pub fn start(row: &Row) -> Result<Self> {
        let data = tempfile::tempdir()
            .map_err(|e| Error::unavailable("no temporary folder").because(e))?;
        let registers = data.path().join("registers");
        county::write_demo(&registers, 131, Clock::System.now(), &[])?;
        let share = row.smoke.as_str();
        let farm = Process::start(
            Command::new(beside("huoyan-farm")?)
                .args(["--json", "--port", "0", "--stream", &row.stream, "--smoke", share])
                .args(["--cameras", &row.cameras.to_string(), "--register"])
                .arg(registers.join("cameras.csv"))
                .stdout(Stdio::piped()),
            "huoyan-farm",
        )?;
        let (farm, _) = farm.said(FARM_WITHIN)?;
        let config = data.path().join("huoyan.toml");
        std::fs::write(&config, configuration(row))
            .map_err(|e| Error::unavailable("the configuration cannot be written").because(e))?;
        let program = Process::start(
            Command::new(beside("../huoyan")?)
                .args([
                    "run",
                    "--links",
                    "--json",
                    "--quiet",
                    "--listen",
                    "127.0.0.1:0",
                    "--config",
                ])
                .arg(&config)
                .arg("--data")
                .arg(data.path())
                .env("NO_COLOR", "1")
                .stdout(Stdio::piped())
                .stderr(Stdio::piped()),
            "huoyan",
        )?;
        let (mut program, links) = program.said(PROGRAM_WITHIN)?;
        let office_link = links["office"].as_str().unwrap_or_default().to_owned();
        let log = lines(&mut program.child, row.show_log);
        Ok(Self { program, farm, office_link, log, _data: data })
    }
}

/// Only values that differ from the defaults.
fn configuration(row: &Row) -> String {
    let mut text = format!("[camera]\ncadence = \"{}s\"\n", row.cadence_s);
    if let Some(is_on) = row.gate {
        let _ = writeln!(text, "[detect]\ngate = \"{}\"", if is_on { "on" } else { "off" });
    }
    text
}

/// Cargo puts examples in one folder, and programs one level up.
fn beside(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()
        .map_err(|e| Error::unavailable("no path to this program").because(e))?;
    let path = own.parent().unwrap_or(Path::new(".")).join(name);
    match path.is_file() {
        true => Ok(path),
        false => Err(Error::unavailable(format!(
            "{} is not built; make county builds it",
            path.display()
        ))),
    }
}

/// A child process. On drop it is asked to stop, and killed if it does not.
pub struct Process {
    pub child: Child,
    name: &'static str,
}

impl Process {
    fn start(command: &mut Command, name: &'static str) -> Result<Self> {
        let child = command.stdin(Stdio::null()).spawn();
        let child = child
            .map_err(|e| Error::unavailable(format!("{name} cannot be started")).because(e))?;
        Ok(Self { child, name })
    }

    /// The line of JSON that it prints when ready.
    fn said(mut self, within: Duration) -> Result<(Self, Value)> {
        let (tell, told) = sync_channel(1);
        if let Some(stdout) = self.child.stdout.take() {
            std::thread::spawn(move || {
                let mut line = String::new();
                let read = BufReader::new(stdout).read_line(&mut line);
                // A send error means that the time is over.
                let _ = tell.send(read.map(|_| line));
            });
        }
        let line = told.recv_timeout(within).ok().and_then(std::result::Result::ok);
        let value = line.as_deref().and_then(|line| serde_json::from_str(line).ok());
        match value {
            Some(value) => Ok((self, value)),
            None => {
                let mut why = String::new();
                if let Some(stderr) = self.child.stderr.take() {
                    let end = |line: std::io::Result<String>| _ = line.map(|line| why = line);
                    drop(self.child.kill());
                    BufReader::new(stderr).lines().for_each(end);
                }
                Err(Error::unavailable(format!("{} did not become ready: {why}", self.name)))
            }
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // `kill` instead of `Child::kill`: the process must close its streams and its database.
        let _ = Command::new("kill").args(["-s", "INT", &self.child.id().to_string()]).status();
        let asked = Instant::now();
        while asked.elapsed() < STOPS_WITHIN {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            Clock::System.sleep_blocking(Duration::from_millis(50));
        }
        eprintln!("{} does not stop when asked to and is ended", self.name);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(child: &mut Child, show: bool) -> Receiver<String> {
    let (tell, told) = sync_channel(LINES);
    if let Some(stderr) = child.stderr.take() {
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(std::result::Result::ok) {
                if show {
                    eprintln!("{line}");
                }
                // Lines that nobody reads in time are dropped: a full pipe would block the program.
                let _ = tell.try_send(line);
            }
        });
    }
    told
}
