//! What a file of the office would change in a register: the facts, and a report for the person who
//! brought it. Usable rows are taken over; the others are listed with line and reason.

use super::sheet::{self, Sheet};
use super::{names, plausible};
use crate::base::file;
use crate::error::{Error, Result};
use crate::lang::Lang;
use crate::register::{Diff, Fact, History, Register};
use jiff::Timestamp;
use serde::Serialize;
use std::fs;
use std::path::Path;

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct ImportReport {
    /// Rows of the file that are now in the register, or would be in a dry run.
    pub accepted: usize,
    pub rejected: Vec<RejectedRow>,
    pub warnings: Vec<String>,
    pub diff: Diff,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RejectedRow {
    /// Line, or number of the feature, from 1. Of several sheets the reason names the one.
    pub line: u64,
    pub reason: String,
}

/// The facts of a file for a register with this history. With `replace`, entries that the file does
/// not have are removed, unless a row was rejected: then it is unknown who is meant to go, and
/// everybody stays. Error when the file as a whole is not of this register.
pub fn import(
    register: Register,
    name: &str,
    bytes: &[u8],
    history: &History,
    replace: bool,
    now: Timestamp,
    lang: Lang,
) -> Result<(ImportReport, Vec<Fact>)> {
    let mut sheet = sheet::parse(register, bytes, lang)
        .map_err(|why| Error::invalid(format!("{name}: {why}")))?;
    let current = history.at(now);
    names::resolve(register, &mut sheet, &current, lang);
    for (_, entry) in &mut sheet.entries {
        entry.keep_logins(current.get(register, &entry.key));
    }
    let wanted = sheet.wanted(now);
    let removes = replace && sheet.rejected.is_empty();
    let facts = history.news(current.toward(register, &wanted, removes), now);
    let odd = plausible::warnings(register, &current, &wanted, replace, lang);
    let Sheet { entries, rejected, notes, unknown, unread } = sheet;
    let diff = Diff::of(&current, &facts);
    let mut warnings = unread;
    if wanted.len() < entries.len() {
        let over = entries.len() - wanted.len();
        warnings.push(match lang {
            Lang::Zh => format!("{over}行已过“失效”时间，未登记"),
            Lang::En => format!("{over} rows are over (失效) and not registered"),
        });
    }
    if !unknown.is_empty() {
        warnings.push(match lang {
            Lang::Zh => format!("未使用的列：{}", unknown.join("、")),
            Lang::En => format!("columns not used: {}", unknown.join(", ")),
        });
    }
    if !diff.removed.is_empty() {
        let names = &diff.removed;
        warnings.push(match lang {
            Lang::Zh => format!("从名册移除{}条：{}", names.len(), names.join("、")),
            Lang::En => format!(
                "{} entries are removed from the register: {}",
                names.len(),
                names.join(", ")
            ),
        });
    } else if replace && !rejected.is_empty() && !current.of(register).is_empty() {
        let kept = current.of(register).len();
        warnings.push(match lang {
            Lang::Zh => {
                format!("有被拒绝的行，因此未移除任何旧条目（{kept}条保留）；更正后请重新导入")
            }
            Lang::En => {
                format!(
                    "rows were rejected, so none of the {kept} old entries is removed; correct \
                    them and import again"
                )
            }
        });
    }
    warnings.extend(notes.into_iter().map(|(spot, note)| match lang {
        Lang::Zh => format!("第{}行：{}", spot.line, spot.said(note, lang)),
        Lang::En => format!("line {}: {}", spot.line, spot.said(note, lang)),
    }));
    warnings.extend(odd);
    let rejected = rejected
        .into_iter()
        .map(|(spot, reason)| RejectedRow { line: spot.line, reason: spot.said(reason, lang) });
    let rejected = rejected.collect();
    Ok((ImportReport { accepted: wanted.len(), rejected, warnings, diff }, facts))
}

/// Complete and on the disk, or not there.
pub(super) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |e: std::io::Error| {
        Error::unavailable(format!("cannot write {}", path.display())).because(e)
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    file::write_whole(path, bytes).map_err(failed)
}
