//! Why a camera gives no picture, and what to do about it: one sentence, in both languages, for the office's board.

use crate::frame::Health;
use crate::lang::Lang;
use std::path::PathBuf;

/// Never holds a password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    BadAddress {
        shown: String,
    },
    /// rtsps:// for the default source.
    Encrypted,
    NoSuchFile {
        path: PathBuf,
        why: String,
    },
    NoPictures {
        folder: PathBuf,
    },
    UnknownPipeline {
        name: String,
        known: String,
    },
    BadPipeline {
        name: String,
        why: String,
    },
    MissingElement {
        element: String,
    },
    WrongPassword {
        had_one: bool,
    },
    NoSuchStream,
    Unreachable {
        why: String,
    },
    StreamEnded,
    /// The process holds as many files and sockets as it may.
    NoMoreFiles,
    Silent {
        seconds: i64,
        offline: bool,
    },
    RareKeyframes {
        seconds: i64,
    },
    Overloaded {
        seconds: i64,
    },
    OtherCodec {
        why: String,
    },
    Undecodable {
        why: String,
    },
    Black,
    Frozen {
        seconds: i64,
    },
}

impl Fault {
    pub fn health(&self) -> Health {
        match self {
            Self::BadAddress { .. }
            | Self::Encrypted
            | Self::NoSuchFile { .. }
            | Self::NoPictures { .. }
            | Self::UnknownPipeline { .. }
            | Self::BadPipeline { .. }
            | Self::MissingElement { .. }
            | Self::NoSuchStream => Health::Misconfigured,
            Self::WrongPassword { .. } => Health::BadPassword,
            Self::Unreachable { .. } | Self::StreamEnded | Self::NoMoreFiles | Self::Silent { offline: true, .. } => {
                Health::Offline
            }
            Self::Silent { offline: false, .. } | Self::RareKeyframes { .. } | Self::Overloaded { .. } => Health::Late,
            Self::OtherCodec { .. } | Self::Undecodable { .. } => Health::Undecodable,
            Self::Black => Health::Black,
            Self::Frozen { .. } => Health::Frozen,
        }
    }

    /// "北山: …": cause, then cure.
    pub fn sentence(&self, camera: &str, lang: Lang) -> String {
        let (zh, en) = self.words();
        match lang {
            Lang::Zh => format!("{camera}：{zh}"),
            Lang::En => format!("{camera}: {en}"),
        }
    }

