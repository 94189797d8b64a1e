//! Where one camera's pictures come from. Passwords are split off the address on the way in and never shown again.

use super::fault::Fault;
use crate::triage::id::{CameraId, PoseId};
use std::fmt;
use std::path::{Path, PathBuf};

/// A password. Debug shows three stars; only the element that logs in reads it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// One camera pose and its source.
#[derive(Clone)]
pub struct CameraSource {
    pub id: CameraId,
    pub pose: PoseId,
    /// What people call it.
    pub name: String,
    url: String,
    pub user: Option<String>,
    pub password: Option<Secret>,
    /// A file of the pipelines folder without `.gst`; without one, by the kind of source.
    pub pipeline: Option<String>,
    /// 主码流: the same view in full size, fetched a picture at a time on suspicion.
    pub main: Option<Box<CameraSource>>,
    /// Horizontal, degrees, where the register knows it: moves are then told in degrees.
    pub field_of_view_deg: Option<f64>,
}

/// The kinds of source, told by the address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    Rtsp,
    /// A video file, played in real time and from the start again at its end.
    Video(PathBuf),
    /// A folder of JPEG and PNG pictures, one a cadence, in name order, from the start again at its end.
    Images(PathBuf),
    /// A web address that answers with a JPEG, or with MJPEG.
    Web,
    /// A folder into which pictures are dropped (FTP): the newest counts.
    Drop(PathBuf),
}

impl CameraSource {
    /// `url`: `rtsp://[user:password@]host[:port]/…`, `http://…` or `https://…` to a JPEG or MJPEG, `drop:/folder` for pictures
    /// that arrive there, or a recorded video file or folder of pictures as path or `file://` address.
    /// Never fails: a bad address is that camera's status, not everybody's error.
    pub fn new(id: CameraId, pose: PoseId, name: impl Into<String>, url: &str) -> Self {
        let (url, login) = split_login(url.trim());
        let (user, password) = login.map_or((None, None), |(user, password)| (Some(user), password.map(Secret)));
        let (pipeline, field_of_view_deg, main) = (None, None, None);
        Self { id, pose, name: name.into(), url, user, password, pipeline, field_of_view_deg, main }
    }

    /// Wins over what the address holds.
    #[must_use]
    pub fn with_login(mut self, user: impl Into<String>, password: Secret) -> Self {
        (self.user, self.password) = (Some(user.into()), Some(password));
        self
    }

    #[must_use]
    pub fn with_pipeline(mut self, name: impl Into<String>) -> Self {
        self.pipeline = Some(name.into());
        self
    }

    #[must_use]
    pub fn with_main(mut self, main: Self) -> Self {
        self.main = Some(Box::new(main));
        self
    }

    #[must_use]
    pub fn with_field_of_view(mut self, degrees: f64) -> Self {
        self.field_of_view_deg = Some(degrees);
        self
    }

    /// For the pipeline only. Has no login part, but some makes carry the password in the query: show `public_url`.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// For pages, logs and texts.
    pub fn public_url(&self) -> String {
        without_password_parameters(&self.url)
    }

    /// What the address means; folders are told from files by looking.
    pub fn kind(&self) -> Result<Kind, Fault> {
        if let Some(folder) = strip_drop(&self.url) {
            return folder.map(Kind::Drop).ok_or_else(|| self.bad_address());
        }
        let scheme = self.url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        let path = match scheme.as_deref() {
            Some("rtsp" | "rtsps") => {
                return if has_host(&self.url) { Ok(Kind::Rtsp) } else { Err(self.bad_address()) };
            }
            Some("http" | "https") => return if has_host(&self.url) { Ok(Kind::Web) } else { Err(self.bad_address()) },
            Some("file") => PathBuf::from(percent_decoded(&self.url["file://".len()..])),
            Some(_) => return Err(self.bad_address()),
            None if self.url.is_empty() => return Err(self.bad_address()),
            None => PathBuf::from(&self.url),
        };
        match path.metadata() {
            Ok(it) if it.is_dir() => Ok(Kind::Images(path)),
            Ok(_) => Ok(Kind::Video(path)),
            Err(e) => Err(Fault::NoSuchFile { path, why: e.to_string() }),
        }
    }

