//! One connection to the county's NATS server. It connects by itself, again and again: a program
//! starts and works without the network.

use super::Announcement;
use crate::config::{BusConfig, Config, Secret, first_line};
use crate::error::{Error, Result};
use crate::lang::Words;
use async_nats::connection::State;
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ClientError, ConnectErrorKind, ConnectOptions, Event, ServerError};
use parking_lot::Mutex;
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::task::AbortHandle;
use tokio_stream::StreamExt;

/// A server that does not answer within this time counts as unreachable: a commit must not wait
/// longer for its announcement.
pub(super) const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// Who this program is at the server. The password comes from the environment or a file.
#[derive(Clone, Default)]
pub struct Login {
    pub user: Option<String>,
    pub password: Option<String>,
}

impl Login {
    /// `[bus] user` or HUOYAN_NATS_USER, with the secret password or the first line of the file
    /// HUOYAN_NATS_PASSWORD_FILE.
    pub fn of(config: &Config) -> Result<Self> {
        let password =
            match (config.secret(Secret::NatsPassword)?, config.env("HUOYAN_NATS_PASSWORD_FILE")) {
                (Some(password), _) => Some(password),
                (None, Some(file)) => Some(first_line(
                    &config.variable("HUOYAN_NATS_PASSWORD_FILE"),
                    Path::new(&file),
                )?),
                (None, None) => None,
            };
        let user = config.env("HUOYAN_NATS_USER").or_else(|| config.bus.user.clone());
        let login = Self { user, password };
        if login.user.is_some() != login.password.is_some() {
            let (user, password) =
                (config.variable("HUOYAN_NATS_USER"), config.variable("HUOYAN_NATS_PASSWORD"));
            return Err(Error::invalid(Words::new(
                format!(
                    "NATS 登录须同时给出用户（{user} 或 [bus] user）和密码（{password}、\
                    {password}_FILE 或 [secrets] nats_password）"
                ),
                format!(
                    "a login at the NATS server needs both a user ({user} or [bus] user) and a \
                    password ({password}, {password}_FILE or [secrets] nats_password)"
                ),
            )));
        }
        Ok(login)
    }
}

/// A login that the server does not know is tried again this often at most: trying does not mend it,
/// and servers shut out who tries too often.
const REFUSED_TRIES_AGAIN: Duration = Duration::from_secs(30);

/// What the server has said.
#[derive(Default, Debug)]
struct Heard {
    /// It does not take the login.
    is_refused: bool,
    /// What it did not allow last, in its words.
    forbidden: Option<String>,
}

impl Heard {
    /// Each thing is said once; a server that is away, or refuses the login, by the part on the
    /// board.
    fn take(&mut self, event: &Event) {
        match event {
            Event::Connected => {
                self.is_refused = false;
                tracing::info!("connected to the NATS server");
            }
            Event::ClientError(ClientError::Other(why)) => {
                self.is_refused = *why == ConnectErrorKind::AuthorizationViolation.to_string();
                tracing::debug!(why, "the NATS connection");
            }
            Event::ServerError(ServerError::Other(said)) => {
                if self.forbidden.as_ref() != Some(said) {
                    tracing::warn!("the NATS server refuses something: {said}");
                    self.forbidden = Some(said.clone());
                }
            }
            other => tracing::warn!("the NATS connection: {other}"),
        }
    }

