//! `[[notify.webhooks]]`: systems that are told of every incident's steps.

use super::NotifyConfig;
use super::check::Checked;
use crate::lang::Words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Shorter ones can be guessed from one signature.
const SECRET_MIN_BYTES: usize = 16;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// a-z, 0-9 and -: it stands on the board and in the name of the secret.
    pub name: String,
    /// https, or http on this machine itself.
    pub url: String,
    /// A file whose first line is the secret. The environment wins: HUOYAN_WEBHOOK_SECRET_NAME.
    #[serde(default)]
    pub secret: Option<PathBuf>,
}

impl WebhookConfig {
    /// The variable of the environment that holds its secret.
    pub fn variable(&self) -> String {
        format!("HUOYAN_WEBHOOK_SECRET_{}", self.name.to_ascii_uppercase().replace('-', "_"))
    }

    /// Refuses a secret that can be guessed.
    pub fn check_secret(&self, secret: &str) -> Checked {
        if secret.len() >= SECRET_MIN_BYTES {
            return Ok(());
        }
        let (name, variable) = (&self.name, self.variable());
        Err(Words::new(
            format!("[[notify.webhooks]] {name} 的密钥（{variable}）至少{SECRET_MIN_BYTES}个字符"),
            format!(
                "[[notify.webhooks]] {name}: its secret ({variable}) needs at least \
                {SECRET_MIN_BYTES} characters"
            ),
        ))
    }

    fn check(&self) -> Checked {
        let name = &self.name;
        let is_fine = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
        if name.is_empty() || name.len() > 40 || !name.chars().all(is_fine) {
            return Err(Words::new(
                format!("[[notify.webhooks]] name \"{name}\" 应为 1 到 40 个 a-z、0-9 和 -"),
                format!("[[notify.webhooks]] name \"{name}\" must be 1 to 40 of a-z, 0-9 and -"),
            ));
        }
        if is_safe(&self.url) {
            return Ok(());
        }
        Err(Words::new(
            format!(
                "[[notify.webhooks]] {name} 的 url 应以 https:// 开头（本机可用 http://127.0.0.1），\
                不含用户名和密码"
            ),
            format!(
                "[[notify.webhooks]] {name}: url must begin with https:// (http://127.0.0.1 on \
                this machine), without user and password"
            ),
        ))
    }
}

fn is_safe(text: &str) -> bool {
    let Ok(url) = url::Url::parse(text) else { return false };
    let is_own = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => return false,
    };
    let has_login = !url.username().is_empty() || url.password().is_some();
    !has_login && (url.scheme() == "https" || url.scheme() == "http" && is_own)
}

impl NotifyConfig {
    pub(super) fn check_webhooks(&self) -> Checked {
        let mut names = BTreeSet::new();
        for it in &self.webhooks {
            it.check()?;
            if !names.insert(&it.name) {
                let name = &it.name;
                return Err(Words::new(
                    format!("[[notify.webhooks]] name \"{name}\" 重复"),
                    format!("[[notify.webhooks]] name \"{name}\" stands twice"),
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_over_the_network_is_encrypted() {
        for (url, is_fine) in [
            ("https://gis.example/hook", true),
            ("http://127.0.0.1:9000/hook", true),
            ("http://[::1]:9000/", true),
            ("http://localhost/", true),
            ("http://gis.example/hook", false),
            ("http://127.0.0.1.example/", false),
            ("https://user:word@gis.example/", false),
            ("ftp://gis.example/", false),
            ("gis.example", false),
        ] {
            assert_eq!(is_safe(url), is_fine, "{url}");
        }
    }
}