    pub(super) fn bad_address(&self) -> Fault {
        Fault::BadAddress { shown: self.public_url() }
    }
}

impl fmt::Debug for CameraSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CameraSource({} {:?} {})", self.id, self.name, self.public_url())
    }
}

/// JPEG and PNG files of a folder, in name order.
pub fn images_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let is_image = |path: &PathBuf| {
        let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        matches!(extension.as_deref(), Some("jpg" | "jpeg" | "png"))
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.retain(is_image);
    paths.sort();
    Ok(paths)
}

/// `drop:/srv/ftp/cam1` and `drop:///srv/ftp/cam1`; None: another kind of address; `Some(None)`: no absolute path in it.
fn strip_drop(url: &str) -> Option<Option<PathBuf>> {
    let rest = url.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("drop:")).map(|_| &url[5..])?;
    let path = rest.strip_prefix("//").unwrap_or(rest);
    Some(path.starts_with('/').then(|| PathBuf::from(path)))
}

fn has_host(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !authority.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    !host.is_empty()
        && !host.contains(char::is_whitespace)
        && port.is_none_or(|p| p.parse::<u16>().is_ok_and(|p| p > 0))
}

fn is_path(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("file") || scheme.eq_ignore_ascii_case("drop")
}

type Login = (String, Option<String>);

/// `rtsp://user:pass@host/…` → (`rtsp://host/…`, login). Passwords with an unescaped `@` or `/` are common in registers:
/// the last `@` of the authority ends the login, and where no authority looks like host and port, the last `@` of all.
fn split_login(url: &str) -> (String, Option<Login>) {
    let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| !is_path(scheme)) else {
        return (url.to_owned(), None);
    };
    let authority = &rest[..rest.find(['/', '?']).unwrap_or(rest.len())];
    let is_host_and_port = authority.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_ok());
    let end = match authority.rfind('@') {
        Some(end) => Some(end),
        None if !is_host_and_port && !authority.ends_with(']') => rest.rfind('@'),
        None => None,
    };
    let Some(end) = end else { return (url.to_owned(), None) };
    let (user, password) = match rest[..end].split_once(':') {
        Some((user, password)) => (user, Some(percent_decoded(password))),
        None => (&rest[..end], None),
    };
    (format!("{scheme}://{}", &rest[end + 1..]), Some((percent_decoded(user), password)))
}

/// `…/user=admin&password=abc&channel=1` → `…/user=admin&password=***&channel=1`; some makes join with `_` instead.
pub(super) fn without_password_parameters(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for part in text.split_inclusive(['?', '&', '/', ';']) {
        let mut is_hidden = false;
        let (body, end) = part.split_at(part.trim_end_matches(['?', '&', '/', ';']).len());
        for (i, piece) in body.split('_').enumerate() {
            let pair = piece.split_once('=');
            is_hidden = pair.map_or(is_hidden, |(key, value)| is_password_key(key) && !value.is_empty());
            let separator = if i > 0 && (pair.is_some() || !is_hidden) { "_" } else { "" };
            match pair {
                Some((key, _)) if is_hidden => shown.push_str(&format!("{separator}{key}=***")),
                None if is_hidden => {}
                _ => shown.push_str(&format!("{separator}{piece}")),
            }
        }
        shown.push_str(end);
    }
    shown
}

fn is_password_key(key: &str) -> bool {
    matches!(key.to_ascii_lowercase().as_str(), "password" | "passwd" | "pwd" | "pass" | "pw" | "token" | "auth")
}

