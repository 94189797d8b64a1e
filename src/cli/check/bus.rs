//! The line between edges and desks: is the server there, does it take the login, and may this
//! program say and hear what it has to?

use super::{Common, Finding};
use crate::bus::{Line, Login};
use crate::lang::Lang;

const PART: &str = "bus";
/// The desks' name at the server.
const DESK: &str = "desk";

/// As an edge where the configuration names one, otherwise as a desk. Nothing where one program is
/// everything.
pub(super) fn bus(common: &Common) -> Vec<Finding> {
    let (config, lang) = (&common.config, common.lang);
    if config.bus.is_local() || config.is_centre() {
        return Vec::new();
    }
    let runtime = match super::super::runtime() {
        Ok(runtime) => runtime,
        Err(e) => return vec![Finding::broken(PART, e.chain_in(lang), lang.pick("重试", "retry"))],
    };
    runtime.block_on(look(common))
}

async fn look(common: &Common) -> Vec<Finding> {
    let (config, lang) = (&common.config, common.lang);
    let edge = config.edge.name.as_deref();
    let connected = match Login::of(config) {
        Ok(login) => Line::connect(&config.bus, login, edge.unwrap_or(DESK)).await,
        Err(e) => Err(e),
    };
    let line = match connected {
        Ok(line) => line,
        Err(e) => {
            let cure = lang.pick("更正 [bus] 一节", "correct the section [bus]");
            return vec![Finding::broken(PART, e.chain_in(lang), cure)];
        }
    };
    let url = &config.bus.url;
    if let Err(e) = line.enters().await {
        let cure = match line.is_refused() {
            true => lang.pick(
                "更正 HUOYAN_NATS_USER（或 [bus] user）及其密码，或 [bus] creds，\
                与 nats-server.conf 里的一致",
                "correct HUOYAN_NATS_USER (or [bus] user) and its password, or [bus] creds, as in \
                nats-server.conf",
            ),
            false => lang.pick(
                "看 nats-server 是否在运行、[bus] url 和 ca、网络与防火墙；告警在此期间存在本机",
                "check that nats-server runs, [bus] url and ca, the network and the firewall; \
                alarms are kept here meanwhile",
            ),
        };
        return vec![Finding::broken(PART, format!("{url}: {}", e.chain_in(lang)), cure)];
    }
    let mut findings = vec![Finding::works(
        PART,
        format!("{url} {}", lang.pick("已连上，登录有效", "is reached and takes the login")),
    )];
    findings.extend(match edge {
        Some(edge) => of_edge(&line, edge, lang).await,
        None => of_desk(&line, lang).await,
    });
    findings
}

async fn of_edge(line: &Line, edge: &str, lang: Lang) -> Vec<Finding> {
    let sends = match line.may_send_sightings(edge).await {
        Ok(true) => Finding::works(PART, lang.pick("告警可以送出", "sightings can be sent")),
        Ok(false) => no_queue(lang),
        Err(e) => Finding::broken(PART, e.chain_in(lang), rights(lang)),
    };
    let hears = line.may_hear("tuning").await.err();
    let hears = hears.map(|e| Finding::broken(PART, e.chain_in(lang), rights(lang)));
    [sends].into_iter().chain(hears).collect()
}

async fn of_desk(line: &Line, lang: Lang) -> Vec<Finding> {
    let streams = match line.missing_streams().await {
        Ok(missing) if missing.is_empty() => Finding::works(
            PART,
            lang.pick("告警队列和图片库都在", "the queues and the store of pictures are there"),
        ),
        Ok(_) => no_queue(lang),
        Err(e) => Finding::broken(
            PART,
            e.chain_in(lang),
            lang.pick(
                "用 nats-server -js 启动，并按 docs/nats-server.conf 给中心的登录以权限",
                "start nats-server with -js, and give the desk's login the rights of \
                docs/nats-server.conf",
            ),
        ),
    };
    let hears = line.may_hear("changed").await.err();
    let hears = hears.map(|e| Finding::broken(PART, e.chain_in(lang), rights(lang)));
    [streams].into_iter().chain(hears).collect()
}

fn no_queue(lang: Lang) -> Finding {
    Finding::limited(
        PART,
        lang.pick(
            "服务器上还没有（或不全有）告警队列和图片库",
            "the server lacks some of the queues and the store of pictures",
        ),
        lang.pick(
            "启动一次 huoyan desk，它会建立；在此之前告警存在边缘的磁盘上",
            "start huoyan desk once, which makes them; until then alarms wait on the edges' disks",
        ),
    )
}

fn rights(lang: Lang) -> &'static str {
    lang.pick(
        "按 docs/nats-server.conf 给此登录以权限，核对 [bus] county 和 [edge] name",
        "give this login the rights of docs/nats-server.conf, and compare [bus] county and [edge] \
        name with them",
    )
}
