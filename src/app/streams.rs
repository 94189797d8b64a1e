//! Pure: from rows of the camera register to what is received.

use crate::address::Address;
use crate::camera::CameraSource;
use crate::county::{self, CameraEntry, is_turning};
use crate::frame::KnownView;
use crate::triage::id::CameraId;

/// Every stream. `views`: what is known of a turning camera's views.
pub(super) fn all(
    cameras: &[CameraEntry],
    views: impl Fn(&CameraId) -> Vec<KnownView>,
) -> Vec<CameraSource> {
    county::streams(cameras).iter().flat_map(|rows| of_one(rows, &views)).collect()
}

/// The streams of one camera's rows: one, if it turns.
pub(super) fn of_one(
    rows: &[&CameraEntry],
    views: impl Fn(&CameraId) -> Vec<KnownView>,
) -> Vec<CameraSource> {
    match rows {
        [first, ..] if is_turning(rows) => {
            let presets = rows.iter().map(|row| row.pose.clone()).collect();
            vec![source(first).with_patrol(presets, views(&first.id))]
        }
        rows => rows.iter().map(|row| source(row)).collect(),
    }
}

/// The stream of a row.
pub(super) fn source(camera: &CameraEntry) -> CameraSource {
    let screened = stream(camera, &camera.url).with_field_of_view(camera.field_of_view_deg);
    match &camera.main_url {
        Some(main) => screened.with_main(stream(camera, main)),
        None => screened,
    }
}

fn stream(camera: &CameraEntry, address: &Address) -> CameraSource {
    let source = CameraSource::new(
        camera.id.clone(),
        camera.pose.clone(),
        camera.name.clone(),
        address.clone(),
    );
    match &camera.pipeline {
        Some(pipeline) => source.with_pipeline(pipeline.clone()),
        None => source,
    }
}
