//! Satellite feeds and the watched folder. A feed's answer is put into the folder like any other
//! list, so there is one way in, and every original is kept. The folder and each feed have a lane
//! of their own: one that hangs holds up no other.
//!
//! Reading a list twice is harmless: a hotspot's sighting has an id derived from the hotspot's key.

mod ask;
mod passes;

use super::{App, evidence, sleep_or_stop};
use crate::base::id;
use crate::error::{Error, Result};
use crate::lang::Words;
use crate::satellite::{Batch, FolderWatch, reconcile};
use crate::triage::cluster;
use crate::triage::hotspot::Hotspot;
use crate::triage::id::SightingId;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Stored pixels that a list is compared with, the newest: a county has a hundred on a bad day.
const KNOWN_MAX: u32 = 5_000;

/// A list of so many rows is no county's: somewhere in it something burns every day, so it is as
/// new as its newest row, whenever it came.
const ROWS_OF_A_COUNTRY: usize = 100;

/// When the newest good list came, from wherever; `None`: never.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Option<Timestamp>>>);

impl Heard {
    fn at(&self) -> Option<Timestamp> {
        *self.0.lock()
    }

    fn a_list(&self, at: Timestamp) {
        let mut newest = self.0.lock();
        *newest = (*newest).max(Some(at));
    }
}

/// Watches the folder, polls the feeds and looks out for passes until the program stops.
pub(super) async fn run(app: App) {
    let folder = app.config.store.data.join(&app.config.satellite.folder);
    let heard = Heard::default();
    let mut lanes = JoinSet::new();
    {
        let (app, folder, heard) = (app.clone(), folder.clone(), heard.clone());
        lanes.spawn(async move { watch(&app, &folder, &heard).await });
    }
    {
        let (app, folder, heard) = (app.clone(), folder.clone(), heard.clone());
        lanes.spawn(async move { ask::run(&app, &folder, &heard).await });
    }
    lanes.spawn(async move { passes::run(&app, &folder, &heard).await });
    all_of(lanes).await;
}

