//! Why no stream comes from a camera, as its answers and its packets show: a part of
//! [`super::Fault`]. What a library wrote about it goes to the log at most, never into a sentence.

use crate::frame::Health;

/// Never holds a password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Link {
    Unreachable(Network),
    /// It serves no more viewers, or says that it is busy.
    Busy,
    /// A status that is neither a refused login nor a missing stream (RTSP and HTTP).
    Refused {
        status: u16,
    },
    /// It sends on to an address that asks for a login of its own, or that cannot be followed. `to`
    /// has its secrets masked; None: it did not say where to.
    SentOn {
        to: Option<String>,
    },
    /// More often than is followed.
    SentInCircles,
    /// It departs from RTSP. `is_tried`: by `rtspsrc` as well, and that gave no picture either.
    Breach {
        breach: Breach,
        is_tried: bool,
    },
}

/// Why a connection failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Network {
    /// The host is there, but nothing serves at that port.
    Refused,
    NoRoute,
    NoSuchHost,
    /// The connection was made, and broke off.
    Broken,
    NoAnswer,
    /// To this request, within tenths of seconds.
    NoAnswerTo {
        request: &'static str,
        tenths: i64,
    },
    Other,
}

/// How a camera departs from RTSP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Breach {
    Keepalive,
    Description,
    /// More packets than can be overlooked.
    Packets,
    /// Sequence numbers that begin anew.
    Sequence,
    /// Answers, or bytes that are none.
    Answers,
}

impl Link {
    pub fn breach(breach: Breach) -> Self {
        Self::Breach { breach, is_tried: false }
    }

    /// What a status that refuses means.
    pub fn refused(status: u16) -> Self {
        match status {
            453 | 503 => Self::Busy,
            status => Self::Refused { status },
        }
    }

    pub fn health(&self) -> Health {
        match self {
            Self::Unreachable(_) | Self::Busy | Self::Breach { .. } => Health::Offline,
            Self::Refused { status } if !matches!(status, 400..500) => Health::Offline,
            Self::Refused { .. } | Self::SentOn { .. } | Self::SentInCircles => {
                Health::Misconfigured
            }
        }
    }

    /// Cause, then cure; Chinese and English.
    pub fn words(&self) -> (String, String) {
        match self {
            Self::Unreachable(network) => network.words(),
            Self::Busy => (
                "摄像机忙，不再接受新的观看连接：请关闭其他观看者，或在摄像机中调高连接数上限；\
                系统会自动重试"
                    .to_owned(),
                "the camera is busy and serves no more viewers; close others or raise its limit; \
                retrying automatically"
                    .to_owned(),
            ),
            Self::Refused { status } => refused(*status),
            Self::SentOn { to: Some(to) } => (
                format!(
                    "该地址转到 {to}，无法跟随（登录信息不会带到另一台主机）：\
                    请在台账中改填最终地址及其用户名和密码"
                ),
                format!(
                    "this address sends on to {to}, which cannot be followed (a login is not \
                    carried to another host); enter that address, with its own login, in the \
                    register"
                ),
            ),
            Self::SentOn { to: None } => (
                "该地址要求转到别处，却没有给出地址：请向平台管理方索取最终地址，填入台账"
                    .to_owned(),
                "this address sends on without saying where to; ask the platform's operator for \
                the final address and enter that"
                    .to_owned(),
            ),
            Self::SentInCircles => (
                "该地址一再转到别处：请向平台管理方索取最终地址，填入台账".to_owned(),
                "this address sends on again and again; ask the platform's operator for the final \
                address and enter that"
                    .to_owned(),
            ),
            Self::Breach { breach, is_tried } => breach.words(*is_tried),
        }
    }
}

/// Of a status without a meaning of its own.
fn refused(status: u16) -> (String, String) {
    let ((cause_zh, cure_zh), (cause, cure)) = match status {
        461 => (
            ("摄像机只肯用 UDP 发送视频", "请在摄像机或平台中允许 TCP（interleaved）传输"),
            ("the camera sends over UDP only", "allow TCP (interleaved) in the camera or platform"),
        ),
        403 => (
            ("摄像机不允许该用户观看", "请在摄像机中给该用户预览权限，或检查其 IP 白名单"),
            (
                "the camera does not let this user watch",
                "give the user the right to the live view, or check its list of allowed addresses",
            ),
        ),
        500.. => (
            ("摄像机自身出错", "请重启摄像机或平台，仍不行请升级其固件；系统会自动重试"),
            (
                "the camera's own error",
                "restart camera or platform, and update its firmware if it stays; retrying \
                automatically",
            ),
        ),
        _ => (
            ("摄像机拒绝了请求", "请用播放器或浏览器打开该地址，检查路径和通道号；系统会自动重试"),
            (
                "the camera refuses the request",
                "open the address in a player or browser to check path and channel; retrying \
                automatically",
            ),
        ),
    };
    (format!("{cause_zh}（{status}）：{cure_zh}"), format!("{cause} ({status}); {cure}"))
}

