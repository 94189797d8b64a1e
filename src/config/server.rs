//! `[server]`: on which address the pages are served, under which name people open them, and
//! whether over TLS.

use super::Config;
use crate::lang::Words;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// 8131 is the port of 131. Loopback unless the office configures otherwise.
    pub listen: SocketAddr,
    /// What phones type: scheme, name and port, no path; used in texts and login links. Default:
    /// `http://<listen>`.
    pub public_url: Option<String>,
    /// PEM file with the certificate for the name in `public_url`, then those of its issuers. With
    /// it, `listen` speaks TLS only.
    pub certificate: Option<PathBuf>,
    /// PEM file with the certificate's private key, unencrypted.
    pub key: Option<PathBuf>,
    /// Where the pages may be served without TLS.
    pub plain_http: PlainHttp,
    /// Addresses of trusted proxies: only their X-Forwarded-For or Forwarded is believed. None by
    /// default.
    pub trusted_proxy: Vec<IpAddr>,
    /// How long a one-time login link to the office's pages is valid: 15 min, because it shows
    /// every phone number, and whoever gets it sits at a desk.
    pub login_link_life: SignedDuration,
    /// The same for a ranger's page: 24 h, because a text that reaches a village in the morning is
    /// read when the ranger is back in the evening. It still works once.
    pub ranger_link_life: SignedDuration,
    /// How long an unused session lives: 30 days, because a ranger's phone must not log itself out
    /// in the hills.
    pub session_life: SignedDuration,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlainHttp {
    /// On this machine only, where nobody can read along.
    Loopback,
    /// On the network, too. The office has decided so.
    Anywhere,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8131)),
            public_url: None,
            certificate: None,
            key: None,
            plain_http: PlainHttp::Loopback,
            trusted_proxy: Vec::new(),
            login_link_life: SignedDuration::from_mins(15),
            ranger_link_life: SignedDuration::from_hours(24),
            session_life: SignedDuration::from_hours(30 * 24),
        }
    }
}

impl Server {
    /// Checks what the file alone can say about name and certificate.
    pub(super) fn check_name(&self) -> Result<(), Words> {
        let name = match &self.public_url {
            None => None,
            Some(text) => Some(Origin::parse(text).ok_or_else(|| {
                Words::new(
                    format!(
                        "[server] public_url \"{text}\" 不是手机打开的地址：应为协议、名称和端口，\
                        不带路径，例如 \"https://huoyan.county.example\""
                    ),
                    format!(
                        "[server] public_url \"{text}\" is not what a phone opens: scheme, name \
                        and port without a path, for example \"https://huoyan.county.example\""
                    ),
                )
            })?),
        };
        if self.certificate.is_some() != self.key.is_some() {
            return Err(Words::new(
                "[server] certificate 和 key 要一起填；证书在前面的代理上的，两个都不填",
                "[server] certificate and key belong together: set both, or neither where a proxy \
                has the certificate",
            ));
        }
        if self.certificate.is_some() && !name.is_some_and(|name| name.is_https) {
            return Err(Words::new(
                "[server] 有证书时，public_url 应为手机打开的 https 地址，名称要在证书里，例如 \
                \"https://huoyan.county.example\"",
                "[server] with a certificate public_url must be the https address that phones \
                open, with a name that stands in the certificate, for example \
                \"https://huoyan.county.example\"",
            ));
        }
        Ok(())
    }

    /// The host that people open.
    fn host(&self) -> String {
        let named = self.public_url.as_deref().and_then(Origin::parse).map(|it| it.host);
        named.unwrap_or_else(|| self.listen.ip().to_string())
    }

    /// The host of `public_url`, if the program itself has a certificate for it.
    pub fn certified_name(&self) -> Option<String> {
        self.certificate.as_ref()?;
        Some(Origin::parse(self.public_url.as_ref()?)?.host)
    }

    /// Whether it may serve where it is to listen; `--listen` may have changed that after `check`.
    pub fn refusal(&self) -> Option<Refusal> {
        let ip = self.listen.ip().to_canonical();
        if self.certificate.is_none() && self.plain_http == PlainHttp::Loopback && !ip.is_loopback()
        {
            return Some(Refusal::Plain(self.listen));
        }
        (ip.is_unspecified() && self.public_url.is_none()).then_some(Refusal::NoName(self.listen))
    }
}

/// Why the program does not start to serve.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Without TLS on an address that the network reaches.
    Plain(SocketAddr),
    /// On all addresses, without saying which of them people open.
    NoName(SocketAddr),
}

