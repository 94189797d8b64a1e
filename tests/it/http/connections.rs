//! Peers that send nothing, send half a request, or read nothing. They lock nobody else out and
//! delay no stop.

use crate::http_support::{Browser, Server, World};
use huoyan::store::Access;
use huoyan::web::Network;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_millis(300);

async fn server(world: &World, network: Network) -> Server {
    Server::of(world.state.clone().with_network(network)).await
}

async fn says(server: &Server, words: &str) -> TcpStream {
    let mut socket = TcpStream::connect(server.address).await.expect("connects");
    socket.write_all(words.as_bytes()).await.expect("sent");
    socket
}

fn asks(path: &str, browser: &Browser) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: huoyan\r\nCookie: {}\r\n\r\n",
        browser.cookie.as_deref().expect("logged in")
    )
}

/// The data until the server pauses; None when it closed without sending any.
async fn answer(socket: &mut TcpStream) -> Option<String> {
    let mut buffer = vec![0; 65_536];
    match timeout(SOON, socket.read(&mut buffer)).await.expect("an answer or an end in time") {
        Ok(0) | Err(_) => None,
        Ok(read) => Some(String::from_utf8_lossy(&buffer[..read]).into_owned()),
    }
}

/// How long until the server has ended this connection.
async fn ended_after(mut socket: TcpStream) -> Duration {
    let (begun, mut buffer) = (Instant::now(), [0; 4096]);
    let end = async { while socket.read(&mut buffer).await.is_ok_and(|read| read > 0) {} };
    timeout(Duration::from_secs(5), end).await.expect("ended");
    begun.elapsed()
}

#[tokio::test]
async fn a_new_connection_is_served_while_more_than_fit_say_nothing() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let server = server(&world, Network { connections: 20, ..Network::default() }).await;
    let mut first = says(&server, &asks("/api/v1/stream", &officer)).await;
    assert!(answer(&mut first).await.is_some_and(|head| head.contains("200 OK")));
    let mut idle = Vec::new();
    for _ in 0..60 {
        idle.push(says(&server, "GET /").await);
    }
    let mut office = says(&server, &asks("/api/v1/me", &officer)).await;
    assert!(answer(&mut office).await.is_some_and(|head| head.contains("200 OK")));
    let mut oldest = idle.remove(0);
    assert_eq!(answer(&mut oldest).await, None, "made room");
    let mut buffer = [0; 64];
    let stream = timeout(TICK, first.read(&mut buffer)).await;
    assert!(stream.is_err(), "who is being served keeps the place: {stream:?}");
}

#[tokio::test]
async fn when_all_are_being_served_one_more_is_refused_at_once_and_a_free_place_is_taken() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let server = server(&world, Network { connections: 2, ..Network::default() }).await;
    let mut streams = Vec::new();
    for _ in 0..2 {
        let mut stream = says(&server, &asks("/api/v1/stream", &officer)).await;
        assert!(answer(&mut stream).await.is_some_and(|head| head.contains("200 OK")));
        streams.push(stream);
    }
    let mut third = says(&server, "").await;
    assert_eq!(answer(&mut third).await, None, "refused");
    streams.clear();
    let again = async {
        loop {
            let mut socket = says(&server, &asks("/api/v1/me", &officer)).await;
            if answer(&mut socket).await.is_some_and(|head| head.contains("200 OK")) {
                return;
            }
        }
    };
    timeout(SOON, again).await.expect("there is room again");
}

#[tokio::test]
async fn half_a_header_silence_and_an_answer_that_nobody_takes_end_after_their_time() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let network = Network {
        header_within: TICK,
        idle_for: 3 * TICK,
        stalled_for: 5 * TICK,
        ..Network::default()
    };
    let server = server(&world, network).await;
    let near = |took: Duration, expected: Duration| {
        assert!(
            took >= expected - TICK / 2 && took < expected + 3 * TICK,
            "{took:?} for {expected:?}"
        );
    };
    near(ended_after(says(&server, "").await).await, TICK);
    near(ended_after(says(&server, "GET /healthz HTTP/1.1\r\nX-A: ").await).await, TICK);
    // Sending one byte at a time gains no time.
    let mut slow = says(&server, "GET /healthz HTTP/1.1\r\n").await;
    let begun = Instant::now();
    let dribble = async {
        while slow.write_all(b"A: b\r\n").await.is_ok() && slow.writable().await.is_ok() {
            tokio::time::interval_at(tokio::time::Instant::now() + TICK / 6, TICK).tick().await;
        }
    };
    timeout(SOON, dribble).await.expect("the server ends it");
    assert!(begun.elapsed() < 4 * TICK, "{:?}", begun.elapsed());

    let mut asked = says(&server, &asks("/api/v1/me", &officer)).await;
    assert!(answer(&mut asked).await.is_some());
    near(ended_after(asked).await, 3 * TICK);
    let mut stream = says(&server, &asks("/api/v1/stream", &officer)).await;
    assert!(answer(&mut stream).await.is_some());
    near(ended_after(stream).await, 5 * TICK);
}

#[tokio::test]
async fn stopping_waits_for_a_photo_under_way_no_longer_than_the_grace_and_for_half_a_header_not_at_all()
 {
    let world = World::new().await;
    let ranger = world.browser("r1", Access::Ranger).await;
    let grace = Duration::from_millis(800);
    let begin = async |words: &str| {
        let server = server(&world, Network { stop_within: grace, ..Network::default() }).await;
        let quiet = says(&server, "GET / HTTP/1.1\r\nHost: x\r\nX-A: ").await;
        let busy = says(&server, words).await;
        // Gives the server time to read it.
        tokio::time::interval_at(tokio::time::Instant::now() + TICK, TICK).tick().await;
        let begun = Instant::now();
        server.stop.send(()).expect("still running");
        timeout(Duration::from_secs(5), server.done)
            .await
            .expect("stops")
            .expect("no panic")
            .expect("fine");
        drop((quiet, busy));
        begun.elapsed()
    };
    let photo = format!(
        "POST /api/v1/incidents/{}/photos HTTP/1.1\r\nHost: x\r\nCookie: {}\r\nContent-Type: \
        image/jpeg\r\n\
         Idempotency-Key: {}\r\nContent-Length: 300000\r\n\r\nabc",
        Uuid::now_v7(),
        ranger.cookie.as_deref().expect("logged in"),
        Uuid::now_v7()
    );
    let took = begin(&photo).await;
    assert!(took >= grace && took < 2 * grace, "{took:?}");
    let took = begin("GET /healthz HTTP/1.1\r\n").await;
    assert!(took < grace / 2, "{took:?}");
}

#[test]
fn the_usual_bounds_leave_files_for_the_database_and_stop_within_ten_seconds() {
    let network = Network::default();
    assert_eq!(
        network.connections,
        huoyan::camera::left_for_browsers(0),
        "the wiring lowers it only where files are few"
    );
    assert!(network.connections + 256 <= 1024, "the usual limit of open files");
    assert!(
        network.header_within < network.idle_for && network.idle_for > Duration::from_secs(60),
        "{network:?}"
    );
    assert!(
        network.stalled_for > Duration::from_secs(90),
        "longer than the slowest answer: {network:?}"
    );
    assert!(network.stop_within < Duration::from_secs(10), "{network:?}");
}
