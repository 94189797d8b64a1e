//! One camera played over RTSP, so that receivers, model and analyses work while everything fails.

use crate::program::{Browser, Office};
use huoyan::camera::{Clip, ClipCodec, Playback, encode_clip};
use huoyan::clock::Clock;
use huoyan::drill::scene;
use jiff::{SignedDuration, Timestamp};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// A view without smoke, so that every fire comes from the satellite.
const VIEW: scene::Clip =
    scene::Clip { seed: 0, frames_per_s: 5, length_s: 4.0, smoke_after_s: None };
/// South of every grid.
const SHEET: &str = "编号,名称,经度,纬度,地址\neye,瞭望塔,110.1,28.0,";
/// A cadence (10 s) after the longest reconnect wait (60 s), on a busy machine.
const LOOKED_AT_WITHIN: Duration = Duration::from_secs(90);
/// Without a fault the program's clock and ours agree within this.
const APART: SignedDuration = SignedDuration::from_secs(2);

/// Plays the clip and writes the office's register of cameras.
pub fn open(office: &Office, folder: &Path) -> Playback {
    let file = folder.join("view.h264");
    let frames = scene::clip(VIEW, Path::new(scene::PHOTOGRAPHS)).expect("a view");
    encode_clip(&file, VIEW.frames_per_s, frames, ClipCodec::H264, |_| ()).expect("a clip");
    let clip = Clip { path_on_server: "/eye".to_owned(), file, user_password: None };
    let playback = Playback::start(([127, 0, 0, 1], 0).into(), vec![clip]).expect("a camera");
    let url = playback.url(0).expect("its address");
    fs::write(office.data.join("registers/cameras.csv"), format!("{SHEET}{url}\n"))
        .expect("a register");
    playback
}

/// Whether the model has looked at a picture that was taken after this moment.
pub async fn is_watched_since(officer: &Browser, moment: Timestamp) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < LOOKED_AT_WITHIN {
        let board = officer.get("/api/v1/board").await.unwrap_or_default();
        let camera = &board["cameras"][0];
        let last: Option<Timestamp> =
            camera["last_frame_at"].as_str().and_then(|at| at.parse().ok());
        // A time stamped by a clock that was set ahead proves nothing.
        let is_new = last.is_some_and(|at| at > moment && at < Clock::System.now() + APART);
        if is_new && !camera["last_scores"].is_null() {
            return true;
        }
        Clock::System.sleep(Duration::from_millis(200)).await;
    }
    false
}
