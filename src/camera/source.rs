//! Where one camera's pictures come from: its address, and what that address means on this machine.

use super::fault::Fault;
use super::image_file::is_picture;
use crate::address::{Address, Form, masked};
use crate::frame::KnownView;
use crate::triage::id::{CameraId, PoseId};
use std::collections::BTreeSet;
use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// One camera pose and its source.
#[derive(Clone)]
pub struct CameraSource {
    pub id: CameraId,
    pub pose: PoseId,
    /// What people call it.
    pub name: String,
    pub address: Address,
    /// The name of a file in the pipelines folder, without `.gst`. None: chosen by the kind of
    /// source.
    pub pipeline: Option<String>,
    /// 主码流: the same view in full size, fetched one picture at a time on suspicion.
    pub main: Option<Box<CameraSource>>,
    /// Horizontal field of view, degrees, if the register has it. Moves are then reported in
    /// degrees.
    pub field_of_view_deg: Option<f64>,
    /// `None`: the camera always shows `pose`.
    pub patrol: Option<Patrol>,
}

/// 巡航: a camera that turns from preset to preset.
#[derive(Clone, Debug)]
pub struct Patrol {
    /// Poses of the register.
    pub presets: BTreeSet<PoseId>,
    /// What was known of its views before.
    pub views: Vec<KnownView>,
}

/// The kinds of source, as the address shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SourceKind {
    Rtsp,
    /// A video file, played in real time and repeated.
    Video(PathBuf),
    /// A folder of JPEG and PNG pictures, one per cadence, in name order, repeated.
    Images(PathBuf),
    /// A web address that answers with a JPEG, or with MJPEG.
    Web,
    /// A folder into which pictures are uploaded (FTP); the newest is used.
    Drop(PathBuf),
}

impl CameraSource {
    /// `address`: `rtsp://[user:password@]host[:port]/…`, `http://…` or `https://…` to a JPEG or
    /// MJPEG, `drop:/folder` for pictures that arrive there, or a recorded video file or folder of
    /// pictures as path or `file://` address. Never fails: a bad address is that camera's status,
    /// not everybody's error.
    pub fn new(
        id: CameraId,
        pose: PoseId,
        name: impl Into<String>,
        address: impl Into<Address>,
    ) -> Self {
        let (pipeline, field_of_view_deg, main, patrol) = (None, None, None, None);
        Self {
            id,
            pose,
            name: name.into(),
            address: address.into(),
            pipeline,
            field_of_view_deg,
            main,
            patrol,
        }
    }

    #[must_use]
    pub fn with_pipeline(mut self, name: impl Into<String>) -> Self {
        self.pipeline = Some(name.into());
        self
    }

    #[must_use]
    pub fn with_main(mut self, main: Self) -> Self {
        self.main = Some(Box::new(main));
        self
    }

    #[must_use]
    pub fn with_field_of_view(mut self, degrees: f64) -> Self {
        self.field_of_view_deg = Some(degrees);
        self
    }

    /// It turns between `presets`. `views`: those that were known when it was last looked at.
    #[must_use]
    pub fn with_patrol(mut self, presets: BTreeSet<PoseId>, views: Vec<KnownView>) -> Self {
        self.patrol = Some(Patrol { presets, views });
        self
    }

    /// Whether its pictures may have this pose.
    pub fn shows(&self, pose: &PoseId) -> bool {
        match &self.patrol {
            None => self.pose == *pose,
            Some(patrol) => pose.is_unregistered() || patrol.presets.contains(pose),
        }
    }

    /// What the address means. Whether a path is a folder or a file is looked up on disk.
    pub fn kind(&self) -> Result<SourceKind, Fault> {
        let path = match self.address.form() {
            Form::Rtsp => return Ok(SourceKind::Rtsp),
            Form::Web => return Ok(SourceKind::Web),
            Form::Drop(folder) => return Ok(SourceKind::Drop(folder)),
            Form::Unusable => return Err(self.bad_address()),
            Form::File(path) => path,
        };
        match path.metadata() {
            Ok(it) if it.is_dir() => Ok(SourceKind::Images(path)),
            Ok(_) => Ok(SourceKind::Video(path)),
            // An address without its scheme is taken for a file name, so its secrets are masked
            // here too.
            Err(e) => Err(Fault::NoSuchFile {
                path: masked(&path.to_string_lossy()).into(),
                why: e.to_string(),
            }),
        }
    }

    pub(super) fn bad_address(&self) -> Fault {
        Fault::BadAddress { shown: self.address.to_string() }
    }
}

impl fmt::Debug for CameraSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CameraSource({} {:?} {})", self.id, self.name, self.address)
    }
}

/// A file that begins like a JPEG or PNG, whatever its name.
pub fn is_image_file(path: &Path) -> bool {
    let mut start = [0; 4];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && is_picture(&start)
}

/// JPEG and PNG files of a folder, in name order.
pub fn images_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let is_image = |path: &PathBuf| {
        let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        matches!(extension.as_deref(), Some("jpg" | "jpeg" | "png"))
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.retain(is_image);
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(url: &str) -> CameraSource {
        CameraSource::new("c1".into(), "default".into(), "北山", url)
    }

    #[test]
    fn addresses_that_cannot_work_are_told_at_once() {
        for url in [
            "",
            "ftp://h/s",
            "http://",
            "https:///a.jpg",
            "drop:",
            "drop:here",
            "drop://host/x",
            "rtsp://",
            "rtsp:///s",
            "rtsp://h:port/s",
            "rtsp://h:0/s",
            "rtsp://a b/s",
        ] {
            assert!(matches!(source(url).kind(), Err(Fault::BadAddress { .. })), "{url}");
        }
        assert!(matches!(source("/no/such.mp4").kind(), Err(Fault::NoSuchFile { .. })));
        let said = format!("{:?}", source("admin:s3cret@10.1.2.3/s").kind());
        assert!(said.contains("***@10.1.2.3") && !said.contains("s3cret"), "{said}");
        assert_eq!(source("rtsp://h:8554/s").kind(), Ok(SourceKind::Rtsp));
        assert_eq!(source("rtsp://[::1]:8554/s").kind(), Ok(SourceKind::Rtsp));
        assert_eq!(source("rtsps://h/s").kind(), Ok(SourceKind::Rtsp));
        assert_eq!(source("HTTPS://h/snap.jpg?channel=1").kind(), Ok(SourceKind::Web));
        for url in ["drop:/srv/ftp/北山", "drop:///srv/ftp/北山", "DROP:/srv/ftp/北山"] {
            assert_eq!(source(url).kind(), Ok(SourceKind::Drop("/srv/ftp/北山".into())), "{url}");
        }
        assert!(matches!(source("file:///").kind(), Ok(SourceKind::Images(_))));
    }
}
