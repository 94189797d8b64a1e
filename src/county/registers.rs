//! The folder `<data>/registers/`: readable files ↔ [`County`]. A missing file is an empty
//! register. A row that cannot be used is listed as a problem, and the rest is used. A file that
//! cannot be read at all leaves the registers as they were.

use super::rows::{self, Record, Rows};
use super::terrain::{self, Listing, Shelf, Window};
use super::{Area, CameraEntry, County, Neighbour, table};
use crate::address::Address;
use crate::error::{Error, Result};
use crate::lang::Lang;
use crate::triage::geo::LatLon;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

/// The kinds of register that the office keeps and imports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Grids,
    People,
    Cameras,
    Duty,
    Burns,
    HeatSources,
}

impl Kind {
    pub const ALL: [Self; 6] = [Self::Grids, Self::People, Self::Cameras, Self::Duty, Self::Burns, Self::HeatSources];

    pub fn file_name(self) -> &'static str {
        match self {
            Self::Grids => "grids.geojson",
            Self::People => "people.csv",
            Self::Cameras => "cameras.csv",
            Self::Duty => "duty.csv",
            Self::Burns => "burns.csv",
            Self::HeatSources => "heat-sources.csv",
        }
    }
}

/// A row of a register file, or a whole terrain file, that could not be used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Problem {
    pub file: String,
    /// Line, or number of the feature, from 1; 0 for the whole file.
    pub line: u64,
    pub reason: String,
}

/// county.toml: everything that is not a list.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Basics {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub centre: Option<LatLon>,
    /// A GeoJSON file beside county.toml: a geometry, a feature, or a collection whose first
    /// feature is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outline: Option<String>,
    /// Without a terrain model: may a camera's range be computed over flat ground?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ground: Option<GroundWord>,
    #[serde(default)]
    pub neighbours: Vec<Neighbour>,
}

/// How an office can describe its ground in one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GroundWord {
    Flat,
}

/// A handle on the registers as last read. Clones share it.
#[derive(Clone, Debug)]
pub struct Registers {
    dir: Arc<PathBuf>,
    current: Arc<RwLock<Arc<County>>>,
    stamps: Arc<Mutex<Stamps>>,
    shelf: Arc<Mutex<Shelf>>,
}

/// The state of the register files and of the terrain files.
type Stamps = (Vec<Option<Stamp>>, Listing);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
}

const BASICS: &str = "county.toml";

impl Registers {
    /// Error when a file that exists cannot be read or parsed as a whole.
    pub fn load(dir: &Path) -> Result<Self> {
        let stamps = stamps(dir);
        let mut shelf = Shelf::default();
        let county = read(dir, &mut shelf, Lang::from_env())?;
        Ok(Self {
            dir: Arc::new(dir.to_owned()),
            current: Arc::new(RwLock::new(Arc::new(county))),
            stamps: Arc::new(Mutex::new(stamps)),
            shelf: Arc::new(Mutex::new(shelf)),
        })
    }

    /// A county that no file holds, for tests and replays.
    pub fn fixed(county: County) -> Self {
        Self {
            dir: Arc::new(PathBuf::new()),
            current: Arc::new(RwLock::new(Arc::new(county))),
            stamps: Arc::new(Mutex::new(stamps(Path::new("")))),
            shelf: Arc::default(),
        }
    }

    /// The registers as last read. The value does not change while a decision uses it.
    pub fn current(&self) -> Arc<County> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads again when a file was added, removed or changed; true when it did. On an error the old
    /// registers stay, and the same files are not tried again until one changes.
    pub fn reload_if_changed(&self) -> Result<bool> {
        let mut seen = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamps(&self.dir);
        if *seen == now {
            return Ok(false);
        }
        *seen = now;
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let county = read(&self.dir, &mut shelf, Lang::from_env())?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(county);
        Ok(true)
    }
}

/// A change is seen by time and size of the files. A change of the outline, whatever its name, is
/// seen by the folder's own time.
fn stamps(dir: &Path) -> Stamps {
    let names = [BASICS, ""].into_iter().chain(Kind::ALL.map(Kind::file_name));
    let registers = names
        .map(|name| {
            let meta = std::fs::metadata(dir.join(name)).ok()?;
            Some(Stamp { modified: meta.modified().ok(), bytes: meta.len() })
        })
        .collect();
    (registers, terrain_dir(dir).map(|dir| terrain::listing(&dir)).unwrap_or_default())
}

/// `<data>/terrain`, beside `<data>/registers`.
fn terrain_dir(registers: &Path) -> Option<PathBuf> {
    registers.file_name().filter(|name| *name == "registers").map(|_| registers.with_file_name("terrain"))
}

fn read(dir: &Path, shelf: &mut Shelf, lang: Lang) -> Result<County> {
    let mut problems = Vec::new();
    let basics = read_basics(dir)?;
    let mut county = County {
        outline: basics.outline.as_deref().map(|name| read_outline(&dir.join(name))).transpose()?,
        name: basics.name,
        centre: basics.centre,
        neighbours: basics.neighbours,
        grids: keep(Kind::Grids, read_grids(dir, lang)?, |grid: &super::Grid| grid.id.to_string(), lang, &mut problems),
        people: records(dir, Kind::People, lang, &mut problems)?,
        cameras: records(dir, Kind::Cameras, lang, &mut problems)?,
        duties: records(dir, Kind::Duty, lang, &mut problems)?,
        heat_sources: records(dir, Kind::HeatSources, lang, &mut problems)?,
        burns: records(dir, Kind::Burns, lang, &mut problems)?,
        is_flat: basics.ground == Some(GroundWord::Flat),
        terrain: None,
        problems: Vec::new(),
        ..County::default()
    };
    county.cameras = county.cameras.into_iter().map(with_password).collect::<Result<_>>()?;
    if let Some(dir) = terrain_dir(dir) {
        let (terrain, unused) = shelf.take(&dir, county.bounds().map(Window::around), lang);
        county.terrain = terrain;
        problems.extend(unused);
    }
    county.problems = problems;
    Ok(county)
}

