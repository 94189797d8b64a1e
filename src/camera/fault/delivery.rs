//! Faults of cameras that are polled over HTTP or upload into a folder: a part of
//! [`super::Fault`].

use crate::frame::Health;
use std::path::PathBuf;

/// Never holds an address or a password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Delivery {
    /// The certificate of an https camera is not accepted.
    Certificate {
        why: String,
    },
    Slow {
        seconds: u64,
    },
    /// The answer is not HTTP.
    NotHttp,
    /// A good answer without a byte in it.
    Empty,
    /// A picture that breaks off.
    Torn,
    /// `kind`: the answer's Content-Type.
    NotAPicture {
        kind: String,
    },
    /// Uploaded into a folder.
    NotAPictureFile {
        file: String,
    },
    /// The same, a picture that breaks off.
    TornFile {
        file: String,
    },
    TooLarge {
        mb: usize,
    },
    NothingYet {
        folder: PathBuf,
        offline: bool,
    },
    NothingNew {
        folder: PathBuf,
        seconds: i64,
        offline: bool,
    },
    /// By its file name, it was taken long before it arrived.
    OldPicture {
        file: String,
        minutes: i64,
    },
    TooManyFiles {
        folder: PathBuf,
        max: usize,
    },
}

impl Delivery {
    pub fn health(&self) -> Health {
        match self {
            Self::NothingYet { offline: false, .. } | Self::NothingNew { offline: false, .. } => {
                Health::Late
            }
            Self::NothingYet { .. } | Self::NothingNew { .. } | Self::Slow { .. } | Self::Empty => {
                Health::Offline
            }
            Self::Torn | Self::TornFile { .. } => Health::Undecodable,
            Self::NotHttp
            | Self::Certificate { .. }
            | Self::NotAPicture { .. }
            | Self::NotAPictureFile { .. }
            | Self::TooLarge { .. }
            | Self::OldPicture { .. }
            | Self::TooManyFiles { .. } => Health::Misconfigured,
        }
    }

    /// Cause, then cure; Chinese and English.
    pub fn words(&self) -> (String, String) {
        match self {
            Self::Certificate { why } => (
                format!(
                    "摄像机的 https 证书无法验证（{why}）：\
                    请把该证书或其签发机构的证书装入本机（update-ca-certificates）后重启本程序，\
                    或在专网内改用 http://"
                ),
                format!(
                    "the camera's https certificate cannot be verified ({why}); install this \
                    certificate or its authority's on this machine (update-ca-certificates) and \
                    restart, or use http:// on a separate network"
                ),
            ),
            Self::Slow { seconds } => (
                format!(
                    "摄像机 {seconds} 秒内没有给出完整图片，请检查网络，或降低抓图分辨率；\
                    系统会自动重试"
                ),
                format!(
                    "no complete picture within {seconds} s; check the network or lower the \
                    snapshot's size; retrying automatically"
                ),
            ),
            Self::NotHttp => (
                "应答不合 HTTP 规范，请检查端口，或升级摄像机固件、改填其 RTSP 地址".to_owned(),
                "the answer is not HTTP; check the port, update the camera's firmware, or enter \
                its RTSP address instead"
                    .to_owned(),
            ),
            Self::Empty => (
                "摄像机应答了，但没有给出图片，请重启摄像机并检查通道号；系统会自动重试".to_owned(),
                "the camera answers without a picture; restart it and check the channel; retrying \
                automatically"
                    .to_owned(),
            ),
            Self::Torn => (
                "图片传到一半中断，未分析，请检查网络，或降低抓图分辨率；系统会自动重试".to_owned(),
                "only a part of the picture comes, so it is not analysed; check the network or \
                lower the snapshot's size; retrying automatically"
                    .to_owned(),
            ),
            Self::NotAPicture { kind } if kind.is_empty() => (
                "收到的不是 JPEG 或 PNG 图片，请检查地址是否为抓图地址".to_owned(),
                "the received data is not a JPEG or PNG picture; check that this is the snapshot \
                address"
                    .to_owned(),
            ),
            Self::NotAPicture { kind } => (
                format!("收到的不是 JPEG 或 PNG 图片（{kind}），请检查地址是否为抓图地址"),
                format!(
                    "the received data is not a JPEG or PNG picture ({kind}); check that this is \
                    the snapshot address"
                ),
            ),
            Self::NotAPictureFile { file } => (
                format!(
                    "新到的文件 {file} 不是 JPEG 或 PNG 图片，请在摄像机的上传设置中选择 JPEG \
                    抓图"
                ),
                format!(
                    "the uploaded file {file} is not a JPEG or PNG picture; choose JPEG snapshots \
                    in the camera's upload settings"
                ),
            ),
            Self::TornFile { file } => (
                format!(
                    "新到的文件 {file} 只有半张图片，未分析，请检查摄像机的上传设置、网络和服务器的磁盘空间"
                ),
                format!(
                    "the uploaded file {file} holds a part of a picture only, so it is not \
                    analysed; check the camera's upload, the network and the server's disk"
                ),
            ),
            Self::TooLarge { mb } => (
                format!("图片超过 {mb} MB，请在摄像机中降低抓图分辨率或质量"),
                format!(
                    "the picture is larger than {mb} MB; lower the snapshot's size or quality \
                    in the camera"
                ),
            ),
            Self::NothingYet { folder, .. } => (
                format!("文件夹 {} 中还没有图片，请检查摄像机的 FTP 上传设置", folder.display()),
                format!(
                    "no picture has come into the folder {} yet; check the camera's FTP upload",
                    folder.display()
                ),
            ),
            Self::NothingNew { folder, seconds, .. } => (
                format!(
                    "文件夹 {} 已 {seconds} 秒没有新图片，请检查摄像机的上传设置、时钟和网络",
                    folder.display()
                ),
                format!(
                    "no new picture in the folder {} for {seconds} s; check the camera's upload, \
                    clock and network",
                    folder.display()
                ),
            ),
            Self::OldPicture { file, minutes } => (
                format!(
                    "新到的图片 {file} 按文件名是 {minutes} 分钟前拍的，没有分析，\
                    请校准摄像机的时钟和时区（北京时间）"
                ),
                format!(
                    "by its name, the picture {file} was taken {minutes} min before it arrived, so \
                    it is not analysed; set the camera's clock and time zone (China Standard Time)"
                ),
            ),
            Self::TooManyFiles { folder, max } => (
                format!(
                    "文件夹 {} 中的图片超过 {max} 张，请让摄像机按日期建子文件夹，\
                    或清理旧图片（本程序不删除）",
                    folder.display()
                ),
                format!(
                    "more than {max} pictures in the folder {}; let the camera store them in \
                    folders by date, or delete old ones (this program deletes none)",
                    folder.display()
                ),
            ),
        }
    }
}
