//! Starts what watches: the cameras, and the tasks that follow their register and take in what they
//! see.

use super::site::{Site, pause_or, spawn};
use super::supervise::Stage;
use super::{intake, video};
use crate::engine;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

/// Interval between checks whether the cameras' register has changed, or a thread has died.
const CAMERAS_EVERY: Duration = Duration::from_secs(2);

/// Starts the cameras, and the tasks that follow their register and take in what they see.
pub(super) fn watch(tasks: &mut JoinSet<()>, site: &Site, lanes: intake::Lanes) {
    let (seen, seen_rx) = mpsc::channel(engine::SEEN_MAX);
    let mut video = video::Video::new(site.clone(), seen);
    tokio::task::block_in_place(|| video.start());
    let (video, seen_rx) = (Arc::new(Mutex::new(video)), Arc::new(Mutex::new(seen_rx)));
    spawn(tasks, "cameras", site, move |site| follow(site, Arc::clone(&video)));
    spawn(tasks, "intake", site, move |site| {
        intake::seen(site, Arc::clone(&seen_rx), lanes.clone())
    });
}

/// Lets the cameras follow their register, and ends them when the program stops.
async fn follow(site: Site, video: Arc<Mutex<video::Video>>) {
    let mut video = video.lock().await;
    while !pause_or(&site, CAMERAS_EVERY, Stage::Cameras).await {
        tokio::task::block_in_place(|| video.follow());
        tokio::task::block_in_place(|| video.revive());
        video.say_whether_it_keeps_up();
        tokio::task::block_in_place(|| video.keep_views());
    }
    tokio::task::block_in_place(|| video.keep_views());
    tokio::task::block_in_place(|| video.end());
}