/// `%40` → `@`; what is not a valid escape stays.
fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => (decoded.push(byte), at += 3).1,
            None => (decoded.push(bytes[at]), at += 1).1,
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(url: &str) -> CameraSource {
        CameraSource::new("c1".into(), "default".into(), "北山", url)
    }

    #[test]
    fn a_login_in_the_address_is_split_off_and_never_shown() {
        for (url, public, user, password) in [
            ("rtsp://h/s", "rtsp://h/s", None, None),
            ("rtsp://admin:s3cret@h:554/s", "rtsp://h:554/s", Some("admin"), Some("s3cret")),
            ("rtsp://admin:a%40b@h/s", "rtsp://h/s", Some("admin"), Some("a@b")),
            ("rtsp://admin:a@b@h/s", "rtsp://h/s", Some("admin"), Some("a@b")),
            ("rtsp://admin:a/b@h/s", "rtsp://h/s", Some("admin"), Some("a/b")),
            ("rtsp://admin@h/s", "rtsp://h/s", Some("admin"), None),
            ("rtsp://h:554/cam@1", "rtsp://h:554/cam@1", None, None),
            ("rtsp://[fe80::1]/s", "rtsp://[fe80::1]/s", None, None),
            ("http://admin:s3cret@h/a.jpg", "http://h/a.jpg", Some("admin"), Some("s3cret")),
            ("drop:///ftp/a@b", "drop:///ftp/a@b", None, None),
            ("/clips/a@b.mp4", "/clips/a@b.mp4", None, None),
        ] {
            let source = source(url);
            assert_eq!(source.public_url(), public, "{url}");
            assert_eq!(source.user.as_deref(), user, "{url}");
            assert_eq!(source.password.as_ref().map(Secret::expose), password, "{url}");
            if let Some(password) = password {
                assert!(!format!("{source:?} {:?}", source.password).contains(password), "{url}");
            }
        }
    }

    #[test]
    fn passwords_in_parameters_are_starred() {
        for (url, public) in [
            ("rtsp://h/user=admin&password=abc&channel=1", "rtsp://h/user=admin&password=***&channel=1"),
            ("rtsp://h/user=admin_password=abc_channel=1", "rtsp://h/user=admin_password=***_channel=1"),
            (
                "rtsp://h/user=admin_password=a_b_c_channel=1_stream=0.sdp",
                "rtsp://h/user=admin_password=***_channel=1_stream=0.sdp",
            ),
            ("rtsp://h/south_ridge_1", "rtsp://h/south_ridge_1"),
            ("rtsp://h/s?PWD=abc", "rtsp://h/s?PWD=***"),
            ("rtsp://h/s?channel=1&subtype=0", "rtsp://h/s?channel=1&subtype=0"),
        ] {
            assert_eq!(source(url).public_url(), public);
        }
    }

    #[test]
    fn addresses_that_cannot_work_are_told_at_once() {
        for url in [
            "",
            "ftp://h/s",
            "http://",
            "https:///a.jpg",
            "drop:",
            "drop:here",
            "drop://host/x",
            "rtsp://",
            "rtsp:///s",
            "rtsp://h:port/s",
            "rtsp://h:0/s",
            "rtsp://a b/s",
        ] {
            assert!(matches!(source(url).kind(), Err(Fault::BadAddress { .. })), "{url}");
        }
        assert!(matches!(source("/no/such.mp4").kind(), Err(Fault::NoSuchFile { .. })));
        assert_eq!(source("rtsp://h:8554/s").kind(), Ok(Kind::Rtsp));
        assert_eq!(source("rtsp://[::1]:8554/s").kind(), Ok(Kind::Rtsp));
        assert_eq!(source("rtsps://h/s").kind(), Ok(Kind::Rtsp));
        assert_eq!(source("HTTPS://h/snap.jpg?channel=1").kind(), Ok(Kind::Web));
        for url in ["drop:/srv/ftp/北山", "drop:///srv/ftp/北山", "DROP:/srv/ftp/北山"] {
            assert_eq!(source(url).kind(), Ok(Kind::Drop("/srv/ftp/北山".into())), "{url}");
        }
        assert!(matches!(source("file:///").kind(), Ok(Kind::Images(_))));
    }
}
