//! The one error type: its kind, its message, its cause. The kind decides HTTP status, exit code
//! and whether to retry.

use super::lang::{Lang, Words};
use serde::Serialize;
use std::fmt;
use utoipa::ToSchema;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as a message that a person can act on: what, where, why, what to do.
#[derive(Debug)]
pub struct Error {
    pub kind: Kind,
    pub message: String,
    /// The message in the reader's language, where whoever made it had both.
    words: Option<Words>,
    /// Set where the kind alone says too little.
    pub code: Option<Code>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The input or the command line is wrong; a retry will not help.
    Invalid,
    /// It does not exist.
    NotFound,
    /// Not logged in, or the link has been used or has expired.
    Unauthenticated,
    /// Logged in, but not entitled to this.
    Forbidden,
    /// Somebody was faster, or the state does not allow it: reload and decide again.
    Conflict,
    /// Too many requests at once.
    TooMany,
    /// Something outside (network, disk, library, database) is missing or broken; a retry may help.
    Unavailable,
    /// A bug in this program.
    Internal,
}

/// What programs know an error by. The set is closed and the words stay.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    Invalid,
    NotFound,
    /// It existed and has been removed for good.
    Gone,
    Unauthenticated,
    Forbidden,
    /// Somebody was faster: send it again.
    Conflict,
    /// A conflict that no repeat fixes: the incident is closed.
    Closed,
    /// A conflict: the state does not allow it.
    NotNow,
    /// A conflict: the key was used for another action.
    KeyReused,
    /// A conflict: the fire was last reported as not out, and can only be closed with words.
    StillBurning,
    TooMany,
    Unavailable,
    Internal,
}

impl From<Kind> for Code {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Invalid => Self::Invalid,
            Kind::NotFound => Self::NotFound,
            Kind::Unauthenticated => Self::Unauthenticated,
            Kind::Forbidden => Self::Forbidden,
            Kind::Conflict => Self::Conflict,
            Kind::TooMany => Self::TooMany,
            Kind::Unavailable => Self::Unavailable,
            Kind::Internal => Self::Internal,
        }
    }
}

impl Kind {
    /// Exit codes: 2 usage, 3 environment.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Invalid | Self::NotFound => 2,
            _ => 3,
        }
    }

    pub fn http_status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::TooMany => 429,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }

    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Conflict | Self::TooMany | Self::Unavailable)
    }
}

impl Error {
    pub fn new(kind: Kind, message: impl Into<Message>) -> Self {
        let Message { text, words } = message.into();
        Self { kind, message: text, words, code: None, source: None }
    }

    pub fn invalid(message: impl Into<Message>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    pub fn unavailable(message: impl Into<Message>) -> Self {
        Self::new(Kind::Unavailable, message)
    }

    pub fn internal(message: impl Into<Message>) -> Self {
        Self::new(Kind::Internal, message)
    }

    #[must_use]
    pub fn coded(mut self, code: Code) -> Self {
        self.code = Some(code);
        self
    }

    /// Says before it where this is.
    #[must_use]
    pub fn at(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self.words = self.words.map(|words| words.after(&format!("{place}:")));
        self
    }

    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The message in both languages; `None` where it exists in one only.
    pub fn words(&self) -> Option<&Words> {
        self.words.as_ref()
    }

    /// The message with all its causes, on one line.
    pub fn chain(&self) -> String {
        self.with_causes(&self.message)
    }

    /// The same for one reader. Causes come from libraries and the system, and stay as they are.
    pub fn chain_in(&self, lang: Lang) -> String {
        self.with_causes(self.words.as_ref().map_or(&self.message, |words| words.pick(lang)))
    }

    fn with_causes(&self, message: &str) -> String {
        let mut line = message.to_owned();
        let mut cause = std::error::Error::source(self);
        while let Some(next) = cause {
            line.push_str(": ");
            line.push_str(&next.to_string());
            cause = next.source();
        }
        line
    }
}

/// A message in one language, or in both.
#[derive(Debug)]
pub struct Message {
    text: String,
    words: Option<Words>,
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self { text, words: None }
    }
}

impl From<Words> for Message {
    fn from(words: Words) -> Self {
        Self { text: words.to_string(), words: Some(words) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