    fn words(&self) -> (String, String) {
        match self {
            Self::BadAddress { shown } => (
                format!("地址“{shown}”不可用，请在摄像机台账中填写 rtsp://主机/路径、视频文件或图片文件夹"),
                format!("the address \"{shown}\" cannot work; enter rtsp://host/path, a video file or a folder of pictures"),
            ),
            Self::Encrypted => (
                "默认的取流管线不支持加密的 rtsps，请在台账中把该摄像机的管线填为 rtspsrc".to_owned(),
                "the default pipeline does not speak encrypted rtsps; name the pipeline rtspsrc for this camera in the \
                 register"
                    .to_owned(),
            ),
            Self::NoSuchFile { path, why } => (
                format!("无法打开 {}（{why}），请检查路径和权限", path.display()),
                format!("cannot open {} ({why}); check path and permissions", path.display()),
            ),
            Self::NoPictures { folder } => (
                format!("文件夹 {} 中没有 jpg 或 png 图片", folder.display()),
                format!("no jpg or png pictures in the folder {}", folder.display()),
            ),
            Self::UnknownPipeline { name, known } => (
                format!("没有名为“{name}”的管线，可用的有：{known}"),
                format!("there is no pipeline \"{name}\"; known are: {known}"),
            ),
            Self::BadPipeline { name, why } => (
                format!("管线 {name}.gst 有误（{why}），请改正该文件"),
                format!("the pipeline {name}.gst is wrong ({why}); correct that file"),
            ),
            Self::MissingElement { element } => {
                let package = debian_package(element);
                (
                    format!("本机缺少 GStreamer 元件 {element}，请安装：apt-get install {package}"),
                    format!("this machine lacks the GStreamer element {element}: apt-get install {package}"),
                )
            }
            Self::WrongPassword { had_one: true } => (
                "摄像机拒绝了用户名或密码，请在台账中改正；为免锁定账号，10 分钟后才会再试".to_owned(),
                "the camera refuses user or password; correct them in the register (next try in 10 min, lest the account be \
                 locked)"
                    .to_owned(),
            ),
            Self::WrongPassword { had_one: false } => (
                "摄像机需要用户名和密码，请在台账中填写".to_owned(),
                "the camera asks for user and password; enter them in the register".to_owned(),
            ),
            Self::NoSuchStream => (
                "摄像机上没有这一路视频（404），请检查地址中的路径和通道号".to_owned(),
                "the camera has no such stream (404); check path and channel in its address".to_owned(),
            ),
            Self::Unreachable { why } => (
                format!("连接不上（{why}），请检查供电、网络和地址；系统会自动重连"),
                format!("cannot be reached ({why}); check power, network and address; reconnecting by itself"),
            ),
            Self::StreamEnded => (
                "摄像机断开了视频流，正在自动重连".to_owned(),
                "the camera ended the stream; reconnecting by itself".to_owned(),
            ),
            Self::NoMoreFiles => (
                "本机可打开的文件数已用尽，无法连接，请调高服务的 LimitNOFILE（或 ulimit -Hn）后重启".to_owned(),
                "cannot be reached: this machine allows the program no more open files; raise the service's LimitNOFILE \
                 (or `ulimit -Hn`) and restart"
                    .to_owned(),
            ),
            Self::Silent { seconds, .. } => (
                format!("已 {seconds} 秒没有收到画面，请检查网络和摄像机；系统会自动重连"),
                format!("no picture for {seconds} s; check network and camera; reconnecting by itself"),
            ),
            Self::RareKeyframes { seconds } => (
                format!("已 {seconds} 秒没有关键帧，请在摄像机中把 I 帧间隔设为 2～5 秒，并关闭智能编码"),
                format!("no keyframe for {seconds} s; set the camera's I-frame interval to 2-5 s and its smart codec off"),
            ),
            Self::Overloaded { seconds } => (
                format!("画面已等待分析 {seconds} 秒，本机算力不足：请加大检查周期，或增加分析线程、机器"),
                format!("its picture has waited {seconds} s for analysis: lengthen the cadence, add workers or machines"),
            ),
            Self::OtherCodec { why } => (
                format!("不支持的视频编码（{why}），请在摄像机中改为 H.264 或 H.265"),
                format!("unsupported video codec ({why}); set the camera to H.264 or H.265"),
            ),
            Self::Undecodable { why } => (
                format!("收到数据但无法解码（{why}），请检查网络丢包，或在摄像机中改为 H.264"),
                format!("data comes, but no picture can be made of it ({why}); check packet loss, or set the camera to H.264"),
            ),
            Self::Black => (
                "画面全黑，请检查镜头遮挡、夜视和供电".to_owned(),
                "the picture is black; check lens cover, night mode and power".to_owned(),
            ),
            Self::Frozen { seconds } => (
                format!("画面已 {seconds} 秒毫无变化，可能卡死，请重启摄像机或录像机"),
                format!("the picture has not changed at all for {seconds} s; restart camera or recorder"),
            ),
        }
    }
}

/// The Debian 12 package that brings an element.
pub(super) fn debian_package(element: &str) -> &'static str {
    match element {
        "x264enc" | "mpeg2dec" => "gstreamer1.0-plugins-ugly",
        "vaapih264dec" | "vaapih265dec" | "vaapipostproc" | "vaapisink" => "gstreamer1.0-vaapi",
        name if name.starts_with("av") => "gstreamer1.0-libav",
        "h264parse" | "h265parse" | "jpegparse" | "x265enc" | "tsdemux" | "openh264dec" | "srtsrc" => {
            "gstreamer1.0-plugins-bad"
        }
        name if name.starts_with("nv") || name.starts_with("va") || name.starts_with("v4l2sl") => {
            "gstreamer1.0-plugins-bad"
        }
        "appsrc" | "appsink" | "videoconvert" | "videoscale" | "videorate" | "parsebin" | "decodebin"
        | "uridecodebin" => "gstreamer1.0-plugins-base",
        "filesrc" | "funnel" | "fakesink" | "identity" | "queue" | "capsfilter" => "libgstreamer1.0-0",
        _ => "gstreamer1.0-plugins-good",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_the_camera_and_the_cure_in_both_languages() {
        let fault = Fault::MissingElement { element: "h264parse".to_owned() };
        for lang in [Lang::Zh, Lang::En] {
            let sentence = fault.sentence("北山", lang);
            assert!(sentence.starts_with("北山") && sentence.contains("gstreamer1.0-plugins-bad"), "{sentence}");
        }
    }
}
