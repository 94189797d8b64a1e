//! `huoyan user`: who may log in. People come from the registers (`huoyan import people`); a login
//! is a link that works once.

use super::{Common, Outcome};
use crate::app::links::life_words;
use crate::app::serving::Serving;
use crate::base::time::county_time;
use crate::clock::Clock;
use crate::county::{County, Registers};
use crate::error::{Error, Result};
use crate::lang::Lang;
use crate::store::{Access, Ended, Login, OpenSession, Store};
use crate::triage::id::PersonId;
use crate::web;
use clap::{Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// 列出登记人员 / the people of the registers
    List,
    /// 发一次性登录链接 / a one-time login link for a phone or page
    Enrol {
        /// 人员编号 / the person's id in the registers
        person: String,
        #[arg(long, value_enum)]
        role: Face,
    },
    /// 注销此人所有登录 / end all sessions and links of a person
    Disable { person: String },
    /// 列出当前登录 / who is logged in, since when, last seen when
    Sessions,
}

#[derive(Clone, Copy, ValueEnum)]
enum Face {
    Officer,
    Ranger,
    Ops,
}

pub(super) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let data = &common.config.store.data;
    let registers = Registers::load(&data.join("registers"), Clock::System.now())?;
    let county = registers.current();
    let known = |id: &str| {
        county.person(&PersonId::from(id)).cloned().ok_or_else(|| {
            let words = common.lang.pick(
                "登记册里没有此人；先 huoyan user list 查看编号",
                "the register has nobody with this id; huoyan user list shows the ids",
            );
            Error::invalid(format!("{id}: {words}"))
        })
    };
    match args.action {
        Action::List if common.json => {
            let people = county
                .people
                .iter()
                .map(|p| serde_json::json!({"id": p.id, "name": p.name, "post": p.post.en()}));
            println!("{}", serde_json::Value::Array(people.collect()));
        }
        Action::List => {
            for person in &county.people {
                println!(
                    "{:<12} {} {}",
                    person.id,
                    common.lang.pick(person.post.zh(), person.post.en()),
                    person.name
                );
            }
        }
        Action::Enrol { person, role } => {
            let person = known(&person)?;
            let access = match role {
                Face::Officer => Access::Officer,
                Face::Ranger => Access::Ranger,
                Face::Ops => Access::Ops,
            };
            let login = Login { person: person.id.clone(), access };
            let townships = web::check_entitled(&county, &login).map_err(|(zh, en)| {
                Error::invalid(format!("{}: {}", person.id, common.lang.pick(zh, en)))
            })?;
            let life = web::link_life(&common.config.server, access);
            let path = super::runtime()?.block_on(async {
                let store = Store::of(&common.config).await?;
                web::issue_login(&store, &person.id, access, life, &Clock::System).await
            })?;
            hand_over(&person.id, &path, life, &townships, common);
        }
        Action::Disable { person } => disable(&person, known(&person).err(), common)?,
        Action::Sessions => sessions(&county, common)?,
    }
    Ok(Outcome::Fine)
}

/// The link goes to stdout. Its address is that of the running program, which may have been started
/// with `--listen`.
fn hand_over(
    person: &PersonId,
    path: &str,
    life: SignedDuration,
    townships: &[String],
    common: &Common,
) {
    let running = Serving::of_running(&common.config.store.data);
    let is_running = running.is_some();
    let base = running.map_or_else(|| common.config.public_url(), |serving| serving.public_url);
    let url = format!("{base}{path}");
    if common.json {
        println!("{}", serde_json::json!({"person": person, "url": url, "life_s": life.as_secs()}));
        return;
    }
    println!("{url}");
    let life = life_words(life, common.lang);
    eprintln!(
        "{}",
        match common.lang {
            Lang::Zh => format!("此链接只能用一次，{life}，请只交给本人"),
            Lang::En => format!("the link works once and is {life}; give it to this person only"),
        }
    );
    if !townships.is_empty() {
        let names = townships.join(common.lang.pick("、", ", "));
        eprintln!(
            "{}",
            match common.lang {
                Lang::Zh => format!("乡镇值班：登录后只看到{names}的警情"),
                Lang::En =>
                    format!("a township's duty: this login shows the incidents of {names} only"),
            }
        );
    }
    if !is_running {
        eprintln!(
            "{}",
            common.lang.pick(
                "火眼没有在这个数据目录上运行：启动后链接才能打开，地址以配置为准",
                "huoyan does not run on this data folder: the link opens once it does, at the \
                configured address",
            )
        );
    }
}

/// Also for somebody who has left the registers: `unknown` is an error only if there was nothing to
/// end either.
fn disable(person: &str, unknown: Option<Error>, common: &Common) -> Result<()> {
    let ended = super::runtime()?.block_on(async {
        let store = Store::of(&common.config).await?;
        store.end_sessions_of(&PersonId::from(person)).await
    })?;
    let Ended { sessions, links } = ended;
    if let Some(unknown) = unknown.filter(|_| ended == Ended::default()) {
        return Err(unknown);
    }
    tracing::info!(person, sessions, links, "all logins of a person were ended");
    if common.json {
        println!("{}", serde_json::json!({"person": person, "sessions": sessions, "links": links}));
    } else {
        println!(
            "{}",
            match common.lang {
                Lang::Zh => format!("{person}：已注销{sessions}个登录，作废{links}个未用的链接"),
                Lang::En => format!(
                    "{person}: {sessions} sessions ended, {links} unused links \
                    voided"
                ),
            }
        );
    }
    Ok(())
}

/// Sessions that the register no longer entitles are marked: they admit nobody any more.
fn sessions(county: &County, common: &Common) -> Result<()> {
    let open = super::runtime()?.block_on(async {
        let store = Store::of(&common.config).await?;
        store.sessions(Clock::System.now()).await
    })?;
    let valid = |it: &OpenSession| {
        web::check_entitled(county, &Login { person: it.person.clone(), access: it.access }).is_ok()
    };
    if common.json {
        let rows = open.iter().map(|it| {
            serde_json::json!({"person": it.person, "role": it.access, "since": it.since, "last_seen": it.used_at,
                               "ends": it.expires_at, "valid": valid(it)})
        });
        println!("{}", serde_json::Value::Array(rows.collect()));
        return Ok(());
    }
    let time = |at: Timestamp| at.to_zoned(county_time()).strftime("%Y-%m-%d %H:%M").to_string();
    for it in &open {
        let role = match it.access {
            Access::Ranger => common.lang.pick("护林员", "ranger"),
            Access::Officer => common.lang.pick("值班台", "officer"),
            Access::Ops => common.lang.pick("运维", "ops"),
        };
        let (since, seen, ends) = (time(it.since), time(it.used_at), time(it.expires_at));
        let mark = if valid(it) {
            ""
        } else {
            common.lang.pick("  登记册已不允许", "  no longer allowed by the registers")
        };
        println!(
            "{}",
            match common.lang {
                Lang::Zh => format!(
                    "{:<12} {role}  登录于 {since}  最近使用 {seen}  到期 \
                    {ends}{mark}",
                    it.person
                ),
                Lang::En => format!(
                    "{:<12} {role}  since {since}  last seen {seen}  ends \
                    {ends}{mark}",
                    it.person
                ),
            }
        );
    }
    Ok(())
}
