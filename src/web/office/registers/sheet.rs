//! A register as a file: taken out as it is in force, and a sheet of the office brought in, shown
//! first line by line. The server reads it; a page only carries it.

use super::{Proposed, commit, may_change, proposed};
use crate::county::{self, ImportReport, RejectedRow, county_time};
use crate::register::{Entry, Register};
use crate::web::WebState;
use crate::web::http::auth::Office;
use crate::web::http::error::{Answer, Problem, lang_of};
use crate::web::http::json::words;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tokio::task::spawn_blocking;
use utoipa::{IntoParams, ToSchema};

/// Longest file name kept beside an original, characters.
const NAME_MAX_CHARS: usize = 60;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct When {
    /// As it was then; without it as it is now.
    at: Option<Timestamp>,
}

/// The register as a file that Excel and WPS open: CSV with a byte order mark, grids as GeoJSON.
/// Logins are stars; brought in again they stay what they are.
#[utoipa::path(
    get, path = "/api/v1/registers/{register}/file", tag = "office",
    params(("register" = Register, Path), When), security(("session" = ["officer", "ops"])),
    responses(
        (status = 200, content((String = "text/csv"), (Object = "application/geo+json"))),
        (status = 422),
    ),
)]
pub(crate) async fn download(
    State(state): State<WebState>,
    Office(me): Office,
    Path(register): Path<Register>,
    Query(When { at }): Query<When>,
) -> Answer<([(HeaderName, String); 2], String)> {
    match register {
        Register::County => {
            return Err(Problem::impossible(
                "本县基本信息不是表格，见登记册文件夹的 county.toml。",
                "The county itself is no table: see county.toml in the folder of the registers.",
            ));
        }
        Register::Shift | Register::Policy => {
            return Err(Problem::impossible(
                "班次和规则不是表格，请在变更记录里看。",
                "Shift and policy are no tables: see them in the history of the changes.",
            ));
        }
        _ => {}
    }
    let at = at.unwrap_or_else(|| state.clock.now());
    tracing::info!(?register, person = %me.person, "a register was given out as a file");
    let entries = state.registers.history().at(at);
    let shown = |entry: &Entry| Entry { secrets: BTreeMap::new(), ..entry.clone() };
    let entries: Vec<Entry> = entries.of(register).iter().map(shown).collect();
    let text = county::render_sheet(register, &entries).map_err(crate::error::Error::internal)?;
    let (stem, ending) = register.file_name().rsplit_once('.').unwrap_or_default();
    let day = at.to_zoned(county_time()).strftime("%Y%m%d").to_string();
    let kind = if ending == "csv" { "text/csv; charset=utf-8" } else { "application/geo+json" };
    let name = format!("attachment; filename=\"{stem}-{day}.{ending}\"");
    Ok(([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, name)], text))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Bringing {
    /// The file's name, for the original that is kept.
    #[serde(default)]
    name: String,
    /// Entries that the sheet does not have are removed; otherwise they stay.
    #[serde(default)]
    replace: bool,
    /// Only say what would change.
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    why: String,
    /// `seen` of the dry run that this was decided on.
    seen: Option<u64>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Brought {
    /// Rows that can be used, changed or not.
    accepted: usize,
    /// Rows that cannot, each with its line and why.
    rejected: Vec<RejectedView>,
    warnings: Vec<String>,
    #[serde(flatten)]
    proposed: Proposed,
}

#[derive(Serialize, ToSchema)]
struct RejectedView {
    /// Line, or number of the feature, from 1.
    line: u64,
    reason: String,
}

/// Brings in a sheet: XLSX, XLS, or text with commas, tabs or semicolons, as it is copied from
/// a spreadsheet; grids as GeoJSON. Rows that cannot be used are named, the others are taken.
#[utoipa::path(
    post, path = "/api/v1/registers/{register}/file", tag = "office",
    params(("register" = Register, Path), Bringing),
    request_body(content(("application/octet-stream"))),
    security(("session" = ["officer", "ops"])),
    responses((status = 200, body = Brought), (status = 409), (status = 422)),
)]
pub(crate) async fn bring(
    State(state): State<WebState>,
    Office(me): Office,
    Path(register): Path<Register>,
    Query(Bringing { name, replace, dry_run, why, seen }): Query<Bringing>,
    headers: HeaderMap,
    sheet: Bytes,
) -> Answer<Json<Brought>> {
    may_change(&me, register)?;
    let lang = lang_of(&headers);
    // What the folder and other desks have said meanwhile counts.
    state.registry.follow().await?;
    let name = file_name(&name, register);
    let (history, now) = (state.registers.history(), state.clock.now());
    let bytes = sheet.clone();
    let (read, called) = (history.clone(), name.clone());
    let (report, facts) = spawn_blocking(move || {
        county::import(register, &called, &bytes, &read, replace, now, lang)
    })
    .await
    .map_err(|e| crate::error::Error::internal("reading a sheet failed").because(e))?
    .map_err(|e: crate::error::Error| {
        let why = e.chain_in(lang);
        Problem::impossible(why.clone(), why)
    })?;
    let shown = proposed(&state, &facts, lang);
    let ImportReport { accepted, rejected, warnings, .. } = report;
    let rejected =
        rejected.into_iter().map(|RejectedRow { line, reason }| RejectedView { line, reason });
    let brought = Brought { accepted, rejected: rejected.collect(), warnings, proposed: shown };
    if dry_run || facts.is_empty() {
        return Ok(Json(brought));
    }
    let why = words(&why, "更改的原因", "the reason")?;
    // A workbook of cameras is read once more, for its secrets.
    let registers = state.registers.clone();
    let keep = move || registers.folder().keep_original(register, &name, &sheet, now);
    spawn_blocking(keep)
        .await
        .map_err(|e| crate::error::Error::internal("keeping a sheet failed").because(e))??;
    let seen = commit(&state, &me, facts, &why, seen).await?;
    tracing::info!(?register, by = %me.person, change = seen, "a sheet was brought in");
    Ok(Json(Brought { proposed: Proposed { seen, ..brought.proposed }, ..brought }))
}

/// A name that is safe in a folder; without one, that of the register.
fn file_name(asked: &str, register: Register) -> String {
    let last = asked.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ' '))
        .take(NAME_MAX_CHARS)
        .collect();
    let kept = kept.trim_matches(['.', ' ']);
    if kept.is_empty() { register.file_name().to_owned() } else { kept.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_is_kept_under_a_name_that_leaves_no_folder() {
        for (asked, kept) in [
            ("护林员 2026.xlsx", "护林员 2026.xlsx"),
            ("../../etc/passwd", "passwd"),
            (r"C:\办公\值班表.csv", "值班表.csv"),
            ("..", "people.csv"),
            ("", "people.csv"),
            ("a\u{0}b\n.csv", "ab.csv"),
        ] {
            assert_eq!(file_name(asked, Register::People), kept, "{asked:?}");
        }
    }
}
