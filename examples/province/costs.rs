//! What each process costs, from /proc: PostgreSQL with all processes of its connections.

use crate::centre::Centre;
use huoyan::error::{Error, Result};
use procfs::process::{Process, all_processes};
use std::fs;

pub struct Costs(Vec<Cost>);

struct Cost {
    name: String,
    cpu_s: f64,
    memory_mb: f64,
    sockets: usize,
}

/// What one process took in a time.
pub struct Used {
    pub name: String,
    /// Of one core.
    pub cpu_percent: f64,
    /// Shared pages are divided among those who share them.
    pub memory_mb: f64,
    /// Open sockets; of PostgreSQL: processes.
    pub sockets: usize,
}

impl Costs {
    pub fn of(centre: &Centre) -> Result<Self> {
        let mut costs = Vec::new();
        for desk in &centre.desks {
            costs.push(one(&desk.name, desk.program.0.id())?);
        }
        if let Some(running) = &centre.nats.running {
            costs.push(one("nats-server", running.id())?);
        }
        costs.push(postgres(&centre.database_port())?);
        costs.push(one("played edges", std::process::id())?);
        Ok(Self(costs))
    }

    pub fn since(&self, before: &Self, lasted_s: f64) -> Vec<Used> {
        let used = self.0.iter().zip(&before.0).map(|(now, before)| Used {
            name: now.name.clone(),
            cpu_percent: 100.0 * (now.cpu_s - before.cpu_s) / lasted_s,
            memory_mb: now.memory_mb,
            sockets: now.sockets,
        });
        used.collect()
    }
}

fn one(name: &str, pid: u32) -> Result<Cost> {
    let gone = |e| Error::unavailable(format!("{name} has ended")).because(e);
    let process = Process::new(pid as i32).map_err(gone)?;
    let stat = process.stat().map_err(gone)?;
    let fds = process.fd().map_err(gone)?.flatten();
    let is_socket =
        |it: &procfs::process::FDInfo| matches!(it.target, procfs::process::FDTarget::Socket(_));
    Ok(Cost {
        name: name.to_owned(),
        cpu_s: seconds(stat.utime + stat.stime),
        memory_mb: memory_mb(pid as i32),
        sockets: fds.filter(is_socket).count(),
    })
}

/// The server on this port. What its ended processes took is added to its own account.
fn postgres(port: &str) -> Result<Cost> {
    let unknown = || Error::unavailable("the processes of PostgreSQL are not to be seen");
    let all = all_processes().map_err(|e| unknown().because(e))?.flatten();
    let all: Vec<(Process, procfs::process::Stat)> = all
        .filter_map(|it| {
            let stat = it.stat().ok().filter(|stat| stat.comm == "postgres")?;
            Some((it, stat))
        })
        .collect();
    let is_server = |it: &Process| {
        let words = it.cmdline().unwrap_or_default();
        words.windows(2).any(|pair| pair[0] == "-p" && pair[1] == port)
    };
    let (_, server) = all.iter().find(|(it, _)| is_server(it)).ok_or_else(unknown)?;
    let of_children = (server.cutime + server.cstime).max(0) as u64;
    let mut cost = Cost {
        name: "postgres".to_owned(),
        cpu_s: seconds(of_children),
        memory_mb: 0.0,
        sockets: 0,
    };
    for (_, it) in all.iter().filter(|(_, it)| it.pid == server.pid || it.ppid == server.pid) {
        cost.cpu_s += seconds(it.utime + it.stime);
        cost.memory_mb += memory_mb(it.pid);
        cost.sockets += 1;
    }
    Ok(cost)
}

fn seconds(ticks: u64) -> f64 {
    ticks as f64 / procfs::ticks_per_second() as f64
}

fn memory_mb(pid: i32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let pss = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kb = pss.and_then(|it| it.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kb.unwrap_or_default() / 1_024.0
}
