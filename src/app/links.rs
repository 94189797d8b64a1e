//! What a person sees after the start: addresses, and one-time links if requested. Links are
//! secrets: they go to stdout, never into the log.

use super::App;
use crate::error::{Error, Result};
use crate::lang::Lang;
use crate::store::Access;
use crate::triage::id::PersonId;
use crate::triage::policy::Role;
use crate::web;
use jiff::SignedDuration;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The file with the token for commands on this machine. Only its owner can read it, and it is new
/// at every start.
pub const ADMIN_TOKEN: &str = "admin.token";

pub fn write_admin_token(data: &Path) -> Result<String> {
    let token = web::secret()?;
    let path = data.join(ADMIN_TOKEN);
    let cannot = |e| Error::unavailable(format!("cannot write {}", path.display())).because(e);
    let mut options = std::fs::OpenOptions::new();
    let mut file =
        options.write(true).create(true).truncate(true).mode(0o600).open(&path).map_err(cannot)?;
    file.write_all(token.as_bytes()).map_err(cannot)?;
    Ok(token)
}

/// `24 小时内有效`: how long a link can be opened.
pub fn life_words(life: SignedDuration, lang: Lang) -> String {
    let (hours, minutes) = (life.as_hours(), life.as_mins());
    match lang {
        Lang::Zh if hours >= 2 => format!("{hours}小时内有效"),
        Lang::Zh => format!("{minutes}分钟内有效"),
        Lang::En if hours >= 2 => format!("valid for {hours} hours"),
        Lang::En => format!("valid for {minutes} minutes"),
    }
}

/// Without links: the address, and how people log in.
pub fn greet(app: &App) {
    let url = app.config.public_url();
    tracing::info!(
        "{}",
        match app.lang {
            Lang::Zh => format!(
                "火眼已启动：{url}/  登录链接：huoyan user enrol <人员编号> --role \
                officer"
            ),
            Lang::En => format!(
                "huoyan is up: {url}/  login links: huoyan user enrol <person> \
                --role officer"
            ),
        }
    );
}

/// A login link: the page's name, its whole address, how long it can be opened.
pub type Link = (&'static str, String, SignedDuration);

/// One link per page: today's officer for office and ops, and `ranger` or the first ranger of the
/// register. People that the register does not entitle get none, because they could not log in with
/// it.
pub async fn issue(app: &App, ranger: Option<&PersonId>) -> Result<Vec<Link>> {
    let county = app.registers.current();
    let officer =
        county.duty(Role::CountyDuty, None, app.clock.now()).map(|person| person.id.clone());
    let first = || {
        county.people.iter().find(|person| person.post.is_ranger()).map(|person| person.id.clone())
    };
    let ranger = ranger.cloned().or_else(first);
    let base = app.config.public_url();
    let mut links = Vec::new();
    for (name, person, access) in [
        ("office", &officer, Access::Officer),
        ("ranger", &ranger, Access::Ranger),
        ("ops", &officer, Access::Ops),
    ] {
        let Some(person) = person else { continue };
        let life = web::link_life(&app.config.server, access);
        let path = web::issue_login(&app.store, person, access, life, &app.clock).await?;
        links.push((name, format!("{base}{path}"), life));
    }
    Ok(links)
}

/// The links as one JSON object, by page.
pub fn as_json(links: Vec<Link>) -> serde_json::Value {
    let links = links.into_iter().map(|(name, url, _)| (name.to_owned(), url.into()));
    serde_json::Value::Object(links.collect())
}

/// Prints them for a person or a program. `words`: what to know before opening them.
pub async fn print(
    app: &App,
    ranger: Option<&PersonId>,
    words: Option<&str>,
    json: bool,
) -> Result<()> {
    let links = issue(app, ranger).await?;
    if json {
        println!("{}", as_json(links));
        return Ok(());
    }
    let base = app.config.public_url();
    println!(
        "\n{}",
        match app.lang {
            Lang::Zh => format!("火眼已启动：{base}/  以下登录链接各用一次："),
            Lang::En => format!("Huoyan is up at {base}/  Each login link works once:"),
        }
    );
    let has_officer = links.iter().any(|(name, ..)| *name == "office");
    list(links, app.lang);
    if !has_officer {
        println!(
            "{}",
            app.lang.pick(
                "登记册里没有县值班员，没有可进值班台的人：先运行 huoyan import people <文件>，\
                再用 huoyan user enrol 发链接",
                "The register names no county officer, so nobody can enter the board: run huoyan \
                import people <file>, then huoyan user enrol",
            )
        );
    }
    if let Some(words) = words {
        println!("{words}");
    }
    println!("{}\n", app.lang.pick("停止：Ctrl-C", "Stop with Ctrl-C"));
    Ok(())
}

fn list(links: Vec<Link>, lang: Lang) {
    let face = |name| match name {
        "office" => lang.pick("值班台", "duty officer's board"),
        "ranger" => lang.pick("护林员", "ranger's phone page"),
        _ => lang.pick("调参", "ops: cameras and thresholds"),
    };
    for (name, url, life) in links {
        let life = life_words(life, lang);
        println!(
            "  {name:<7}{url}  {}{}",
            face(name),
            lang.pick(&format!("，{life}"), &format!(", {life}"))
        );
    }
}

/// The links of a centre and its counties, by code.
pub fn print_all(all: Vec<(String, Vec<Link>)>, lang: Lang, json: bool) {
    if json {
        let all = all.into_iter().map(|(code, links)| (code, as_json(links)));
        println!("{}", serde_json::Value::Object(all.collect()));
        return;
    }
    for (code, links) in all {
        println!("\n{code}{}", lang.pick("  登录链接各用一次：", "  each login link works once:"));
        list(links, lang);
    }
    println!("{}\n", lang.pick("停止：Ctrl-C", "Stop with Ctrl-C"));
}