    fn pause(&self, attempts: usize) -> Duration {
        let attempts = attempts as u64;
        match self.is_refused {
            true => Duration::from_secs(attempts).min(REFUSED_TRIES_AGAIN),
            false => Duration::from_millis((100 * attempts).min(2_000)),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Line {
    client: Client,
    heard: Arc<Mutex<Heard>>,
    pub(super) jetstream: Context,
    county: String,
}

impl Line {
    /// Returns at once; the connection is made, and made again, in the background. `who` is the
    /// name of the edge, or "desk": each has an inbox of its own, so permissions can keep one from
    /// reading what another is sent.
    ///
    /// # Errors
    /// `Invalid` when the address, the credentials file or the certificate cannot be used. No error
    /// shows the address or the login.
    pub async fn connect(config: &BusConfig, login: Login, who: &str) -> Result<Self> {
        let heard = Arc::new(Mutex::new(Heard::default()));
        let (taking, pausing) = (Arc::clone(&heard), Arc::clone(&heard));
        let mut options = ConnectOptions::new()
            .name(format!("huoyan {who}"))
            .custom_inbox_prefix(format!("_INBOX.{}.{who}", config.county))
            .retry_on_initial_connect()
            // What this process announces it has heard already.
            .no_echo()
            .ping_interval(Duration::from_secs(10))
            .reconnect_delay_callback(move |attempts| pausing.lock().pause(attempts))
            .event_callback(move |event| {
                taking.lock().take(&event);
                std::future::ready(())
            });
        if let (Some(user), Some(password)) = (login.user, login.password) {
            options = options.user_and_password(user, password);
        }
        if let Some(file) = &config.creds {
            options = options.credentials_file(file).await.map_err(|e| {
                Error::invalid(format!(
                    "[bus] creds: cannot use the NATS credentials {}",
                    file.display()
                ))
                .because(e)
            })?;
        }
        if let Some(file) = &config.ca {
            // The client reads the file at each connection, where nobody sees the error.
            std::fs::metadata(file).map_err(|e| {
                Error::invalid(format!("[bus] ca: cannot read the certificate {}", file.display()))
                    .because(e)
            })?;
            options = options.add_root_certificates(file.clone()).require_tls(true);
        }
        let client = options.connect(config.url.as_str()).await.map_err(|e| {
            Error::invalid("[bus] url cannot be used, for example nats://10.0.0.2:4222").because(e)
        })?;
        Ok(Self {
            jetstream: jetstream::new(client.clone()),
            client,
            heard,
            county: config.county.clone(),
        })
    }

    /// The server does not take the login.
    pub fn is_refused(&self) -> bool {
        self.heard.lock().is_refused
    }

    /// What the server did not allow since this was asked last.
    pub(super) fn forbidden(&self) -> Option<String> {
        self.heard.lock().forbidden.take()
    }

    /// Why there is no connection, and what to do; `None`: there is one.
    pub fn trouble(&self) -> Option<Error> {
        if self.is_connected() {
            return None;
        }
        Some(Error::unavailable(match self.is_refused() {
            true => Words::new(
                "NATS 服务器不认此登录：请更正用户（HUOYAN_NATS_USER 或 [bus] user）和密码，\
                再重新启动程序；若是服务器上的有误，更正后半分钟内自动连上",
                "the NATS server does not take the login: correct the user (HUOYAN_NATS_USER or \
                [bus] user) and the password, then restart the program; if the server's are wrong, \
                correct those, and it connects by itself within half a minute",
            ),
            false => Words::new(
                "连不上 NATS 服务器：请看它是否在运行、[bus] url 和网络",
                "the NATS server is not reached: check that it runs, [bus] url and the network",
            ),
        }))
    }

    /// All that was sent and subscribed has left for the server.
    pub(super) async fn flushed(&self) -> Result<()> {
        let flushed = tokio::time::timeout(ANSWERS_WITHIN, self.client.flush()).await;
        flushed.map_err(|_| away())?.map_err(|e| unavailable("the NATS server does not answer", e))
    }

    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// `huoyan.<county>.<topic>`
    pub(super) fn subject(&self, topic: &str) -> String {
        format!("huoyan.{}.{topic}", self.county)
    }

    /// Name of a stream or bucket: `huoyan-<county>-<what>`.
    pub(super) fn stream_name(&self, what: &str) -> String {
        format!("huoyan-{}-{what}", self.county)
    }

    /// Plain NATS: whoever listens now hears it. Nothing is queued while there is no connection.
    pub(super) async fn publish<T: Serialize>(&self, topic: &str, words: &T) -> Result<()> {
        let body = serde_json::to_vec(words)
            .map_err(|e| Error::internal("cannot write as JSON").because(e))?;
        if !self.is_connected() {
            return Err(away());
        }
        let sent = self.client.publish(self.subject(topic), body.into());
        let sent = tokio::time::timeout(ANSWERS_WITHIN, sent).await.map_err(|_| away())?;
        sent.map_err(|e| unavailable("cannot send to the NATS server", e))
    }

    pub(super) async fn subscribe(&self, topic: &str) -> Result<async_nats::Subscriber> {
        let subscribed = self.client.subscribe(self.subject(topic)).await;
        subscribed.map_err(|e| unavailable("cannot subscribe at the NATS server", e))
    }

    pub(super) async fn announce(&self, announcement: Announcement) -> Result<()> {
        self.publish("changed", &announcement).await
    }

    /// Hands on what other desks announce.
    pub(super) async fn forward(&self, to: broadcast::Sender<Announcement>) -> Result<AbortHandle> {
        let mut heard = self.subscribe("changed").await?;
        if self.is_connected() {
            // The answer to the ping proves that the subscription is active.
            let _ = tokio::time::timeout(ANSWERS_WITHIN, self.client.flush()).await;
        }
        let forwarding = tokio::spawn(async move {
            while let Some(message) = heard.next().await {
                match serde_json::from_slice(&message.payload) {
                    // An error only means that there is no subscriber now.
                    Ok(announcement) => drop(to.send(announcement)),
                    Err(e) => {
                        tracing::warn!(error = %e, "cannot read an announcement from the bus")
                    }
                }
            }
        });
        Ok(forwarding.abort_handle())
    }
}

pub(super) fn away() -> Error {
    Error::unavailable("the NATS server is not connected")
}

pub(super) fn unavailable(
    message: &str,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    Error::unavailable(message).because(cause)
}
