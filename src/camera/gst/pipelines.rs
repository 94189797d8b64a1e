//! The pipeline texts. A file in the configured folder overrides the one built into the program.

use super::template::{self, Outlet};
use crate::camera::fault::Fault;
use std::path::{Path, PathBuf};

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => { [$(($name, include_str!(concat!("../../../pipelines/", $name, ".gst")))),+] };
}

const BUILT_IN: [(&str, &str); 12] = built_in![
    "rtsp",
    "rtsp-jpeg",
    "rtsp-nvidia",
    "rtsp-vaapi",
    "rtspsrc",
    "rtspsrc-h264",
    "rtspsrc-h265",
    "file",
    "file-any",
    "decode-h264",
    "decode-h265",
    "decode-jpeg",
];

/// Names that registers may still hold, and what they are called now.
const FORMER_NAMES: [(&str, &str); 2] =
    [("rtsp-h264", "rtspsrc-h264"), ("rtsp-h265", "rtspsrc-h265")];

/// The text that came with the program.
pub(crate) fn built_in(name: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Where pipeline texts are looked up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pipelines {
    folder: Option<PathBuf>,
}

/// A launch line ready for GStreamer, and where its pictures come out.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub name: String,
    pub text: String,
    pub outlet: Outlet,
}

impl Pipelines {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()) }
    }

    /// The text called `name`, filled.
    pub(crate) fn line(&self, name: &str, values: &[(&str, &str)]) -> Result<Line, Fault> {
        let text = self.text(name)?;
        let bad =
            |e: crate::error::Error| Fault::BadPipeline { name: name.to_owned(), why: e.message };
        let text = template::fill(&text, values).map_err(bad)?;
        let outlet = Outlet::of(&text).map_err(bad)?;
        Ok(Line { name: name.to_owned(), text, outlet })
    }

    fn text(&self, name: &str) -> Result<String, Fault> {
        let is_plain =
            !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
        let unknown =
            || Fault::UnknownPipeline { name: name.to_owned(), known: self.names().join(", ") };
        if !is_plain {
            return Err(unknown());
        }
        if let Some(folder) = &self.folder {
            let path = folder.join(format!("{name}.gst"));
            match std::fs::read_to_string(&path) {
                Ok(text) => return Ok(text),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => {
                    return Err(Fault::BadPipeline { name: name.to_owned(), why: e.to_string() });
                }
            }
        }
        let name =
            FORMER_NAMES.iter().find(|(former, _)| *former == name).map_or(name, |(_, name)| name);
        built_in(name).map(str::to_owned).ok_or_else(unknown)
    }

    /// For cameras: without the decoders.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = BUILT_IN.iter().map(|(name, _)| (*name).to_owned()).collect();
        let files = self
            .folder
            .iter()
            .filter_map(|folder| std::fs::read_dir(folder).ok())
            .flatten()
            .flatten();
        names.extend(
            files.filter_map(|file| {
                Some(file.file_name().to_str()?.strip_suffix(".gst")?.to_owned())
            }),
        );
        names.retain(|name| !name.starts_with("decode-") && !name.starts_with("hotspots-"));
        names.sort();
        names.dedup();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_text_fills_and_names_its_outlet() {
        for (name, _) in BUILT_IN {
            let line =
                Pipelines::default().line(name, &[("url", "rtsp://h/"), ("path", "/a b.mp4")]);
            assert!(line.is_ok(), "{name}: {line:?}");
        }
    }

    #[test]
    fn a_file_of_the_site_wins_and_unknown_names_are_answered_with_the_known_ones() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("rtsp.gst"), "videotestsrc ! appsink name=frames")
            .expect("writes");
        std::fs::write(folder.path().join("ours.gst"), "videotestsrc ! fakesink").expect("writes");
        let pipelines = Pipelines::new(folder.path());
        assert_eq!(pipelines.line("rtsp", &[]).map(|line| line.outlet).ok(), Some(Outlet::Frames));
        assert!(matches!(pipelines.line("ours", &[]), Err(Fault::BadPipeline { .. })));
        for name in ["nope", "../rtsp", "", "a/b"] {
            let Err(Fault::UnknownPipeline { known, .. }) = pipelines.line(name, &[]) else {
                panic!("{name} is not known")
            };
            assert!(known.contains("ours") && known.contains("rtspsrc-h264"), "{known}");
        }
    }
}