fn read_basics(dir: &Path) -> Result<Basics> {
    let path = dir.join(BASICS);
    let Some(bytes) = read_file(&path)? else { return Ok(Basics::default()) };
    toml::from_str(&table::decode(&bytes)).map_err(|e| Error::invalid(format!("{}: {e}", path.display())))
}

fn read_outline(path: &Path) -> Result<Area> {
    let broken = |why: String| Error::invalid(format!("{}: {why}", path.display()));
    let bytes = read_file(path)?.ok_or_else(|| broken("county.toml names it, but it does not exist".to_owned()))?;
    let geometry = match table::decode(&bytes).parse::<geojson::GeoJson>().map_err(|e| broken(e.to_string()))? {
        geojson::GeoJson::Geometry(geometry) => Some(geometry),
        geojson::GeoJson::Feature(feature) => feature.geometry,
        geojson::GeoJson::FeatureCollection(collection) => {
            collection.features.into_iter().next().and_then(|feature| feature.geometry)
        }
    };
    Area::from_geojson(&geometry.ok_or_else(|| broken("it holds no geometry".to_owned()))?).map_err(broken)
}

/// `None` when there is no such file.
pub(super) fn read_file(path: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::unavailable(format!("cannot read {}", path.display())).because(e)),
    }
}

pub(super) fn read_grids(dir: &Path, lang: Lang) -> Result<Rows<super::Grid>> {
    let path = dir.join(Kind::Grids.file_name());
    let Some(bytes) = read_file(&path)? else { return Ok(Vec::new()) };
    rows::grids(&table::decode(&bytes), lang).map_err(|why| Error::invalid(format!("{}: {why}", path.display())))
}

pub(super) fn read_rows<T: Record>(path: &Path, lang: Lang) -> Result<Rows<T>> {
    let Some(bytes) = read_file(path)? else { return Ok(Vec::new()) };
    let table =
        table::read(&bytes, T::COLUMNS, lang).map_err(|why| Error::invalid(format!("{}: {why}", path.display())))?;
    Ok(table.rows.iter().map(|row| (row.line, T::read(row))).collect())
}

fn records<T: Record>(dir: &Path, kind: Kind, lang: Lang, problems: &mut Vec<Problem>) -> Result<Vec<T>> {
    Ok(keep(kind, read_rows(&dir.join(kind.file_name()), lang)?, T::key, lang, problems))
}

/// The usable entries, the first of each key. The others become problems.
fn keep<T>(kind: Kind, rows: Rows<T>, key: impl Fn(&T) -> String, lang: Lang, problems: &mut Vec<Problem>) -> Vec<T> {
    let (good, bad) = first_of_each(rows, key, lang);
    problems.extend(bad.into_iter().map(|(line, reason)| Problem { file: kind.file_name().to_owned(), line, reason }));
    good
}

pub(super) fn first_of_each<T>(rows: Rows<T>, key: impl Fn(&T) -> String, lang: Lang) -> (Vec<T>, Vec<(u64, String)>) {
    let mut seen = HashSet::new();
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (line, row) in rows {
        match row {
            Ok(entry) if seen.insert(key(&entry)) => good.push(entry),
            Ok(entry) => bad.push((
                line,
                match lang {
                    Lang::Zh => format!("与前面的行重复：{}", key(&entry)),
                    Lang::En => format!("repeats an earlier line: {}", key(&entry)),
                },
            )),
            Err(reason) => bad.push((line, reason)),
        }
    }
    (good, bad)
}

/// Adds the password: from the address, from `HUOYAN_CAMERA_PASSWORD_<ID>`, from the file that
/// `HUOYAN_CAMERA_PASSWORD_<ID>_FILE` names, or from HUOYAN_CAMERA_PASSWORD for all cameras. In
/// `<ID>` everything but letters and digits is "_".
fn with_password(mut camera: CameraEntry) -> Result<CameraEntry> {
    if !camera.url.lacks_password() && !camera.main_url.as_ref().is_some_and(Address::lacks_password) {
        return Ok(camera);
    }
    let id: String = camera.id.as_str().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let own = format!("HUOYAN_CAMERA_PASSWORD_{}", id.to_ascii_uppercase());
    let password = match (std::env::var(&own), std::env::var(format!("{own}_FILE"))) {
        (Ok(password), _) => Some(password),
        (_, Ok(path)) => Some(
            std::fs::read_to_string(&path)
                .map_err(|e| Error::unavailable(format!("cannot read {path}, named by {own}_FILE")).because(e))?
                .trim_end()
                .to_owned(),
        ),
        _ => std::env::var("HUOYAN_CAMERA_PASSWORD").ok(),
    };
    // Only for addresses for which the register names a user: the others need no password.
    let with = |url: Address| if url.lacks_password() { url.with(None, password.clone()) } else { url };
    (camera.url, camera.main_url) = (with(camera.url), camera.main_url.map(with));
    Ok(camera)
}
