//! Every bound of the HTTP side in one place, each with its reason.

use super::error::{Answer, Problem};
use crate::error::{Error, Kind, Result};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A JSON body. The longest is an officer's text, below 4 kB.
pub(crate) const JSON_MAX_BYTES: usize = 64 * 1024;
/// A photo: phones send 1280 px at about 150 kB (UX requirement 13). 400 kB leaves room for
/// detailed scenes such as trees.
pub(crate) const PHOTO_MAX_BYTES: usize = 400_000;
/// A register as a file: the outlines of a county's 2,570 grids are 2 MB of GeoJSON.
pub(crate) const SHEET_MAX_BYTES: usize = 8_000_000;
/// Another system's alarm: four pictures of a 1080p camera in base64.
pub(crate) const ALARM_MAX_BYTES: usize = 12_000_000;
/// One picture of an alarm: a 4 MP camera's JPEG has some 1.5 MB.
pub(crate) const ALARM_PICTURE_MAX_BYTES: usize = 2_000_000;
/// Bodies of alarms read at once: 96 MB at most.
pub(crate) const ALARM_BODIES_AT_ONCE: usize = 8;
/// Of these of one system: a slow one leaves half to the others.
pub(crate) const ALARM_BODIES_A_SYSTEM: usize = 4;
/// Requests of one system that wait for room. Each takes a seat of [`REQUESTS_AT_ONCE`], and the
/// office needs some, too.
pub(crate) const ALARMS_IN_LINE: usize = 96;
/// How long they wait. A body of 200 kB is read and understood in some tens of milliseconds.
pub(crate) const ALARM_ROOM_WITHIN: Duration = Duration::from_secs(20);
/// Requests of one system a minute: every camera of a county (267) alarms at once.
pub(crate) const ALARMS_A_SYSTEM: u32 = 300;
/// New alarms of one device a minute. Devices repeat a fire every 5 s at most.
pub(crate) const ALARMS_A_DEVICE: u32 = 20;
/// Devices whose rate is remembered; above it those that were silent for a minute are forgotten.
pub(crate) const DEVICES_COUNTED: usize = 10_000;
/// Pictures that came after their alarms, of one incident.
pub(crate) const ALARM_PICTURES_AN_INCIDENT: usize = 60;
/// Longest text a person may type into one field, characters.
pub(crate) const WORDS_MAX_CHARS: usize = 2000;
/// Answers take milliseconds; a page gives up after 15 s.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// A photo of 400 kB takes 64 s over 50 kbit/s; what-if over a month of twelve cameras takes some
/// tens of seconds.
pub(crate) const SLOW_ANSWER_WITHIN: Duration = Duration::from_secs(90);
/// The largest photo setting of a phone, pixels; decoded it takes 60 MB and about a second. Read
/// from the file's header before anything is decoded: 200 kB of PNG can hold 67 million pixels.
pub(crate) const PHOTO_MAX_PIXELS: u64 = 20_000_000;
/// Camera pictures decoded or encoded at once. On an office PC with four cores, two stay free for
/// analysis.
pub(crate) const PICTURES_AT_ONCE: usize = 2;
/// People's photos decoded at once. Separate from camera pictures, so that no photo delays a live
/// frame.
pub(crate) const PHOTOS_AT_ONCE: usize = 1;
/// Requests handled at once. A county has some 200 rangers, and the database answers in
/// milliseconds.
pub(crate) const REQUESTS_AT_ONCE: usize = 256;
/// Open streams: every screen of the office and every ranger's phone, twice.
pub(crate) const STREAMS_AT_ONCE: usize = 512;
/// Open connections: every seat above may be taken, and phones keep one open between two requests.
/// Another 256 of the usual 1,024 files stay for the database, the model and the gateways. `app`
/// lowers this where the machine allows fewer.
pub(crate) const CONNECTIONS_AT_ONCE: usize = REQUESTS_AT_ONCE + STREAMS_AT_ONCE;
/// Time for a request's head, 2 kB at most: 50 kbit/s carry it in a third of a second, and a lost
/// packet is resent within seconds.
pub(crate) const HEADER_WITHIN: Duration = Duration::from_secs(10);
/// Keep-alive. A page sends its next request within a minute. Proxies keep a connection for 60 s,
/// and the proxy should be the first to close.
pub(crate) const IDLE_FOR: Duration = Duration::from_secs(75);
/// Longer than the slowest answer takes to begin. A peer that reads nothing for this time is gone.
pub(crate) const STALLED_FOR: Duration = Duration::from_secs(120);
/// Grace period for answers under way at a stop. They take milliseconds, and neither the operator
/// nor the next start should wait longer.
pub(crate) const STOP_WITHIN: Duration = Duration::from_secs(5);
/// TCP keep-alive: a silent peer is probed after 60 s, then every 15 s, four times. It counts as
/// gone after two minutes.
pub(crate) const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);
pub(crate) const KEEPALIVE_EVERY: Duration = Duration::from_secs(15);
pub(crate) const KEEPALIVE_TRIES: u32 = 4;
/// The same two minutes for data sent and never acknowledged.
pub(crate) const UNTAKEN_FOR: Duration = Duration::from_secs(120);
/// Wait before the next accept after the system refused one.
pub(crate) const ACCEPT_AGAIN: Duration = Duration::from_millis(200);
/// Streams of one person: an officer's board, wall and ops page on two machines, and phone streams
/// whose loss the server has not noticed.
pub(crate) const STREAMS_A_PERSON: usize = 8;
/// Uploads of one person at once: the phone sends photos one by one, and a broken attempt may
/// linger.
pub(crate) const UPLOADS_A_PERSON: usize = 3;
/// Changes by one person: a burst of 60, then one a second. A phone that was offline sends some
/// thirty: four steps and twenty photos.
pub(crate) const CHANGES_A_MINUTE: u32 = 60;
/// Notes by one person on one incident. A fire of two days has some thirty, and every page of it
/// carries them all.
pub(crate) const NOTES_A_PERSON: usize = 100;
/// Photos by one person on one incident: three reports with the maximum of photos.
pub(crate) const PHOTOS_A_PERSON: usize = 60;
/// Steps of any kind by one person on one incident. An officer who works on one fire for two days
/// takes some hundred. The log is read and kept for ever.
pub(crate) const STEPS_A_PERSON: usize = 1_000;
/// HSTS: a browser that has used https uses nothing else for as long as a session lives. Not
/// longer: a county that loses its certificate for good must not be locked out for a year.
pub(crate) const HTTPS_FOR: &str = "max-age=2592000";
/// Rows of one page of a list: default and maximum.
pub(crate) const PAGE_DEFAULT: u32 = 50;
pub(crate) const PAGE_MAX: u32 = 200;
/// Logins with invalid links from one address before they are refused; after that one in 2 s.
pub(crate) const LOGIN_BURST: u32 = 30;
pub(crate) const LOGIN_EVERY: Duration = Duration::from_secs(2);

