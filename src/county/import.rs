//! Imports a file from the office into a register. The original is kept. Usable rows are taken
//! over, and the others are listed with line and reason. The register is replaced in one step or
//! not at all.

use super::registers::{Kind, first_of_each, read_file, read_grids, read_rows};
use super::rows::{self, Record, Rows};
use super::{Burn, CameraEntry, Duty, Grid, HeatSource, Person, county_time, table};
use crate::error::{Error, Result};
use crate::lang::Lang;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Only report what would happen.
    pub dry_run: bool,
    /// Entries missing from the file are removed from the register; otherwise they stay.
    pub replace: bool,
    pub lang: Lang,
    pub now: Timestamp,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct ImportReport {
    /// Entries of the file that are now in the register, or would be in a dry run.
    pub accepted: usize,
    pub rejected: Vec<RejectedRow>,
    pub warnings: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RejectedRow {
    /// Line, or number of the feature, from 1.
    pub line: u64,
    pub reason: String,
}

/// Imports `file` into the registers in `dir`. Error when the file as a whole is not of this kind,
/// or cannot be written. A rejected entry keeps its previous row.
pub fn import(kind: Kind, file: &Path, dir: &Path, options: &Options) -> Result<ImportReport> {
    let bytes = read_file(file)?.ok_or_else(|| Error::invalid(format!("{} does not exist", file.display())))?;
    let named = |why: String| Error::invalid(format!("{}: {why}", file.display()));
    let (report, text) = match kind {
        Kind::Grids => {
            let new = rows::grids(&table::decode(&bytes), options.lang).map_err(named)?;
            let (report, grids) =
                merge(new, read_grids(dir, options.lang)?, |grid: &Grid| grid.id.to_string(), options);
            let features = grids.iter().map(rows::grid_feature);
            (report, geojson::FeatureCollection::new(features).to_string())
        }
        Kind::People => sheet::<Person>(kind, &bytes, dir, options).map_err(|e| in_file(file, e))?,
        Kind::Cameras => sheet::<CameraEntry>(kind, &bytes, dir, options).map_err(|e| in_file(file, e))?,
        Kind::Duty => sheet::<Duty>(kind, &bytes, dir, options).map_err(|e| in_file(file, e))?,
        Kind::Burns => sheet::<Burn>(kind, &bytes, dir, options).map_err(|e| in_file(file, e))?,
        Kind::HeatSources => sheet::<HeatSource>(kind, &bytes, dir, options).map_err(|e| in_file(file, e))?,
    };
    if !options.dry_run {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        keep_original(&name, &bytes, dir, options.now)?;
        // Otherwise rows of the register that could not be used would be lost.
        if let Some(before) = read_file(&dir.join(kind.file_name()))? {
            keep_original(&format!("before-{}", kind.file_name()), &before, dir, options.now)?;
        }
        write_atomically(&dir.join(kind.file_name()), text.as_bytes())?;
    }
    Ok(report)
}

fn in_file(file: &Path, error: Error) -> Error {
    Error::new(error.kind, format!("{}: {}", file.display(), error.chain()))
}

fn sheet<T: Record>(kind: Kind, bytes: &[u8], dir: &Path, options: &Options) -> Result<(ImportReport, String)> {
    let table = table::read(bytes, T::COLUMNS, options.lang).map_err(Error::invalid)?;
    let new = table.rows.iter().map(|row| (row.line, T::read(row))).collect();
    let old = read_rows(&dir.join(kind.file_name()), options.lang)?;
    let (mut report, entries) = merge::<T>(new, old, T::key, options);
    if !table.unknown.is_empty() {
        report.warnings.push(match options.lang {
            Lang::Zh => format!("未使用的列：{}", table.unknown.join("、")),
            Lang::En => format!("columns not used: {}", table.unknown.join(", ")),
        });
    }
    let text = table::write(T::COLUMNS, entries.iter().map(Record::write)).map_err(Error::internal)?;
    Ok((report, text))
}

/// New entries replace old ones of the same key. The old ones keep their order, and the new ones
/// follow.
fn merge<T>(new: Rows<T>, old: Rows<T>, key: impl Fn(&T) -> String, options: &Options) -> (ImportReport, Vec<T>) {
    let (new, bad) = first_of_each(new, &key, options.lang);
    let (old, _) = first_of_each(old, &key, options.lang);
    let mut report = ImportReport {
        accepted: new.len(),
        rejected: bad.into_iter().map(|(line, reason)| RejectedRow { line, reason }).collect(),
        warnings: Vec::new(),
    };
    let new_keys: HashSet<String> = new.iter().map(&key).collect();
    let (kept, leaving): (Vec<T>, Vec<T>) =
        // With rejected rows it is unknown who is meant to be removed, so everybody stays.
        old.into_iter().filter(|entry| !new_keys.contains(&key(entry))).partition(|_| !options.replace || !report.rejected.is_empty());
    if !leaving.is_empty() {
        let names: Vec<_> = leaving.iter().map(&key).collect();
        report.warnings.push(match options.lang {
            Lang::Zh => format!("从名册移除{}条：{}", names.len(), names.join("、")),
            Lang::En => format!("{} entries are removed from the register: {}", names.len(), names.join(", ")),
        });
    } else if options.replace && !kept.is_empty() {
        report.warnings.push(match options.lang {
            Lang::Zh => format!("有被拒绝的行，因此未移除任何旧条目（{}条保留）；更正后请重新导入", kept.len()),
            Lang::En => format!(
                "rows were rejected, so none of the {} old entries is removed; correct them and import again",
                kept.len()
            ),
        });
    }
    (report, kept.into_iter().chain(new).collect())
}

/// `registers/originals/20261121-140500-人员.csv`, and `…-before-people.csv`
fn keep_original(name: &str, bytes: &[u8], dir: &Path, now: Timestamp) -> Result<()> {
    let folder = dir.join("originals");
    fs::create_dir_all(&folder)
        .map_err(|e| Error::unavailable(format!("cannot create the folder {}", folder.display())).because(e))?;
    let stamp = now.to_zoned(county_time()).strftime("%Y%m%d-%H%M%S").to_string();
    write_atomically(&folder.join(format!("{stamp}-{name}")), bytes)
}

/// Atomic, even when the power fails: written to a temporary file, synced, and renamed.
pub(super) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |e: std::io::Error| Error::unavailable(format!("cannot write {}", path.display())).because(e);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let beside = path.with_file_name(name);
    let mut file = File::create(&beside).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&beside, path).map_err(failed)
}
