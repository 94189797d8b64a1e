//! Connections: their number, how long each may be silent, and which is closed when there is no
//! room. HTTP itself is hyper's, TLS rustls'.

mod watched;

use super::limits;
use crate::clock::Clock;
use crate::web::doors::Doors;
use crate::web::tls::Tls;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::{Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio_rustls::server::TlsStream;
use tower::ServiceExt;
use watched::{Answering, Served, Watched};

/// A peer's limits of connections and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    pub connections: usize,
    pub header_within: Duration,
    pub idle_for: Duration,
    pub stalled_for: Duration,
    pub stop_within: Duration,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            connections: limits::CONNECTIONS_AT_ONCE,
            header_within: limits::HEADER_WITHIN,
            idle_for: limits::IDLE_FOR,
            stalled_for: limits::STALLED_FOR,
            stop_within: limits::STOP_WITHIN,
        }
    }
}

/// What a peer is doing, as far as we know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Doing {
    /// Expected to send the head of a request, since then.
    Asking(Instant),
    /// Waits for its answer, or receives it.
    Served,
    /// Has its answer and may send another request.
    Resting,
}

/// The state of one open connection.
struct Peer {
    state: Mutex<(Doing, Instant)>,
    /// Signalled when its place is needed.
    leave: Notify,
}

impl Peer {
    fn new() -> Self {
        let now = Instant::now();
        Self { state: Mutex::new((Doing::Asking(now), now)), leave: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, (Doing, Instant)> {
        self.state.lock()
    }

    fn sent_something(&self) {
        let now = Instant::now();
        let mut state = self.state();
        if state.0 == Doing::Resting {
            state.0 = Doing::Asking(now);
        }
        state.1 = now;
    }

    fn took_something(&self) {
        self.state().1 = Instant::now();
    }

    fn is_now(&self, doing: Doing) {
        *self.state() = (doing, Instant::now());
    }

    /// When it times out, unless something moves before.
    fn until(&self, network: &Network) -> Instant {
        match *self.state() {
            (Doing::Asking(since), _) => since + network.header_within,
            (Doing::Resting, last) => last + network.idle_for,
            (Doing::Served, last) => last + network.stalled_for,
        }
    }

    async fn overstays(&self, network: &Network) {
        loop {
            let left = self.until(network).saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            // Network timeouts use real time, even where the desk's clock is simulated.
            Clock::System.sleep(left).await;
        }
    }
}

#[derive(Default)]
struct Open {
    admitted: u64,
    peers: BTreeMap<u64, Arc<Peer>>,
}

/// The open connections; cloning shares them.
#[derive(Clone)]
pub(crate) struct Connections {
    network: Network,
    open: Arc<Mutex<Open>>,
}

impl Connections {
    pub(crate) fn new(network: Network) -> Self {
        Self { network, open: Arc::default() }
    }

    /// A place for one more connection. When all are taken, the connection that has been silent for
    /// longest without a request under way is closed. When all have one, there is no place.
    pub(crate) fn admit(&self) -> Option<Admission> {
        let mut open = self.open.lock();
        let Open { admitted, peers } = &mut *open;
        if peers.len() >= self.network.connections {
            let waiting = peers.iter().map(|(number, peer)| (*peer.state(), *number));
            let waiting = waiting.filter(|((doing, _), _)| *doing != Doing::Served);
            let (_, longest) = waiting.min_by_key(|((_, last), _)| *last)?;
            peers.remove(&longest)?.leave.notify_one();
        }
        *admitted += 1;
        let peer = Arc::new(Peer::new());
        peers.insert(*admitted, Arc::clone(&peer));
        Some(Admission { number: *admitted, peer, of: self.clone() })
    }
}

/// One connection's place among the others, free again when dropped.
pub(crate) struct Admission {
    number: u64,
    peer: Arc<Peer>,
    of: Connections,
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.of.open.lock().peers.remove(&self.number);
    }
}

/// A new connection.
pub(crate) struct Caller {
    pub socket: TcpStream,
    pub from: SocketAddr,
}

impl Admission {
    /// Serves one peer until it leaves, times out, or has to make room. Once the server closes, an
    /// answer under way is finished, and an incomplete request is not waited for.
    pub(crate) async fn serve(
        self,
        caller: Caller,
        tls: Option<Tls>,
        doors: Doors,
        closing: watch::Receiver<bool>,
    ) {
        let Caller { socket, from } = caller;
        notice_lost_peers(&socket);
        let wire = Watched { socket, peer: Arc::clone(&self.peer) };
        match tls {
            None => self.converse(wire, from, doors, closing).await,
            Some(tls) => {
                if let Some(wire) = self.greet(wire, from, &tls, closing.clone()).await {
                    self.converse(wire, from, doors, closing).await;
                }
            }
        }
    }

    /// The TLS handshake. It has as long as a request's head has after it, and makes room like one.
    async fn greet(
        &self,
        wire: Watched,
        from: SocketAddr,
        tls: &Tls,
        closing: watch::Receiver<bool>,
    ) -> Option<TlsStream<Watched>> {
        let greeted = tokio::select! {
            greeted = tls.acceptor().accept(wire) => greeted,
            () = self.peer.leave.notified() => return None,
            () = self.peer.overstays(&self.of.network) => return None,
            () = closed(closing) => return None,
        };
        match greeted {
            Ok(wire) => {
                self.peer.is_now(Doing::Asking(Instant::now()));
                Some(wire)
            }
            Err(error) => {
                tracing::debug!(%from, "a TLS handshake failed: {error}");
                None
            }
        }
    }

    async fn converse<S>(
        self,
        wire: S,
        from: SocketAddr,
        doors: Doors,
        closing: watch::Receiver<bool>,
    ) where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let peer = Arc::clone(&self.peer);
        let answer = service_fn(|mut request: hyper::Request<Incoming>| {
            peer.is_now(Doing::Served);
            request.extensions_mut().insert(ConnectInfo(from));
            let served = Served(Arc::clone(&peer));
            let router = doors.of(request.uri(), request.headers());
            let answer = router.oneshot(request.map(Body::new));
            async move {
                answer.await.map(|answer| answer.map(|body| Answering { body, _until: served }))
            }
        });
        let mut connection =
            pin!(http1::Builder::new().serve_connection(TokioIo::new(wire), answer));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = peer.leave.notified() => return,
            () = peer.overstays(&self.of.network) => return,
            () = closed(closing) => {
                connection.as_mut().graceful_shutdown();
                if matches!(peer.state().0, Doing::Asking(_)) {
                    return;
                }
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%from, "a connection broke: {error}");
        }
    }
}

/// Resolves once the server closes.
async fn closed(mut closing: watch::Receiver<bool>) {
    // An error means that the server is gone already.
    drop(closing.wait_for(|closing| *closing).await);
}

/// A phone that lost its signal does not close its connection. The kernel probes whether it is
/// there, and ends connections whose data nobody acknowledges.
fn notice_lost_peers(socket: &TcpStream) {
    let socket = socket2::SockRef::from(socket);
    let asking = socket2::TcpKeepalive::new()
        .with_time(limits::KEEPALIVE_AFTER)
        .with_interval(limits::KEEPALIVE_EVERY)
        .with_retries(limits::KEEPALIVE_TRIES);
    if let Err(e) = socket
        .set_tcp_keepalive(&asking)
        .and_then(|()| socket.set_tcp_user_timeout(Some(limits::UNTAKEN_FOR)))
    {
        tracing::debug!("keepalive could not be set on a connection: {e}");
    }
}
