//! Secrets: from the environment or a file of their own, never from the configuration itself.

use super::Config;
use crate::error::{Error, Result};
use crate::lang::Words;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Files whose first line is the secret. The environment wins.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecretsConfig {
    pub sms_key: Option<PathBuf>,
    pub voice_key: Option<PathBuf>,
    pub wecom_key: Option<PathBuf>,
    pub inbound_key: Option<PathBuf>,
    pub firms_key: Option<PathBuf>,
    pub nats_password: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Secret {
    SmsKey,
    VoiceKey,
    WecomKey,
    /// Whoever knows it can acknowledge for every ranger.
    InboundKey,
    FirmsKey,
    NatsPassword,
}

impl Secret {
    /// Its variable in the environment, and its key in `[secrets]`.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::SmsKey => ("HUOYAN_SMS_KEY", "sms_key"),
            Self::VoiceKey => ("HUOYAN_VOICE_KEY", "voice_key"),
            Self::WecomKey => ("HUOYAN_WECOM_KEY", "wecom_key"),
            Self::InboundKey => ("HUOYAN_INBOUND_KEY", "inbound_key"),
            Self::FirmsKey => ("HUOYAN_FIRMS_KEY", "firms_key"),
            Self::NatsPassword => ("HUOYAN_NATS_PASSWORD", "nats_password"),
        }
    }

    fn file(self, files: &SecretsConfig) -> Option<&PathBuf> {
        match self {
            Self::SmsKey => files.sms_key.as_ref(),
            Self::VoiceKey => files.voice_key.as_ref(),
            Self::WecomKey => files.wecom_key.as_ref(),
            Self::InboundKey => files.inbound_key.as_ref(),
            Self::FirmsKey => files.firms_key.as_ref(),
            Self::NatsPassword => files.nats_password.as_ref(),
        }
    }
}

impl Config {
    /// `None` when none is given. A county of a centre has its own or none: it never gets another's.
    ///
    /// # Errors
    /// `Invalid` when the file that the configuration names cannot be read.
    pub fn secret(&self, secret: Secret) -> Result<Option<String>> {
        let (name, key) = secret.names();
        if let Some(given) = self.env(name) {
            return Ok(Some(given));
        }
        let Some(file) = secret.file(&self.secrets) else { return Ok(None) };
        first_line(&format!("[secrets] {key}"), file).map(Some)
    }

    /// A variable of the environment, of a county of a centre with its code at the end:
    /// `HUOYAN_SMS_KEY_YUANLING`.
    pub fn env(&self, name: &str) -> Option<String> {
        std::env::var(self.variable(name)).ok().filter(|it| !it.is_empty())
    }

    /// What [`Self::env`] reads.
    pub fn variable(&self, name: &str) -> String {
        let code = |it: &String| format!("{name}_{}", it.to_ascii_uppercase().replace('-', "_"));
        self.code.as_ref().map_or_else(|| name.to_owned(), code)
    }
}

/// `key` says where the file was named.
pub fn first_line(key: &str, file: &std::path::Path) -> Result<String> {
    let text = std::fs::read_to_string(file).map_err(|e| {
        let shown = file.display();
        Error::invalid(Words::new(
            format!("{key}：无法读取 {shown}"),
            format!("{key}: cannot read {shown}"),
        ))
        .because(e)
    })?;
    let line = text.lines().next().unwrap_or_default().trim();
    if line.is_empty() {
        let shown = file.display();
        return Err(Error::invalid(Words::new(
            format!("{key}：{shown} 的第一行是空的，应是密钥"),
            format!("{key}: the first line of {shown} is empty; it must be the secret"),
        )));
    }
    Ok(line.to_owned())
}