impl Network {
    /// From what an operating system or library says.
    pub fn of(text: &str) -> Self {
        let says = |any: &[&str]| any.iter().any(|part| text.contains(part));
        if says(&["os error 111)", "Connection refused"]) {
            Self::Refused
        } else if says(&["os error 113)", "os error 101)", "No route to host", "unreachable"]) {
            Self::NoRoute
        } else if says(&["failed to lookup", "Error resolving", "not known", "os error -2)"]) {
            Self::NoSuchHost
        } else if says(&["os error 110)", "imed out", "imeout"]) {
            Self::NoAnswer
        } else if says(&["os error 104)", "os error 32)", "os error 103)", "EOF", "closed", "eset"])
        {
            Self::Broken
        } else {
            Self::Other
        }
    }

    fn words(self) -> (String, String) {
        let zh =
            |cause: &str, cure: &str| format!("连接不上（{cause}），请检查{cure}；系统会自动重连");
        let en = |cause: &str, cure: &str| {
            format!("cannot be reached ({cause}); check {cure}; reconnecting automatically")
        };
        let (usual_zh, usual_en) = ("供电、网络和地址", "power, network and address");
        match self {
            Self::Refused => (
                zh("该端口没有服务", "地址中的端口，以及摄像机是否启用了该服务"),
                en(
                    "nothing serves at its port",
                    "the port in its address, and that the camera's service is switched on",
                ),
            ),
            Self::NoRoute => (zh("网络不通", usual_zh), en("there is no way to it", usual_en)),
            Self::NoSuchHost => (
                zh("找不到该主机名", "地址中的主机名，或改填 IP 地址"),
                en("its host name is not known", "the name, or enter its IP address"),
            ),
            Self::Broken => (
                zh("连接中途断开", "网络，以及摄像机的观看数是否已满"),
                en("the connection broke off", "the network, and whether it has too many viewers"),
            ),
            Self::NoAnswer => (zh("没有应答", usual_zh), en("no answer", usual_en)),
            Self::NoAnswerTo { request, tenths } => {
                let seconds = super::tenths(tenths);
                (
                    zh(&format!("{seconds} 秒内没有应答 {request}"), usual_zh),
                    en(&format!("no answer to {request} within {seconds} s"), usual_en),
                )
            }
            Self::Other => (zh("原因不明", usual_zh), en("for an unknown reason", usual_en)),
        }
    }
}

impl Breach {
    /// What the camera does.
    pub fn cause(self) -> (&'static str, &'static str) {
        match self {
            Self::Keepalive => ("摄像机答错保活请求", "the camera answers keepalives wrongly"),
            Self::Description => (
                "摄像机对视频流的说明（SDP）残缺，无法读取",
                "the camera's description of its stream (SDP) cannot be read",
            ),
            Self::Packets => {
                ("摄像机发来大量错误的数据包", "the camera sends many malformed packets")
            }
            Self::Sequence => {
                ("摄像机的数据包序号乱跳", "the camera's packet numbers begin anew all the time")
            }
            Self::Answers => ("摄像机的应答不合 RTSP 规范", "what the camera answers is not RTSP"),
        }
    }

    fn words(self, is_tried: bool) -> (String, String) {
        let (zh, en) = self.cause();
        if is_tried {
            return (
                format!("{zh}，用 rtspsrc 也收不到画面：请升级摄像机固件，或改填其 HTTP 抓图地址"),
                format!(
                    "{en}, and rtspsrc gets no picture either; update its firmware, or enter its \
                    HTTP snapshot address instead"
                ),
            );
        }
        (
            format!("{zh}，正在重连；请升级摄像机固件，或在台账中把它的管线填为 rtspsrc"),
            format!(
                "{en}; reconnecting; update its firmware, or enter the pipeline rtspsrc for it in \
                the register"
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_a_cause_and_a_cure_of_its_own() {
        for (status, health, zh, en) in [
            (453, Health::Offline, "调高连接数上限", "serves no more viewers"),
            (503, Health::Offline, "调高连接数上限", "close others or raise its limit"),
            (461, Health::Misconfigured, "允许 TCP", "UDP only (461); allow TCP (interleaved)"),
            (403, Health::Misconfigured, "预览权限", "let this user watch (403)"),
            (400, Health::Misconfigured, "通道号", "refuses the request (400)"),
            (
                500,
                Health::Offline,
                "摄像机自身出错（500）：",
                "the camera's own error (500); restart",
            ),
            (204, Health::Offline, "（204）", "(204)"),
        ] {
            let link = Link::refused(status);
            let (said_zh, said_en) = link.words();
            assert_eq!(link.health(), health, "{status}");
            assert!(said_zh.contains(zh) && said_en.contains(en), "{said_zh}\n{said_en}");
        }
    }

    #[test]
    fn what_a_library_says_becomes_one_of_our_own_causes() {
        for (text, expected) in [
            (
                "Unable to connect to RTSP server: Connection refused (os error 111)",
                Network::Refused,
            ),
            ("No route to host (os error 113)", Network::NoRoute),
            (
                "failed to lookup address information: Name or service not known",
                Network::NoSuchHost,
            ),
            ("Connection timed out (os error 110)", Network::NoAnswer),
            ("Timeout while waiting for server response.", Network::NoAnswer),
            ("Error reading from RTSP peer: EOF while expecting response", Network::Broken),
            ("connection closed before message completed", Network::Broken),
            ("Could not open resource for reading and writing.", Network::Other),
        ] {
            assert_eq!(Network::of(text), expected, "{text}");
            let (zh, en) = Link::Unreachable(expected).words();
            assert!(!en.contains("os error") && zh.starts_with("连接不上"), "{zh} {en}");
        }
    }
}
