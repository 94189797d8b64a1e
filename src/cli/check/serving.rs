//! Whether phones can open the pages: the address, TLS, and what they will say of the certificate.

use super::{Common, Finding};
use crate::clock::{Clock, county_time};
use crate::config::Server;
use crate::lang::Lang;
use crate::web::tls::Pair;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const PART: &str = "server";

pub(super) fn serving(common: &Common) -> Vec<Finding> {
    let (server, lang) = (&common.config.server, common.lang);
    let mut findings = Vec::new();
    if let Some(refusal) = server.refusal() {
        let (zh, en) = refusal.cure();
        findings.push(Finding::broken(
            PART,
            lang.pick(&refusal.zh(), &refusal.en()),
            lang.pick(zh, en),
        ));
    } else if server.listen.ip().is_loopback() && !common.config.is_https() {
        findings.push(Finding::limited(
            PART,
            lang.pick(
                "只监听本机，手机打不开页面",
                "huoyan listens on this machine only: phones cannot reach it",
            ),
            lang.pick(
                "[server] listen、certificate、key 和 public_url，见 docs/deploy.md",
                "[server] listen, certificate, key and public_url: docs/deploy.md",
            ),
        ));
    } else if !common.config.is_https() {
        findings.push(Finding::limited(
            PART,
            lang.pick(
                "网络上用明文：同网的人能读到内容，手机不提供定位和离线页面",
                "plain HTTP on the network: others can read along, and phones offer neither \
                position nor offline pages",
            ),
            lang.pick(
                "[server] certificate 和 key，见 docs/deploy.md",
                "[server] certificate and key: docs/deploy.md",
            ),
        ));
    }
    findings.extend(certificate(server, lang));
    findings
}

fn certificate(server: &Server, lang: Lang) -> Vec<Finding> {
    let cure = lang.pick("见 docs/deploy.md 的“证书”", "docs/deploy.md, Certificate");
    let pair = match Pair::read(server) {
        None => return Vec::new(),
        Some(Err(fault)) => return vec![Finding::broken(PART, fault.words(lang), cure)],
        Some(Ok(pair)) => pair,
    };
    let now = Clock::System.now();
    let until = pair.until().to_zoned(county_time()).strftime("%Y-%m-%d").to_string();
    let mut findings = vec![match (pair.problem(now), pair.ends_soon(now)) {
        (Some(fault), _) => Finding::broken(PART, fault.words(lang), cure),
        (None, Some(fault)) => Finding::limited(PART, fault.words(lang), cure),
        (None, None) => Finding::works(
            PART,
            match lang {
                Lang::Zh => format!("证书有效至 {until}；手机是否信任签发单位，须在手机上看"),
                Lang::En => format!(
                    "the certificate is valid until {until}; whether phones trust its issuer, only \
                    a phone shows"
                ),
            },
        ),
    }];
    let can_others_read =
        |path: &Path| std::fs::metadata(path).is_ok_and(|it| it.mode() & 0o007 != 0);
    if let Some(key) = server.key.as_deref().filter(|key| can_others_read(key)) {
        findings.push(Finding::limited(
            PART,
            match lang {
                Lang::Zh => format!("本机所有用户都能读取私钥 {}", key.display()),
                Lang::En => {
                    format!("every user of this machine can read the private key {}", key.display())
                }
            },
            format!("chmod o= {}", key.display()),
        ));
    }
    findings
}
