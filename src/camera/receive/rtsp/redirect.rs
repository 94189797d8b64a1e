//! Where a camera sends on. `retina` tells the status of an answer and not its headers, so the
//! address is asked for once more, on a connection of its own.

use crate::address::Address;
use crate::camera::fault::Fault;
use crate::camera::fault::link::{Link, Network};
use http_auth::{PasswordClient, PasswordParams};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

/// How often a camera may send on. Platforms do it once.
pub(super) const REDIRECTS_MAX: usize = 3;

/// An answer that sends on is a few lines.
const ANSWER_MAX_BYTES: usize = 16 * 1024;

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
pub(super) async fn follow(from: &Target, within: Duration) -> Result<Target, Fault> {
    let head = match timeout(within, ask(from)).await {
        Ok(Ok(head)) => head,
        Ok(Err(e)) => return Err(Link::Unreachable(Network::of(&e.to_string())).into()),
        Err(_) => {
            let tenths = i64::try_from(within.as_millis() / 100).unwrap_or(i64::MAX);
            return Err(
                Link::Unreachable(Network::NoAnswerTo { request: "DESCRIBE", tenths }).into()
            );
        }
    };
    match status_of(&head) {
        None => Err(Link::Unreachable(Network::Broken).into()),
        Some(401) => Err(Fault::WrongPassword { had_one: from.login.is_some() }),
        Some(status) if status >= 400 => Err(Link::refused(status).into()),
        Some(_) => Ok(next(from, location_of(&head).ok_or(Link::SentOn { to: None })?)?),
    }
}

/// The head of the answer to DESCRIBE. The login is shown to whoever asks for it: a platform may say
/// where to only then.
async fn ask(from: &Target) -> std::io::Result<String> {
    let host = from.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let mut stream = TcpStream::connect((host, from.url.port().unwrap_or(554))).await?;
    let head = describe(&mut stream, &from.url, 1, "").await?;
    match authorization(&head, from) {
        Some(login) if status_of(&head) == Some(401) => {
            let login = format!("Authorization: {login}\r\n");
            describe(&mut stream, &from.url, 2, &login).await
        }
        _ => Ok(head),
    }
}

/// Asks once. The answer's body is read as well, for the next one comes behind it.
async fn describe(
    stream: &mut TcpStream,
    url: &Url,
    cseq: u32,
    more: &str,
) -> std::io::Result<String> {
    let request = format!(
        "DESCRIBE {url} RTSP/1.0\r\nCSeq: {cseq}\r\n{more}Accept: application/sdp\r\nUser-Agent: \
        huoyan/{}\r\n\r\n",
        env!("CARGO_PKG_VERSION")
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    while answer.len() < ANSWER_MAX_BYTES {
        match head_of(&answer) {
            Some((head, end)) if answer.len() >= end => return Ok(head),
            _ if stream.read_buf(&mut answer).await? == 0 => break,
            _ => {}
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The head of an answer, once it is whole, and where its body ends.
fn head_of(answer: &[u8]) -> Option<(String, usize)> {
    let end = answer.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let body_bytes = values(&head, "content-length").find_map(|it| it.parse().ok());
    // A camera may claim any length.
    let end = end.saturating_add(body_bytes.unwrap_or(0));
    Some((head, end))
}

/// The answer to a challenge, Basic or Digest. None: there is none, or no login to answer with.
fn authorization(head: &str, from: &Target) -> Option<String> {
    let (username, password) = from.login.as_ref()?;
    let challenges = values(head, "www-authenticate");
    let asked = challenges.fold(PasswordClient::builder(), |all, one| all.challenges(one));
    let uri = from.url.as_str();
    let params = PasswordParams { username, password, uri, method: "DESCRIBE", body: None };
    asked.build().ok()?.respond(&params).ok()
}

fn status_of(head: &str) -> Option<u16> {
    head.lines().next()?.split(' ').nth(1)?.parse().ok()
}

/// What the head says under this name, in small letters.
fn values<'a>(head: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = head.lines().skip(1).take_while(|line| !line.is_empty());
    lines.filter_map(move |line| {
        let (is, value) = line.split_once(':')?;
        is.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The address in the head of an answer that sends on.
fn location_of(head: &str) -> Option<&str> {
    let location = values(head, "location").next()?;
    (is_redirect(status_of(head)?) && !location.is_empty()).then_some(location)
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

#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(answer: &[u8]) {
    let login = Some(("admin".to_owned(), "pine".to_owned()));
    let Ok(url) = Url::parse("rtsp://10.1.2.3/1") else { return };
    let from = Target { url, login, is_elsewhere: false };
    let Some((head, _)) = head_of(answer) else { return };
    _ = (status_of(&head), authorization(&head, &from));
    if let Some(Ok(target)) = location_of(&head).map(|to| next(&from, to)) {
        assert_eq!(target.url.scheme(), "rtsp");
    }
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

    #[test]
    fn a_body_of_any_length_is_waited_for_and_adds_up() {
        let head = "RTSP/1.0 301 Moved\r\nContent-Length: 18446744073709551615\r\n\r\n";
        assert_eq!(head_of(head.as_bytes()), Some((head.to_owned(), usize::MAX)));
        assert_eq!(head_of(b"RTSP/1.0 200 OK\r\n"), None, "the head is not whole");
    }

    #[test]
    fn whoever_does_not_answer_is_not_said_to_send_on() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let url = Url::parse(&format!("rtsp://127.0.0.1:{port}/s")).expect("an address");
        let from = Target { url, login: None, is_elsewhere: false };
        let said = || runtime.block_on(follow(&from, Duration::from_millis(200))).err();
        let network = |network| Some(Fault::Link(Link::Unreachable(network)));
        // It takes the connection, and never a word.
        let silent = Network::NoAnswerTo { request: "DESCRIBE", tenths: 2 };
        assert_eq!(said(), network(silent));
        drop(listener);
        assert_eq!(said(), network(Network::Refused));
    }
}
