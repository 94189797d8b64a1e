//! 过程图: which pictures lie around a sighting. Kept apart from the record: no event names these
//! pictures, and a removed one is not missing.

use super::pictures::Held;
use super::{Store, failed, from_json, from_word, id, reading, time, to_json, us, word, writing};
use crate::error::Result;
use crate::triage::detection::BoundingBox;
use crate::triage::id::{IncidentId, PictureId, SightingId};
use crate::triage::strip::{SeenAt, StripFrame};
use jiff::Timestamp;
use std::collections::HashMap;

/// For each picture, the incidents it is supporting material for, and when it was taken.
pub(super) type Owners = HashMap<PictureId, Vec<(Option<IncidentId>, Timestamp)>>;

/// Time, stream, score, box and picture, as stored.
type Row = (i64, String, Option<f64>, Option<String>, String);

impl Store {
    /// Stores a picture of a strip. A repeat changes nothing.
    pub async fn keep_strip_frame(&self, frame: &StripFrame, jpeg: Vec<u8>) -> Result<()> {
        self.keep_picture(frame.picture, jpeg).await?;
        let (stream, bbox) =
            (word(&frame.stream)?, frame.seen.map(|it| to_json(&it.bbox)).transpose()?);
        writing!(self, connection => sqlx::query(
            "INSERT INTO strip (sighting, captured_at_us, stream, score, bbox, picture) VALUES \
            ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT DO NOTHING",
        )
        .bind(frame.sighting.to_string()).bind(us(frame.captured_at)).bind(stream)
        .bind(frame.seen.map(|it| f64::from(it.score))).bind(bbox).bind(frame.picture.to_string())
        .execute(connection).await.map(drop).map_err(failed))
    }

    /// The strip of a sighting, oldest first.
    pub async fn strip(&self, sighting: SightingId) -> Result<Vec<StripFrame>> {
        let rows: Vec<Row> = reading!(self, pool => sqlx::query_as(
            "SELECT captured_at_us, stream, score, bbox, picture FROM strip WHERE sighting = $1 \
            ORDER BY captured_at_us, picture",
        ).bind(sighting.to_string()).fetch_all(pool).await.map_err(failed)?);
        let frame = |(at_us, stream, score, bbox, picture): Row| {
            let bbox: Option<BoundingBox> = bbox
                .map(|text| from_json(&text, format!("the strip of {sighting}")))
                .transpose()?;
            let seen = score.zip(bbox).map(|(score, bbox)| SeenAt { score: score as f32, bbox });
            let (captured_at, stream) = (time(at_us)?, from_word(stream, "stream")?);
            Ok(StripFrame { sighting, captured_at, stream, seen, picture: id(&picture)? })
        };
        rows.into_iter().map(frame).collect()
    }

    /// Removes a picture, and the strip's row for it.
    pub async fn remove_held(&self, held: &Held) -> Result<()> {
        if held.is_of_strip {
            writing!(self, connection => sqlx::query("DELETE FROM strip WHERE picture = $1")
                .bind(held.picture.to_string()).execute(connection).await.map(drop).map_err(failed))?;
        }
        self.remove_picture(held.picture).await
    }

    /// Every picture of every strip.
    pub(super) async fn strip_owners(&self) -> Result<Owners> {
        let rows: Vec<(String, i64, Option<String>)> = reading!(self, pool => sqlx::query_as(
            "SELECT strip.picture, strip.captured_at_us, evidence.incident FROM strip \
             LEFT JOIN evidence ON evidence.sighting = strip.sighting",
        ).fetch_all(pool).await.map_err(failed)?);
        let mut owners = Owners::new();
        for (picture, at_us, incident) in rows {
            let of = (incident.map(|name| id(&name)).transpose()?, time(at_us)?);
            owners.entry(id(&picture)?).or_default().push(of);
        }
        Ok(owners)
    }
}
