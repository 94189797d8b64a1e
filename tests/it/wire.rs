//! A line between two programs of a test. It can be cut, as by a switch that is turned off, or hang,
//! as by a radio link that has lost its signal: then nobody is told, and bytes wait. It can be thin.

use huoyan::clock::Clock;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What a thin line carries at once.
const SLICE_BYTES: usize = 1 << 10;

/// Bytes a second, 0: as many as there are; and what it has carried, both ways.
#[derive(Default)]
struct Flow {
    bytes_a_second: AtomicU64,
    carried: AtomicU64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Whole,
    Cut,
    Hangs,
}

pub struct Wire {
    /// What the near program connects to.
    pub at: SocketAddr,
    state: watch::Sender<State>,
    #[cfg(test)]
    flow: Arc<Flow>,
}

impl Wire {
    /// Leads to `behind`, an address with a port.
    pub async fn to(behind: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let at = listener.local_addr().expect("an address");
        let (state, seen) = watch::channel(State::Whole);
        let flow = Arc::<Flow>::default();
        let through = Arc::clone(&flow);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, behind.clone(), seen.clone(), Arc::clone(&through)));
            }
        });
        Self {
            at,
            state,
            #[cfg(test)]
            flow,
        }
    }

    /// The wire to a database, and the database's address through it.
    pub async fn to_database(url: &str) -> (Self, String) {
        let mut url = reqwest::Url::parse(url).expect("an address");
        let host = url.host_str().expect("a host");
        let wire = Self::to(format!("{host}:{}", url.port().unwrap_or(5432))).await;
        url.set_ip_host(wire.at.ip())
            .and_then(|()| url.set_port(Some(wire.at.port())))
            .expect("a host and a port");
        (wire, url.into())
    }

    /// Connections end, and new ones are closed at once.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Connections stay, and carry nothing.
    pub fn hangs(&self) {
        self.state.send_replace(State::Hangs);
    }

    pub fn mend(&self) {
        self.state.send_replace(State::Whole);
    }
}

/// What the stories need of it, and `make cluster` does not.
#[cfg(test)]
impl Wire {
    /// 0: as wide as it can be.
    pub fn is_thin(&self, bytes_a_second: u64) {
        self.flow.bytes_a_second.store(bytes_a_second, Ordering::Relaxed);
    }

    /// Bytes so far, both ways.
    pub fn carried(&self) -> u64 {
        self.flow.carried.load(Ordering::Relaxed)
    }
}

/// Forwards data until one end disconnects or the wire is cut.
async fn carry(
    near: TcpStream,
    behind: String,
    mut state: watch::Receiver<State>,
    flow: Arc<Flow>,
) {
    let (mut begins, onward, back) = (state.clone(), state.clone(), state.clone());
    let both = async {
        carries(&mut begins).await;
        let Ok(far) = TcpStream::connect(behind).await else { return };
        // A cable holds no small piece back until the one before it is confirmed.
        if near.set_nodelay(true).and(far.set_nodelay(true)).is_err() {
            return;
        }
        let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
        tokio::select! {
            () = pump(near_in, far_out, onward, &flow) => {}
            () = pump(far_in, near_out, back, &flow) => {}
        }
    };
    tokio::select! {
        () = both => {}
        _ = state.wait_for(|it| *it == State::Cut) => {}
    }
}

/// Until an end. An end, too, is not told while the wire hangs.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut state: watch::Receiver<State>,
    flow: &Flow,
) {
    let mut bytes = vec![0; 16 << 10];
    loop {
        let read = from.read(&mut bytes).await.unwrap_or_default();
        carries(&mut state).await;
        if read == 0 {
            return;
        }
        let bytes_a_second = flow.bytes_a_second.load(Ordering::Relaxed);
        let at_once = if bytes_a_second > 0 { SLICE_BYTES } else { read };
        for slice in bytes[..read].chunks(at_once) {
            if to.write_all(slice).await.is_err() {
                return;
            }
            flow.carried.fetch_add(slice.len() as u64, Ordering::Relaxed);
            if bytes_a_second > 0 {
                let takes_s = slice.len() as f64 / bytes_a_second as f64;
                Clock::System.sleep(Duration::from_secs_f64(takes_s)).await;
            }
        }
    }
}

async fn carries(state: &mut watch::Receiver<State>) {
    // An error means that the test is over.
    let _ = state.wait_for(|it| *it == State::Whole).await;
}
