//! Opens what a camera is received with: the pipeline that its register row names, logged in.

use super::reading::Reading;
use super::rtsp;
use crate::address::Form;
use crate::camera::fault::Fault;
use crate::camera::gst::pipelines::{Line, Pipelines};
use crate::camera::gst::{self as shared, Pipeline};
use crate::camera::source::{CameraSource, SourceKind};
use crate::error::{Error, Result};
use crate::lang::Lang;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSink;
use std::path::Path;

/// Starts GStreamer and registers our own source for RTSP cameras; may be called again. Error: what
/// is missing, and the Debian package that provides it.
pub fn init() -> Result<()> {
    shared::init()?;
    rtsp::register()
}

/// The text of our own source for any RTSP camera, and the one that takes over where a camera does
/// not get along with it.
const OWN: &str = "rtsp";
const RTSPSRC: &str = "rtspsrc";

/// Whether the source may be received by `rtspsrc` instead: nobody has chosen another pipeline.
pub(super) fn may_change(source: &CameraSource, default: &str) -> bool {
    let name = source.pipeline.as_deref().unwrap_or(default);
    name == OWN && matches!(source.address.form(), Form::Rtsp)
}

/// The same source, received by `rtspsrc`.
pub(super) fn by_rtspsrc(source: &CameraSource) -> CameraSource {
    source.clone().with_pipeline(RTSPSRC)
}

/// Would this pipeline text open? Error: what is wrong with it, and what to do.
pub fn check_pipeline(folder: &Path, name: &str) -> Result<()> {
    let wrong = |fault: Fault| Error::invalid(fault.sentence(name, Lang::En));
    let line = Pipelines::new(folder)
        .line(name, &[("url", "rtsp://127.0.0.1/"), ("path", "/dev/null")])
        .map_err(wrong)?;
    Pipeline::open(&line).map(drop).map_err(wrong)
}

/// The pipeline of a source that has one (folders and snapshots have none), logged in, with its
/// outlet and its text. `default`: the pipeline text for RTSP.
pub(super) fn open(
    source: &CameraSource,
    reading: &Reading,
    kind: &SourceKind,
    default: &str,
    pipelines: &Pipelines,
) -> Result<(Pipeline, AppSink, Line), Fault> {
    let (default, key, value) = match kind {
        SourceKind::Web if source.pipeline.is_none() => return Err(source.bad_address()),
        SourceKind::Rtsp | SourceKind::Web => {
            (default, "url", source.address.expose().target.to_owned())
        }
        SourceKind::Video(path) => ("file", "path", path.to_string_lossy().into_owned()),
        SourceKind::Images(_) | SourceKind::Drop(_) => return Err(source.bad_address()),
    };
    let name = source.pipeline.as_deref().unwrap_or(default);
    let line = pipelines.line(name, &[(key, &value)])?;
    let (pipeline, sink) = Pipeline::open(&line)?;
    if let Some(element) = pipeline.0.by_name("source") {
        log_in(&element, source, reading);
    }
    Ok((pipeline, sink, line))
}

/// Sets the login as properties of the element named `source`: a password never stands in a
/// pipeline text. Sound is not requested.
fn log_in(element: &gst::Element, source: &CameraSource, reading: &Reading) {
    let exposed = source.address.expose();
    if let (Some((user, password)), true) =
        (exposed.logins.get(reading.index()), element.has_property("user-id"))
    {
        element.set_property("user-id", user);
        element.set_property("user-pw", password);
    }
    if element.factory().is_some_and(|factory| factory.name() == "rtspsrc") {
        element.connect("select-stream", false, |values| {
            let caps = values.get(2).and_then(|value| value.get::<gst::Caps>().ok());
            let media =
                caps.as_ref().and_then(|caps| caps.structure(0)?.get::<String>("media").ok());
            Some((media.is_none_or(|media| media == "video")).to_value())
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_for_a_card_that_is_not_there_says_what_to_install_and_what_to_choose_instead() {
        init().expect("GStreamer and its elements");
        for (name, element, driver) in [
            ("rtsp-nvidia", "nvh264dec", "nvidia-smi"),
            ("rtsp-vaapi", "vah264dec", "intel-media-va-driver"),
        ] {
            let opened = check_pipeline(Path::new("/nowhere"), name);
            assert_eq!(
                opened.is_ok(),
                gst::ElementFactory::find(element).is_some(),
                "{name}: {opened:?}"
            );
            let Err(error) = opened else { continue };
            for part in [
                element,
                "apt-get install gstreamer1.0-plugins-bad",
                driver,
                "choose the pipeline rtsp",
            ] {
                assert!(error.message.contains(part), "{part}: {}", error.message);
            }
            let zh =
                Fault::MissingElement { element: element.to_owned() }.sentence("北山", Lang::Zh);
            assert!(zh.contains(element) && zh.contains("把管线改回 rtsp"), "{zh}");
        }
    }
}
