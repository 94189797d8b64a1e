//! Every bound of the HTTP side in one place, each with its reason.

use super::error::{Answer, Problem};
use crate::error::{Error, Kind, Result};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A JSON body: the longest is an officer's words, and those are below 4 kB.
pub const JSON_MAX_BYTES: usize = 64 * 1024;
/// A photo: phones send 1280 px at about 150 kB (UX requirement 13); 400 kB leaves room for trees.
pub const PHOTO_MAX_BYTES: usize = 400_000;
/// Longest text a person may type into one field, characters.
pub const WORDS_MAX_CHARS: usize = 2000;
/// Answers take milliseconds; a page gives up after 15 s.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// A photo of 400 kB over 50 kbit/s takes 64 s; what-if over a month of twelve cameras some tens.
pub const SLOW_ANSWER_WITHIN: Duration = Duration::from_secs(90);
/// A phone's largest camera setting that is still a photo, in pixels; decoded it takes 60 MB and about a second. Told by the head,
/// before anything is decoded: 200 kB of PNG can hold 67 million pixels.
pub const PHOTO_MAX_PIXELS: u64 = 20_000_000;
/// Cameras' pictures decoded or packed at once: one a core of an office PC that has four, so that two stay for the look-out.
pub const PICTURES_AT_ONCE: usize = 2;
/// People's photos decoded at once. Apart from the cameras' pictures, so that no photo holds up a live frame.
pub const PHOTOS_AT_ONCE: usize = 1;
/// Requests in work at once. A county has some 200 rangers; the database answers in milliseconds.
pub const REQUESTS_AT_ONCE: usize = 256;
/// Open streams: every screen of the office and every ranger's phone, twice.
pub const STREAMS_AT_ONCE: usize = 512;
/// Open connections: every seat above may be taken, and phones keep one open between two questions. Another 256 of the usual
/// 1,024 files stay for the database, the model and the gateways; `app` lowers this where the machine allows fewer.
pub const CONNECTIONS_AT_ONCE: usize = REQUESTS_AT_ONCE + STREAMS_AT_ONCE;
/// A head is 2 kB at most: 50 kbit/s carry it in a third of a second, and a lost packet is sent again within seconds.
pub const HEADER_WITHIN: Duration = Duration::from_secs(10);
/// A page asks again within a minute; proxies keep theirs for 60 s, and the proxy should be the first to close.
pub const IDLE_FOR: Duration = Duration::from_secs(75);
/// Longer than the slowest answer takes to begin: a peer that reads nothing for that time is gone.
pub const STALLED_FOR: Duration = Duration::from_secs(120);
/// Grace for answers under way at a stop: they take milliseconds, and neither the operator nor the next start should wait longer.
pub const STOP_WITHIN: Duration = Duration::from_secs(5);
/// A peer without a word is asked whether it is there after 60 s, then every 15 s, four times: gone after two minutes.
pub const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);
pub const KEEPALIVE_EVERY: Duration = Duration::from_secs(15);
pub const KEEPALIVE_TRIES: u32 = 4;
/// The same two minutes for what was sent and never confirmed.
pub const UNTAKEN_FOR: Duration = Duration::from_secs(120);
/// The network is asked again so soon after it refused to give a connection.
pub const ACCEPT_AGAIN: Duration = Duration::from_millis(200);
/// Streams of one person: an officer's board, wall and ops page on two machines, and a phone's that the server still believes open.
pub const STREAMS_A_PERSON: usize = 8;
/// Photos of one person on their way: the phone sends them one by one, and an attempt that broke off may linger.
pub const UPLOADS_A_PERSON: usize = 3;
/// Changes of one person: 60 at once, then one a second. A phone that was away sends some thirty: four steps and twenty photos.
pub const CHANGES_A_MINUTE: u32 = 60;
/// Notes of one person on one incident. A fire that burns for two days has some thirty; every page of it carries them all.
pub const NOTES_A_PERSON: usize = 100;
/// Photos of one person on one incident: three reports with all the photos that a report takes.
pub const PHOTOS_A_PERSON: usize = 60;
/// Steps of any kind of one person on one incident: an officer who works on one fire for two days takes some hundred. What a log
/// holds is read and kept for ever.
pub const STEPS_A_PERSON: usize = 1_000;
/// A browser that has met us by https comes by nothing else, for as long as a session lives: a county that loses its certificate
/// for good must not be locked out for a year.
pub const HTTPS_FOR: &str = "max-age=2592000";
/// Rows of one page of a list: default and most.
pub const PAGE_DEFAULT: u32 = 50;
pub const PAGE_MAX: u32 = 200;
/// Logins by links that are worth nothing, from one address, before the answer only says so: at most one more in 2 s.
pub const LOGIN_BURST: u32 = 30;
pub const LOGIN_EVERY: Duration = Duration::from_secs(2);

/// Seats for requests and for streams; full means "come back in a moment", never a growing queue.
#[derive(Clone)]
pub struct Seats {
    requests: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    pictures: Arc<Semaphore>,
    photos: Arc<Semaphore>,
}

impl Seats {
    pub fn new(requests: usize, streams: usize) -> Self {
        let seats = |number| Arc::new(Semaphore::new(number));
        Self {
            requests: seats(requests),
            streams: seats(streams),
            pictures: seats(PICTURES_AT_ONCE),
            photos: seats(PHOTOS_AT_ONCE),
        }
    }

    /// Work on pixels, on a thread of its own; waits its turn, and the request's time limit bounds the wait.
    pub async fn with_pixels<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        seated_thread(&self.pictures, work).await
    }

    /// The same for what people send.
    pub async fn with_photo<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        seated_thread(&self.photos, work).await
    }

    /// A seat for as long as the stream is open.
    pub fn stream(&self) -> Answer<OwnedSemaphorePermit> {
        self.streams.clone().try_acquire_owned().map_err(|_| full())
    }
}

async fn seated_thread<T: Send + 'static>(
    seats: &Arc<Semaphore>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let died = |e| Error::internal("a picture thread died").because(e);
    let seat = seats.clone().acquire_owned().await.map_err(|e| Error::internal("no seats").because(e))?;
    tokio::task::spawn_blocking(move || {
        let _seat = seat;
        work()
    })
    .await
    .map_err(died)?
}

impl Default for Seats {
    fn default() -> Self {
        Self::new(REQUESTS_AT_ONCE, STREAMS_AT_ONCE)
    }
}

/// A seat until the answer's head is ready; opening a stream gives it back at once.
pub async fn seated(State(seats): State<Seats>, request: Request, next: Next) -> Response {
    let Ok(_seat) = seats.requests.try_acquire() else { return full().into_response() };
    next.run(request).await
}

fn full() -> Problem {
    Problem::new(
        Kind::Unavailable,
        "服务器正忙，请稍后重试。",
        "The server is busy just now. Please try again in a moment.",
    )
}
