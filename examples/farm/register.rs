//! The farm's cameras as an office would register them (cameras.csv), spread over the demo county
//! so that no two can see the same place. So every plume becomes an incident of its own.

use super::Farm;
use super::clips::Stream;
use huoyan::error::{Error, Result};
use std::path::Path;

/// South-west corner and size of the county of `county::demo`, degrees.
const CORNER_DEG: (f64, f64) = (28.3425, 110.195);
const SIZE_DEG: (f64, f64) = (0.315, 0.41);
/// Metres per degree of latitude. A degree of longitude is shorter, so the cameras see less far
/// than they could.
const METRES_PER_DEG: f64 = 111_000.0;
/// The register accepts no shorter range, and this county needs no longer one.
const RANGE_M: std::ops::RangeInclusive<f64> = 100.0..=5000.0;

/// Writes one row per camera: the address of the farm's first stream, and as main stream the
/// second, if any.
pub fn write(farm: &Farm, file: &Path) -> Result<()> {
    let cannot = |e| Error::unavailable(format!("cannot write {}", file.display())).because(e);
    let stream = farm.plan().streams.first().copied().unwrap_or(Stream::Sub);
    let cameras = farm.plan().cameras;
    let columns = (cameras as f64).sqrt().ceil().max(1.0);
    let cell_deg = (SIZE_DEG.0 / columns, SIZE_DEG.1 / columns);
    // Two cameras cannot see the same place if neither sees half way to the other.
    let range_m = (0.4 * cell_deg.0.min(0.88 * cell_deg.1) * METRES_PER_DEG)
        .clamp(*RANGE_M.start(), *RANGE_M.end());
    let mut text = "编号,名称,经度,纬度,高度,方位角,视场角,俯仰角,视距,地址,主码流\n".to_owned();
    for index in 0..cameras {
        let (row, column) = ((index as f64 / columns).floor(), index as f64 % columns);
        let lat = CORNER_DEG.0 + (row + 0.5) * cell_deg.0;
        let lon = CORNER_DEG.1 + (column + 0.5) * cell_deg.1;
        let azimuth_deg = super::scattered(index as u64) % 360;
        let (number, url) = (index + 1, farm.url(index, stream));
        let main =
            farm.plan().streams.get(1).map(|&main| farm.url(index, main)).unwrap_or_default();
        text += &format!(
            "farm{number:04},{number}号塔,{lon:.5},{lat:.5},30,{azimuth_deg},60,-3,{range_m:.0},{url},{main}\n"
        );
    }
    std::fs::write(file, text).map_err(cannot)
}
