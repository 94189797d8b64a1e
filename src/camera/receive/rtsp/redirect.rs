//! Where a camera sends on. `retina` tells the status of an answer and not its headers, so the
//! address is asked for once more, on a connection of its own.

use crate::address::Address;
use crate::camera::fault::link::Link;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

/// How often a camera may send on. Platforms do it once.
pub(super) const REDIRECTS_MAX: usize = 3;

/// The head of an answer is a few lines.
const HEAD_MAX_BYTES: usize = 8 * 1024;

pub(super) type Login = Option<(String, String)>;

/// What is connected to: the address without its login.
pub(super) struct Target {
    pub url: Url,
    pub login: Login,
    /// The register's login is not known to this host.
    pub is_elsewhere: bool,
}

pub(super) fn is_redirect(status: u16) -> bool {
    matches!(status, 300..=399)
}

/// Asks the target where it sends on to.
pub(super) async fn follow(from: &Target, within: Duration) -> Result<Target, Link> {
    let asked = timeout(within, ask(&from.url)).await;
    let head = asked.ok().and_then(Result::ok).unwrap_or_default();
    let to = location_of(&head).ok_or(Link::SentOn { to: None })?;
    next(from, to)
}

/// The head of the answer to DESCRIBE, without a login.
async fn ask(url: &Url) -> std::io::Result<String> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let mut stream = TcpStream::connect((host, url.port().unwrap_or(554))).await?;
    let request = format!(
        "DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\nUser-Agent: huoyan/{}\r\n\
        \r\n",
        env!("CARGO_PKG_VERSION")
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    while head.len() < HEAD_MAX_BYTES && !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// The address in the head of an answer that sends on.
fn location_of(head: &str) -> Option<&str> {
    let mut lines = head.lines();
    let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut headers = lines.take_while(|line| !line.is_empty());
    let location = headers.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("location").then(|| value.trim())
    })?;
    (is_redirect(status) && !location.is_empty()).then_some(location)
}

/// The login goes on to the same host only. A login in the new address is that host's own.
fn next(from: &Target, to: &str) -> Result<Target, Link> {
    let address = Address::parse(to);
    let cannot = || Link::SentOn { to: Some(address.shown().to_owned()) };
    let mut exposed = address.expose();
    let url = Url::parse(exposed.target).map_err(|_| cannot())?;
    if url.scheme() != "rtsp" || url.host_str().is_none() {
        return Err(cannot());
    }
    let own = (!exposed.logins.is_empty()).then(|| exposed.logins.swap_remove(0));
    let is_same_host = url.host() == from.url.host();
    let is_elsewhere = from.is_elsewhere || (!is_same_host && own.is_none());
    let login = own.or_else(|| from.login.clone().filter(|_| !is_elsewhere));
    Ok(Target { url, login, is_elsewhere })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from() -> Target {
        let login = Some(("admin".to_owned(), "pine".to_owned()));
        let url = Url::parse("rtsp://10.1.2.3/43010000001320000001").expect("an address");
        Target { url, login, is_elsewhere: false }
    }

    #[test]
    fn a_login_goes_on_to_the_same_host_and_to_no_other() {
        for (to, url, login, is_elsewhere) in [
            ("rtsp://10.1.2.3:10554/s", "rtsp://10.1.2.3:10554/s", Some("pine"), false),
            ("rtsp://10.9.9.9/s", "rtsp://10.9.9.9/s", None, true),
            ("rtsp://u:of-there@10.9.9.9/s", "rtsp://10.9.9.9/s", Some("of-there"), false),
        ] {
            let next = next(&from(), to).expect("it can be followed");
            assert_eq!(next.url.as_str(), url);
            assert_eq!(next.login.map(|(_, password)| password).as_deref(), login, "{to}");
            assert_eq!(next.is_elsewhere, is_elsewhere, "{to}");
        }
        let away = next(&from(), "rtsp://10.9.9.9/s").expect("it can be followed");
        let back = next(&away, "rtsp://10.1.2.3/s").expect("it can be followed");
        assert_eq!(back.login, None, "whoever was sent away does not come back with a login");
    }

    #[test]
    fn what_cannot_be_followed_is_named_without_its_secrets() {
        for to in ["rtsps://10.1.2.3/s?token=abc", "http://10.1.2.3/s?token=abc", "/s?token=abc"] {
            let Err(Link::SentOn { to: Some(shown) }) = next(&from(), to) else {
                panic!("{to} is followed")
            };
            assert!(!shown.contains("abc"), "{shown}");
        }
    }

    #[test]
    fn the_address_is_read_from_the_head_of_the_answer() {
        for (head, expected) in [
            ("RTSP/1.0 302 Moved\r\nCSeq: 1\r\nLocation: rtsp://h/s\r\n\r\n", Some("rtsp://h/s")),
            ("RTSP/1.0 301 \r\nlocation:rtsp://h/s\r\n\r\n", Some("rtsp://h/s")),
            ("RTSP/1.0 302 Moved\r\nCSeq: 1\r\n\r\nLocation: rtsp://h/s", None),
            ("RTSP/1.0 401 Unauthorized\r\nLocation: rtsp://h/s\r\n\r\n", None),
            ("RTSP/1.0 302 Moved\r\nLocation:\r\n\r\n", None),
            ("HTTP", None),
            ("", None),
        ] {
            assert_eq!(location_of(head), expected, "{head}");
        }
    }
}
