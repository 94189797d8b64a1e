//! SRTM's `.hgt`: a square of one degree, big-endian 16-bit metres, rows from north to south, named
//! after its south-western corner.

use super::{Layout, Refusal, Window, refusal, too_much, unreadable};
use crate::triage::terrain::Raster;
use std::path::Path;

/// Samples per side: steps of 1" and of 3". Both edges belong to the tile.
const SIDES: [usize; 2] = [3601, 1201];
const VOID: i16 = -32768;

pub(super) fn read(
    path: &Path,
    name: &str,
    window: &Window,
    room: usize,
) -> Result<Option<Raster>, Refusal> {
    let (south_deg, west_deg) = corner(name).ok_or_else(|| {
        refusal(
            "文件名看不出位置，未使用：应为西南角，如 N28E110.hgt",
            "its name does not give its place, so it is not used: name it after its south-western \
            corner, such as N28E110.hgt",
        )
    })?;
    let bytes = std::fs::metadata(path).map_err(|e| unreadable(&e))?.len();
    let side = SIDES.into_iter().find(|side| (side * side * 2) as u64 == bytes).ok_or_else(|| {
        refusal(
            format!("大小为{bytes}字节，未使用：1角秒的应为25934402字节，3角秒的应为2884802字节；\
                可能没有下载完整"),
            format!(
                "it has {bytes} bytes, so it is not used: a tile has 25934402 with steps of 1\", \
                2884802 with 3\"; the download may be incomplete"
            ),
        )
    })?;
    let step_deg = 1.0 / (side - 1) as f64;
    let (north_deg, west_deg) = (f64::from(south_deg) + 1.0, f64::from(west_deg));
    let layout = Layout {
        north_deg,
        west_deg,
        step_lat_deg: step_deg,
        step_lon_deg: step_deg,
        rows: side,
        columns: side,
    };
    let Some(part) = layout.part(window) else { return Ok(None) };
    if let Some(refusal) = too_much(&part, room) {
        return Err(refusal);
    }
    let bytes = std::fs::read(path).map_err(|e| unreadable(&e))?;
    let rows = bytes.chunks_exact(side * 2).skip(part.rows.start).take(part.rows.len());
    let heights = rows.flat_map(|row| {
        let samples =
            row.as_chunks::<2>().0.iter().skip(part.columns.start).take(part.columns.len());
        samples.map(|sample| match i16::from_be_bytes(*sample) {
            VOID => f32::NAN,
            metres => f32::from(metres),
        })
    });
    let raster = layout.raster(&part, heights);
    raster.map(Some).ok_or_else(|| unreadable(&"the file has changed meanwhile"))
}

/// "N28E110" → 28, 110. What follows (`.SRTMGL1.hgt`) depends on the provider.
fn corner(name: &str) -> Option<(i32, i32)> {
    let name = name.to_ascii_uppercase();
    let stem = name.split('.').next()?;
    let degrees = |digits: &str| {
        digits.chars().all(|c| c.is_ascii_digit()).then(|| digits.parse::<i32>().ok())?
    };
    let (lat, lon) = stem.split_at_checked(3)?;
    let lat = match lat.split_at_checked(1)? {
        ("N", digits) => degrees(digits)?,
        ("S", digits) => -degrees(digits)?,
        _ => return None,
    };
    let lon = match lon.split_at_checked(1)? {
        ("E", digits) if digits.len() == 3 => degrees(digits)?,
        ("W", digits) if digits.len() == 3 => -degrees(digits)?,
        _ => return None,
    };
    ((-90..90).contains(&lat) && (-180..180).contains(&lon)).then_some((lat, lon))
}