/// Seats for requests and for streams. When all are taken, the answer is "come back in a moment",
/// never a growing queue.
#[derive(Clone)]
pub(crate) struct Seats {
    requests: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    pictures: Arc<Semaphore>,
    photos: Arc<Semaphore>,
}

impl Seats {
    pub(crate) fn new(requests: usize, streams: usize) -> Self {
        let seats = |number| Arc::new(Semaphore::new(number));
        Self {
            requests: seats(requests),
            streams: seats(streams),
            pictures: seats(PICTURES_AT_ONCE),
            photos: seats(PHOTOS_AT_ONCE),
        }
    }

    /// Runs work on pixels on a thread of its own. It waits for a seat, and the request's time
    /// limit bounds the wait.
    pub(crate) async fn with_pixels<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        seated_thread(&self.pictures, work).await
    }

    /// The same for photos from people.
    pub(crate) async fn with_photo<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        seated_thread(&self.photos, work).await
    }

    /// A seat for as long as the stream is open.
    pub(crate) fn stream(&self) -> Answer<OwnedSemaphorePermit> {
        self.streams.clone().try_acquire_owned().map_err(|_| full())
    }
}

async fn seated_thread<T: Send + 'static>(
    seats: &Arc<Semaphore>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let died = |e| Error::internal("a picture thread died").because(e);
    let seat =
        seats.clone().acquire_owned().await.map_err(|e| Error::internal("no seats").because(e))?;
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

/// Holds a seat until the answer's head is ready. Opening a stream gives it back at once.
pub(crate) async fn seated(State(seats): State<Seats>, request: Request, next: Next) -> Response {
    let Ok(_seat) = seats.requests.try_acquire() else { return full().into_response() };
    next.run(request).await
}

fn full() -> Problem {
    Problem::new(
        Kind::Unavailable,
        "服务器正忙，请稍后重试。",
        "The server is busy. Please try again in a moment.",
    )
}
