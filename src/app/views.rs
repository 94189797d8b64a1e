//! Keeps on the disk at which views turning cameras were seen to stop and which preset each is, so
//! that a restart knows them: `views/<camera, in hex>/views.json` in the data folder, and a picture a
//! view. Without the folder nothing is lost but the office's work of naming: a view that is not
//! known gives no bearing.

use crate::base::file::write_whole;
use crate::error::{Error, Result};
use crate::frame::{KnownView, Picture, StatusBoard, ViewRecord};
use crate::triage::id::CameraId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const FOLDER: &str = "views";
const LIST: &str = "views.json";
/// The list's name when it could not be read: it is kept, so that somebody can repair it.
const UNREADABLE: &str = "views.unreadable.json";
const QUALITY: u8 = 90;

pub(super) struct Shelf {
    folder: PathBuf,
    /// What lies on the disk.
    kept: BTreeMap<CameraId, Vec<ViewRecord>>,
    /// Whether the last writing failed, so that it is said once.
    is_failing: bool,
}

#[derive(Clone, Serialize, Deserialize)]
struct List {
    camera: CameraId,
    views: Vec<ViewRecord>,
}

impl Shelf {
    pub(super) fn new(data: &Path) -> Self {
        Self { folder: data.join(FOLDER), kept: BTreeMap::new(), is_failing: false }
    }

    /// What is known of the camera's views. What cannot be read is logged and not known.
    pub(super) fn load(&self, camera: &CameraId) -> Vec<KnownView> {
        let folder = self.folder_of(camera);
        let list = folder.join(LIST);
        let read: Result<List> = match fs::read(&list) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
            Err(e) => Err(Error::unavailable("it is not read").because(e)),
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|e| Error::invalid("it is no list of views").because(e)),
        };
        let read = match read {
            Ok(read) => read,
            Err(e) => {
                let list = list.display();
                tracing::error!(%camera, "{list}: its views are to be named anew, and the file is kept as {UNREADABLE}: {}", e.chain());
                // The list of the views that are found from now on must not take its place.
                if let Err(e) = fs::rename(folder.join(LIST), folder.join(UNREADABLE)) {
                    tracing::error!(%camera, "{list} cannot be kept: {e}");
                }
                return Vec::new();
            }
        };
        let view = |record: ViewRecord| match picture(&folder, record.number) {
            Ok(picture) => Some(KnownView { record, picture: Arc::new(picture) }),
            Err(e) => {
                tracing::error!(%camera, view = record.number, "the view is to be named anew: {}", e.chain());
                None
            }
        };
        read.views.into_iter().filter_map(view).collect()
    }

    /// Writes what has changed since the last call: a view, its name or its picture. Counts are
    /// written along.
    pub(super) fn keep(&mut self, board: &StatusBoard) {
        let mut failed = None;
        for (camera, status) in board.all() {
            let Some(patrol) = status.patrol else { continue };
            if let Err(e) = self.keep_one(&camera, &patrol.views) {
                failed = Some(e);
            }
        }
        if self.is_failing != failed.is_some() {
            match &failed {
                Some(e) => tracing::error!("views of turning cameras are not kept: {}", e.chain()),
                None => tracing::info!("views of turning cameras are kept again"),
            }
            self.is_failing = failed.is_some();
        }
    }

    fn keep_one(&mut self, camera: &CameraId, views: &[KnownView]) -> Result<()> {
        let before = self.kept.get(camera).map(Vec::as_slice).unwrap_or_default();
        let of = |number: u32| before.iter().find(|it| it.number == number);
        let is_known = |view: &KnownView| {
            of(view.record.number).is_some_and(|it| {
                (&it.preset, it.pictured_at) == (&view.record.preset, view.record.pictured_at)
            })
        };
        if before.len() == views.len() && views.iter().all(is_known) {
            return Ok(());
        }
        let folder = self.folder_of(camera);
        let cannot =
            |e| Error::unavailable(format!("cannot write to {}", folder.display())).because(e);
        fs::create_dir_all(&folder).map_err(cannot)?;
        let is_drawn = |view: &&KnownView| {
            of(view.record.number).is_some_and(|it| it.pictured_at == view.record.pictured_at)
        };
        for view in views.iter().filter(|view| !is_drawn(view)) {
            let jpeg = view.picture.to_jpeg(QUALITY)?;
            write_whole(&folder.join(file(view.record.number)), &jpeg).map_err(cannot)?;
        }
        let kept: Vec<ViewRecord> = views.iter().map(|it| it.record.clone()).collect();
        let list = List { camera: camera.clone(), views: kept.clone() };
        let text = serde_json::to_vec_pretty(&list)
            .map_err(|e| Error::internal("a list of views cannot be written").because(e))?;
        write_whole(&folder.join(LIST), &text).map_err(cannot)?;
        let gone =
            before.iter().filter(|it| views.iter().all(|view| view.record.number != it.number));
        for gone in gone {
            // One that stays behind costs some kilobytes.
            let _ = fs::remove_file(folder.join(file(gone.number)));
        }
        self.kept.insert(camera.clone(), kept);
        Ok(())
    }

    /// Ids may hold what a file's name may not.
    fn folder_of(&self, camera: &CameraId) -> PathBuf {
        self.folder.join(hex::encode(camera.as_str()))
    }
}

