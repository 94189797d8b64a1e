//! An incident's row as derived from its log. Lists select by it, and a commit checks its version.

use crate::error::Result;
use crate::store::{us, word};
use crate::triage::incident::Incident;

#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub(crate) struct Line {
    pub version: i64,
    pub state: String,
    pub drill: bool,
    pub opened_seq: i64,
    pub opened_at_us: i64,
    pub closed_at_us: Option<i64>,
}

impl Line {
    /// `opened_seq`: position of its first event in the whole log.
    pub(crate) fn of(incident: &Incident, opened_seq: i64) -> Result<Self> {
        Ok(Self {
            version: incident.version as i64,
            state: word(&incident.state)?,
            drill: incident.drill,
            opened_seq,
            opened_at_us: us(incident.opened_at),
            closed_at_us: incident.closed_at.map(us),
        })
    }

    /// Names of the columns that differ.
    pub(crate) fn differing(&self, other: &Self) -> Vec<&'static str> {
        let columns = [
            ("version", self.version != other.version),
            ("state", self.state != other.state),
            ("drill", self.drill != other.drill),
            ("opened_seq", self.opened_seq != other.opened_seq),
            ("opened_at_us", self.opened_at_us != other.opened_at_us),
            ("closed_at_us", self.closed_at_us != other.closed_at_us),
        ];
        columns.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }
}

/// Writes the row of an incident that has none, inside a transaction, on either database. Returns
/// its code, the next of its day.
macro_rules! insert {
    ($tx:expr, $name:expr, $opened_at:expr, $line:expr) => {{
        let line: &$crate::store::record::Line = $line;
        let day = $crate::base::time::COUNTY.to_datetime($opened_at).date();
        let (number,): (i64,) = sqlx::query_as(
            "INSERT INTO incident_day (day, last) VALUES ($1, 1) \
             ON CONFLICT (day) DO UPDATE SET last = incident_day.last + 1 RETURNING last",
        )
        .bind(day.to_string())
        .fetch_one(&mut **$tx)
        .await
        .map_err($crate::store::failed)?;
        let code = format!("{}-{number:02}", day.strftime("%m%d"));
        sqlx::query(
            "INSERT INTO incident (id, code, version, state, drill, opened_seq, opened_at_us, \
            closed_at_us) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind($name)
        .bind(&code)
        .bind(line.version)
        .bind(&line.state)
        .bind(line.drill)
        .bind(line.opened_seq)
        .bind(line.opened_at_us)
        .bind(line.closed_at_us)
        .execute(&mut **$tx)
        .await
        .map_err($crate::store::failed)?;
        code
    }};
}
pub(in crate::store) use insert;
