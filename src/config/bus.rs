//! Several processes: `[bus]` joins edges and desks, `[edge]` is what one edge needs.

use super::check::Checked;
use crate::base::range::within;
use crate::lang::Words;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BusConfig {
    /// `local` (one process), `nats://host:4222` or `tls://host:4222`. Never with a login.
    pub url: String,
    /// A part of every subject, `huoyan.<county>.…`: one server may carry several counties.
    pub county: String,
    /// User at the NATS server; the password is a secret. None: HUOYAN_NATS_USER, or no login.
    pub user: Option<String>,
    /// A NATS credentials file (JWT and seed). None: HUOYAN_NATS_USER and its password, or no
    /// login.
    pub creds: Option<PathBuf>,
    /// The certificate of the authority that signed the server's, PEM. None: the system's.
    pub ca: Option<PathBuf>,
}

impl Default for BusConfig {
    fn default() -> Self {
        Self {
            url: "local".to_owned(),
            county: "county".to_owned(),
            user: None,
            creds: None,
            ca: None,
        }
    }
}

impl BusConfig {
    pub fn is_local(&self) -> bool {
        self.url == "local"
    }

    pub(super) fn check(&self) -> Checked {
        let is_remote = ["nats://", "tls://"].iter().any(|scheme| self.url.starts_with(scheme));
        if !self.is_local() && !is_remote {
            return Err(Words::new(
                "[bus] url 应为 \"local\"，或以 nats:// 或 tls:// 开头，例如 nats://10.0.0.2:4222",
                "[bus] url must be \"local\" or begin with nats:// or tls://, for example \
                nats://10.0.0.2:4222",
            ));
        }
        if self.url.contains('@') {
            // The address itself is not shown: it holds a password.
            return Err(Words::new(
                "[bus] url 不能带用户和密码：请设 HUOYAN_NATS_USER 和 HUOYAN_NATS_PASSWORD，或 \
                [bus] creds",
                "[bus] url must not hold a login: give HUOYAN_NATS_USER and HUOYAN_NATS_PASSWORD, \
                or [bus] creds",
            ));
        }
        token("[bus] county", &self.county)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EdgeConfig {
    /// The name of this edge, unique in its county. Only `huoyan detect` needs it.
    pub name: Option<String>,
    /// What waits for the network takes at most this much of the disk, GiB: 5 holds 20,000
    /// pictures, months of a busy edge's alarms. Pictures are shed before sightings.
    pub spool_max_gib: f64,
}

impl Default for EdgeConfig {
    fn default() -> Self {
        Self { name: None, spool_max_gib: 5.0 }
    }
}

impl EdgeConfig {
    pub(super) fn check(&self) -> Checked {
        // The last value keeps bytes in a number.
        within(
            "[edge] spool_max_gib",
            self.spool_max_gib,
            0.001..=100_000.0,
            Self::default().spool_max_gib,
        )?;
        self.name.as_deref().map_or(Ok(()), |name| token("[edge] name", name))
    }
}

/// One token of a NATS subject, and a part of a stream's name.
pub(super) fn token(key: &str, word: &str) -> Checked {
    let is_fine = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
    if word.is_empty() || word.len() > 40 || !word.chars().all(is_fine) {
        return Err(Words::new(
            format!("{key} 应为 1 到 40 个 a-z、0-9 和 -，例如 \"yuanling\"：它是主题的一部分"),
            format!(
                "{key} must be 1 to 40 of a-z, 0-9 and -, for example \"yuanling\": it becomes \
                a part of subjects"
            ),
        ));
    }
    Ok(())
}
