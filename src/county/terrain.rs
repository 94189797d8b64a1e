//! The folder `<data>/terrain/`: elevation tiles (SRTM's `.hgt`, GeoTIFF) → [`Terrain`]. Only the
//! county and its margin are kept. A file that cannot be used is listed as a problem, and the
//! others are used.

mod geotiff;
mod hgt;
#[cfg(test)]
mod tests;

use super::basics::Problem;
use crate::lang::Words;
use crate::triage::geo::LatLon;
use crate::triage::terrain::{Raster, Terrain};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

/// Margin around the county's bounds: 15 km. That is farther than most cameras make out smoke, and
/// includes the neighbours' first ridges.
const MARGIN_M: f64 = 15_000.0;
/// Elevations kept in all: 64 million, 128 MB at two bytes. A county of 130 by 130 km with its
/// margin has 19 million at steps of 1" (30 m). More means a model finer than any tilt is measured.
const SAMPLES_MAX: usize = 64_000_000;
/// Most files read: all of China is about a thousand tiles of one degree.
const FILES_MAX: usize = 1_200;

/// The part of the earth that is needed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Window {
    low: LatLon,
    high: LatLon,
}

impl Window {
    /// South-west and north-east corner of a county, extended by the margin.
    pub(super) fn around((low, high): (LatLon, LatLon)) -> Self {
        let aside = MARGIN_M * std::f64::consts::SQRT_2;
        Self { low: low.destination(225.0, aside), high: high.destination(45.0, aside) }
    }
}

/// A raster's position: its first, north-western sample, and the steps between samples.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Layout {
    north_deg: f64,
    west_deg: f64,
    step_lat_deg: f64,
    step_lon_deg: f64,
    rows: usize,
    columns: usize,
}

/// The part of a raster that a window needs.
#[derive(Clone, PartialEq, Debug)]
struct Part {
    rows: Range<usize>,
    columns: Range<usize>,
}

impl Layout {
    /// `None` when the window does not touch it.
    fn part(&self, window: &Window) -> Option<Part> {
        let index = |way: f64, step: f64, count: usize, beyond: f64| {
            ((way / step + beyond).max(0.0) as usize).min(count)
        };
        let rows =
            |lat: f64, beyond| index(self.north_deg - lat, self.step_lat_deg, self.rows, beyond);
        let columns =
            |lon: f64, beyond| index(lon - self.west_deg, self.step_lon_deg, self.columns, beyond);
        let part = Part {
            rows: rows(window.high.lat_deg(), 0.0)..rows(window.low.lat_deg(), 2.0),
            columns: columns(window.low.lon_deg(), 0.0)..columns(window.high.lon_deg(), 2.0),
        };
        (part.rows.len() >= 2 && part.columns.len() >= 2).then_some(part)
    }

    fn raster(&self, part: &Part, heights: impl IntoIterator<Item = f32>) -> Option<Raster> {
        let first = LatLon::new(
            self.north_deg - part.rows.start as f64 * self.step_lat_deg,
            self.west_deg + part.columns.start as f64 * self.step_lon_deg,
        )?;
        let step = (self.step_lat_deg, self.step_lon_deg);
        Raster::new(first, step, (part.rows.len(), part.columns.len()), heights)
    }
}

impl Part {
    fn samples(&self) -> usize {
        self.rows.len() * self.columns.len()
    }
}

/// Why a file is not used and what to do, in both languages.
type Refusal = (String, String);

fn refusal(zh: impl Into<String>, en: impl Into<String>) -> Refusal {
    (zh.into(), en.into())
}

/// Every file of the folder, with the time and size that show a change.
pub(super) type Listing = BTreeMap<String, (Option<SystemTime>, u64)>;

pub(super) fn listing(dir: &Path) -> Listing {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let files = entries.filter_map(|entry| {
        let meta = std::fs::metadata(entry.path()).ok().filter(std::fs::Metadata::is_file)?;
        Some((entry.file_name().to_string_lossy().into_owned(), (meta.modified().ok(), meta.len())))
    });
    files.collect()
}

/// The tiles as last read. They are read again only when one has changed, or the county has grown.
#[derive(Debug, Default)]
pub(super) struct TileCache {
    of: Option<(Listing, Window)>,
    terrain: Option<Arc<Terrain>>,
    problems: Vec<Problem>,
}

impl TileCache {
    /// `window`: None for a county without a position, which needs no elevations.
    pub(super) fn take(
        &mut self,
        dir: &Path,
        window: Option<Window>,
    ) -> (Option<Arc<Terrain>>, Vec<Problem>) {
        let Some(window) = window else { return (None, Vec::new()) };
        let of = Some((listing(dir), window));
        if self.of != of {
            let (terrain, problems) = read(dir, &window, SAMPLES_MAX);
            (self.of, self.terrain, self.problems) = (of, terrain.map(Arc::new), problems);
        }
        (self.terrain.clone(), self.problems.clone())
    }
}

fn read(dir: &Path, window: &Window, samples_max: usize) -> (Option<Terrain>, Vec<Problem>) {
    let (mut rasters, mut problems) = (Vec::new(), Vec::new());
    let mut room = samples_max;
    let names: Vec<String> = listing(dir).into_keys().collect();
    for (number, name) in names.iter().enumerate() {
        let outcome = if number < FILES_MAX {
            one(&dir.join(name), name, window, &mut room)
        } else {
            Err(refusal(
                format!("超过{FILES_MAX}个文件：只保留本县及周边15公里的高程文件"),
                format!(
                    "more than {FILES_MAX} files: keep those of the county and 15 km around it"
                ),
            ))
        };
        match outcome {
            Ok(raster) => rasters.extend(raster),
            Err((zh, en)) => {
                problems.push(Problem::of_file(format!("terrain/{name}"), Words::new(zh, en)));
                if number >= FILES_MAX {
                    break;
                }
            }
        }
    }
    (Terrain::new(rasters), problems)
}

/// `Ok(None)`: no elevations, or none within the window.
fn one(
    path: &Path,
    name: &str,
    window: &Window,
    room: &mut usize,
) -> Result<Option<Raster>, Refusal> {
    let ending =
        Path::new(name).extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    let raster = match ending.as_deref() {
        Some("hgt") => hgt::read(path, name, window, *room)?,
        Some("tif" | "tiff") => geotiff::read(path, window, *room)?,
        Some("zip" | "gz" | "7z" | "rar" | "bz2") => {
            return Err(refusal(
                "是压缩包，未使用：请解压，再放入其中的 .hgt 或 .tif",
                "it is a compressed archive, so it is not used: unpack it",
            ));
        }
        _ => None,
    };
    *room -= raster.as_ref().map_or(0, Raster::samples).min(*room);
    Ok(raster)
}

fn too_much(part: &Part, room: usize) -> Option<Refusal> {
    (part.samples() > room).then(|| {
        refusal(
            format!(
                "本县范围内的高程点超过{}万个（128 MB）的上限，此文件未使用：\
                请换用30米分辨率的高程，或只保留本县及周边15公里",
                SAMPLES_MAX / 10_000
            ),
            format!(
                "with it the county has more than {} million elevations (128 MB), so it is not \
                used: use a model of 30 m, or keep only the county and 15 km around it",
                SAMPLES_MAX / 1_000_000
            ),
        )
    })
}

fn unreadable(why: &dyn std::fmt::Display) -> Refusal {
    refusal(
        format!("读不出来（{why}），未使用：文件可能没有拷贝完整，请重新拷贝"),
        format!(
            "it cannot be read ({why}), so it is not used: the copy may be incomplete, copy it \
            again"
        ),
    )
}