fn file(number: u32) -> String {
    format!("{number}.jpg")
}

fn picture(folder: &Path, number: u32) -> Result<Picture> {
    let path = folder.join(file(number));
    let bytes = fs::read(&path)
        .map_err(|e| Error::unavailable(format!("cannot read {}", path.display())).because(e))?;
    Picture::from_image_bytes(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Patrol, ViewName};
    use crate::triage::id::PoseId;
    use jiff::Timestamp;

    fn view(number: u32, preset: Option<&str>, brightness: u8) -> KnownView {
        let at = Timestamp::UNIX_EPOCH;
        let rgb = vec![brightness; 320 * 180 * 3];
        let picture = Arc::new(Picture::from_rgb(320, 180, &rgb).expect("sizes fit"));
        let preset = preset.map(PoseId::from);
        let record =
            ViewRecord { number, preset, visits: 1, looks: 2, last_at: at, pictured_at: at };
        KnownView { record, picture }
    }

    fn board(camera: &CameraId, views: Vec<KnownView>) -> StatusBoard {
        let board = StatusBoard::default();
        board.update(camera, |it| it.patrol = Some(Patrol { views, ..Patrol::default() }));
        board
    }

    #[test]
    fn a_restart_knows_the_views_and_their_names() {
        let (data, camera) = (tempfile::tempdir().expect("a folder"), CameraId::from("北山/1"));
        let mut shelf = Shelf::new(data.path());
        assert!(shelf.load(&camera).is_empty());
        let board = board(&camera, vec![view(1, None, 60), view(3, None, 120)]);
        shelf.keep(&board);
        let east = ViewName { view: 3, preset: Some("东".into()) };
        assert!(board.name_view(&camera, east));
        assert!(!board.name_view(&camera, ViewName { view: 2, preset: None }), "there is none");
        shelf.keep(&board);
        let known = Shelf::new(data.path()).load(&camera);
        let names: Vec<_> =
            known.iter().map(|it| (it.record.number, it.record.preset.clone())).collect();
        assert_eq!(names, [(1, None), (3, Some("东".into()))]);
        let level = i32::from(known[1].picture.luma()[0]);
        assert!((level - i32::from(view(3, None, 120).picture.luma()[0])).abs() <= 2, "{level}");
    }

    #[test]
    fn what_cannot_be_read_is_unknown_and_kept() {
        let (data, camera) = (tempfile::tempdir().expect("a folder"), CameraId::from("c1"));
        let mut shelf = Shelf::new(data.path());
        shelf.keep(&board(&camera, vec![view(1, Some("east"), 60), view(2, Some("west"), 90)]));
        let folder = shelf.folder_of(&camera);
        fs::write(folder.join("1.jpg"), "half").expect("spoilt");
        assert_eq!(Shelf::new(data.path()).load(&camera).len(), 1, "the other is known");
        fs::write(folder.join(LIST), "{").expect("spoilt");
        assert!(Shelf::new(data.path()).load(&camera).is_empty());
        assert!(folder.join(UNREADABLE).is_file());
    }
}
