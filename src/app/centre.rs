//! Several counties in one process. Each is a cell; what they share is the listener, the runtime
//! and the measures. A county that cannot start is said, costs no other anything, and is tried
//! again with its file as it then is.

use super::border::{self, Neighbours};
use super::cell::{self, Cell};
use super::site::{REGISTERS_EVERY, county_span, sleep_or_stop, spawn};
use super::{
    App, House, Options, Role, backups, edges, keep_certificate, links, own, prune, vitals,
};
use crate::camera;
use crate::clock::Clock;
use crate::config::{Config, Listed};
use crate::error::{Error, Result};
use crate::lang::{Lang, Words};
use crate::web::tls::Pair;
use crate::web::{self, Doors, Standing, WebState};
use metrics_exporter_prometheus::PrometheusHandle;
use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore, watch as signal};
use tokio::task::JoinSet;
use tracing::Instrument;

/// Interval at which counties that do not run are tried, and their folder is looked at.
const TRIES_EVERY: Duration = Duration::from_secs(10);
/// Counties started at once. Each asks the database for its schema and reads its registers.
const STARTED_AT_ONCE: usize = 8;
/// Interval at which a county's name is held against the certificate.
const CERTIFICATE_EVERY: Duration = Duration::from_secs(3600);

/// What the counties are started with and where they are kept.
#[derive(Clone)]
struct Centre {
    config: Arc<Config>,
    /// The centre's own pages and registers.
    app: App,
    web: WebState,
    doors: Doors,
    running: Arc<Mutex<BTreeMap<String, Running>>>,
    neighbours: Neighbours,
    /// True when every county has been tried once.
    tried: signal::Sender<bool>,
}

struct Running {
    cell: Cell,
    _lock: File,
}

/// Runs until Ctrl-C or SIGTERM.
pub(super) async fn run(mut options: Options) -> Result<()> {
    check(&options)?;
    let mut house = House::open(&mut options).await?;
    let config = Arc::new(options.config.clone());
    // Read before anything starts: a folder that is not there is a mistake of the centre's.
    let counties = config.county_codes()?.len();
    let mut office = Cell::open(Arc::clone(&config), options.lang, Clock::System).await?;
    let tls = keep_certificate(house.keeper.take(), &mut office);
    office.announce()?;
    let connections = camera::allow_counties(counties);
    let web = WebState { metrics: Some(house.measures.clone()), ..office.web.clone() }
        .with_network(web::Network { connections, ..web::Network::default() });
    let web = if let Some(tls) = tls { web.with_tls(tls) } else { web };
    let centre = Centre {
        config,
        app: office.app.clone(),
        doors: Doors::of_centre(web.clone()),
        web,
        running: Arc::default(),
        neighbours: Neighbours::default(),
        tried: signal::Sender::new(false),
    };
    let app = office.app.clone();
    let upkeep = house.measures.clone();
    spawn(&mut office.tasks, "housekeeping", &app, move |app| housekeeping(app, upkeep.clone()));
    spawn(&mut office.tasks, "pruning", &app, prune::run);
    spawn(&mut office.tasks, "backups", &app, backups::run);
    let keeping = centre.clone();
    spawn(&mut office.tasks, "counties", &app, move |app| keep(app, keeping.clone()));
    let (greeting, links, json) = (centre.clone(), options.links, options.json);
    let greeted = tokio::spawn(async move { greet(&greeting, links, json).await });

    let mut asked_to_stop = house.asked_to_stop;
    let stopping = async move { drop(asked_to_stop.wait_for(|asked| *asked).await) };
    web::serve_counties(house.listener, &centre.web, centre.doors.clone(), stopping).await?;
    greeted.abort();
    end(office, &centre).await;
    Ok(())
}

fn check(options: &Options) -> Result<()> {
    if options.role == Role::All {
        return Err(Error::invalid(Words::new(
            "有 [centre] 的配置用 huoyan desk 启动：多县中心自己没有摄像机",
            "start a configuration with [centre] with `huoyan desk`: a centre of several counties \
            has no cameras of its own",
        )));
    }
    edges::check(&options.config)
}

async fn housekeeping(app: App, measures: PrometheusHandle) {
    while !sleep_or_stop(&app, REGISTERS_EVERY).await {
        cell::follow(&app).await;
        vitals::machine(&app);
        measures.run_upkeep();
    }
}

/// Starts what does not run, again and again.
async fn keep(app: App, centre: Centre) {
    loop {
        match wanting(&centre).await {
            Ok(listed) => {
                app.parts.set("counties", true, "", "");
                start(&centre, listed).await;
            }
            Err(e) => {
                let (zh, en) = (e.chain_in(Lang::Zh), e.chain_in(Lang::En));
                if app.parts.set("counties", false, zh, en.clone()) {
                    tracing::error!("{en}");
                }
            }
        }
        centre.tried.send_replace(true);
        if sleep_or_stop(&app, TRIES_EVERY).await {
            return;
        }
    }
}

/// The counties, unless all of them run: then nobody reads their files.
async fn wanting(centre: &Centre) -> Result<Vec<Listed>> {
    let codes = centre.config.county_codes()?;
    forget_missing(centre, &codes).await;
    let running = centre.running.lock().await;
    if codes.iter().all(|code| running.contains_key(code)) {
        return Ok(Vec::new());
    }
    centre.config.counties()
}

