//! `huoyan user`: who gets in. People come from the registers (`huoyan import people`); a login is a link that works once.

use super::{Common, Outcome};
use crate::clock::Clock;
use crate::county::Registers;
use crate::error::{Error, Result};
use crate::store::{Access, Store};
use crate::triage::id::PersonId;
use crate::web;
use clap::{Subcommand, ValueEnum};

#[derive(clap::Args)]
pub struct Args {
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
}

#[derive(Clone, Copy, ValueEnum)]
enum Face {
    Officer,
    Ranger,
    Ops,
}

pub fn run(args: Args, common: &Common) -> Result<Outcome> {
    let data = &common.config.store.data;
    let registers = Registers::load(&data.join("registers"))?;
    let county = registers.current();
    let known = |id: &str| {
        county.person(&PersonId::from(id)).cloned().ok_or_else(|| {
            let words = common.lang.pick(
                "登记册里没有此人；先 huoyan user list 查看编号",
                "nobody in the registers has this id; see huoyan user list",
            );
            Error::invalid(format!("{id}: {words}"))
        })
    };
    match args.action {
        Action::List if common.json => {
            let people =
                county.people.iter().map(|p| serde_json::json!({"id": p.id, "name": p.name, "post": p.post.en()}));
            println!("{}", serde_json::Value::Array(people.collect()));
        }
        Action::List => {
            for person in &county.people {
                println!("{:<12} {} {}", person.id, common.lang.pick(person.post.zh(), person.post.en()), person.name);
            }
        }
        Action::Enrol { person, role } => {
            let person = known(&person)?;
            let access = match role {
                Face::Officer => Access::Officer,
                Face::Ranger => Access::Ranger,
                Face::Ops => Access::Ops,
            };
            let life = common.config.server.login_link_life;
            let path = super::runtime()?.block_on(async {
                let store = Store::open(&crate::app::store_url(&common.config), data).await?;
                web::issue_login(&store, &person.id, access, life, &Clock::System).await
            })?;
            let url = format!("{}{path}", common.config.public_url());
            if common.json {
                println!("{}", serde_json::json!({"person": person.id, "url": url, "life_s": life.as_secs()}));
            } else {
                println!("{url}");
                eprintln!(
                    "{}",
                    common.lang.pick("此链接只能用一次，请只交给本人", "the link works once; hand it to nobody else")
                );
            }
        }
        Action::Disable { person } => super::runtime()?.block_on(async {
            let store = Store::open(&crate::app::store_url(&common.config), data).await?;
            store.end_sessions_of(&PersonId(person)).await
        })?,
    }
    Ok(Outcome::Fine)
}
