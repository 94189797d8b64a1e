//! Pure: the only parser of camera addresses. Registers hold addresses as people write them: logins
//! with unescaped `@ # / ? :`, percent-encoded ones, and secrets in the query, the path or the
//! fragment.
//!
//! ```text
//! rtsp://admin:p#a@10.1.2.3:554/s1?token=abc     written, for the register
//!        admin p#a                               logins, for the camera, as written and then decoded
//! rtsp://         10.1.2.3:554/s1?token=abc      target, for the camera
//! rtsp://         10.1.2.3:554/s1?token=***      shown, for everybody else
//! ```
//!
//! `Debug`, `Display` and `shown` never hold a secret. [`Address::expose`] is the only way to it.

mod mask;
mod read;
#[cfg(test)]
mod tests;

use percent_encoding::percent_decode_str;
use std::fmt;
use std::path::PathBuf;

/// A camera's address, with its secrets kept apart. Reading it never fails: an address that cannot
/// work has the form `Unusable`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Address {
    written: String,
    /// Without the login.
    target: String,
    shown: String,
    /// `user` or `user:password`, as written before the host.
    login: Option<String>,
    /// From the register's column and the environment: taken literally, never decoded.
    user_beside: Option<String>,
    password_beside: Option<String>,
}

/// What an address means, according to its scheme.
pub enum Form {
    Rtsp,
    Web,
    /// A file or folder: a path, or `file://…`.
    File(PathBuf),
    /// A folder into which pictures are uploaded: `drop:/…`.
    Drop(PathBuf),
    Unusable,
}

/// The secrets of an address, for the connection and for the register's file. Deliberately without
/// `Debug`.
pub struct Exposed<'a> {
    /// Exactly as in the register.
    pub written: &'a str,
    /// The user from the register's column.
    pub user_beside: Option<&'a str>,
    /// The address to connect to: without the login, but with the secrets of its query.
    pub target: &'a str,
    /// User and password, the likeliest reading first: as written, then percent-decoded. Empty
    /// without a password.
    pub logins: Vec<(String, String)>,
}

impl Address {
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let own = |shown: String| Self {
            written: text.to_owned(),
            target: text.to_owned(),
            shown,
            ..Self::default()
        };
        let Some((scheme, rest)) = split_scheme(text) else { return own(mask::tail(text)) };
        if is_path(scheme) {
            return own(format!("{}{}", &text[..text.len() - rest.len()], mask::tail(rest)));
        }
        let Some(parts) = read::parts(rest) else {
            // Without a host it is unknown which part was meant as a secret.
            let may_hide = decoded(rest).contains(['@', ':']);
            return own(if may_hide {
                format!("{scheme}://***")
            } else {
                format!("{scheme}://{}", mask::tail(rest))
            });
        };
        let shown = match parts.is_sure {
            true => format!("{scheme}://{}{}", parts.host, mask::tail(parts.tail)),
            false => format!("{scheme}://***"),
        };
        let target = format!("{scheme}://{}{}", parts.host, parts.tail);
        Self { target, login: parts.login.map(str::to_owned), ..own(shown) }
    }

    /// Adds user and password where the address itself has none.
    #[must_use]
    pub fn with(mut self, user: Option<String>, password: Option<String>) -> Self {
        self.user_beside = user.filter(|user| !user.is_empty()).or(self.user_beside);
        self.password_beside =
            password.filter(|password| !password.is_empty()).or(self.password_beside);
        self
    }

    /// For pages, logs and texts: every secret is replaced by three stars.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The address names a user, and no password is known yet.
    pub fn lacks_password(&self) -> bool {
        self.user().is_some() && self.password().is_none()
    }

    pub fn has_login(&self) -> bool {
        self.user().is_some() && self.password().is_some()
    }

    /// The number of readings of the login.
    pub fn readings(&self) -> usize {
        self.logins().len()
    }

    /// The whole address with its secrets, for the connection and for the register's file; never
    /// for a log, a page or a text.
    pub fn expose(&self) -> Exposed<'_> {
        Exposed {
            written: &self.written,
            user_beside: self.user_beside.as_deref(),
            target: &self.target,
            logins: self.logins(),
        }
    }

    pub fn form(&self) -> Form {
        let Some((scheme, rest)) = split_scheme(&self.target) else {
            return if self.target.is_empty() {
                Form::Unusable
            } else {
                Form::File(PathBuf::from(&self.target))
            };
        };
        let is = |known: &[&str]| known.iter().any(|known| scheme.eq_ignore_ascii_case(known));
        let has_host = || read::parts(rest).is_some();
        match () {
            () if is(&["drop"]) && rest.starts_with('/') => Form::Drop(PathBuf::from(rest)),
            () if is(&["file"]) => Form::File(PathBuf::from(decoded(rest))),
            () if is(&["rtsp", "rtsps"]) && has_host() => Form::Rtsp,
            () if is(&["http", "https"]) && has_host() => Form::Web,
            () => Form::Unusable,
        }
    }

    /// `rtsp：//…`, typed with a Chinese keyboard, or `rtsp:/…`: it would be taken for a file name.
    pub fn has_mistyped_scheme(&self) -> bool {
        let text = self.written.to_ascii_lowercase();
        let follows = |scheme: &&str| {
            text.strip_prefix(*scheme).is_some_and(|rest| rest.starts_with([':', '：']))
        };
        split_scheme(&text).is_none()
            && ["rtsp", "rtsps", "http", "https", "file", "drop"].iter().any(follows)
    }

    fn user(&self) -> Option<&str> {
        let own = self.login.as_deref().map(|login| login.split(':').next().unwrap_or_default());
        own.or(self.user_beside.as_deref())
    }

    fn own_password(&self) -> Option<&str> {
        self.login.as_deref()?.split_once(':').map(|(_, password)| password)
    }

    fn password(&self) -> Option<&str> {
        self.own_password().or(self.password_beside.as_deref())
    }

    fn logins(&self) -> Vec<(String, String)> {
        let (Some(user), Some(password)) = (self.user(), self.password()) else {
            return Vec::new();
        };
        let when = |is_own: bool, text: &str| if is_own { decoded(text) } else { text.to_owned() };
        let as_written = (user.to_owned(), password.to_owned());
        let read_again =
            (when(self.login.is_some(), user), when(self.own_password().is_some(), password));
        if as_written == read_again { vec![as_written] } else { vec![as_written, read_again] }
    }
}

impl From<&str> for Address {
    fn from(text: &str) -> Self {
        Self::parse(text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// Whether a column or key of this name holds secrets: 密码, password.
pub fn names_a_secret(name: &str) -> bool {
    mask::is_secret_key(name)
}

/// Masks secrets in foreign text (from GStreamer, a register's cell) that may quote an address.
pub fn masked(text: &str) -> String {
    let word = |part: &str| {
        let begin = part.find(char::is_alphanumeric).unwrap_or(part.len());
        let (before, rest) = part.split_at(begin);
        let word = rest.trim_end();
        format!("{before}{}{}", Address::parse(word).shown, &rest[word.len()..])
    };
    text.split_inclusive(char::is_whitespace).map(word).collect()
}

/// `drop:/…` needs no two slashes.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let rest = match rest.strip_prefix("//") {
        Some(rest) => rest,
        None if scheme.eq_ignore_ascii_case("drop") => rest,
        None => return None,
    };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    is_scheme.then_some((scheme, rest))
}

fn is_path(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("file") || scheme.eq_ignore_ascii_case("drop")
}

/// `%40` → `@`. Invalid escapes stay; a result that is not text is discarded.
fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().map_or_else(|_| text.to_owned(), Into::into)
}
