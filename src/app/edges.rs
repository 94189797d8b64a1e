//! The centre's side of its edges: takes in their sightings and pictures, knows when each last
//! spoke, tells them the published thresholds, and says on the board what is wrong between them.

use super::vitals::said;
use super::{App, Site, sleep_or_stop, spawn};
use crate::bus::{Arrived, Aside, Line, Pictures};
use crate::config::Config;
use crate::edge::{Roster, Standing, Word};
use crate::error::{Error, Kind, Result};
use crate::frame::Health;
use crate::lang::{Lang, Words};
use crate::store;
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

/// Interval between looks at the line, and between two words of the thresholds.
const LOOKS_EVERY: Duration = Duration::from_secs(5);
/// Interval between tries while the server is away.
const TRIES_AGAIN: Duration = Duration::from_secs(2);

/// Interval between tries for pictures that could not be had.
const TRIES_OWED: Duration = Duration::from_secs(15);

/// The queue was open and has ended: alarms may wait in it.
const OPENS_AGAIN: Duration = Duration::from_millis(200);

/// What `huoyan desk` needs beside what `huoyan run` does.
///
/// # Errors
/// `Invalid`, with what to write where.
pub(super) fn check(config: &Config) -> Result<()> {
    if config.bus.is_local() {
        return Err(Error::invalid(Words::new(
            "中心通过 NATS 接收边缘的告警：请设置 [bus] url，例如 nats://10.0.0.2:4222",
            "a desk hears its edges over NATS: set [bus] url, for example nats://10.0.0.2:4222 \
            (docs/cluster.md)",
        )));
    }
    if store::url(config) == "sqlite" {
        return Err(Error::invalid(Words::new(
            "多个中心共用一个 PostgreSQL：请设置 HUOYAN_STORE_URL 或 [store] url",
            "desks share one PostgreSQL database: set HUOYAN_STORE_URL or [store] url \
            (docs/cluster.md). `huoyan run` is the one with SQLite",
        )));
    }
    Ok(())
}

/// Starts the tasks.
///
/// `is_alone`: this process has no cameras of its own, so that each needs an edge.
pub(super) fn hear(tasks: &mut JoinSet<()>, app: &App, line: &Line, is_alone: bool) {
    let roster = Arc::new(Mutex::new(Roster::new(app.clock.now())));
    start(tasks, "edges' sightings", app, line, sightings);
    start(tasks, "edges' pictures", app, line, pictures);
    start(tasks, "edges' words", app, line, move |app, line| {
        words(app, line, Arc::clone(&roster), is_alone)
    });
    start(tasks, "line", app, line, keep_line);
}

fn start<F: Future<Output = ()> + Send + 'static>(
    tasks: &mut JoinSet<()>,
    part: &'static str,
    app: &App,
    line: &Line,
    task: impl Fn(App, Line) -> F + Send + Sync + 'static,
) {
    let line = line.clone();
    spawn(tasks, part, app, move |app| task(app, line.clone()));
}

async fn sightings(app: App, line: Line) {
    loop {
        let pause = match line.sightings().await {
            Ok(mut queue) => {
                trouble(&app, "bus sightings", None);
                app.desk.listen(&mut queue, app.stopped()).await;
                OPENS_AGAIN
            }
            Err(e) => {
                trouble(&app, "bus sightings", Some(&e));
                TRIES_AGAIN
            }
        };
        if sleep_or_stop(&app, pause).await {
            return;
        }
    }
}

async fn pictures(app: App, line: Line) {
    loop {
        let copied = async { copy(&app, &line, line.pictures().await?).await };
        let copied = tokio::select! {
            copied = copied => copied,
            () = app.stopped() => return,
        };
        if let Err(e) = copied {
            trouble(&app, "bus pictures", Some(&e));
        }
        if sleep_or_stop(&app, TRIES_AGAIN).await {
            return;
        }
    }
}

/// Keeps what this desk lacks. Ends only with an error: then the store is opened again, from its
/// beginning. A picture that cannot be had now hides no other, and is tried again until it is.
async fn copy(app: &App, line: &Line, mut pictures: Pictures) -> Result<()> {
    trouble(app, "bus pictures", None);
    // At most as many as the server holds.
    let mut owed = VecDeque::new();
    let mut pause = pin!(app.clock.sleep(TRIES_OWED));
    loop {
        // While one cannot be had, only one of them is tried in a pause: new ones do not wait.
        let (due, is_owed) = tokio::select! {
            arrived = pictures.next() => (Some(arrived?), false),
            () = &mut pause => {
                pause.set(app.clock.sleep(TRIES_OWED));
                (owed.pop_front(), true)
            }
        };
        let Some(arrived) = due else { continue };
        match keep(app, &mut pictures, &arrived).await {
            Ok(()) if is_owed && !owed.is_empty() => pause.set(app.clock.sleep(Duration::ZERO)),
            Ok(()) => {}
            Err(e) if e.kind == Kind::Invalid => {
                tracing::error!("a picture of an edge is left out: {}", e.chain());
            }
            Err(e) if !line.is_connected() => return Err(e),
            Err(e) => {
                owed.push_back(arrived);
                lacks(app, owed.len(), Some(&e));
            }
        }
        if owed.is_empty() {
            lacks(app, 0, None);
        }
    }
}

