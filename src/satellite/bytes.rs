//! The bytes of a file or a web address, through the GStreamer texts `pipelines/hotspots-*.gst`.
//! Blocking: for OS threads, never on a tokio worker. Each transfer has a limit of size and one of
//! time, whatever trickles in.

use crate::error::{Error, Kind, Result};
use crate::lang::Lang;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSink;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

/// A day of the whole world's VIIRS pixels is about 10 MB; a county's file some kB.
const BYTES_MAX: usize = 50 << 20;
/// Limit for the whole transfer, however slowly it arrives. A day of the whole world takes eight
/// seconds over an office's 10 Mbit/s.
const WITHIN: Duration = Duration::from_secs(60);
/// How often the bus is checked for errors.
const LOOK_EVERY: gst::ClockTime = gst::ClockTime::from_mseconds(50);

/// HTTP: what was asked for is as it was.
const NOT_MODIFIED: u32 = 304;

const FILE_TEXT: &str = include_str!("../../pipelines/hotspots-file.gst");
pub(super) const HTTP_TEXT: &str = include_str!("../../pipelines/hotspots-http.gst");

/// The bytes of a file. `pipelines` is the folder of pipeline texts; the built-in one is used if it
/// lacks this name.
pub fn read_file(path: &Path, pipelines: &Path, lang: Lang) -> Result<Vec<u8>> {
    let shown = path.display().to_string();
    let meta = std::fs::metadata(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::invalid(shown.clone()).because(e),
        _ => Error::unavailable(shown.clone()).because(e),
    })?;
    if !meta.is_file() {
        return Err(Error::invalid(format!("{shown}: {}", lang.pick("不是文件", "not a file"))));
    }
    let location = path.to_str().ok_or_else(|| {
        Error::invalid(format!(
            "{shown}: {}",
            lang.pick("文件名不是 UTF-8，请改名", "its name is not UTF-8, rename it")
        ))
    })?;
    let text = text(pipelines, "hotspots-file", FILE_TEXT)?;
    Ok(pull(&text, location, &[], &shown, lang)?.bytes)
}

pub(super) fn text(pipelines: &Path, name: &str, built_in: &str) -> Result<String> {
    let path = pipelines.join(format!("{name}.gst"));
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(built_in.to_owned()),
        Err(e) => Err(Error::unavailable(format!("cannot read {}", path.display())).because(e)),
    }
}

/// The launch line: comments removed, and the location quoted so that no name can add elements.
fn launch_line(text: &str, location: &str) -> String {
    let quoted = format!("\"{}\"", location.replace('\\', "\\\\").replace('"', "\\\""));
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    lines.join(" ").replace("{location}", &quoted)
}

/// What came.
pub(super) struct Pulled {
    pub bytes: Vec<u8>,
    /// The server says that nothing has changed: 304.
    pub is_same: bool,
    /// Of the answer; names in small letters.
    pub headers: BTreeMap<String, String>,
}

/// Stops the pipeline when dropped.
struct Running(gst::Pipeline);

impl Drop for Running {
    fn drop(&mut self) {
        // Going to NULL cannot fail for a pipeline that is discarded.
        _ = self.0.set_state(gst::State::Null);
    }
}

/// `shown` replaces the location in errors, because it may hold a key. An error of kind `Invalid`
/// blames the content, never the pipeline: a watched folder sets such a file aside.
///
/// `asking`: headers for a web server.
pub(super) fn pull(
    text: &str,
    location: &str,
    asking: &[(&str, &str)],
    shown: &str,
    lang: Lang,
) -> Result<Pulled> {
    gst::init().map_err(|e| Error::unavailable("GStreamer does not start").because(e))?;
    let mut context = gst::ParseContext::new();
    let flags = gst::ParseFlags::FATAL_ERRORS;
    let pipeline = gst::parse::launch_full(&launch_line(text, location), Some(&mut context), flags)
        .map_err(|e| {
            missing(&context.missing_elements(), lang)
                .unwrap_or_else(|| Error::unavailable(e.message().replace(location, shown)))
        })?
        .downcast::<gst::Pipeline>()
        .map_err(|_| {
            Error::unavailable(
                lang.pick("管线文本不是一条管线", "the pipeline text is not a valid pipeline"),
            )
        })?;
    let running = Running(pipeline);
    let sink = running
        .0
        .by_name("bytes")
        .and_then(|element| element.downcast::<AppSink>().ok())
        .ok_or_else(|| {
            Error::unavailable(lang.pick(
                "管线文本中没有 appsink name=bytes",
                "the pipeline text has no appsink name=bytes",
            ))
        })?;
    ask_with(&running.0, asking);
    let bus = running.0.bus().ok_or_else(|| Error::internal("a pipeline without a bus"))?;
    let start = Instant::now();
    // A failure to start puts its reason on the bus, which is read below.
    _ = running.0.set_state(gst::State::Playing);

    let mut bytes = Vec::new();
    loop {
        if let Some(sample) = sink.try_pull_sample(LOOK_EVERY) {
            let map = sample.buffer().map(gst::BufferRef::map_readable);
            let map = map
                .and_then(std::result::Result::ok)
                .ok_or_else(|| Error::internal("an unreadable buffer"))?;
            if bytes.len() + map.len() > BYTES_MAX {
                return Err(too_long(shown, lang));
            }
            bytes.extend_from_slice(&map);
        } else if let Some(message) = bus.pop_filtered(&[gst::MessageType::Error]) {
            return match message.view() {
                gst::MessageView::Error(error) if status(error) == Some(NOT_MODIFIED) => {
                    Ok(Pulled { bytes: Vec::new(), is_same: true, headers: BTreeMap::new() })
                }
                gst::MessageView::Error(error) => Err(failure(error, shown, lang)),
                _ => Err(Error::internal("a message of another type")),
            };
        } else if sink.is_eos() {
            let (status, headers) = answered(&sink);
            return Ok(Pulled { bytes, is_same: status == Some(NOT_MODIFIED), headers });
        }
        if start.elapsed() > WITHIN {
            return Err(Error::unavailable(match lang {
                Lang::Zh => format!("{shown}：{}秒内没有读完", WITHIN.as_secs()),
                Lang::En => {
                    format!("{shown}: reading did not finish within {} s", WITHIN.as_secs())
                }
            }));
        }
    }
}

