//! Satellite feeds and the watched folder. A feed's answer is put into the folder like any other list, so there is one way in,
//! and every original is kept.
//!
//! A list is taken in twice without harm: a hotspot's sighting has an id made of the hotspot's key.

use super::{App, evidence, sleep_or_stop};
use crate::error::{Error, Result};
use crate::satellite::{Batch, Feed, Watch};
use crate::triage::cluster;
use crate::triage::hotspot::Hotspot;
use crate::triage::id::SightingId;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::time::Duration;

/// Watches the folder and asks the feeds until the program stops.
pub async fn run(app: App) {
    let folder = app.config.store.data.join(&app.config.satellite.folder);
    tokio::join!(watch(&app, &folder), ask(&app, &folder));
}

async fn watch(app: &App, folder: &Path) {
    let every = app.config.satellite.folder_every.unsigned_abs();
    let mut watch = Watch::new(folder, &app.config.camera.pipelines, app.lang);
    let mut troubled = false;
    loop {
        let looked = look(app, &mut watch).await;
        // One word per change, not one per look.
        if let Err(e) = &looked
            && !troubled
        {
            tracing::error!(
                "the hotspot folder is not taken in, tried again every {}: {}",
                app.config.satellite.folder_every,
                e.chain()
            );
            let (zh, en) = (format!("热点目录读取失败：{}", e.message), format!("hotspot folder: {}", e.message));
            app.parts.set("hotspots", false, zh, en);
        } else if looked.is_ok() && troubled {
            app.parts.set("hotspots", true, "", "");
        }
        troubled = looked.is_err();
        if sleep_or_stop(app, every).await {
            return;
        }
    }
}

async fn look(app: &App, watch: &mut Watch) -> Result<()> {
    let scan = tokio::task::block_in_place(|| watch.scan(app.clock.now()))?;
    for refused in &scan.refused {
        tracing::warn!(file = refused.name, reason = refused.reason, "not a hotspot list, set aside under refused/");
        let zh = format!("热点文件 {} 无法使用：{}", refused.name, refused.reason);
        let en = format!("hotspot file {} cannot be used: {}", refused.name, refused.reason);
        app.parts.set("hotspots", false, zh, en);
    }
    for batch in &scan.batches {
        let Taken { new, beyond } = take_in(app, batch).await?;
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
        if scan.refused.is_empty() {
            app.parts.set("hotspots", true, "", "");
        }
    }
    Ok(())
}

/// What became of a list's rows.
struct Taken {
    new: usize,
    /// Farther outside the county than the margin: they stay in the file that is kept.
    beyond: usize,
}

/// A national list is ours only where it touches the county; pixels of one pass that lie together are judged together. A crash
/// anywhere in here is healed by reading the file again.
async fn take_in(app: &App, batch: &Batch) -> Result<Taken> {
    let (now, county) = (app.clock.now(), app.registers.current());
    let reaches = |it: &&Hotspot| county.near(&it.locus(), app.config.satellite.margin_m);
    let ours: Vec<Hotspot> = batch.hotspots.iter().filter(reaches).cloned().collect();
    let beyond = batch.hotspots.len() - ours.len();
    let new = app.store.add_hotspots(&ours, now).await?;
    for hotspot in &new {
        app.lookout.look_sooner(county.cameras_towards(&hotspot.locus()));
    }
    let fresh = |it: &&Hotspot| now.duration_since(it.acquired_at) <= app.config.satellite.stale_after;
    let sighting = |it: &Hotspot| evidence::from_satellite(sighting_id(it), it, &county);
    for together in cluster::group(ours.iter().filter(fresh).map(sighting).collect()) {
        app.desk.sightings(together).await?;
    }
    Ok(Taken { new: new.len(), beyond })
}

fn sighting_id(hotspot: &Hotspot) -> SightingId {
    let digest = Sha256::digest(hotspot.key.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    SightingId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

async fn ask(app: &App, folder: &Path) {
    let key = std::env::var("HUOYAN_FIRMS_KEY").ok();
    let mut feeds = Vec::new();
    for address in &app.config.satellite.feeds {
        match Feed::new(address, key.as_deref()) {
            Ok(feed) => feeds.push((feed, [0; 32])),
            Err(e) => {
                tracing::error!("a feed is not asked: {}", e.chain());
                app.parts.set("feeds", false, format!("卫星数据源配置有误：{}", e.message), e.message.clone());
            }
        }
    }
    while !feeds.is_empty() {
        for (feed, last) in &mut feeds {
            match fetch(app, feed, folder, last) {
                Ok(()) => _ = app.parts.set("feeds", true, "", ""),
                Err(e) => {
                    tracing::warn!(%feed, "the feed gave nothing: {}", e.chain());
                    let (zh, en) = (format!("卫星数据源 {feed}：{}", e.message), format!("feed {feed}: {}", e.message));
                    app.parts.set("feeds", false, zh, en);
                }
            }
        }
        if sleep_or_stop(app, Duration::from_secs(app.config.satellite.feed_every.as_secs().unsigned_abs())).await {
            return;
        }
    }
}

/// An answer that has not changed since the last one is not kept again.
fn fetch(app: &App, feed: &Feed, folder: &Path, last: &mut [u8; 32]) -> Result<()> {
    tokio::task::block_in_place(|| {
        let bytes = feed.fetch(&app.config.camera.pipelines, app.lang)?;
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        if digest == *last {
            return Ok(());
        }
        let cannot = |e| Error::unavailable(format!("cannot write to {}", folder.display())).because(e);
        std::fs::create_dir_all(folder).map_err(cannot)?;
        let name = format!("{feed}-{}.csv", app.clock.now().strftime("%Y%m%dT%H%M%SZ")).replace(['/', ':'], "_");
        let part = folder.join(format!("{name}.part"));
        std::fs::write(&part, &bytes).map_err(cannot)?;
        std::fs::rename(&part, folder.join(name)).map_err(cannot)?;
        *last = digest;
        Ok(())
    })
}
