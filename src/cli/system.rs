//! `huoyan system`: other systems that may send their alarms (docs/alarms.md). Each has a key of its
//! own, which is shown once and can be revoked alone.

use super::{Common, Outcome};
use crate::base::time::county_time;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::lang::{Lang, Words};
use crate::store::{AlarmSystem, Store};
use crate::web;
use clap::Subcommand;
use jiff::{SignedDuration, Timestamp};

/// Longest name, characters: it stands on the board and in every sighting.
const NAME_MAX_CHARS: usize = 40;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// 登记一个系统并给出密钥 / let a system send, and print its key
    Add {
        /// 名称，值班员看到的 / its name, as officers see it
        name: String,
        /// 多久没有消息就提示 / the board says so after this time without a word: 24h
        #[arg(long, value_name = "DURATION")]
        silent_after: Option<SignedDuration>,
    },
    /// 列出系统 / the systems: last alarm, refusals
    List,
    /// 吊销密钥 / refuse a system's key from now on
    Revoke { name: String },
}

pub(super) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let now = Clock::System.now();
    super::runtime()?.block_on(async {
        let store = Store::of(&common.config).await?;
        match args.action {
            Action::Add { name, silent_after } => {
                add(&store, name.trim(), silent_after, now, common).await
            }
            Action::List => {
                list(&store.alarm_systems().await?, common);
                Ok(())
            }
            Action::Revoke { name } => revoke(&store, name.trim(), now, common).await,
        }
    })?;
    Ok(Outcome::Fine)
}

async fn add(
    store: &Store,
    name: &str,
    silent_after: Option<SignedDuration>,
    now: Timestamp,
    common: &Common,
) -> Result<()> {
    let is_fine = |it: char| !it.is_control();
    if name.is_empty() || name.chars().count() > NAME_MAX_CHARS || !name.chars().all(is_fine) {
        return Err(Error::invalid(Words::new(
            format!("系统名称应为1到{NAME_MAX_CHARS}个字"),
            format!("a system's name has 1 to {NAME_MAX_CHARS} characters"),
        )));
    }
    let (least, most) = (SignedDuration::from_mins(1), SignedDuration::from_hours(24 * 366));
    if silent_after.is_some_and(|it| !(least..=most).contains(&it)) {
        return Err(Error::invalid(Words::new(
            "--silent-after 应在1分钟到一年之间，例如 24h",
            "--silent-after must lie between a minute and a year, for example 24h",
        )));
    }
    let key = web::secret()?;
    store.add_alarm_system(name, &web::hash_secret(&key), silent_after, now).await?;
    if common.json {
        println!("{}", serde_json::json!({"system": name, "key": key}));
        return Ok(());
    }
    println!("{key}");
    let words = common.lang.pick(
        "密钥只显示这一次，请交给该系统。它发到 POST /api/v1/inbound/alarms，请求头 \
        Authorization: Bearer <密钥>",
        "the key is shown this once: give it to the system. It sends to POST \
        /api/v1/inbound/alarms with the header Authorization: Bearer <key>",
    );
    eprintln!("{words}");
    Ok(())
}

fn list(systems: &[AlarmSystem], common: &Common) {
    if common.json {
        let rows = systems.iter().map(|it| {
            serde_json::json!({
                "system": it.name, "since": it.since, "revoked_at": it.revoked_at,
                "silent_after_s": it.silent_after.map(|it| it.as_secs()),
                "heard_at": it.heard_at, "alarm_at": it.alarm_at,
                "refused": it.refused.as_ref().map(|no| serde_json::json!({
                    "count": no.count, "at": no.at, "why": no.why.pick(common.lang),
                })),
            })
        });
        println!("{}", serde_json::Value::Array(rows.collect()));
        return;
    }
    let time = |at: Timestamp| at.to_zoned(county_time()).strftime("%Y-%m-%d %H:%M").to_string();
    let never = common.lang.pick("从未", "never");
    for it in systems {
        let alarm = it.alarm_at.map_or_else(|| never.to_owned(), time);
        let mut line = match common.lang {
            Lang::Zh => format!("{}  密钥自 {}  最近告警 {alarm}", it.name, time(it.since)),
            Lang::En => format!("{}  key since {}  last alarm {alarm}", it.name, time(it.since)),
        };
        if let Some(no) = &it.refused {
            let (count, at, why) = (no.count, time(no.at), no.why.pick(common.lang));
            line += &match common.lang {
                Lang::Zh => format!("  拒收{count}条，最近 {at}：{why}"),
                Lang::En => format!("  {count} refused, last {at}: {why}"),
            };
        }
        if let Some(at) = it.revoked_at {
            let at = time(at);
            line += &match common.lang {
                Lang::Zh => format!("  已于 {at} 吊销"),
                Lang::En => format!("  revoked {at}"),
            };
        }
        println!("{line}");
    }
}

async fn revoke(store: &Store, name: &str, now: Timestamp, common: &Common) -> Result<()> {
    if !store.revoke_alarm_system(name, now).await? {
        return Err(Error::invalid(Words::new(
            format!("没有名为 {name} 的有效系统；huoyan system list 查看"),
            format!("no system {name} has a valid key; huoyan system list shows them"),
        )));
    }
    if common.json {
        println!("{}", serde_json::json!({"system": name, "revoked": true}));
    } else {
        println!(
            "{}",
            match common.lang {
                Lang::Zh => format!("{name}：密钥已吊销，再发来的告警会被拒收并显示在值班台"),
                Lang::En => format!(
                    "{name}: the key is revoked; what it still sends is refused, and the board \
                    says so"
                ),
            }
        );
    }
    Ok(())
}