async fn start(centre: &Centre, listed: Vec<Listed>) {
    let (seats, mut starting) = (Arc::new(Semaphore::new(STARTED_AT_ONCE)), JoinSet::new());
    for Listed { code, config } in listed {
        if centre.running.lock().await.contains_key(&code) {
            continue;
        }
        let (centre, seats) = (centre.clone(), Arc::clone(&seats));
        starting.spawn(async move {
            let _seat = seats.acquire().await;
            let host = config.as_ref().ok().map(Config::host);
            let started = match config {
                Ok(config) => {
                    let span = county_span(&config);
                    start_one(&centre, config).instrument(span).await
                }
                Err(e) => Err(e),
            };
            tell(&centre, &code, host, started).await;
        });
    }
    while let Some(done) = starting.join_next().await {
        if let Err(e) = done {
            tracing::error!("the start of a county died: {e}");
        }
    }
}

/// A county whose file is gone and that never ran is no news any more.
async fn forget_missing(centre: &Centre, codes: &[String]) {
    let running = centre.running.lock().await;
    for code in centre.doors.codes() {
        if !running.contains_key(&code) && !codes.contains(&code) {
            centre.doors.forget(&code);
            centre.app.parts.forget(&part(&code));
        }
    }
}

fn part(code: &str) -> String {
    format!("county {code}")
}

async fn start_one(centre: &Centre, config: Config) -> Result<Running> {
    // A county that was added later must not take what a running one has.
    for running in centre.running.lock().await.values() {
        if let Some(words) = config.clash(&running.cell.app.config) {
            return Err(Error::invalid(words));
        }
    }
    let lock = own(&config.store.data)?;
    let mut cell = Cell::open(Arc::new(config), centre.app.lang, centre.app.clock.clone()).await?;
    cell.web = cell.web.behind(&centre.web);
    cell.work(Role::Desk, None).await?;
    cell.announce()?;
    let app = cell.app.clone();
    spawn(&mut cell.tasks, "certificate", &app, names);
    let (bus, neighbours) = (cell.web.bus.clone(), centre.neighbours.clone());
    spawn(&mut cell.tasks, "border", &app, move |app| {
        border::run(app, bus.clone(), neighbours.clone())
    });
    Ok(Running { cell, _lock: lock })
}

async fn tell(centre: &Centre, code: &str, host: Option<String>, started: Result<Running>) {
    let (parts, part) = (&centre.app.parts, part(code));
    match started {
        Ok(running) => {
            let web = Box::new(running.cell.web.clone());
            centre.doors.set(code, host, Standing::Up(web));
            centre.neighbours.add(code, running.cell.app.clone());
            parts.set(part, true, "", "");
            tracing::info!(code, "a county is served at {}", running.cell.app.config.public_url());
            centre.running.lock().await.insert(code.to_owned(), running);
        }
        Err(e) => {
            let words = Words::new(e.chain_in(Lang::Zh), e.chain_in(Lang::En));
            if parts.set(part, false, words.zh.clone(), words.en.clone()) {
                tracing::error!(code, "a county is not served: {}", words.en);
            }
            centre.doors.set(code, host, Standing::Down(words));
        }
    }
}

/// Says on a county's own board when the certificate is not for its name.
async fn names(app: App) {
    loop {
        let looked = tokio::task::block_in_place(|| Pair::read(&app.config.server));
        if let Some(looked) = looked {
            let trouble = match looked {
                Ok(pair) => pair.problem(app.clock.now()),
                Err(fault) => Some(fault),
            };
            let words = |lang| trouble.as_ref().map(|it| it.words(lang)).unwrap_or_default();
            let (zh, en) = (words(Lang::Zh), words(Lang::En));
            app.parts.set("certificate", trouble.is_none(), zh, en);
        }
        if sleep_or_stop(&app, CERTIFICATE_EVERY).await {
            return;
        }
    }
}

async fn greet(centre: &Centre, with_links: bool, json: bool) {
    // An error means that the process stops already.
    if centre.tried.subscribe().wait_for(|tried| *tried).await.is_err() {
        return;
    }
    links::greet(&centre.app);
    if !with_links {
        return;
    }
    let running = centre.running.lock().await;
    let apps = running.iter().map(|(code, it)| (code.clone(), it.cell.app.clone()));
    let apps: Vec<_> =
        [("centre".to_owned(), centre.app.clone())].into_iter().chain(apps).collect();
    drop(running);
    let mut all = Vec::new();
    for (code, app) in apps {
        match links::issue(&app, None).await {
            Ok(links) => all.push((code, links)),
            Err(e) => tracing::error!(code, "no login links: {}", e.chain()),
        }
    }
    links::print_all(all, centre.app.lang, json);
}

/// All at once: a stop takes no longer than that of one county.
async fn end(office: Cell, centre: &Centre) {
    let running = std::mem::take(&mut *centre.running.lock().await);
    let mut ending = JoinSet::new();
    ending.spawn(office.end());
    for (_, Running { cell, _lock }) in running {
        ending.spawn(async move {
            cell.end().await;
            drop(_lock);
        });
    }
    while ending.join_next().await.is_some() {}
}