/// A panic in one task goes to the supervisor, which restarts all of them and reports it.
async fn all_of(mut tasks: JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        if let Err(e) = ended
            && let Ok(panic) = e.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

async fn watch(app: &App, folder: &Path, heard: &Heard) {
    let every = app.config.satellite.folder_every.unsigned_abs();
    let mut watch = FolderWatch::new(folder, &app.config.camera.pipelines, app.lang)
        .reading(&app.config.satellite.mappings);
    let (mut trouble, mut wrong) = (None, BTreeMap::new());
    loop {
        let Looked { any, failed } = look(app, &mut watch, heard, &mut wrong).await;
        let now = failed.map(|e| e.chain());
        let has_changed = now != trouble;
        // One log line per change, not one per scan.
        if let Some(why) = now.as_ref().filter(|_| has_changed) {
            tracing::error!(
                "hotspot lists wait; trying again every {}: {why}",
                app.config.satellite.folder_every
            );
        }
        if any || has_changed {
            let hindered = now.as_ref().map(|why| {
                Words::new(format!("热点目录读取失败：{why}"), format!("hotspot folder: {why}"))
            });
            // What was refused has been moved and is not seen again: it is said all the same.
            let all = Words::joined(hindered.iter().chain(wrong.values()));
            app.parts.set("hotspots", all.zh.is_empty(), all.zh, all.en);
        }
        trouble = now;
        if sleep_or_stop(app, every).await {
            return;
        }
    }
}

/// What is wrong with the last bad list of each source. It stands until a good one of that source
/// comes.
type Wrong = BTreeMap<String, Words>;

/// When the newest pixel of a list was seen that always has some.
fn newest_of_a_country(hotspots: &[Hotspot]) -> Option<Timestamp> {
    let newest = hotspots.iter().map(|it| it.acquired_at).max();
    newest.filter(|_| hotspots.len() >= ROWS_OF_A_COUNTRY)
}

/// Whose list it is: that of a feed, by the name that its answers get, or somebody's who put it
/// there.
fn source(name: &str) -> String {
    let feed = name.split('-').next().filter(|first| {
        let number = first.strip_prefix(ask::NAME);
        number.is_some_and(|number| number.parse::<usize>().is_ok())
    });
    feed.unwrap_or_default().to_owned()
}

/// The result of one scan.
struct Looked {
    /// There were lists.
    any: bool,
    /// What hinders the program: the folder, a file, the store.
    failed: Option<Error>,
}

/// One scan of the folder. Whatever fails, it goes on with the other lists.
async fn look(app: &App, watch: &mut FolderWatch, heard: &Heard, wrong: &mut Wrong) -> Looked {
    let scan = match tokio::task::block_in_place(|| watch.scan(app.clock.now())) {
        Ok(scan) => scan,
        Err(e) => return Looked { any: false, failed: Some(e) },
    };
    let stuck = scan.stuck.iter().min_by_key(|it| &it.name);
    let mut failed = stuck.map(|it| Error::unavailable(format!("{}: {}", it.name, it.reason)));
    for batch in &scan.batches {
        let Taken { new, beyond } = match take_in(app, batch).await {
            Ok(taken) => taken,
            // The list stays where it is and is read again. The others do not wait for it.
            Err(e) => {
                failed = Some(e);
                continue;
            }
        };
        let name = batch.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        tracing::info!(
            file = name,
            rows = batch.hotspots.len(),
            new,
            beyond,
            rejected = batch.rejected.len(),
            unread = batch.unread.join("; "),
            "hotspots taken in"
        );
        if let Err(e) = watch.keep(batch, app.clock.now()) {
            failed = Some(e);
        }
        if !batch.hotspots.is_empty() || batch.rejected.is_empty() {
            let now = app.clock.now();
            heard.a_list(newest_of_a_country(&batch.hotspots).map_or(now, |it| it.min(now)));
        }
        match unusable(&name, batch) {
            Some(words) => wrong.insert(source(&name), words),
            None => wrong.remove(&source(&name)),
        };
    }
    for refused in &scan.refused {
        tracing::warn!(
            file = refused.name,
            reason = refused.reason,
            "not a hotspot list; moved to refused/"
        );
        let words = Words::new(
            format!("热点文件 {} 无法使用：{}", refused.name, refused.reason),
            format!("hotspot file {} cannot be used: {}", refused.name, refused.reason),
        );
        wrong.insert(source(&refused.name), words);
    }
    let any = !scan.refused.is_empty() || !scan.batches.is_empty();
    Looked { any, failed }
}

/// Describes a list with unusable rows.
fn unusable(name: &str, batch: &Batch) -> Option<Words> {
    let first = batch.rejected.first()?;
    let (bad, all) = (batch.rejected.len(), batch.rejected.len() + batch.hotspots.len());
    Some(Words::new(
        format!("{name}：{all}行中有{bad}行无法使用，第{}行：{}", first.line, first.reason),
        format!("{name}: {bad} of {all} rows are unusable; line {}: {}", first.line, first.reason),
    ))
}

/// How a list's rows were used.
struct Taken {
    new: usize,
    /// Farther outside the county than the margin; these stay only in the original file.
    beyond: usize,
}

/// Takes from a list, which may be national, what touches the county. Pixels of one pass that lie
/// together are judged together. After a crash anywhere in here the file is read again.
async fn take_in(app: &App, batch: &Batch) -> Result<Taken> {
    let (now, county) = (app.clock.now(), app.registers.current());
    let reaches = |it: &&Hotspot| county.near(&it.locus(), app.config.satellite.margin_m);
    let ours: Vec<Hotspot> = batch.hotspots.iter().filter(reaches).cloned().collect();
    let beyond = batch.hotspots.len() - ours.len();
    let ours = reconcile(&known(app, &ours).await?, ours);
    let new = app.store.add_hotspots(&ours, now).await?;
    for hotspot in &new {
        app.lookout.look_sooner(county.cameras_towards(&hotspot.locus()));
    }
    let fresh =
        |it: &&Hotspot| now.duration_since(it.acquired_at) <= app.config.satellite.stale_after;
    let sighting = |it: &Hotspot| evidence::from_satellite(sighting_id(it), it, &county);
    for together in cluster::group(ours.iter().filter(fresh).map(sighting).collect()) {
        app.desk.sightings(together).await?;
    }
    Ok(Taken { new: new.len(), beyond })
}

/// What is stored from the time of these pixels on.
async fn known(app: &App, hotspots: &[Hotspot]) -> Result<Vec<Hotspot>> {
    let Some(first) = hotspots.iter().map(|it| it.acquired_at).min() else {
        return Ok(Vec::new());
    };
    let since = first - SignedDuration::from_mins(2);
    let known = app.store.hotspots_since(since, KNOWN_MAX).await?;
    Ok(known.into_iter().map(|it| it.hotspot).collect())
}

fn sighting_id(hotspot: &Hotspot) -> SightingId {
    SightingId(id::named(&hotspot.key))
}
