//! A line between two programs of a test. It can be cut, as by a switch that is turned off, or hang,
//! as by a radio link that has lost its signal: then nobody is told, and bytes wait.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

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
}

impl Wire {
    /// Leads to `behind`, an address with a port.
    pub async fn to(behind: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let at = listener.local_addr().expect("an address");
        let (state, seen) = watch::channel(State::Whole);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, behind.clone(), seen.clone()));
            }
        });
        Self { at, state }
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

/// Forwards data until one end disconnects or the wire is cut.
async fn carry(near: TcpStream, behind: String, mut state: watch::Receiver<State>) {
    let (mut begins, onward, back) = (state.clone(), state.clone(), state.clone());
    let both = async {
        carries(&mut begins).await;
        let Ok(far) = TcpStream::connect(behind).await else { return };
        let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
        tokio::select! {
            () = pump(near_in, far_out, onward) => {}
            () = pump(far_in, near_out, back) => {}
        }
    };
    tokio::select! {
        () = both => {}
        _ = state.wait_for(|it| *it == State::Cut) => {}
    }
}

/// Until an end. An end, too, is not told while the wire hangs.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<State>) {
    let mut bytes = vec![0; 16 << 10];
    loop {
        let read = from.read(&mut bytes).await.unwrap_or_default();
        carries(&mut state).await;
        if read == 0 || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

async fn carries(state: &mut watch::Receiver<State>) {
    // An error means that the test is over.
    let _ = state.wait_for(|it| *it == State::Whole).await;
}
