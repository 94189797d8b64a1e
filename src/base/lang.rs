//! Every sentence for a person exists in Chinese (default) and English, side by side in the code.

use serde::Serialize;
use std::fmt;
use utoipa::ToSchema;

/// The reader's language.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub enum Lang {
    #[default]
    #[serde(rename = "zh-CN")]
    Zh,
    #[serde(rename = "en")]
    En,
}

impl Lang {
    /// From `LANG`, `LC_ALL` (`en_US.UTF-8` → English). Everything that is not English is Chinese,
    /// the office's language. `C` and `POSIX` say nothing about the reader.
    pub fn from_env() -> Self {
        let name = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .find_map(|key| std::env::var(key).ok().filter(|v| !v.is_empty()));
        Self::from_tag(name.as_deref().unwrap_or_default())
    }

    /// From a locale name or the first tag of an Accept-Language header.
    pub fn from_tag(tag: &str) -> Self {
        if tag.trim_start().to_ascii_lowercase().starts_with("en") { Self::En } else { Self::Zh }
    }

    /// `lang.pick("摄像机离线", "camera offline")`
    pub fn pick<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    pub fn code(self) -> &'static str {
        self.pick("zh-CN", "en")
    }
}

/// What is said to a person, in both languages: who says it need not know who reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Words {
    pub zh: String,
    pub en: String,
}

impl Words {
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// What says it in one language says it in both.
    pub fn by(say: impl Fn(Lang) -> String) -> Self {
        Self { zh: say(Lang::Zh), en: say(Lang::En) }
    }

    /// One after the other; empty when there are none.
    pub fn joined<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        let (zh, en): (Vec<_>, Vec<_>) =
            all.into_iter().map(|it| (it.zh.as_str(), it.en.as_str())).unzip();
        Self::new(zh.join("；"), en.join("; "))
    }

    pub fn pick(&self, lang: Lang) -> &str {
        lang.pick(&self.zh, &self.en)
    }

    /// Limited to a number of characters: what a stranger sent may stand in it.
    #[must_use]
    pub fn cut(&self, most: usize) -> Self {
        Self { zh: cut(&self.zh, most), en: cut(&self.en, most) }
    }

    /// Says before it where this is: a section, a file.
    #[must_use]
    pub fn after(self, place: &str) -> Self {
        Self { zh: format!("{place} {}", self.zh), en: format!("{place} {}", self.en) }
    }
}

/// The beginning of a text, and a sign that there was more.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Both, for logs and for what is stored: "中文 / English".
impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.zh, self.en)
    }
}
