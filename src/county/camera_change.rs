//! Pure: what an edited camera register asks of the cameras that run. Cameras are followed one by
//! one: a row that did not change asks for nothing.

use super::CameraEntry;
use crate::triage::id::{CameraId, PoseId};
use std::collections::BTreeMap;

/// What a changed row asks of its camera.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CameraChange {
    /// There was no row of this camera and pose. It starts.
    Added,
    /// Its row has gone. It stops and is forgotten.
    Removed,
    /// Name, height, azimuth's error, field of view, skyline, range or masks. The new values are in
    /// force and nothing restarts.
    Described,
    /// Address, main stream or pipeline. It is connected anew. The view is the same, so what is
    /// remembered of it stays.
    Reached,
    /// Position, azimuth or tilt. What is remembered shows another view and is void. The connection
    /// stays.
    Aimed,
    /// Both of these.
    Replaced,
}

impl CameraChange {
    pub fn is_reached_anew(self) -> bool {
        matches!(self, Self::Reached | Self::Replaced)
    }

    pub fn is_aimed_anew(self) -> bool {
        matches!(self, Self::Aimed | Self::Replaced)
    }

    /// `None`: the rows are equal. Both are of the same camera and pose.
    fn of(before: &CameraEntry, now: &CameraEntry) -> Option<Self> {
        if before == now {
            return None;
        }
        let is_reached_anew = (&before.url, &before.main_url, &before.pipeline)
            != (&now.url, &now.main_url, &now.pipeline);
        let aim = |it: &CameraEntry| (it.at, it.azimuth_deg, it.tilt_deg);
        Some(match (is_reached_anew, aim(before) != aim(now)) {
            (false, false) => Self::Described,
            (true, false) => Self::Reached,
            (false, true) => Self::Aimed,
            (true, true) => Self::Replaced,
        })
    }
}

/// The rows that changed, each with what it asks for: first those that have gone, then the others
/// in the order of the register. The order of rows means nothing.
pub fn camera_changes<'a>(
    before: &'a [CameraEntry],
    now: &'a [CameraEntry],
) -> Vec<(&'a CameraEntry, CameraChange)> {
    let (were, are) = (by_pose(before), by_pose(now));
    let gone = before
        .iter()
        .filter(|it| !are.contains_key(&pose_of(it)))
        .map(|it| (it, CameraChange::Removed));
    let others = now.iter().filter_map(|it| match were.get(&pose_of(it)) {
        None => Some((it, CameraChange::Added)),
        Some(was) => CameraChange::of(was, it).map(|change| (it, change)),
    });
    gone.chain(others).collect()
}

fn by_pose(entries: &[CameraEntry]) -> BTreeMap<(&CameraId, &PoseId), &CameraEntry> {
    entries.iter().map(|it| (pose_of(it), it)).collect()
}

fn pose_of(entry: &CameraEntry) -> (&CameraId, &PoseId) {
    (&entry.id, &entry.pose)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::county::camera::tests::camera;
    use crate::triage::geo::LatLon;

    #[test]
    fn every_cell_of_a_row_asks_for_as_little_as_it_can() {
        type Edit = fn(&mut CameraEntry);
        let edits: [(&str, Edit, CameraChange); 15] = [
            ("name", |it| it.name = "3号瞭望塔".to_owned(), CameraChange::Described),
            ("height", |it| it.height_m = None, CameraChange::Described),
            ("error of the azimuth", |it| it.azimuth_error_deg = 3.0, CameraChange::Described),
            ("field of view", |it| it.field_of_view_deg = 61.0, CameraChange::Described),
            ("skyline", |it| it.horizon = Some(0.4), CameraChange::Described),
            ("range", |it| it.range_m = 9000.0, CameraChange::Described),
            ("masks", |it| it.masks.clear(), CameraChange::Described),
            ("address", |it| it.url = "rtsp://10.1.2.3/102".into(), CameraChange::Reached),
            (
                "its login",
                |it| it.url = it.url.clone().with(Some("admin".to_owned()), None),
                CameraChange::Reached,
            ),
            (
                "main stream",
                |it| it.main_url = Some("rtsp://10.1.2.3/101".into()),
                CameraChange::Reached,
            ),
            ("pipeline", |it| it.pipeline = Some("rtspsrc".to_owned()), CameraChange::Reached),
            (
                "position",
                |it| it.at = LatLon::new(28.6, 110.4).expect("a place"),
                CameraChange::Aimed,
            ),
            ("azimuth", |it| it.azimuth_deg = Some(10.0), CameraChange::Aimed),
            ("tilt", |it| it.tilt_deg = None, CameraChange::Aimed),
            (
                "address and azimuth",
                |it| (it.url, it.azimuth_deg) = ("rtsp://10.1.2.3/102".into(), None),
                CameraChange::Replaced,
            ),
        ];
        for (cell, edit, expected) in edits {
            let (before, mut now) = (camera(), camera());
            edit(&mut now);
            assert_eq!(CameraChange::of(&before, &now), Some(expected), "{cell}");
        }
        assert_eq!(CameraChange::of(&camera(), &camera()), None);
    }

    fn numbered(number: usize) -> CameraEntry {
        CameraEntry { id: format!("c{number}").as_str().into(), ..camera() }
    }

    #[test]
    fn one_cell_of_267_rows_asks_one_camera() {
        let before: Vec<_> = (0..267).map(numbered).collect();
        let mut now = before.clone();
        now.reverse();
        assert!(camera_changes(&before, &now).is_empty(), "the same rows in another order");
        now[100].url = "rtsp://10.1.2.3/102".into();
        assert_eq!(camera_changes(&before, &now), [(&now[100], CameraChange::Reached)]);
    }

    #[test]
    fn rows_come_and_go_and_each_pose_is_a_row_of_its_own() {
        let south = CameraEntry { pose: "south".into(), ..numbered(1) };
        let before = [numbered(0), numbered(1)];
        let now = [numbered(2), south.clone(), numbered(1)];
        let changes = camera_changes(&before, &now);
        assert_eq!(
            changes,
            [
                (&before[0], CameraChange::Removed),
                (&now[0], CameraChange::Added),
                (&south, CameraChange::Added)
            ]
        );
        assert_eq!(
            camera_changes(&[], &before),
            [(&before[0], CameraChange::Added), (&before[1], CameraChange::Added)]
        );
    }
}
