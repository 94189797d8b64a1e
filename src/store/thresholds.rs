//! Published thresholds: all versions are kept, the highest is in force.

use super::{Store, failed, from_json, reading, time, to_json, us, writing};
use crate::error::{Error, Kind, Result};
use crate::lang::Words;
use crate::triage::confirm::{Numbers, Thresholds};
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
    Evidence(Numbers),
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
    ///
    /// # Errors
    /// Numbers out of their range: an earlier version accepted more.
    fn read(self) -> Result<(Thresholds, bool), Words> {
        match self {
            Self::Evidence(numbers) => Ok((numbers.try_into()?, false)),
            Self::Frames {
                version, smoke, fire, hysteresis, cooldown, area_min, area_max, ..
            } => {
                let rest = Numbers {
                    version,
                    hysteresis,
                    cooldown,
                    area_min,
                    area_max,
                    ..Numbers::default()
                };
                Ok((Thresholds::try_from(rest)?.with_levels(smoke, fire), true))
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
            let Numbers { version, smoke, fire, evidence, .. } = **thresholds;
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

    /// What holds in place of a newer version that cannot be used; `None`: the newest is in force.
    pub async fn thresholds_set_aside(&self) -> Result<Option<Words>> {
        let newest = self.threshold_history().await?.pop();
        let in_force = newest.map(|it| it.thresholds.version);
        let Some(highest) =
            self.highest_version().await?.filter(|highest| Some(*highest) > in_force)
        else {
            return Ok(None);
        };
        let (zh, en) = match in_force {
            Some(version) => (format!("第{version}版"), format!("version {version}")),
            None => (
                "配置或模型的阈值".to_owned(),
                "those of the configuration or the model".to_owned(),
            ),
        };
        Ok(Some(Words::new(
            format!(
                "已发布的第{highest}版报警阈值不能用（原因见日志），现用{zh}：\
                请在调参页重新发布"
            ),
            format!(
                "version {highest} of the published thresholds cannot be used (the log says why); \
                in force: {en}. Publish them anew on the ops page"
            ),
        )))
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
        let (newest, highest) =
            (self.threshold_history().await?.pop(), self.highest_version().await?);
        if newest.is_some_and(|newest| newest.thresholds.version > edited.version) {
            return Err(faster());
        }
        // A version that cannot be used keeps its number.
        let next = edited.versioned(highest.unwrap_or_default().max(edited.version) + 1);
        let body = to_json(&next)?;
        let written = writing!(self, connection => sqlx::query(
            "INSERT INTO thresholds (version, body, by_person, at_us, reason) SELECT $1, $2, $3, \
            $4, $5 \
             WHERE NOT EXISTS (SELECT 1 FROM thresholds WHERE version >= $1)",
        )
        .bind(i64::from(next.version)).bind(body).bind(by.as_str()).bind(us(now)).bind(reason)
        .execute(connection).await.map(|done| done.rows_affected()).map_err(failed))?;
        if written == 1 { Ok(next) } else { Err(faster()) }
    }

    /// Oldest first.
    pub async fn threshold_history(&self) -> Result<Vec<PublishedThresholds>> {
        let rows: Vec<(i64, String, String, i64, String)> = reading!(self, pool => sqlx::query_as(
            "SELECT version, body, by_person, at_us, reason FROM thresholds ORDER BY version",
        ).fetch_all(pool).await.map_err(failed)?);
        Ok(self.readable(rows.into_iter().map(|(version, body, by, at_us, reason)| {
            let name = format!("thresholds {version}");
            let row = from_json::<Body>(&body, &name).and_then(|body| {
                let (thresholds, counted_frames) = body.read().map_err(Error::internal)?;
                Ok(PublishedThresholds {
                    thresholds,
                    by: PersonId(by),
                    at: time(at_us)?,
                    reason,
                    counted_frames,
                })
            });
            (name, row)
        })))
    }

    /// Of all versions, those that cannot be used included.
    async fn highest_version(&self) -> Result<Option<u32>> {
        let (highest,): (Option<i64>,) = reading!(self, pool => sqlx::query_as("SELECT \
            MAX(version) FROM thresholds")
            .fetch_one(pool).await.map_err(failed)?);
        Ok(highest.and_then(|it| u32::try_from(it).ok()))
    }
}

fn faster() -> Error {
    Error::new(Kind::Conflict, "newer thresholds were published meanwhile")
}
