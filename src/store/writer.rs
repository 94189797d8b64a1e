//! A writing connection, held for one act. After a failure it is not trusted again.

use sqlx::Database;
use sqlx::pool::PoolConnection;

/// A connection that returns to its pool only when the act has succeeded, or failed for a reason of
/// its own (a conflict, a thing not found). After any other failure it is closed. The reason: with
/// a full disk SQLite rolls back by itself, but the driver does not notice and believes the
/// transaction still open. All later commits would then only release a savepoint, be answered as
/// done, and never reach the disk.
pub(super) struct Held<D: Database> {
    connection: PoolConnection<D>,
    whole: bool,
}

impl<D: Database> Held<D> {
    pub(super) fn new(connection: PoolConnection<D>) -> Self {
        Self { connection, whole: false }
    }

    pub(super) fn connection(&mut self) -> &mut D::Connection {
        &mut self.connection
    }

    pub(super) fn is_whole(&mut self, whole: bool) {
        self.whole = whole;
    }
}

impl<D: Database> Drop for Held<D> {
    fn drop(&mut self) {
        if !self.whole {
            self.connection.close_on_drop();
        }
    }
}

/// Runs one act on a connection of the pool.
macro_rules! held {
    ($pool:expr, $connection:ident => $body:expr) => {{
        let mut held =
            $crate::store::writer::Held::new($pool.acquire().await.map_err($crate::store::failed)?);
        let done: $crate::error::Result<_> = {
            let $connection = held.connection();
            async { $body }.await
        };
        held.is_whole(match &done {
            Ok(_) => true,
            Err(e) => {
                !matches!(e.kind, $crate::error::Kind::Unavailable | $crate::error::Kind::Internal)
            }
        });
        done
    }};
}
pub(super) use held;
