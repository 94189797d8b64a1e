//! Why a camera gives no picture, and what to do about it: one sentence, in both languages, for the
//! board.

pub(super) mod delivery;
pub(super) mod link;
pub(super) mod patrol;

use crate::frame::Health;
use crate::lang::Lang;
use delivery::Delivery;
use link::{Breach, Link};
use patrol::Patrol;
use std::path::PathBuf;

/// Never holds a password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    BadAddress {
        shown: String,
    },
    /// rtsps:// with the default source.
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
    StreamEnded,
    /// A panic in the receiver of this camera.
    Crashed,
    /// The process has as many files and sockets open as it may.
    NoMoreFiles,
    Silent {
        seconds: i64,
        offline: bool,
    },
    RareKeyframes {
        seconds: i64,
    },
    /// `codecs`: what it sends instead, as it says. Empty: `rtspsrc` finds nothing that it could
    /// receive, and does not say why.
    OtherCodec {
        codecs: String,
    },
    NoVideo,
    /// A recording that is none, or in another codec.
    NoFilm,
    /// `is_stream`: a stream, not single pictures.
    Undecodable {
        is_stream: bool,
    },
    Black,
    Frozen {
        seconds: i64,
    },
    /// Percent of the picture that is clipped.
    Overexposed {
        percent: u32,
    },
    /// Sharpness in per cent of what is usual for this camera.
    Blurred {
        percent: u32,
    },
    Covered,
    Fog,
    /// The camera's present direction relative to the learnt one: tenths of degrees, or tenths of
    /// per cent of the picture's width.
    Moved {
        right_tenths: i32,
        down_tenths: i32,
        in_degrees: bool,
    },
    /// Turned so far, or zoomed so much, that nothing matches.
    OtherView,
    /// Width and height, pixels.
    Resized {
        from: (u32, u32),
        to: (u32, u32),
    },
    /// Keyframes come less often than the cadence; both are in tenths of seconds.
    LongGop {
        gop_tenths: i64,
        cadence_tenths: i64,
    },
    /// Fine, but received by `rtspsrc`, because the camera does not get along with our own source.
    ByRtspsrc {
        because: Breach,
    },
    /// The connection has broken and come back `breaks` times. `why`: the last time.
    Unsteady {
        breaks: u32,
        minutes: i64,
        why: Box<Fault>,
    },
    Delivery(Delivery),
    Link(Link),
    Patrol(Patrol),
}

impl From<Delivery> for Fault {
    fn from(fault: Delivery) -> Self {
        Self::Delivery(fault)
    }
}