impl Refusal {
    /// What is wrong, and why.
    pub fn zh(self) -> String {
        match self {
            Self::Plain(listen) => {
                format!(
                    "{listen} 可从网络访问，而 [server] 没有证书：\
                    同一网络上的人能读到登录链接和电话号码"
                )
            }
            Self::NoName(listen) => {
                format!("{listen} 是所有地址，而 [server] 没有 public_url：登录链接不知写哪个地址")
            }
        }
    }

    pub fn en(self) -> String {
        match self {
            Self::Plain(listen) => format!(
                "{listen} can be reached from the network, and [server] has no certificate: others \
                on it could read login links and phone numbers"
            ),
            Self::NoName(listen) => format!(
                "{listen} means every address, and [server] has no public_url: a login link needs \
                the one that phones open"
            ),
        }
    }

    /// What to do: zh, en.
    pub fn cure(self) -> (&'static str, &'static str) {
        match self {
            Self::Plain(_) => (
                "在 huoyan.toml 的 [server] 里填 certificate、key 和 public_url（见 \
                docs/deploy.md）；本机另有 HTTPS 代理的，listen 用 127.0.0.1；\
                 确实要在网络上用明文的，写 plain_http = \"anywhere\"",
                "set certificate, key and public_url under [server] in huoyan.toml \
                (docs/deploy.md); behind an HTTPS proxy on this machine listen on 127.0.0.1; to \
                serve plain HTTP on the network all the same, write plain_http = \"anywhere\"",
            ),
            Self::NoName(_) => (
                "在 huoyan.toml 的 [server] 里填 public_url，例如 \"https://huoyan.county.example\"",
                "set public_url under [server] in huoyan.toml, for example \
                \"https://huoyan.county.example\"",
            ),
        }
    }
}

impl Config {
    /// The name that people open, without a port; of an IPv6 address without its brackets.
    pub fn host(&self) -> String {
        self.server.host().to_ascii_lowercase()
    }
}

/// The parts of an address that a browser calls its origin.
struct Origin {
    is_https: bool,
    host: String,
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let url = url::Url::parse(text).ok()?;
        let is_https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host =
            url.host_str().filter(|host| !host.is_empty())?.trim_matches(['[', ']']).to_owned();
        let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        (is_bare && url.username().is_empty()).then_some(Self { is_https, host })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(listen: &str, rest: Server) -> Server {
        Server { listen: listen.parse().expect("an address"), ..rest }
    }

    #[test]
    fn plain_http_stays_on_this_machine_unless_the_office_says_otherwise() {
        let certified = || Server {
            public_url: Some("https://huoyan.county.example".to_owned()),
            certificate: Some("c.pem".into()),
            key: Some("k.pem".into()),
            ..Server::default()
        };
        let decided = || Server { plain_http: PlainHttp::Anywhere, ..Server::default() };
        for (listen, rest, expected) in [
            ("127.0.0.1:8131", Server::default(), None),
            ("[::1]:8131", Server::default(), None),
            ("[::ffff:127.0.0.1]:8131", Server::default(), None),
            ("10.0.0.5:8131", Server::default(), Some("certificate")),
            ("0.0.0.0:8131", Server::default(), Some("certificate")),
            ("10.0.0.5:8131", decided(), None),
            ("0.0.0.0:8131", decided(), Some("public_url")),
            ("[::]:443", certified(), None),
        ] {
            let refusal = server(listen, rest).refusal();
            assert_eq!(refusal.is_some(), expected.is_some(), "{listen} {refusal:?}");
            for (refusal, word) in refusal.into_iter().zip(expected) {
                let (zh, en) = refusal.cure();
                assert!(
                    refusal.en().contains(listen) && en.contains(word),
                    "{}: {en}",
                    refusal.en()
                );
                assert!(
                    refusal.zh().contains(listen) && zh.contains(word),
                    "{}：{zh}",
                    refusal.zh()
                );
            }
        }
    }

    #[test]
    fn the_name_for_phones_is_an_address_without_a_path() {
        for (text, host) in [
            ("https://huoyan.county.example", Some("huoyan.county.example")),
            ("https://huoyan.county.example:8131/", Some("huoyan.county.example")),
            ("http://10.0.0.5:8131", Some("10.0.0.5")),
            ("https://[2001:db8::1]", Some("2001:db8::1")),
            ("huoyan.county.example", None),
            ("https://huoyan.county.example/fire", None),
            ("https://me@huoyan.county.example", None),
            ("ftp://huoyan.county.example", None),
            ("https://", None),
        ] {
            assert_eq!(Origin::parse(text).map(|it| it.host).as_deref(), host, "{text}");
        }
    }
}
