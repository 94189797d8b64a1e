//! Empties the spool: one piece after the other, each until the server has confirmed it.

use super::spool::{Piece, Spool};
use crate::bus::Line;
use crate::clock::Clock;
use crate::error::Error;
use std::time::Duration;

/// Interval between tries while the centre's server is not reachable.
const TRIES_AGAIN: Duration = Duration::from_secs(1);

/// How the last piece fared.
pub enum Sending<'a> {
    Fine,
    Fails(&'a Error),
}

/// Sends until it is dropped. `told` hears of every piece.
pub async fn send(
    spool: &Spool,
    line: &Line,
    edge: &str,
    clock: &Clock,
    told: impl Fn(Sending<'_>),
) {
    loop {
        let Some(waiting) = tokio::task::block_in_place(|| spool.next()) else {
            told(Sending::Fine);
            spool.fresh().await;
            continue;
        };
        let sent = match waiting.piece.clone() {
            Piece::Sighting(id, text) => line.send_sighting(edge, id, text).await,
            Piece::Picture(id, jpeg) => line.send_picture(id, jpeg).await,
        };
        match sent {
            Ok(()) => {
                tokio::task::block_in_place(|| spool.done(&waiting));
                told(Sending::Fine);
            }
            // A sighting that comes meanwhile goes before the picture that failed.
            Err(e) => {
                told(Sending::Fails(&e));
                clock.sleep(TRIES_AGAIN).await;
            }
        }
    }
}
