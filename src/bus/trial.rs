//! What a line can do, for `huoyan check`: nothing is stored or made on the server.

use super::line::{ANSWERS_WITHIN, Line, unavailable};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::lang::Words;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{GetStreamErrorKind, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use std::time::Duration;

/// A server that has not let a program in within this time counts as away.
const ENTERS_WITHIN: Duration = Duration::from_secs(5);
const LOOKS_EVERY: Duration = Duration::from_millis(50);
/// A server on a slow line has refused by then.
const REFUSES_WITHIN: Duration = Duration::from_millis(500);
/// No stream is called so. The server refuses a message that is meant for it, after it has looked at
/// the sender's rights.
const NOWHERE: &str = "huoyan-trial";

impl Line {
    /// Waits until the server has let this program in, or has said why not.
    ///
    /// # Errors
    /// `Unavailable`, as [`Line::trouble`] says it.
    pub async fn enters(&self) -> Result<()> {
        let asked = async {
            while !self.is_connected() && !self.is_refused() {
                Clock::System.sleep(LOOKS_EVERY).await;
            }
        };
        // After the time the line says what is wrong.
        let _ = tokio::time::timeout(ENTERS_WITHIN, asked).await;
        self.trouble().map_or(Ok(()), Err)
    }

    /// Whether an edge's sightings have a queue on the server, which this login may fill.
    ///
    /// # Errors
    /// `Unavailable` when it may not, or the server does not answer.
    pub async fn may_send_sightings(&self, edge: &str) -> Result<bool> {
        self.forbidden();
        let message = PublishMessage::build().payload(Vec::new().into()).expected_stream(NOWHERE);
        let subject = self.subject(&format!("sighting.{edge}"));
        let answer = async { self.jetstream.send_publish(subject.clone(), message).await?.await };
        match tokio::time::timeout(ANSWERS_WITHIN, answer).await.map(|it| it.map_err(|e| e.kind()))
        {
            Ok(Ok(_) | Err(PublishErrorKind::Other)) => Ok(true),
            Ok(Err(PublishErrorKind::StreamNotFound)) => Ok(false),
            Ok(Err(_)) | Err(_) => Err(self.silent(&format!("publish {subject}"))),
        }
    }

    /// Of the queues and stores that desks make on the server: those that are not there yet.
    ///
    /// # Errors
    /// `Unavailable`: this login may not ask, or the server has no JetStream.
    pub async fn missing_streams(&self) -> Result<Vec<String>> {
        let pictures = format!("OBJ_{}", self.stream_name("pictures"));
        let wanted = ["sightings", "aside", "words"].map(|it| self.stream_name(it));
        let mut missing = Vec::new();
        for name in wanted.into_iter().chain([pictures]) {
            let asked = self.jetstream.get_stream(&name);
            let answer = tokio::time::timeout(ANSWERS_WITHIN, asked).await;
            let answer = answer.map_err(|_| self.silent("$JS.API.>"))?;
            if let Err(e) = answer {
                match e.kind() {
                    GetStreamErrorKind::JetStream(why)
                        if why.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                    {
                        missing.push(name)
                    }
                    _ => return Err(unavailable("the server shows no streams", e)),
                }
            }
        }
        Ok(missing)
    }

    /// Whether this login may hear what is announced and told in its county.
    ///
    /// # Errors
    /// `Unavailable` when it may not.
    pub async fn may_hear(&self, topic: &str) -> Result<()> {
        self.forbidden();
        let heard = self.subscribe(topic).await?;
        self.flushed().await?;
        // Only a refusal is answered.
        Clock::System.sleep(REFUSES_WITHIN).await;
        drop(heard);
        self.forbidden().map_or(Ok(()), |said| {
            let right = format!("subscribe {}", self.subject(topic));
            Err(lacks(&right).because(std::io::Error::other(said)))
        })
    }

    fn silent(&self, right: &str) -> Error {
        match self.forbidden() {
            Some(said) => lacks(right).because(std::io::Error::other(said)),
            None => Error::unavailable(Words::new(
                format!("服务器没有回答，或此登录没有所需的权限（{right}）"),
                format!("the server does not answer, or this login lacks a right ({right})"),
            )),
        }
    }
}

fn lacks(right: &str) -> Error {
    Error::unavailable(Words::new(
        format!("此登录没有所需的权限：{right}"),
        format!("this login lacks a right: {right}"),
    ))
}
