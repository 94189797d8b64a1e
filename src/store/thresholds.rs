//! Published thresholds: all versions are kept, the highest is in force.

use super::{Store, failed, from_json, reading, time, to_json, us, writing};
use crate::error::{Error, Kind, Result};
use crate::triage::confirm::Thresholds;
use crate::triage::id::PersonId;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

#[derive(Clone, PartialEq, Debug)]
pub struct PublishedThresholds {
    pub thresholds: Thresholds,
    pub by: PersonId,
    pub at: Timestamp,
    pub reason: String,
    /// They were published for k of n frames, and are converted by [`Body::read`].
    pub counted_frames: bool,
}

/// The stored form: thresholds, or those of earlier versions, which counted frames over a limit.
#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Evidence(Thresholds),
    Frames {
        version: u32,
        smoke: f32,
        fire: f32,
        #[serde(rename = "needed")]
        _needed: u32,
        #[serde(rename = "window")]
        _window: u32,
        hysteresis: f32,
        cooldown: SignedDuration,
        area_min: f32,
        area_max: f32,
    },
}

impl Body {
    /// Thresholds, and whether they counted frames. Converted ones alarm within a minute when a
    /// place keeps the limit, whatever k and n were, and sooner when it scores more.
    fn read(self) -> (Thresholds, bool) {
        match self {
            Self::Evidence(thresholds) => (thresholds, false),
            Self::Frames { version, smoke, fire, hysteresis, cooldown, area_min, area_max, .. } => {
                let rest = Thresholds { version, hysteresis, cooldown, area_min, area_max, ..Thresholds::default() };
                (rest.with_levels(smoke, fire), true)
            }
        }
    }
}

impl Store {
    /// The thresholds in force; `None` when none was ever published and those of the configuration
    /// apply.
    pub async fn thresholds(&self) -> Result<Option<Thresholds>> {
        let newest = self.threshold_history().await?.pop();
        if let Some(PublishedThresholds { thresholds, counted_frames: true, .. }) = &newest {
            let Thresholds { version, smoke, fire, evidence, .. } = thresholds;
            tracing::info!(
                version,
                smoke,
                fire,
                evidence,
                "published thresholds that counted frames are converted to evidence"
            );
        }
        Ok(newest.map(|published| published.thresholds))
    }

    /// Publishes the next version. `edited` carries the version it was made from.
    ///
    /// # Errors
    /// `Conflict` when somebody published meanwhile.
    pub async fn publish_thresholds(
        &self,
        edited: &Thresholds,
        by: &PersonId,
        reason: &str,
        now: Timestamp,
    ) -> Result<Thresholds> {
        let next = Thresholds { version: edited.version + 1, ..edited.clone() };
        let body = to_json(&next)?;
        let written = writing!(self, connection => sqlx::query(
            "INSERT INTO thresholds (version, body, by_person, at_us, reason) SELECT $1, $2, $3, $4, $5 \
             WHERE NOT EXISTS (SELECT 1 FROM thresholds WHERE version >= $1)",
        )
        .bind(i64::from(next.version)).bind(body).bind(by.as_str()).bind(us(now)).bind(reason)
        .execute(connection).await.map(|done| done.rows_affected()).map_err(failed))?;
        if written == 1 {
            Ok(next)
        } else {
            Err(Error::new(Kind::Conflict, "newer thresholds were published meanwhile"))
        }
    }

    /// Oldest first.
    pub async fn threshold_history(&self) -> Result<Vec<PublishedThresholds>> {
        let rows: Vec<(i64, String, String, i64, String)> = reading!(self, pool => sqlx::query_as(
            "SELECT version, body, by_person, at_us, reason FROM thresholds ORDER BY version",
        ).fetch_all(pool).await.map_err(failed)?);
        Ok(self.readable(rows.into_iter().map(|(version, body, by, at_us, reason)| {
            let name = format!("thresholds {version}");
            let row = from_json(&body, &name).map(Body::read).and_then(|(thresholds, counted_frames)| {
                Ok(PublishedThresholds { thresholds, by: PersonId(by), at: time(at_us)?, reason, counted_frames })
            });
            (name, row)
        })))
    }
}