impl From<Link> for Fault {
    fn from(fault: Link) -> Self {
        Self::Link(fault)
    }
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
            | Self::NoSuchStream
            | Self::NoVideo => Health::Misconfigured,
            Self::WrongPassword { .. } => Health::BadPassword,
            Self::StreamEnded
            | Self::Crashed
            | Self::NoMoreFiles
            | Self::Silent { offline: true, .. } => Health::Offline,
            Self::Silent { offline: false, .. }
            | Self::RareKeyframes { .. }
            | Self::LongGop { .. }
            | Self::Unsteady { .. } => Health::Late,
            Self::OtherCodec { .. } | Self::NoFilm | Self::Undecodable { .. } => {
                Health::Undecodable
            }
            Self::Black => Health::Black,
            Self::Frozen { .. } => Health::Frozen,
            Self::Overexposed { .. } => Health::Overexposed,
            Self::Blurred { .. } => Health::Blurred,
            Self::Covered => Health::Covered,
            Self::Fog => Health::Fog,
            Self::Moved { .. } | Self::OtherView => Health::Moved,
            Self::Resized { .. } => Health::Resized,
            Self::ByRtspsrc { .. } => Health::Ok,
            Self::Delivery(fault) => fault.health(),
            Self::Link(fault) => fault.health(),
            Self::Patrol(fault) => fault.health(),
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
                format!("地址“{shown}”不可用，请在摄像机台账中填写 rtsp://主机/路径、\
                    http://主机/抓图、drop:/上传文件夹、视频文件或图片文件夹"),
                format!(
                    "the address \"{shown}\" cannot work; enter rtsp://host/path, \
                    http://host/snapshot, drop:/folder of uploads, a video file or a folder of \
                    pictures"
                ),
            ),
            Self::Encrypted => (
                "默认的取流管线不支持加密的 rtsps，请在台账中把该摄像机的管线填为 rtspsrc".to_owned(),
                "the default pipeline does not support encrypted rtsps; enter the pipeline rtspsrc \
                for this camera in the register"
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
                format!("there is no pipeline \"{name}\"; available: {known}"),
            ),
            Self::BadPipeline { name, why } => (
                format!("管线 {name}.gst 有误（{why}），请改正该文件"),
                format!("the pipeline {name}.gst is wrong ({why}); correct that file"),
            ),
            Self::MissingElement { element } => {
                let package = debian_package(element);
                let (zh, en) = graphics(element).unwrap_or_default();
                (
                    format!("本机缺少 GStreamer 元件 {element}，请安装：apt-get install \
                        {package}{zh}"),
                    format!("this machine lacks the GStreamer element {element}: apt-get install \
                        {package}{en}"),
                )
            }
            Self::WrongPassword { had_one: true } => (
                "摄像机拒绝了用户名或密码，请在台账中改正；为免锁定账号，10 分钟后才会再试".to_owned(),
                "the camera refuses user or password; correct them in the register (next try in 10 \
                min, so that the account is not locked)"
                    .to_owned(),
            ),
            Self::WrongPassword { had_one: false } => (
                "摄像机需要用户名和密码，请在台账中填写".to_owned(),
                "the camera asks for user and password; enter them in the register".to_owned(),
            ),
            Self::NoSuchStream => (
                "摄像机上没有这一路视频或抓图（404），请检查地址中的路径和通道号".to_owned(),
                "the camera has no such stream or picture (404); check path and channel in its \
                address".to_owned(),
            ),
            Self::StreamEnded => (
                "摄像机断开了视频流，正在自动重连".to_owned(),
                "the camera ended the stream; reconnecting automatically".to_owned(),
            ),
            Self::Crashed => (
                "接收该摄像机的程序出错，已自动重新连接；反复出现请把日志交给运维".to_owned(),
                "the part of the program that receives this camera failed; reconnecting \
                automatically. If this keeps happening, give the log to operations"
                    .to_owned(),
            ),
            Self::NoMoreFiles => (
                "本机可打开的文件数已用尽，无法连接，请调高服务的 LimitNOFILE（或 ulimit \
                -Hn）后重启".to_owned(),
                "cannot connect: the program has reached its limit of open files; raise the \
                service's LimitNOFILE (or `ulimit -Hn`) and restart"
                    .to_owned(),
            ),
            Self::Silent { seconds, .. } => (
                format!("已 {seconds} 秒没有收到任何数据，请检查网络和摄像机；系统会自动重连"),
                format!("nothing has come for {seconds} s; check network and camera; reconnecting \
                    automatically"),
            ),
            Self::RareKeyframes { seconds } => (
                format!("已 {seconds} 秒没有关键帧，请在摄像机中把 I 帧间隔设为 2～5 秒，\
                    并关闭智能编码"),
                format!("no keyframe for {seconds} s; set the camera's I-frame interval to 2-5 s \
                    and turn its smart codec off"),
            ),
            Self::OtherCodec { codecs } if codecs.is_empty() => (
                "摄像机没有可用 TCP 接收的 H.264 或 H.265 视频，请在摄像机中改用这两种编码，\
                并允许 TCP（interleaved）传输"
                    .to_owned(),
                "the camera offers no H.264 or H.265 video over TCP; set it to one of them, and \
                allow TCP (interleaved)"
                    .to_owned(),
            ),
            Self::OtherCodec { codecs } => (
                format!("不支持的视频编码（{codecs}），请在摄像机中改为 H.264 或 H.265"),
                format!("unsupported video codec ({codecs}); set the camera to H.264 or H.265"),
            ),
            Self::NoVideo => (
                "这一路只有声音或数据，没有视频，请检查地址中的通道号".to_owned(),
                "there is no video in this stream; check the channel in its address".to_owned(),
            ),
            Self::NoFilm => (
                "该文件中没有可播放的 H.264、H.265 或 JPEG 视频，请换一个文件".to_owned(),
                "this file holds no H.264, H.265 or JPEG video that can be played; take another"
                    .to_owned(),
            ),
            Self::Undecodable { is_stream: true } => (
                "收到视频但解不出画面，请检查网络丢包，或在摄像机中改为 H.264".to_owned(),
                "video comes, but no picture can be made of it; check packet loss, or set the \
                camera to H.264"
                    .to_owned(),
            ),
            Self::Undecodable { is_stream: false } => (
                "收到的图片已损坏，无法打开，请检查摄像机的抓图或上传设置".to_owned(),
                "the pictures are damaged and cannot be opened; check the camera's snapshot or \
                upload settings"
                    .to_owned(),
            ),
            Self::ByRtspsrc { because } => {
                let (zh, en) = because.cause();
                (
                    format!("正在用 rtspsrc 接收，因为{zh}；CPU 占用约为平时的 8 倍，每台多 4 \
                        个线程。请升级摄像机固件，或在台账中把管线填为 rtspsrc"),
                    format!(
                        "received by rtspsrc, because {en}; this takes about 8 times the CPU and 4 \
                        threads more. Update the camera's firmware, or enter the pipeline rtspsrc \
                        in the register"
                    ),
                )
            }
            Self::Unsteady { breaks, minutes, why } => {
                let (zh, en) = match **why {
                    // Said each time it breaks, it needs no cure of its own.
                    Self::StreamEnded => (
                        "摄像机断开了视频流；请检查其观看数上限和固件，或在台账中把它的管线填为 \
                        rtspsrc"
                            .to_owned(),
                        "the camera ended the stream; check its limit of viewers and its firmware, \
                        or enter the pipeline rtspsrc for it"
                            .to_owned(),
                    ),
                    Self::Link(Link::Unreachable(_)) => {
                        let (zh, en) = why.words();
                        (zh, format!("it {en}"))
                    }
                    _ => why.words(),
                };
                (
                    format!("不稳定：{minutes} 分钟内重连 {breaks} 次，因为{zh}"),
                    format!("unsteady: {breaks} reconnections in {minutes} min, because {en}"),
                )
            }
            Self::Black => (
                "画面全黑，请检查镜头遮挡、夜视和供电".to_owned(),
                "the picture is black; check lens cover, night mode and power".to_owned(),
            ),
            Self::Frozen { seconds } => (
                format!("画面已 {seconds} 秒毫无变化，可能卡死，请重启摄像机或录像机"),
                format!("the picture has not changed at all for {seconds} s; restart camera or \
                    recorder"),
            ),
            Self::Delivery(fault) => fault.words(),
            Self::Link(fault) => fault.words(),
            Self::Patrol(fault) => fault.words(),
            Self::Overexposed { percent } => (
                format!("画面 {percent}% 过曝发白，可能阳光直射或曝光设置不当，请检查逆光、\
                    宽动态和曝光设置"),
                format!("{percent} % of the picture is overexposed: direct sun, or a wrong \
                    exposure setting; check exposure and WDR"),
            ),
            Self::Blurred { percent } => (
                format!("画面模糊，清晰度只有平时的 {percent}%，镜头可能脏污、有水滴蛛网或失焦，\
                    请擦拭镜头并重新聚焦"),
                format!(
                    "the picture is blurred, {percent} % of its usual sharpness: dirt, drops, a \
                    cobweb or lost focus; clean the lens and refocus"
                ),
            ),
            Self::Covered => (
                "镜头被遮挡，画面中什么也看不出，请检查镜头前的遮挡物（也可能是浓雾突然飘入）".to_owned(),
                "something covers the lens, and nothing can be seen; check what is in front of it \
                (it may also be sudden fog)"
                    .to_owned(),
            ),
            Self::Fog => (
                "雾：本摄像机现在看不见远处，不是故障，仍在分析；天晴后若不恢复，请检查镜头遮挡".to_owned(),
                "fog: this camera cannot see far now. This is no defect, and its pictures are \
                still analysed. If it stays so in clear weather, check the lens"
                    .to_owned(),
            ),
            Self::Moved { right_tenths, down_tenths, in_degrees } => moved(*right_tenths, *down_tenths, *in_degrees),
            Self::OtherView => (
                format!("画面与原来完全不同，摄像机可能被转动或变焦，方位不再可信；{}", RETURN.0),
                format!("the view is a different one: the camera was turned or zoomed, and its \
                    bearings are no longer valid; {}", RETURN.1),
            ),
            Self::Resized { from, to } => (
                format!(
                    "画面尺寸由 {}×{} 变为 {}×{}，请在摄像机中改回；若是有意更改，\
                    请在调参页确认新画面",
                    from.0, from.1, to.0, to.1
                ),
                format!(
                    "the picture size changed from {}x{} to {}x{}; change it back in the camera, \
                    or confirm the new view on the ops page",
                    from.0, from.1, to.0, to.1
                ),
            ),
            Self::LongGop { gop_tenths, cadence_tenths } => {
                let (gop, cadence) = (tenths(*gop_tenths), tenths(*cadence_tenths));
                (
                    format!(
                        "关键帧间隔 {gop} 秒，长于检查周期 {cadence} 秒：请在摄像机“视频—编码”中把 \
                        I 帧间隔设为不超过 {cadence} 秒（帧率×秒数），并关闭智能编码"
                    ),
                    format!(
                        "this camera's GOP is {gop} s; set it to {cadence} s or less: Video > \
                        Encoding > I-frame interval (frame rate x seconds), and turn the smart \
                        codec off"
                    ),
                )
            }
        }
    }
}

