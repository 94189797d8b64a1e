//! The one error type: its kind, its message, its cause. The kind decides HTTP status, exit code
//! and whether to retry.

use serde::Serialize;
use std::fmt;
use utoipa::ToSchema;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as a message that a person can act on: what, where, why, what to do.
#[derive(Debug)]
pub struct Error {
    pub kind: Kind,
    pub message: String,
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
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), code: None, source: None }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, message)
    }

    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Kind::Internal, message)
    }

    #[must_use]
    pub fn coded(mut self, code: Code) -> Self {
        self.code = Some(code);
        self
    }

    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The message with all its causes, on one line.
    pub fn chain(&self) -> String {
        let mut line = self.message.clone();
        let mut cause = std::error::Error::source(self);
        while let Some(next) = cause {
            line.push_str(": ");
            line.push_str(&next.to_string());
            cause = next.source();
        }
        line
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
