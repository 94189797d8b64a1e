//! Where the running program is reached. `--listen` may differ from the configuration, and other
//! commands have only the data folder: they read it there.

use crate::base::file::write_whole;
use crate::config::Config;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// In the data folder, from the start of the program to its end.
const FILE: &str = "serving.json";

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Serving {
    /// What people open, without a slash at its end.
    pub public_url: String,
    /// The same for commands on this machine.
    pub local_url: String,
}

impl Serving {
    /// `config.server.listen` is the address of the socket.
    pub fn of(config: &Config) -> Self {
        let public_url = config.public_url();
        // A certificate is for a name, so that one is asked here, too.
        let local_url = match config.server.certificate {
            Some(_) => public_url.clone(),
            None => format!("http://{}", reachable(config.server.listen)),
        };
        Self { public_url, local_url }
    }

    /// Of the program that runs on this data folder; `None` when there is none. One that was killed
    /// has left its last address.
    pub fn of_running(data: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(data.join(FILE)).ok()?).ok()
    }

    /// Says it until the returned value is dropped.
    pub fn announce(&self, data: &Path) -> Result<Announced> {
        let path = data.join(FILE);
        let text = serde_json::to_vec(self)
            .map_err(|e| Error::internal("the served address cannot be written").because(e))?;
        write_whole(&path, &text).map_err(|e| {
            Error::unavailable(format!("cannot write {}", path.display())).because(e)
        })?;
        Ok(Announced(path))
    }
}

/// The file of a running program.
pub struct Announced(PathBuf);

impl Drop for Announced {
    fn drop(&mut self) {
        if let Err(e) = std::fs::remove_file(&self.0) {
            tracing::debug!("{} stays: {e}", self.0.display());
        }
    }
}

/// Whoever listens on every address is reached on loopback, too.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let loopback: IpAddr = match listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(loopback, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_this_machine_are_told_where_it_really_is() {
        for (section, public_url, local_url) in [
            ("listen = \"127.0.0.1:8141\"", "http://127.0.0.1:8141", "http://127.0.0.1:8141"),
            (
                "public_url = \"https://fire.example/\"",
                "https://fire.example",
                "http://127.0.0.1:8131",
            ),
            (
                "listen = \"0.0.0.0:443\"\npublic_url = \"https://fire.example\"\ncertificate = \
                \"c\"\nkey = \"k\"",
                "https://fire.example",
                "https://fire.example",
            ),
            (
                "listen = \"[::]:8131\"\npublic_url = \"http://10.0.0.5:8131\"\nplain_http = \
                \"anywhere\"",
                "http://10.0.0.5:8131",
                "http://[::1]:8131",
            ),
        ] {
            let config = Config::parse(&format!("[server]\n{section}\n")).expect("valid");
            let serving = Serving::of(&config);
            assert_eq!(
                (serving.public_url.as_str(), serving.local_url.as_str()),
                (public_url, local_url),
                "{section}"
            );
        }
    }

    #[test]
    fn it_is_said_as_long_as_the_program_runs() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(Serving::of_running(dir.path()), None);
        let serving = Serving::of(&Config::default());
        let announced = serving.announce(dir.path()).expect("written");
        assert_eq!(Serving::of_running(dir.path()), Some(serving));
        drop(announced);
        assert_eq!(Serving::of_running(dir.path()), None);
    }
}
