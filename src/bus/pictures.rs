//! Evidence pictures on their way from edges to the desks: an object store of JetStream. Every desk
//! watches it and keeps a copy of what it lacks.

use super::line::{Line, away, unavailable};
use crate::error::{Error, Result};
use crate::triage::id::PictureId;
use async_nats::jetstream::object_store::{Config, ObjectMetadata, ObjectStore, Watch};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio_stream::StreamExt;

/// A picture stays on the server for this time: a desk that was away longer lacks it.
const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// All pictures there take at most this much, about 10,000 of them. A full store refuses new ones,
/// which then wait on their edge's disk.
const KEPT_BYTES: i64 = 2 << 30;
/// No picture is larger; an edge's are a tenth of that.
const PICTURE_MAX_BYTES: u64 = 16 << 20;
/// Longest wait for one picture that a desk fetches.
const PICTURE_WITHIN: Duration = Duration::from_secs(60);
/// The same for one that an edge sends. Each chunk has the client's own limit of 5 s, so this ends
/// only what goes on for ever.
const SENT_WITHIN: Duration = Duration::from_secs(600);
/// A chunk is confirmed before the next one leaves: at 16 kbit/s within 4 s. What an alarm finds
/// before it on the line is no more than that.
const CHUNK_BYTES: usize = 8 << 10;

impl Line {
    /// Returns when the server has stored it. Sending the same picture again is harmless.
    ///
    /// # Errors
    /// `Unavailable`: it must be sent again.
    pub async fn send_picture(&self, picture: PictureId, jpeg: Vec<u8>) -> Result<()> {
        if !self.is_connected() {
            return Err(away());
        }
        let sent = async {
            let bucket = self.jetstream.get_object_store(self.stream_name("pictures")).await;
            let bucket = bucket
                .map_err(|e| unavailable("the NATS server has no store for pictures yet", e))?;
            let name = picture.to_string();
            if bucket.info(&name).await.is_ok_and(|known| !known.deleted) {
                return Ok(());
            }
            let meta = ObjectMetadata { name, chunk_size: Some(CHUNK_BYTES), ..Default::default() };
            let put = bucket.put(meta, &mut jpeg.as_slice()).await;
            put.map(drop).map_err(|e| unavailable("the NATS server did not confirm a picture", e))
        };
        tokio::time::timeout(SENT_WITHIN, sent).await.map_err(|_| away())?
    }

    /// The pictures on the server, and those to come. Makes the store where it is not there yet.
    pub async fn pictures(&self) -> Result<Pictures> {
        let config = Config {
            bucket: self.stream_name("pictures"),
            max_age: KEPT_FOR,
            max_bytes: KEPT_BYTES,
            num_replicas: 1,
            ..Default::default()
        };
        let opened = match self.jetstream.get_object_store(&config.bucket).await {
            Ok(bucket) => Ok(bucket),
            Err(_) => self.jetstream.create_object_store(config).await,
        };
        let bucket = opened.map_err(|e| {
            unavailable(
                "cannot open the store of pictures on the NATS server: has it JetStream, \
                and 2 GiB of room?",
                e,
            )
        })?;
        let watch = bucket.watch_with_history().await;
        let watch =
            watch.map_err(|e| unavailable("cannot watch the pictures on the NATS server", e))?;
        Ok(Pictures { bucket, watch })
    }
}

pub struct Pictures {
    bucket: ObjectStore,
    watch: Watch,
}

/// A picture is on the server.
pub struct Arrived {
    /// `None`: its name is not that of a picture.
    pub picture: Option<PictureId>,
    name: String,
    bytes: u64,
}

impl Pictures {
    /// The next picture, the oldest first; those already there begin.
    ///
    /// # Errors
    /// `Unavailable`: open the store again.
    pub async fn next(&mut self) -> Result<Arrived> {
        loop {
            let next = self.watch.next().await.ok_or_else(away)?;
            let info =
                next.map_err(|e| unavailable("cannot watch the pictures on the NATS server", e))?;
            if !info.deleted {
                let (picture, bytes) = (info.name.parse().ok(), info.size as u64);
                return Ok(Arrived { picture, name: info.name, bytes });
            }
        }
    }

    /// Its bytes, which are those its name says.
    ///
    /// # Errors
    /// `Unavailable`: try again. `Invalid`: it is not the picture that its name says.
    pub async fn fetch(&mut self, arrived: &Arrived) -> Result<Vec<u8>> {
        let wrong =
            || Error::invalid(format!("{} is not the picture that its name says", arrived.name));
        let picture =
            arrived.picture.filter(|_| arrived.bytes <= PICTURE_MAX_BYTES).ok_or_else(wrong)?;
        let fetched = async {
            let cannot = "cannot fetch a picture from the NATS server";
            let mut object =
                self.bucket.get(&arrived.name).await.map_err(|e| unavailable(cannot, e))?;
            let mut bytes = Vec::with_capacity(arrived.bytes as usize);
            object.read_to_end(&mut bytes).await.map_err(|e| unavailable(cannot, e))?;
            Ok(bytes)
        };
        let bytes = tokio::time::timeout(PICTURE_WITHIN, fetched).await.map_err(|_| away())??;
        if picture.is_of(&bytes) == Some(true) { Ok(bytes) } else { Err(wrong()) }
    }
}
