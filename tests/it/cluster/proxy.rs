//! The proxy of docs/haproxy.cfg before two desks.

use super::free_port;
use crate::program::Office;
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub struct Proxy {
    /// Where people come.
    pub url: String,
    running: Child,
}

impl Proxy {
    /// `None` where haproxy is not installed.
    pub fn start(desks: [&Office; 2]) -> Option<Self> {
        // Debian installs it where only root's shell looks.
        let program = ["/usr/sbin/haproxy", "/usr/local/sbin/haproxy", "/usr/bin/haproxy"];
        let program = program.into_iter().find(|it| Path::new(it).is_file())?;
        let at = format!("127.0.0.1:{}", free_port());
        let running = Command::new(program)
            .arg("-db")
            .arg("-f")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/haproxy.cfg"))
            .env("HUOYAN_PEOPLE", &at)
            .env("HUOYAN_DESK_1", desks[0].address())
            .env("HUOYAN_DESK_2", desks[1].address())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Some(Self { url: format!("http://{at}"), running: running.expect("haproxy starts") })
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.running.kill();
        let _ = self.running.wait();
    }
}
