//! Takes in the sightings of edges. One is confirmed to the bus only when it is filed, or when the
//! store has it and the board says why it could not be filed.

use super::Desk;
use super::time::wait_after;
use crate::bus::{Delivery, Sightings};
use crate::error::Error;
use crate::triage::sighting::Sighting;
use std::pin::pin;
use std::slice;

/// What became of a sighting.
enum Taken {
    In,
    /// For a reason that may go away.
    NotNow(Error),
    /// The store refuses it for good.
    Never(Error),
}

impl Desk {
    /// Takes in what comes until `shutdown`, or until the queue must be opened again.
    pub async fn listen(&self, queue: &mut Sightings, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        loop {
            let delivery = tokio::select! {
                () = &mut shutdown => return,
                next = queue.next() => match next {
                    Some(delivery) => delivery,
                    None => return,
                },
            };
            self.answer(delivery).await;
        }
    }

    async fn answer(&self, delivery: Delivery) {
        let id = delivery.sighting.id;
        match self.take_in(&delivery.sighting).await {
            Taken::In => delivery.done().await,
            Taken::NotNow(e) => {
                tracing::error!(sighting.id = %id, error = %e.chain(), "a sighting of an edge \
                    cannot be filed now and comes again");
                delivery.again().await;
            }
            Taken::Never(e) => delivery.aside(&e.chain()).await,
        }
    }

    async fn take_in(&self, sighting: &Sighting) -> Taken {
        let now = self.clock.now();
        if let Err(e) = self.store.record_sightings(slice::from_ref(sighting), now).await {
            return if e.kind.is_retryable() { Taken::NotNow(e) } else { Taken::Never(e) };
        }
        match self.file(slice::from_ref(sighting)).await {
            Ok(_) => Taken::In,
            Err(e) if e.kind.is_retryable() => Taken::NotNow(e),
            // The store has it: every desk tries again, and the board says why it is not filed.
            Err(e) => {
                match self.store.sighting_not_filed(sighting.id, &e.chain(), now, wait_after).await
                {
                    Ok(()) => Taken::In,
                    Err(e) => Taken::NotNow(e),
                }
            }
        }
    }
}
