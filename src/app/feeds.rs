//! Satellite feeds and the watched folder. A feed's answer is put into the folder like any other
//! list, so there is one way in, and every original is kept.
//!
//! Reading a list twice is harmless: a hotspot's sighting has an id derived from the hotspot's key.

use super::{App, evidence, sleep_or_stop};
use crate::base::{file, id};
use crate::config::Secret;
use crate::error::{Error, Result};
use crate::satellite::{Batch, Feed, FolderWatch};
use crate::triage::cluster;
use crate::triage::hotspot::Hotspot;
use crate::triage::id::SightingId;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinSet;

/// Watches the folder and polls the feeds until the program stops.
pub(super) async fn run(app: App) {
    let folder = app.config.store.data.join(&app.config.satellite.folder);
    tokio::join!(watch(&app, &folder), ask(&app, &folder));
}

async fn watch(app: &App, folder: &Path) {
    let every = app.config.satellite.folder_every.unsigned_abs();
    let mut watch = FolderWatch::new(folder, &app.config.camera.pipelines, app.lang);
    let mut troubled = false;
    loop {
        let looked = look(app, &mut watch).await;
        match &looked {
            // One log line per change, not one per scan.
            Err(e) if !troubled => {
                tracing::error!(
                    "the hotspot folder could not be processed; trying again every {}: {}",
                    app.config.satellite.folder_every,
                    e.chain()
                );
                say(
                    app,
                    Some((
                        format!("热点目录读取失败：{}", e.message),
                        format!("hotspot folder: {}", e.message),
                    )),
                );
            }
            Ok(Looked::Lists(wrong)) => say(app, wrong.clone()),
            Ok(Looked::Nothing) if troubled => say(app, None),
            Err(_) | Ok(Looked::Nothing) => {}
        }
        troubled = looked.is_err();
        if sleep_or_stop(app, every).await {
            return;
        }
    }
}

/// The result of one scan of the folder.
enum Looked {
    Nothing,
    /// Lists were read; holds what is wrong with the last bad one, in Chinese and English.
    Lists(Option<(String, String)>),
}

fn say(app: &App, wrong: Option<(String, String)>) {
    let (zh, en) = wrong.clone().unwrap_or_default();
    app.parts.set("hotspots", wrong.is_none(), zh, en);
}

async fn look(app: &App, watch: &mut FolderWatch) -> Result<Looked> {
    let scan = tokio::task::block_in_place(|| watch.scan(app.clock.now()))?;
    if scan.refused.is_empty() && scan.batches.is_empty() {
        return Ok(Looked::Nothing);
    }
    let (mut wrong, mut failed) = (None, None);
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
            "hotspots taken in"
        );
        watch.keep(batch, app.clock.now())?;
        wrong = unusable(&name, batch).or(wrong);
    }
    for refused in &scan.refused {
        tracing::warn!(
            file = refused.name,
            reason = refused.reason,
            "not a hotspot list; moved to refused/"
        );
        wrong = Some((
            format!("热点文件 {} 无法使用：{}", refused.name, refused.reason),
            format!("hotspot file {} cannot be used: {}", refused.name, refused.reason),
        ));
    }
    failed.map_or(Ok(Looked::Lists(wrong)), Err)
}

/// Describes a list with unusable rows. It stays on the board until a good list comes.
fn unusable(name: &str, batch: &Batch) -> Option<(String, String)> {
    let first = batch.rejected.first()?;
    let (bad, all) = (batch.rejected.len(), batch.rejected.len() + batch.hotspots.len());
    Some((
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

fn sighting_id(hotspot: &Hotspot) -> SightingId {
    SightingId(id::named(&hotspot.key))
}

/// One task per address: a server that sends a byte every five seconds delays no other.
async fn ask(app: &App, folder: &Path) {
    let key = app.config.secret(Secret::FirmsKey).unwrap_or_else(|e| {
        tracing::error!("the key of the satellite feeds: {}", e.chain());
        None
    });
    let mut asking = JoinSet::new();
    for (n, address) in app.config.satellite.feeds.iter().enumerate() {
        let part = format!("feeds {}", n + 1);
        match Feed::new(address, key.as_deref()) {
            Ok(feed) => _ = asking.spawn(ask_one(app.clone(), part, feed, folder.to_owned())),
            Err(e) => {
                tracing::error!("a satellite feed is not fetched: {}", e.chain());
                app.parts.set(part, false, format!("卫星数据源配置有误：{}", e.message), e.message);
            }
        }
    }
    while let Some(ended) = asking.join_next().await {
        // A panic in one task goes to the supervisor, which restarts all of them and reports it.
        if let Err(e) = ended
            && let Ok(panic) = e.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

async fn ask_one(app: App, part: String, feed: Feed, folder: PathBuf) {
    let every = Duration::from_secs(app.config.satellite.feed_every.as_secs().unsigned_abs());
    let mut last = [0; 32];
    loop {
        let (own, asked, to) = (app.clone(), feed.clone(), folder.clone());
        let fetched = tokio::task::spawn_blocking(move || fetch(&own, &asked, &to, last));
        let fetched = tokio::select! {
            fetched = fetched => fetched.unwrap_or_else(|e| Err(Error::internal("a feed's thread \
                died").because(e))),
            () = app.stopped() => return,
        };
        match fetched {
            Ok(digest) => {
                last = digest;
                app.parts.set(part.clone(), true, "", "");
            }
            Err(e) => {
                tracing::warn!(%feed, "the satellite feed could not be fetched: {}", e.chain());
                let (zh, en) = (
                    format!("卫星数据源 {feed}：{}", e.message),
                    format!("feed {feed}: {}", e.message),
                );
                app.parts.set(part.clone(), false, zh, en);
            }
        }
        if sleep_or_stop(&app, every).await {
            return;
        }
    }
}

/// Puts the answer into the folder, unless it equals the last one. Returns its digest.
fn fetch(app: &App, feed: &Feed, folder: &Path, last: [u8; 32]) -> Result<[u8; 32]> {
    let bytes = feed.fetch(&app.config.camera.pipelines, app.lang)?;
    let digest: [u8; 32] = Sha256::digest(&bytes).into();
    if digest == last {
        return Ok(digest);
    }
    let cannot = |e| Error::unavailable(format!("cannot write to {}", folder.display())).because(e);
    std::fs::create_dir_all(folder).map_err(cannot)?;
    let name = format!(
        "{feed}-{}-{}.csv",
        app.clock.now().strftime("%Y%m%dT%H%M%SZ"),
        hex::encode(&digest[..4])
    );
    let name = name.replace(['/', ':'], "_");
    file::write_whole(&folder.join(name), &bytes).map_err(cannot)?;
    Ok(digest)
}
