//! `huoyan.toml` → a valid [`Config`], parsed once. Unknown keys are refused, durations carry their
//! unit, and secrets come only from the environment or a file. Every default stands here with its
//! unit and reason; `huoyan config` prints the documented sample.

mod alarms;
mod bus;
mod centre;
mod check;
mod data;
mod satellite;
mod secrets;
mod server;
mod webhooks;

pub use alarms::{AlarmsConfig, Scaled, SystemMap, Take, TakeNumber, TakeTime, When, Written};
pub use bus::{BusConfig, EdgeConfig};
pub use centre::{CentreConfig, Listed};
pub use data::{BackupConfig, DiskConfig, RecordConfig, StoreConfig, TellAt};
pub use satellite::{ListColumn, Mapping, Overpass, SatelliteConfig};
pub use secrets::{Secret, SecretsConfig, first_line};
pub use server::{PlainHttp, Refusal, Server};
pub use webhooks::WebhookConfig;

use crate::error::{Error, Result};
use crate::lang::Words;
use crate::triage::confirm::{Numbers, Thresholds};
use crate::triage::policy::Policy;
use crate::triage::retention::Retention;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The documented sample; `huoyan config` prints it, a test parses it.
pub const SAMPLE: &str = include_str!("config/huoyan.toml");

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub server: Server,
    pub clock: ClockConfig,
    pub store: StoreConfig,
    pub secrets: SecretsConfig,
    pub retention: Retention,
    pub disk: DiskConfig,
    pub backup: BackupConfig,
    pub record: RecordConfig,
    pub bus: BusConfig,
    pub edge: EdgeConfig,
    pub centre: CentreConfig,
    pub camera: CameraConfig,
    pub detect: DetectConfig,
    pub satellite: SatelliteConfig,
    pub notify: NotifyConfig,
    pub alarms: AlarmsConfig,
    pub thresholds: Thresholds,
    pub policy: Policy,
    /// True when the file has a section `[policy]`; otherwise nobody chose the policy.
    #[serde(skip)]
    pub has_own_policy: bool,
    /// The county's code, if it is one of a centre.
    #[serde(skip)]
    pub code: Option<String>,
    /// The file it was read from, if any.
    #[serde(skip)]
    pub file: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClockConfig {
    /// Time server (SNTP, IPv4) with which `huoyan check` compares this computer's clock: `host` or
    /// `host:port`. None: the system is asked whether its clock is synchronised. The program never
    /// sets a clock.
    pub ntp: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CameraConfig {
    /// Interval between looks at a camera: 10 s; smoke changes over minutes, not frames.
    pub cadence: SignedDuration,
    /// Decoder workers; each takes about one core while busy.
    pub decode_workers: usize,
    /// Pipeline text for RTSP cameras that name none: a file in `pipelines/`, without `.gst`.
    pub pipeline: String,
    pub pipelines: PathBuf,
    /// "Late" after this time without a keyframe (3 cadences) …
    pub late_after: SignedDuration,
    /// … and "offline" after this: 1 min, much less than the cruise period of 30 min in LY/T
    /// 2581-2016.
    pub offline_after: SignedDuration,
    /// "Frozen" after this time without any change in the picture.
    pub frozen_after: SignedDuration,
    /// Interval of each camera's self-test (which rendered plumes does the model find?): 6 h, so
    /// that one falls into the day and one into the night. 267 cameras then take 0.2 inferences a
    /// second. Zero: on request only.
    pub self_test_every: SignedDuration,
    /// First and longest wait between reconnects.
    pub reconnect_min: SignedDuration,
    pub reconnect_max: SignedDuration,
}

impl Default for CameraConfig {
    fn default() -> Self {
        Self {
            cadence: SignedDuration::from_secs(10),
            decode_workers: 2,
            pipeline: "rtsp".to_owned(),
            pipelines: PathBuf::from("pipelines"),
            late_after: SignedDuration::from_secs(30),
            offline_after: SignedDuration::from_secs(60),
            frozen_after: SignedDuration::from_mins(5),
            self_test_every: SignedDuration::from_hours(6),
            reconnect_min: SignedDuration::from_secs(1),
            reconnect_max: SignedDuration::from_secs(60),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DetectConfig {
    /// A folder with model.onnx and model.toml.
    pub model: PathBuf,
    /// libonnxruntime.so; `make` puts it under `.huoyan/`. The environment's ORT_DYLIB_PATH
    /// overrides it.
    pub onnxruntime: PathBuf,
    pub device: Device,
    /// Inference sessions: one per worker thread, with one intra-op thread each.
    pub workers: usize,
    pub batch: Batch,
    /// Run the model only on pictures in which something is new. Off: sub-streams leave time for
    /// all.
    pub gate: Gating,
    /// One picture in this number is analysed whatever the gate says: one a minute at 10 s.
    pub gate_every: u32,
    pub tiles: Tiles,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gating {
    Off,
    On,
}

/// Frames of different cameras in one batch of the network.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", expecting = "batch must be \"auto\" or a number")]
pub enum Batch {
    /// 1 on the CPU, 8 on a graphics card.
    Auto,
    #[serde(untagged)]
    Of(usize),
}

impl Batch {
    /// A look of smoke-fire takes 118 MB at work, its tensor included (measured at 1 to 32 on the
    /// CPU): 1.9 GB a worker.
    pub const MAX: usize = 16;
}

/// Tiles of a view analysed in addition to the whole picture, per look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", expecting = "tiles must be \"auto\" or a number")]
pub enum Tiles {
    /// 1 on the CPU, all on a graphics card.
    Auto,
    #[serde(untagged)]
    Of(usize),
}

impl Tiles {
    /// Three tiles of half the width, each overlapping the next by half, cover a view from side to
    /// side.
    pub const MAX: usize = 3;

    pub fn at_most(self, is_on_card: bool) -> usize {
        match self {
            Self::Auto if is_on_card => Self::MAX,
            Self::Auto => 1,
            Self::Of(tiles) => tiles,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    Auto,
    Cpu,
    Cuda,
}

impl Default for DetectConfig {
    fn default() -> Self {
        Self {
            model: PathBuf::from("models/smoke-fire/0.2.0"),
            onnxruntime: PathBuf::from(".huoyan/lib/libonnxruntime.so"),
            device: Device::Auto,
            workers: 2,
            batch: Batch::Auto,
            gate: Gating::Off,
            gate_every: 6,
            tiles: Tiles::Auto,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NotifyConfig {
    /// HTTP gateway for texts: POST JSON {"to","text"}; key in HUOYAN_SMS_KEY as a bearer token.
    /// None: an officer phones by hand.
    pub sms_url: Option<String>,
    /// HTTP gateway for robot calls, same form; key in HUOYAN_VOICE_KEY.
    pub voice_url: Option<String>,
    /// 企业微信群机器人 address without its key; key in HUOYAN_WECOM_KEY.
    pub wecom_url: Option<String>,
    /// Longest wait for a gateway's answer, 40 s: slow ones need 30. After that the text's fate is
    /// unknown, and it goes out again under the same key.
    pub answer_within: SignedDuration,
    /// The 【…】 before every text.
    pub signature: String,
    /// Systems that are told of every incident's steps.
    pub webhooks: Vec<WebhookConfig>,
}

impl Default for NotifyConfig {
    fn default() -> Self {
        Self {
            sms_url: None,
            voice_url: None,
            wecom_url: None,
            answer_within: SignedDuration::from_secs(40),
            signature: "森防".to_owned(),
            webhooks: Vec::new(),
        }
    }
}

impl Config {
    /// Reads and checks a file; without one, returns the defaults.
    pub fn load(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|e| {
            let words = Words::new(
                format!("无法读取配置 {shown}"),
                format!("cannot read the configuration {shown}"),
            );
            Error::invalid(words).because(e)
        })?;
        let config =
            Self::parsed(&text).map_err(|why| Error::invalid(why.after(&format!("{shown}:"))))?;
        Ok(Self { file: Some(path.to_owned()), ..config })
    }

    pub fn parse(text: &str) -> Result<Self> {
        Self::parsed(text).map_err(Error::invalid)
    }

    fn parsed(text: &str) -> Result<Self, Words> {
        let table = toml::from_str::<toml::Table>(text).unwrap_or_default();
        let thresholds = table.get("thresholds");
        let stands = |key: &&str| thresholds.is_some_and(|section| section.get(*key).is_some());
        if let Some(key) = ["needed", "window"].into_iter().find(stands) {
            return Err(no_longer(key));
        }
        // The toml library would keep one language of what is wrong with a number.
        if let Some(Ok(numbers)) = thresholds.map(|it| Numbers::deserialize(it.clone())) {
            Thresholds::try_from(numbers).map_err(|why| why.after("[thresholds]"))?;
        }
        let mut config: Self = toml::from_str(text).map_err(|e| {
            Words::new(format!("写法有误，无法读取：{e}"), format!("it cannot be read: {e}"))
        })?;
        config.has_own_policy = table.contains_key("policy");
        config.check_centre(&table)?;
        config.check()?;
        Ok(config)
    }

    /// Whether people use https: the program has a certificate, or a proxy in front of it.
    pub fn is_https(&self) -> bool {
        self.public_url().starts_with("https://")
    }

    /// Without a slash at its end.
    pub fn public_url(&self) -> String {
        let own = self.server.public_url.as_ref().map(|url| url.trim_end_matches('/').to_owned());
        own.unwrap_or_else(|| format!("http://{}", self.server.listen))
    }

    /// Lets the relative paths of what comes with the program (models, pipeline texts, ONNX
    /// Runtime) begin at `home`. The Debian package sets it, because commands run in any folder.
    pub fn at_home(&mut self, home: &Path) {
        for path in
            [&mut self.detect.model, &mut self.detect.onnxruntime, &mut self.camera.pipelines]
        {
            *path = home.join(&*path);
        }
    }
}

/// Frames were counted until 0.1.
fn no_longer(key: &str) -> Words {
    Words::new(
        format!(
            "[thresholds] {key} 已取消：不再数画面，而是把证据按时间累计。请删去 needed 和 window。\
            evidence（3.4）是报警所需的证据之和，memory（\"2min\"）是证据的记忆时长；smoke 和 fire \
            现在是中性分，高于它才算火情的证据，应低于原来的阈值。全部不填则用模型自带的数"
        ),
        format!(
            "[thresholds] {key} no longer exists: frames are not counted any more, evidence is \
            summed over time. Remove needed and window. evidence (3.4) is the sum that raises an \
            alarm, memory (\"2min\") how long evidence lasts. smoke and fire are now the scores \
            above which a look is evidence of a fire: lower than the old thresholds. Without all \
            of these the model's own apply"
        ),
    )
}
