//! One connection to the county's NATS server. It connects by itself, again and again: a program
//! starts and works without the network.

use super::Announcement;
use crate::config::{BusConfig, Config, Secret, first_line};
use crate::error::{Error, Result};
use crate::lang::Words;
use async_nats::connection::State;
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions, Event};
use serde::Serialize;
use std::path::Path;
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

#[derive(Clone, Debug)]
pub struct Line {
    client: Client,
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
        let mut options = ConnectOptions::new()
            .name(format!("huoyan {who}"))
            .custom_inbox_prefix(format!("_INBOX.{}.{who}", config.county))
            .retry_on_initial_connect()
            // What this process announces it has heard already.
            .no_echo()
            .ping_interval(Duration::from_secs(10))
            .reconnect_delay_callback(|attempts| {
                Duration::from_millis((100 * attempts as u64).min(2_000))
            })
            .event_callback(|event| async move {
                match event {
                    Event::Connected => tracing::info!("connected to the NATS server"),
                    // A server that is away is said once, by the part on the board.
                    Event::ClientError(error) => tracing::debug!(%error, "the NATS connection"),
                    other => tracing::warn!("the NATS connection: {other}"),
                }
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
            county: config.county.clone(),
        })
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
