//! The county's office as a browser acts: it logs in, reads the board and listens to the stream.

use super::gauge::Metrics;
use huoyan::app::CONFIRMED;
use huoyan::clock::Clock;
use huoyan::error::{Error, Result};
use jiff::Timestamp;
use reqwest::Client;
use reqwest::header::{COOKIE, SET_COOKIE};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;
use tokio::sync::mpsc;

/// Changed incidents that have not been fetched yet.
const CHANGES: usize = 256;

#[derive(Clone)]
pub struct Office {
    client: Client,
    base: String,
    cookie: String,
}

impl Office {
    /// Logs in with a one-time link.
    pub async fn open(link: &str) -> Result<Self> {
        // An error here means that the process has a provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(unreachable)?;
        let answer = client.post(link).send().await.map_err(unreachable)?;
        let cookie =
            answer.headers().get(SET_COOKIE).and_then(|it| it.to_str().ok()?.split(';').next());
        let cookie = cookie
            .ok_or_else(|| Error::unavailable(format!("no login: {}", answer.status())))?
            .to_owned();
        let base = link.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        Ok(Self { client, base, cookie })
    }

    async fn get(&self, path: &str) -> Result<reqwest::Response> {
        let request = self.client.get(format!("{}{path}", self.base)).header(COOKIE, &self.cookie);
        request.send().await.and_then(reqwest::Response::error_for_status).map_err(unreachable)
    }

    async fn json(&self, path: &str) -> Result<Value> {
        let bytes = self.get(path).await?.bytes().await.map_err(unreachable)?;
        serde_json::from_slice(&bytes)
            .map_err(|e| Error::invalid(format!("{path} is no JSON")).because(e))
    }

    pub async fn metrics(&self) -> Result<Metrics> {
        Ok(Metrics::parse(&self.get("/metrics").await?.text().await.map_err(unreachable)?))
    }

    /// The number of cameras with at least one look.
    pub async fn seen(&self) -> Result<usize> {
        let board = self.json("/api/v1/board").await?;
        let cameras = board["cameras"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(cameras.iter().filter(|camera| !camera["last_scores"].is_null()).count())
    }

    /// When each incident changed, according to the stream, until the stream ends.
    pub async fn listen(&self) -> Result<mpsc::Receiver<(String, Timestamp)>> {
        let mut stream = self.get("/api/v1/stream").await?;
        let (tell, told) = mpsc::channel(CHANGES);
        tokio::spawn(async move {
            let mut text = String::new();
            while let Ok(Some(bytes)) = stream.chunk().await {
                let now = Clock::System.now();
                text += &String::from_utf8_lossy(&bytes);
                while let Some((event, rest)) = text.split_once("\n\n") {
                    let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                    let data: Option<Value> = data.and_then(|data| serde_json::from_str(data).ok());
                    let incident =
                        data.and_then(|data| Some(data["incident"].as_str()?.to_owned()));
                    text = rest.to_owned();
                    if let Some(incident) = incident
                        && tell.send((incident, now)).await.is_err()
                    {
                        return;
                    }
                }
            }
        });
        Ok(told)
    }

    /// Ids of the cameras that saw it.
    pub async fn cameras_of(&self, incident: &str) -> Result<Vec<String>> {
        let incident = self.json(&format!("/api/v1/incidents/{incident}")).await?;
        let sightings = incident["sightings"].as_array().cloned().unwrap_or_default();
        Ok(sightings
            .iter()
            .filter_map(|it| Some(it["source"]["camera"].as_str()?.to_owned()))
            .collect())
    }
}

/// Delays from the arrival of the confirming frame, according to the program's log, to the incident
/// on the board, according to the stream.
#[derive(Default)]
pub struct Alarms {
    arrived: BTreeMap<String, Timestamp>,
    pub delays_s: Vec<f64>,
}

impl Alarms {
    /// Reads the waiting log lines: `… confirmed camera=farm0007 arrived_at=2026-…`.
    pub fn read(&mut self, log: &Receiver<String>) {
        let is_alarm = |line: &String| line.split_whitespace().any(|word| word == CONFIRMED);
        for line in log.try_iter().filter(is_alarm) {
            let word = |key: &str| line.split_whitespace().find_map(|word| word.strip_prefix(key));
            let arrived = word("arrived_at=").and_then(|at| at.parse().ok());
            if let Some((camera, arrived)) = word("camera=").zip(arrived) {
                self.arrived.entry(camera.to_owned()).or_insert(arrived);
            }
        }
    }

    /// An incident changed at that time; these cameras saw it.
    pub fn on_board(&mut self, cameras: &[String], at: Timestamp) {
        for camera in cameras {
            if let Some(arrived) = self.arrived.remove(camera) {
                self.delays_s.push(at.duration_since(arrived).as_secs_f64());
            }
        }
    }

    /// A quantile of all delays; None without any.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let mut delays = self.delays_s.clone();
        delays.sort_by(f64::total_cmp);
        let last = delays.len().checked_sub(1)?;
        delays.get((q * last as f64).round() as usize).copied()
    }
}

fn unreachable(e: reqwest::Error) -> Error {
    Error::unavailable("the program does not answer").because(e.without_url())
}
