//! The folder `<data>/registers/`: files that the office can read, print, mail and edit. Where the
//! log keeps the registers, these files are its working copy: an edited file becomes a change, and
//! a change made elsewhere is written into the file.

use super::Area;
use super::basics::{Basics, Problem};
use super::county_time;
use super::crossing;
use super::import::write_atomically;
use super::sheet::{self, Sheet};
use crate::error::{Error, Result};
use crate::lang::{Lang, Words};
use crate::register::{Entry, Register};
use crate::table::{self, Kept};
use geojson::{GeoJson, Geometry};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What of each file has gone into the log.
const TAKEN: &str = ".taken.json";
/// Endings under which programs for tables save a register beside its own file.
const SHEETS: [&str; 4] = ["xlsx", "xls", "ods", "et"];
/// The outline, when a change is written that did not come from this folder.
const OUTLINE: &str = "outline.geojson";

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Folder {
    dir: PathBuf,
}

/// A file as it lies in the folder.
pub struct Found {
    pub sheet: Sheet,
    /// Of its bytes; of the outline's too.
    pub sha256: String,
}

/// How far a file and the log agree.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Taken {
    pub sha256: String,
    /// The newest change that the file knows.
    pub change: u64,
    /// When it knew what was valid: entries begin and end by themselves. An earlier release did not
    /// write it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Written by the program: the log holds all that stands in it.
    pub is_ours: bool,
    /// Lines that could not be used. They stand nowhere else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<u64>,
}