async fn keep(app: &App, pictures: &mut Pictures, arrived: &Arrived) -> Result<()> {
    let Some(picture) = arrived.picture else {
        return pictures.fetch(arrived).await.map(drop);
    };
    if app.store.has_picture(picture).await {
        return Ok(());
    }
    let bytes = pictures.fetch(arrived).await?;
    app.store.keep_picture(picture, bytes).await?;
    tracing::debug!(%picture, "a picture of an edge is kept");
    Ok(())
}

/// Says how many pictures this desk could not get, or keep, so far.
fn lacks(app: &App, pictures: usize, why: Option<&Error>) {
    let reason = why.map(Error::chain).unwrap_or_default();
    said(
        app,
        "edges' evidence",
        why.is_some(),
        || format!("边缘的{pictures}张图片还没有取到本中心，正在重试：{reason}"),
        || format!("{pictures} pictures of edges are not on this desk yet; trying again: {reason}"),
    );
}

async fn words(app: App, line: Line, roster: Arc<Mutex<Roster>>, is_alone: bool) {
    let mut roster = roster.lock().await;
    loop {
        let heard = listen(&app, &line, &mut roster, is_alone);
        tokio::select! {
            heard = heard => if let Err(e) = heard {
                tracing::debug!("the words of edges are not heard: {}", e.chain());
            },
            () = app.stopped() => return,
        }
        judge(&app, &mut roster, is_alone);
        if sleep_or_stop(&app, TRIES_AGAIN).await {
            return;
        }
    }
}

async fn listen(app: &App, line: &Line, roster: &mut Roster, is_alone: bool) -> Result<()> {
    let mut heard = line.hear::<Word>().await?;
    loop {
        // A look must not cut a word off, so the word is waited for across looks.
        let next = heard.next();
        let mut next = std::pin::pin!(next);
        let said = loop {
            tokio::select! {
                said = &mut next => break said?,
                () = app.clock.sleep(LOOKS_EVERY) => judge(app, roster, is_alone),
            }
        };
        // A server whose clock is ahead makes no edge live longer.
        let now = app.clock.now();
        let at = said.at.map_or(now, |at| at.min(now));
        for camera in roster.hear(said.edge, at, said.word) {
            camera.put_on(&app.status);
        }
        judge(app, roster, is_alone);
    }
}

/// Puts on the board how each edge is, and which cameras nobody watches.
fn judge(app: &App, roster: &mut Roster, is_alone: bool) {
    let now = app.clock.now();
    for Standing { edge, is_well, words } in roster.standings(now) {
        let en = words.en.clone();
        if app.parts.set_edge(&edge, is_well, words) {
            match is_well {
                true => tracing::info!(edge, "{en}"),
                false => tracing::error!(edge, "{en}"),
            }
        }
    }
    let county = app.registers.current();
    let registered = county.cameras.iter().map(|it| &it.id);
    for (camera, words) in roster.unwatched(registered, is_alone, now) {
        let words = words.pick(app.lang).to_owned();
        app.status.set_health(camera, Health::Offline, Some(words), now);
    }
}

/// Looks whether the line stands and what was kept aside, and tells the edges the thresholds. Desks
/// learn of each other's publications here, too, from the database.
async fn keep_line(app: App, line: Line) {
    while !sleep_or_stop(&app, LOOKS_EVERY).await {
        trouble(&app, "bus", line.trouble().as_ref());
        if let Err(e) = tell_thresholds(&app, &line).await {
            tracing::debug!("the thresholds are not told: {}", e.chain());
        }
        let Ok(aside) = line.aside().await else { continue };
        let words = aside.map(|Aside { messages, why, stream }| {
            let zh = format!(
                "边缘发来的{messages}条消息处理不了，已另存在 NATS 的 {stream} 中，\
                没有丢弃，请交给运维；最近一条：{why}"
            );
            let en = format!(
                "{messages} messages of edges could not be taken in. None is lost: they are kept \
                in {stream} on the NATS server; tell operations. The newest: {why}"
            );
            (zh, en)
        });
        let is_wrong = words.is_some();
        let (zh, en) = words.unwrap_or_default();
        said(&app, "aside", is_wrong, || zh, || en);
    }
}

async fn tell_thresholds(app: &App, line: &Line) -> Result<()> {
    let Some(published) = app.store.threshold_history().await?.pop().map(|it| it.thresholds) else {
        return Ok(());
    };
    if app.thresholds.get() != published {
        tracing::info!(
            version = published.version,
            "thresholds that another desk published are in force"
        );
        app.thresholds.publish(published.clone());
    }
    line.tell(&published).await
}

/// Puts the fault of the line on the board, or takes it away.
fn trouble(site: &Site, part: &'static str, why: Option<&Error>) {
    let reason = |lang| why.map(|why| why.chain_in(lang)).unwrap_or_default();
    said(
        site,
        part,
        why.is_some(),
        || format!("收不到边缘的消息：{}", reason(Lang::Zh)),
        || format!("cannot hear the edges: {}", reason(Lang::En)),
    );
}
