//! A polled address of hotspot lists: asked whether anything is new, and left in peace after a
//! failure. Its key stays inside.

use super::bytes::{HTTP_TEXT, pull, text};
use crate::error::{Error, Kind, Result};
use crate::lang::Lang;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use std::fmt;
use std::path::Path;
use std::time::Duration;

/// A short outage costs seconds, not a whole interval.
const FIRST_RETRY: Duration = Duration::from_secs(30);
/// A server that refuses is not asked more often than this, and never more rarely.
const RARELY: Duration = Duration::from_secs(3600);

/// An address of hotspot lists, with its key filled in. `Debug` and `Display` show only the host.
#[derive(Clone, PartialEq, Eq)]
pub struct Feed {
    address: String,
}

/// What the server said of its last answer, to be asked with (`ETag`, `Last-Modified`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Marks {
    etag: Option<String>,
    modified: Option<String>,
}

/// What a server answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// As at the last time.
    Same,
    New {
        bytes: Vec<u8>,
        marks: Marks,
    },
}

impl Feed {
    /// `{key}` in the address is replaced by `key` (the secret HUOYAN_FIRMS_KEY).
    pub fn new(address: &str, key: Option<&str>) -> Result<Self> {
        let feed = match (address.contains("{key}"), key) {
            (true, None) => {
                return Err(Error::invalid(
                    "a feed in [satellite] feeds needs a key: set HUOYAN_FIRMS_KEY",
                ));
            }
            (_, key) => Self { address: address.replace("{key}", key.unwrap_or_default()) },
        };
        if feed.address.starts_with("http://") || feed.address.starts_with("https://") {
            return Ok(feed);
        }
        Err(Error::invalid("a feed in [satellite] feeds must begin with http:// or https://"))
    }

    /// Blocking: for an OS thread.
    pub fn fetch(&self, marks: &Marks, pipelines: &Path, lang: Lang) -> Result<Answer> {
        let text = text(pipelines, "hotspots-http", HTTP_TEXT)?;
        let asking: Vec<(&str, &str)> =
            [("If-None-Match", &marks.etag), ("If-Modified-Since", &marks.modified)]
                .into_iter()
                .filter_map(|(name, value)| Some((name, value.as_deref()?)))
                .collect();
        let mut came = pull(&text, &self.address, &asking, &self.to_string(), lang)?;
        if came.is_same {
            return Ok(Answer::Same);
        }
        let marks = Marks {
            etag: came.headers.remove("etag"),
            modified: came.headers.remove("last-modified"),
        };
        Ok(Answer::New { bytes: came.bytes, marks })
    }
}

impl Marks {
    /// When the server says that it last changed what it sends.
    pub fn modified_at(&self) -> Option<Timestamp> {
        Some(rfc2822::parse(self.modified.as_deref()?).ok()?.timestamp())
    }
}

/// How long to wait after `failures` in a row, at least one. What may mend itself is tried again
/// soon, and then ever more rarely; who refuses us is asked more rarely than usual.
pub fn back_off(every: Duration, failures: u32, kind: Kind) -> Duration {
    let doubled = |first: Duration| first.saturating_mul(1 << failures.saturating_sub(1).min(12));
    match kind {
        Kind::Unavailable | Kind::Internal => doubled(FIRST_RETRY).min(every),
        _ => doubled(every.saturating_mul(2)).min(RARELY.max(every)),
    }
}

impl fmt::Display for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.address.split('/').nth(2).unwrap_or_default();
        f.write_str(host.rsplit('@').next().unwrap_or_default())
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Feed({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// Serves answers on its own port: `marked` to whoever shows the mark, `answer` to others.
    fn server(answer: &'static [u8], marked: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        std::thread::spawn(move || {
            for stream in listener.incoming().take(4) {
                let Ok(mut stream) = stream else { return };
                let mut request = [0; 4096];
                let length = stream.read(&mut request).unwrap_or_default();
                let asked = String::from_utf8_lossy(&request[..length]).to_lowercase();
                let knows = asked.contains("if-none-match: \"v1\"");
                _ = stream.write_all(if knows { marked } else { answer });
            }
        });
        format!("http://127.0.0.1:{port}")
    }

    fn fetch(address: &str) -> Result<Answer> {
        Feed::new(address, Some("topsecret"))
            .and_then(|feed| feed.fetch(&Marks::default(), Path::new("pipelines"), Lang::En))
    }

    #[test]
    fn a_feed_comes_through_and_its_key_stays_inside() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\na,b\nc";
        let address = server(answer, answer);
        let new = Answer::New { bytes: b"a,b\nc".to_vec(), marks: Marks::default() };
        assert_eq!(fetch(&format!("{address}/{{key}}/x")).expect("an answer"), new);
        let feed =
            Feed::new("https://firms.example/api/{key}/x", Some("topsecret")).expect("an address");
        assert_eq!(format!("{feed} {feed:?}"), "firms.example Feed(firms.example)");
        assert!(Feed::new("https://firms.example/{key}", None).is_err());
        assert!(Feed::new("file:///etc/passwd", None).is_err());
    }

    #[test]
    fn what_is_as_it_was_is_not_sent_again() {
        let address = server(
            b"HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nLast-Modified: Sat, 21 Nov 2026 06:00:00 GMT\r\n\
              Content-Length: 5\r\nConnection: close\r\n\r\na,b\nc",
            b"HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\nConnection: close\r\n\r\n",
        );
        let feed = Feed::new(&address, None).expect("an address");
        let ask = |marks: &Marks| feed.fetch(marks, Path::new("pipelines"), Lang::En);
        let Ok(Answer::New { bytes, marks }) = ask(&Marks::default()) else {
            panic!("the first answer is new")
        };
        assert_eq!(bytes, b"a,b\nc");
        assert_eq!(marks.modified_at(), "2026-11-21T06:00:00Z".parse().ok());
        assert_eq!(ask(&marks).expect("an answer"), Answer::Same);
    }

    #[test]
    fn a_refusal_is_told_with_its_status_and_without_the_key() {
        let refusal =
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 16\r\nConnection: close\r\n\r\n\
                        Invalid MAP_KEY.";
        let error =
            fetch(&format!("{}/api/{{key}}/x", server(refusal, refusal))).expect_err("refused");
        assert!(
            error.message.contains("HTTP 400") && error.message.contains("HUOYAN_FIRMS_KEY"),
            "{}",
            error.message
        );
        assert!(!error.chain().contains("topsecret"), "{}", error.chain());
        let error = fetch("http://127.0.0.1:9/{key}").expect_err("nobody listens");
        assert!(!error.chain().contains("topsecret"), "{}", error.chain());
    }

    #[test]
    fn what_may_mend_itself_is_tried_soon_and_who_refuses_is_left_in_peace() {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        let waits = |kind| [1, 2, 5, 9, 99].map(|n| back_off(minutes(10), n, kind));
        let seconds = Duration::from_secs;
        let soon = [seconds(30), seconds(60), seconds(480), minutes(10), minutes(10)];
        assert_eq!(waits(Kind::Unavailable), soon);
        let rarely = [minutes(20), minutes(40), minutes(60), minutes(60), minutes(60)];
        assert_eq!(waits(Kind::TooMany), rarely);
        assert_eq!(waits(Kind::Invalid), rarely);
        assert_eq!(back_off(seconds(10), 3, Kind::Unavailable), seconds(10));
        assert_eq!(back_off(minutes(120), 3, Kind::Invalid), minutes(120));
    }
}