impl Folder {
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    pub fn path(&self, register: Register) -> PathBuf {
        self.dir.join(register.file_name())
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// `None` when there is no such file. Error when it cannot be read, or is not of this register.
    pub fn read(&self, register: Register, lang: Lang) -> Result<Option<Found>> {
        let path = self.path(register);
        let Some(bytes) = read_file(&path)? else { return Ok(None) };
        let named = |why: String| Error::invalid(format!("{}: {why}", path.display()));
        if register == Register::County {
            return self.read_basics(&bytes).map(Some);
        }
        let sheet = sheet::parse(register, &bytes, lang).map_err(named)?;
        Ok(Some(Found { sheet, sha256: hash(&[&bytes]) }))
    }

    fn read_basics(&self, bytes: &[u8]) -> Result<Found> {
        let path = self.path(Register::County);
        let Basics { name, centre, outline, ground, neighbours } =
            toml::from_str::<Basics<String>>(&table::decode(bytes))
                .map_err(|e| Error::invalid(format!("{}: {e}", path.display())))?;
        let outline = outline.map(|name| read_outline(&self.dir.join(name))).transpose()?;
        let (outline, shape) = outline.unzip();
        let value = serde_json::to_value(Basics { name, centre, outline, ground, neighbours })
            .map_err(|e| Error::internal("county.toml cannot be kept").because(e))?;
        let entry = Entry::of("", value);
        let sheet = Sheet { entries: vec![(0.into(), entry)], ..Sheet::default() };
        Ok(Found { sheet, sha256: hash(&[bytes, &shape.unwrap_or_default()]) })
    }

    /// Replaces the file. The file that was there goes to `originals/` first, unless the log has it
    /// all. Returns the new file's hash.
    pub fn write(
        &self,
        register: Register,
        entries: &[Entry],
        now: Timestamp,
        is_known: bool,
    ) -> Result<String> {
        let path = self.path(register);
        if let (false, Some(before)) = (is_known, read_file(&path)?) {
            let name = format!("before-{}", register.file_name());
            self.keep_original(register, &name, &before, now)?;
        }
        if register == Register::County {
            return self.write_basics(entries);
        }
        let text = sheet::render(register, entries).map_err(Error::internal)?;
        write_atomically(&path, text.as_bytes())?;
        Ok(hash(&[text.as_bytes()]))
    }

    fn write_basics(&self, entries: &[Entry]) -> Result<String> {
        let value = entries.first().map(|entry| entry.value.clone()).unwrap_or_default();
        let Basics { name, centre, outline, ground, neighbours } =
            serde_json::from_value::<Basics<Geometry>>(value)
                .map_err(|e| Error::internal("the registered county cannot be read").because(e))?;
        let shape = outline.map(|geometry| GeoJson::from(geometry).to_string());
        if let Some(shape) = &shape {
            write_atomically(&self.dir.join(OUTLINE), shape.as_bytes())?;
        }
        let outline = shape.is_some().then(|| OUTLINE.to_owned());
        let text = toml::to_string(&Basics { name, centre, outline, ground, neighbours })
            .map_err(|e| Error::internal("county.toml cannot be written").because(e))?;
        write_atomically(&self.path(Register::County), text.as_bytes())?;
        Ok(hash(&[text.as_bytes(), shape.unwrap_or_default().as_bytes()]))
    }

    /// `registers/originals/20261121-140500-人员.csv`, and `…-before-people.csv`. Of cameras without
    /// their passwords, which would outlive the day on which they are changed.
    pub fn keep_original(
        &self,
        register: Register,
        name: &str,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<()> {
        let stamp = now.to_zoned(county_time()).strftime("%Y%m%d-%H%M%S").to_string();
        let keep = |name: String, bytes: &[u8]| {
            write_atomically(&self.dir.join("originals").join(name), bytes)
        };
        let kept = match register {
            Register::Cameras => sheet::without_secrets(bytes).map_err(Error::invalid)?,
            _ => Kept::AsItIs,
        };
        match kept {
            Kept::AsItIs => keep(format!("{stamp}-{name}"), bytes),
            Kept::Text(text) => keep(format!("{stamp}-{name}"), &text),
            Kept::Csv(text) => keep(format!("{stamp}-{name}.csv"), &text),
        }
    }

    /// Tables that somebody saved beside the file that is read: nobody reads them.
    pub fn unread(&self) -> Vec<Problem> {
        let mut unread = Vec::new();
        for register in Register::ALL {
            for ending in SHEETS {
                let path = self.path(register).with_extension(ending);
                if !path.exists() {
                    continue;
                }
                let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let (read, list) = (register.file_name(), register.name());
                let is_imported = !matches!(register, Register::County | Register::Grids)
                    && matches!(ending, "xlsx" | "xls");
                let reason = match is_imported {
                    false => Words::new(
                        format!("不读取此文件，只读取 {read}：请另存为 {read}，或删除此文件"),
                        format!(
                            "this file is not read, only {read} is: save it as {read}, or remove it"
                        ),
                    ),
                    true => Words::new(
                        format!(
                            "不读取此文件，只读取 {read}：请运行 huoyan import {list} {file}，\
                            或另存为 {read}，然后删除此文件"
                        ),
                        format!(
                            "this file is not read, only {read} is: run huoyan import {list} \
                            {file}, or save it as {read}, then remove it"
                        ),
                    ),
                };
                unread.push(Problem::of_file(file, reason));
            }
        }
        unread
    }

    /// Files that have gone into the log, by name. A damaged list is an empty one: then files and
    /// log are compared.
    pub fn taken(&self) -> Result<BTreeMap<String, Taken>> {
        let bytes = read_file(&self.dir.join(TAKEN))?.unwrap_or_default();
        Ok(serde_json::from_slice(&bytes).unwrap_or_default())
    }

    pub fn remember(&self, taken: &BTreeMap<String, Taken>) -> Result<()> {
        let text = serde_json::to_vec_pretty(taken)
            .map_err(|e| Error::internal("cannot write as JSON").because(e))?;
        write_atomically(&self.dir.join(TAKEN), &text)
    }
}

/// The outline's geometry, and the bytes it came from.
fn read_outline(path: &Path) -> Result<(Geometry, Vec<u8>)> {
    let broken = |why: String| Error::invalid(format!("{}: {why}", path.display()));
    let bytes = read_file(path)?
        .ok_or_else(|| broken("county.toml names it, but it does not exist".to_owned()))?;
    let geometry =
        match table::decode(&bytes).parse::<GeoJson>().map_err(|e| broken(e.to_string()))? {
            GeoJson::Geometry(geometry) => Some(geometry),
            GeoJson::Feature(feature) => feature.geometry,
            GeoJson::FeatureCollection(collection) => {
                collection.features.into_iter().next().and_then(|feature| feature.geometry)
            }
        };
    let geometry = geometry.ok_or_else(|| broken("it holds no geometry".to_owned()))?;
    let named = |why| Error::invalid(why).at(&path.display().to_string());
    Area::from_geojson(&geometry).and_then(|area| crossing::sound(&area)).map_err(named)?;
    Ok((geometry, bytes))
}

/// `None` when there is no such file.
pub(super) fn read_file(path: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::unavailable(format!("cannot read {}", path.display())).because(e)),
    }
}

fn hash(parts: &[&[u8]]) -> String {
    let mut sha256 = Sha256::new();
    parts.iter().for_each(|part| sha256.update(part));
    hex::encode(sha256.finalize())
}
