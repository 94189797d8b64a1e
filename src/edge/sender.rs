//! Empties the spool: one piece after the other, each until the server has confirmed it. Sightings
//! and pictures have a way each, so that a picture on a thin line delays an alarm by one of its
//! chunks at most; no picture begins while a sighting waits.

use super::spool::{Piece, Spool};
use crate::bus::Line;
use crate::clock::Clock;
use crate::error::Error;
use std::time::Duration;

/// Interval between tries while the centre's server is not reachable.
const TRIES_AGAIN: Duration = Duration::from_secs(1);

/// Which way a piece takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    Sightings,
    Pictures,
}

/// Sends until it is dropped. `told` hears how every piece fares, and when nothing waits.
pub async fn send(
    spool: &Spool,
    line: &Line,
    edge: &str,
    clock: &Clock,
    told: impl Fn(Way, Option<&Error>),
) {
    let empty = async |way: Way| empty(spool, line, edge, clock, way, &told).await;
    tokio::join!(empty(Way::Sightings), empty(Way::Pictures));
}

async fn empty(
    spool: &Spool,
    line: &Line,
    edge: &str,
    clock: &Clock,
    way: Way,
    told: &impl Fn(Way, Option<&Error>),
) {
    let next = || match way {
        Way::Sightings => spool.next_sighting(),
        Way::Pictures => spool.next_picture(),
    };
    loop {
        let fresh = spool.fresh();
        let Some(waiting) = tokio::task::block_in_place(next) else {
            told(way, None);
            // What cannot be read now, and pictures behind sightings, are looked at again.
            tokio::select! {
                () = fresh => {}
                () = clock.sleep(TRIES_AGAIN) => {}
            }
            continue;
        };
        let sent = match waiting.piece.clone() {
            Piece::Sighting(id, text) => line.send_sighting(edge, id, text).await,
            Piece::Picture(id, jpeg) => line.send_picture(id, jpeg).await,
        };
        match sent {
            Ok(()) => {
                tokio::task::block_in_place(|| spool.done(&waiting));
                told(way, None);
            }
            Err(e) => {
                told(way, Some(&e));
                clock.sleep(TRIES_AGAIN).await;
            }
        }
    }
}