/// Sets the headers of whatever element in the text asks a web server.
fn ask_with(pipeline: &gst::Pipeline, asking: &[(&str, &str)]) {
    let fields = asking.iter().map(|&(name, value)| (name, value.to_owned()));
    let headers = fields
        .fold(gst::Structure::builder("headers"), |all, (name, value)| all.field(name, value));
    let headers = headers.build();
    for element in pipeline.iterate_elements().into_iter().flatten() {
        if !asking.is_empty() && element.find_property("extra-headers").is_some() {
            element.set_property("extra-headers", &headers);
        }
    }
}

/// Status and headers of the web server's answer, as the element passes them on.
fn answered(sink: &AppSink) -> (Option<u32>, BTreeMap<String, String>) {
    let (mut status, mut headers) = (None, BTreeMap::new());
    let Some(pad) = sink.static_pad("sink") else { return (status, headers) };
    pad.sticky_events_foreach(|event| {
        if let Some(said) = event.structure().filter(|it| it.name() == "http-headers") {
            status = said.get::<u32>("http-status-code").ok();
            if let Ok(answer) = said.get::<gst::Structure>("response-headers") {
                headers.extend(answer.iter().filter_map(|(name, value)| {
                    Some((name.to_lowercase(), value.get::<String>().ok()?))
                }));
            }
        }
        ControlFlow::Continue(gst::EventForeachAction::Keep)
    });
    (status, headers)
}

fn status(error: &gst::message::Error) -> Option<u32> {
    error
        .details()
        .and_then(|details| details.get::<u32>("http-status-code").ok())
        .filter(|status| *status >= 100)
}

fn too_long(shown: &str, lang: Lang) -> Error {
    Error::invalid(match lang {
        Lang::Zh => format!("{shown}：超过{} MB；请缩小范围后重新下载", BYTES_MAX >> 20),
        Lang::En => format!("{shown}: more than {} MB; download a smaller box", BYTES_MAX >> 20),
    })
}

fn missing(elements: &[String], lang: Lang) -> Option<Error> {
    let element = elements.first()?;
    let package = match element.as_str() {
        "souphttpsrc" => "gstreamer1.0-plugins-good",
        "appsink" => "gstreamer1.0-plugins-base",
        "filesrc" => "libgstreamer1.0-0",
        _ => "gstreamer1.0-plugins-bad",
    };
    Some(Error::unavailable(match lang {
        Lang::Zh => format!("缺少 GStreamer 元件 {element}；请安装：apt install {package}"),
        Lang::En => format!("the GStreamer element {element} is missing; apt install {package}"),
    }))
}

/// The text is our own: GStreamer's holds the address, and with it the key.
fn failure(error: &gst::message::Error, shown: &str, lang: Lang) -> Error {
    let cause = error.error();
    if let Some(status) = status(error) {
        let cure = match status {
            400 | 401 | 403 => lang.pick(
                "地址或密钥不对，请检查 HUOYAN_FIRMS_KEY",
                "the address or key is wrong; check HUOYAN_FIRMS_KEY",
            ),
            404 => lang.pick(
                "地址不存在，请检查 [satellite] feeds",
                "no such address, check [satellite] feeds",
            ),
            429 => lang.pick("请求过多，请加大 feed_every", "too many requests; raise feed_every"),
            _ => lang.pick("对方出错，稍后会重试", "the server has failed; trying again later"),
        };
        let kind = match status {
            429 => Kind::TooMany,
            400..=428 => Kind::Invalid,
            _ => Kind::Unavailable,
        };
        return Error::new(kind, format!("{shown}: HTTP {status}: {cure}"));
    }
    let tls = cause.message().contains("TLS") || cause.message().contains("Secure connection");
    let cure = if tls {
        lang.pick(
            "（https 需要 glib-networking 和 ca-certificates）",
            " (https needs glib-networking and ca-certificates)",
        )
    } else {
        ""
    };
    Error::unavailable(format!(
        "{shown}: {}{cure}",
        cause.message().replace(|c: char| c.is_control(), " ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_through_byte_by_byte() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("热点 \"1\" \\ ! fakesink .csv");
        let content: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
        std::fs::write(&path, &content).expect("written");
        assert!(read_file(&path, Path::new("pipelines"), Lang::En).expect("readable") == content);
        std::fs::write(&path, b"").expect("written");
        assert!(read_file(&path, Path::new("nowhere"), Lang::En).expect("readable").is_empty());
        assert!(read_file(dir.path(), Path::new("pipelines"), Lang::En).is_err(), "a folder");
        assert!(read_file(&dir.path().join("none"), Path::new("pipelines"), Lang::En).is_err());
    }

    #[test]
    fn a_missing_element_names_its_package() {
        let error =
            pull("nosuchsrc location={location} ! appsink name=bytes", "x", &[], "x", Lang::Zh)
                .err()
                .expect("missing");
        assert!(
            error.message.contains("nosuchsrc") && error.message.contains("apt install"),
            "{}",
            error.message
        );
        let error = pull("filesrc location={location} ! fakesink", "/dev/null", &[], "x", Lang::En)
            .err()
            .expect("no sink");
        assert!(error.message.contains("name=bytes"), "{}", error.message);
    }
}
