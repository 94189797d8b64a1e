//! Pure: which rows of the camera register are one stream. A row is a stream of its own, but for a
//! camera that turns: its rows are the presets of one stream.

use super::CameraEntry;
use crate::triage::id::CameraId;
use std::collections::BTreeMap;

/// Whether these rows of one camera are presets of one picture: several, at one address. Rows with
/// addresses of their own are views that are received one by one.
pub fn is_turning(rows: &[&CameraEntry]) -> bool {
    rows.len() > 1 && rows.windows(2).all(|two| two[0].url == two[1].url)
}

/// The rows of every camera that turns.
pub fn turning(cameras: &[CameraEntry]) -> BTreeMap<&CameraId, Vec<&CameraEntry>> {
    let mut rows: BTreeMap<&CameraId, Vec<&CameraEntry>> = BTreeMap::new();
    cameras.iter().for_each(|it| rows.entry(&it.id).or_default().push(it));
    rows.retain(|_, rows| is_turning(rows));
    rows
}

/// The rows of each stream, in the register's order.
pub fn streams(cameras: &[CameraEntry]) -> Vec<Vec<&CameraEntry>> {
    let mut turning = turning(cameras);
    let mut streams = Vec::new();
    let mut taken: Vec<&CameraId> = Vec::new();
    for camera in cameras {
        if let Some(rows) = turning.remove(&camera.id) {
            streams.push(rows);
            taken.push(&camera.id);
        } else if !taken.contains(&&camera.id) {
            streams.push(vec![camera]);
        }
    }
    streams
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::county::camera::tests::camera;

    #[test]
    fn presets_at_one_address_are_one_stream_and_other_rows_are_streams_of_their_own() {
        let row = |id: &str, pose: &str, url: &str| CameraEntry {
            id: id.into(),
            pose: pose.into(),
            url: url.into(),
            ..camera()
        };
        let rows = [
            row("fixed", "default", "rtsp://10.1.2.3/102"),
            row("dome", "north", "rtsp://10.1.2.4/102"),
            row("two lenses", "left", "rtsp://10.1.2.5/102"),
            row("dome", "east", "rtsp://10.1.2.4/102"),
            row("two lenses", "right", "rtsp://10.1.2.5/202"),
            row("also at the dome's", "default", "rtsp://10.1.2.4/102"),
        ];
        let streams: Vec<Vec<String>> = streams(&rows)
            .iter()
            .map(|rows| rows.iter().map(|it| format!("{} {}", it.id, it.pose)).collect())
            .collect();
        assert_eq!(
            streams,
            [
                vec!["fixed default"],
                vec!["dome north", "dome east"],
                vec!["two lenses left"],
                vec!["two lenses right"],
                vec!["also at the dome's default"],
            ]
        );
        assert_eq!(turning(&rows).len(), 1);
    }
}