/// Elements for graphics cards appear only where the driver works, whatever is installed.
fn graphics(element: &str) -> Option<(&'static str, &'static str)> {
    if element.starts_with("nv") {
        Some((
            "；已安装时说明NVIDIA驱动或显卡不可用（看 nvidia-smi）；没有这种显卡请把管线改回 rtsp",
            "; if it is installed, NVIDIA's driver or card does not work (see nvidia-smi); without \
            such a card choose the pipeline rtsp",
        ))
    } else if element.starts_with("va") {
        Some((
            " intel-media-va-driver mesa-va-drivers；已安装时说明显卡驱动不可用（看 vainfo）；\
            没有这种显卡请把管线改回 rtsp",
            " intel-media-va-driver mesa-va-drivers; if they are installed, the graphics driver \
            does not work (see vainfo); without one choose the pipeline rtsp",
        ))
    } else {
        None
    }
}

/// What to do about a camera that has turned.
const RETURN: (&str, &str) = (
    "请转回预置位，或更正台账中的方位角并在调参页确认新画面",
    "return it to its preset, or correct its azimuth in the register and confirm the new view on \
    the ops page",
);

fn moved(right: i32, down: i32, in_degrees: bool) -> (String, String) {
    let amount = |tenths_: i32| {
        format!("{}{}", tenths(i64::from(tenths_.abs())), if in_degrees { "°" } else { "%" })
    };
    let parts = [(right, ("左", "left"), ("右", "right")), (down, ("上", "up"), ("下", "down"))];
    let said: Vec<(String, String)> = parts
        .iter()
        .filter(|(by, ..)| *by != 0)
        .map(|&(by, back, forth)| {
            let (zh, en) = if by < 0 { back } else { forth };
            (format!("向{zh} {}", amount(by)), format!("{} {en}", amount(by)))
        })
        .collect();
    let (zh, en): (Vec<String>, Vec<String>) = said.into_iter().unzip();
    let of = if in_degrees { ("", "") } else { ("（画面宽度）", " of the picture's width") };
    (
        format!("摄像机转动了：{}{}，方位不再可信；{}", zh.join("、"), of.0, RETURN.0),
        format!(
            "the camera was turned {}{}, and its bearings are no longer valid; {}",
            en.join(", "),
            of.1,
            RETURN.1
        ),
    )
}

