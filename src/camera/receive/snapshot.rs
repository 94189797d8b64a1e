//! A camera polled over HTTP: one request and one picture when the schedule wants one, then the
//! connection is closed. An MJPEG stream is polled the same way: its first picture is taken, and
//! the other 249 of a cadence are never sent. Only a whole picture is handed on.

use super::first_picture::{FirstPicture, NoPicture};
use super::reading::Reading;
use super::reconnect::Backoff;
use super::runtime::Job;
use crate::address::Address;
use crate::camera::fault::Fault;
use crate::camera::fault::delivery::Delivery;
use crate::camera::fault::link::{Link, Network};
use crate::camera::image_file::MAX_BYTES;
use crate::camera::keyframe::Keyframe;
use crate::camera::source::CameraSource;
use crate::camera::turn::slots::Slots;
use http_auth::{PasswordClient, PasswordParams};
use jiff::Timestamp;
use parking_lot::Mutex;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use reqwest::{Client, Response, StatusCode, Url};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// From the request to the last byte of the picture.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Long enough for the second request of a login, too short for a stale connection at the next
/// picture.
const KEPT_ALIVE: Duration = Duration::from_secs(2);

/// How often a camera may send on.
const REDIRECTS_MAX: usize = 3;

/// One camera with a web address. Uses no thread of its own and, between pictures, no connection.
pub(super) struct Snapshot {
    camera: Arc<Camera>,
    request: Option<Job<Result<(), Fault>>>,
}

impl Snapshot {
    /// Opens the camera with the given reading of its login.
    pub(super) fn open(source: &CameraSource, reading: &Reading) -> Result<Self, Fault> {
        let mut exposed = source.address.expose();
        let url = Url::parse(exposed.target).map_err(|_| source.bad_address())?;
        let login = (reading.index() < exposed.logins.len())
            .then(|| exposed.logins.swap_remove(reading.index()));
        let camera = Camera { client: client()?, url, login, challenge: Mutex::new(None) };
        Ok(Self { camera: Arc::new(camera), request: None })
    }

    /// Requests a picture when one is wanted and none is under way. Error: how the last request
    /// failed.
    pub(super) fn feed(
        &mut self,
        slots: &Arc<Slots>,
        index: usize,
        backoff: &mut Backoff,
        reading: &mut Reading,
        now: Timestamp,
    ) -> Result<(), Fault> {
        if let Some(request) = &mut self.request {
            let Some(outcome) = request.poll() else { return Ok(()) };
            self.request = None;
            outcome??;
            backoff.succeeded();
            reading.worked();
        }
        if slots.wants(index, now) {
            let (camera, slots) = (Arc::clone(&self.camera), Arc::clone(slots));
            self.request = Some(Job::start(async move {
                let fetched = tokio::time::timeout(TIMEOUT, camera.picture()).await;
                let bytes =
                    fetched.unwrap_or(Err(Delivery::Slow { seconds: TIMEOUT.as_secs() }.into()))?;
                slots.put(index, Keyframe::from_image_bytes(slots.clock.now(), bytes));
                Ok(())
            })?);
        }
        Ok(())
    }
}

struct Camera {
    client: Client,
    url: Url,
    /// User and password.
    login: Option<(String, String)>,
    /// The camera's last authentication challenge. Kept, it saves a refused first request for every
    /// picture.
    challenge: Mutex<Option<PasswordClient>>,
}

impl Camera {
    async fn picture(&self) -> Result<Vec<u8>, Fault> {
        let mut url = self.url.clone();
        for hop in 0..=REDIRECTS_MAX {
            let answer = match self.answer(&url).await {
                // Whoever sends on may hang up right after it.
                Err(Fault::Link(Link::Unreachable(Network::Broken))) if hop > 0 => {
                    self.answer(&url).await?
                }
                answer => answer?,
            };
            match answer.status() {
                StatusCode::OK => return picture_of(answer).await,
                StatusCode::UNAUTHORIZED if !self.is_home(&url) => return Err(sent_on(&url)),
                StatusCode::UNAUTHORIZED => {
                    return Err(Fault::WrongPassword { had_one: self.login.is_some() });
                }
                StatusCode::NOT_FOUND | StatusCode::GONE => return Err(Fault::NoSuchStream),
                status if status.is_redirection() => url = location(&url, &answer)?,
                status => return Err(Link::refused(status.as_u16()).into()),
            }
        }
        Err(Link::SentInCircles.into())
    }

    /// The login goes to the camera itself, not to another host, and not from https to http.
    fn is_home(&self, url: &Url) -> bool {
        url.host() == self.url.host() && (url.scheme() == "https" || self.url.scheme() == "http")
    }

    /// Logs in when asked to. Sends at most one untested password per picture.
    async fn answer(&self, url: &Url) -> Result<Response, Fault> {
        let answer = self.request(url).await?;
        if answer.status() != StatusCode::UNAUTHORIZED || self.login.is_none() || !self.is_home(url)
        {
            return Ok(answer);
        }
        let asked = answer
            .headers()
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok());
        let challenge =
            asked.fold(PasswordClient::builder(), |all, one| all.challenges(one)).build();
        // A challenge other than Basic and Digest is treated as a refusal.
        let Ok(challenge) = challenge else { return Ok(answer) };
        *self.challenge.lock() = Some(challenge);
        self.request(url).await
    }

    async fn request(&self, url: &Url) -> Result<Response, Fault> {
        let mut request = self.client.get(url.clone());
        if let Some(mut login) =
            self.authorization(url).and_then(|text| HeaderValue::try_from(text).ok())
        {
            login.set_sensitive(true);
            request = request.header(AUTHORIZATION, login);
        }
        request.send().await.map_err(fault_of)
    }

    fn authorization(&self, url: &Url) -> Option<String> {
        let (username, password) = self.login.as_ref().filter(|_| self.is_home(url))?;
        let path = url.path();
        let uri = url.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
        let params = PasswordParams { username, password, uri: &uri, method: "GET", body: None };
        let mut challenge = self.challenge.lock();
        challenge.as_mut()?.respond(&params).ok()
    }
}

/// Where the camera sends on.
fn location(from: &Url, answer: &Response) -> Result<Url, Fault> {
    let to = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let url = to.and_then(|to| from.join(to).ok()).ok_or(Link::SentOn { to: None })?;
    if matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(sent_on(&url)) }
}

fn sent_on(url: &Url) -> Fault {
    Link::SentOn { to: Some(Address::parse(url.as_str()).shown().to_owned()) }.into()
}

async fn picture_of(mut answer: Response) -> Result<Vec<u8>, Fault> {
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind
        .and_then(|kind| kind.split(';').next())
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let too_large = || Fault::from(Delivery::TooLarge { mb: MAX_BYTES / 1_000_000 });
    if answer.content_length().is_some_and(|length| length > MAX_BYTES as u64) {
        return Err(too_large());
    }
    let mut search = FirstPicture::new(MAX_BYTES);
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => match search.push(&chunk) {
                Ok(None) => {}
                Ok(Some(picture)) => return Ok(picture),
                Err(NoPicture::TooLarge) => return Err(too_large()),
                Err(NoPicture::NotBegun) => return Err(Delivery::NotAPicture { kind }.into()),
            },
            // With or without an error: half a picture is told as that.
            _ if search.has_begun() => return Err(Delivery::Torn.into()),
            Ok(None) => return Err(instead(search.rest(), kind)),
            Err(e) => return Err(fault_of(e)),
        }
    }
}

/// What a good answer without a picture means.
fn instead(body: &[u8], kind: String) -> Fault {
    let begin = String::from_utf8_lossy(&body[..body.len().min(200)]).to_ascii_lowercase();
    if body.is_empty() {
        Delivery::Empty.into()
    } else if begin.contains("busy") {
        Link::Busy.into()
    } else {
        Delivery::NotAPicture { kind }.into()
    }
}

/// One client for all cameras. No proxy: cameras are on the office's own network. Redirects are
/// followed here, because a login must not go to another host.
fn client() -> Result<Client, Fault> {
    static CLIENT: OnceLock<Result<Client, Fault>> = OnceLock::new();
    let build = || {
        // An error here means that the process has a provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let built = builder.pool_idle_timeout(KEPT_ALIVE).referer(false).build();
        built.map_err(|e| {
            tracing::error!("no client for web cameras can be made: {e}");
            Fault::Crashed
        })
    };
    CLIENT.get_or_init(build).clone()
}

/// The innermost cause, without the address, which may hold a key.
fn fault_of(error: reqwest::Error) -> Fault {
    let error = error.without_url();
    let mut cause: &(dyn std::error::Error + 'static) = &error;
    loop {
        let inside = cause.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
        let next = inside
            .map(|inside| inside as &(dyn std::error::Error + 'static))
            .or_else(|| cause.source());
        if let Some(rustls::Error::InvalidCertificate(why)) = cause.downcast_ref::<rustls::Error>()
        {
            return Delivery::Certificate { why: why.to_string() }.into();
        }
        match next {
            Some(next) => cause = next,
            None => break,
        }
    }
    let text = cause.to_string();
    tracing::debug!("HTTP: {text}");
    if text.contains("(os error 24)") {
        Fault::NoMoreFiles
    } else if text.starts_with("invalid HTTP") || text.starts_with("invalid header") {
        Delivery::NotHttp.into()
    } else {
        Link::Unreachable(Network::of(&text)).into()
    }
}