/// 25 → "2.5", 200 → "20".
fn tenths(tenths: i64) -> String {
    if tenths % 10 == 0 {
        (tenths / 10).to_string()
    } else {
        format!("{}.{}", tenths / 10, tenths % 10)
    }
}

/// The Debian 12 package that brings an element.
pub(super) fn debian_package(element: &str) -> &'static str {
    match element {
        "x264enc" | "mpeg2dec" => "gstreamer1.0-plugins-ugly",
        "vaapih264dec" | "vaapih265dec" | "vaapipostproc" | "vaapisink" => "gstreamer1.0-vaapi",
        name if name.starts_with("av") => "gstreamer1.0-libav",
        "h264parse" | "h265parse" | "jpegparse" | "x265enc" | "tsdemux" | "openh264dec"
        | "srtsrc" => "gstreamer1.0-plugins-bad",
        name if name.starts_with("nv") || name.starts_with("va") || name.starts_with("v4l2sl") => {
            "gstreamer1.0-plugins-bad"
        }
        "appsrc" | "appsink" | "videoconvert" | "videoscale" | "videorate" | "parsebin"
        | "decodebin" | "uridecodebin" => "gstreamer1.0-plugins-base",
        "filesrc" | "funnel" | "fakesink" | "identity" | "queue" | "capsfilter" => {
            "libgstreamer1.0-0"
        }
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
            assert!(
                sentence.starts_with("北山") && sentence.contains("gstreamer1.0-plugins-bad"),
                "{sentence}"
            );
        }
    }
}
