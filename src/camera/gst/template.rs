//! Pure: a pipeline text with its placeholders filled. Values are quoted, so no address or file
//! name can add an element.

use crate::error::{Error, Result};

/// Where the pictures come out of a pipeline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outlet {
    /// `appsink name=keyframes`: compressed pictures, decoded later by the pool.
    Keyframes,
    /// `appsink name=frames`: decoded I420 pictures (a decoder on the graphics card, for example).
    Frames,
}

impl Outlet {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Keyframes => "keyframes",
            Self::Frames => "frames",
        }
    }

    /// The text must name exactly one of the two. Error: what is missing, as a clause.
    pub(crate) fn of(text: &str) -> Result<Self> {
        let names = |outlet: Self| {
            let name = format!("name={}", outlet.name());
            text.split(|c: char| c.is_whitespace() || c == '!').any(|word| word == name)
        };
        match (names(Self::Keyframes), names(Self::Frames)) {
            (true, false) => Ok(Self::Keyframes),
            (false, true) => Ok(Self::Frames),
            (false, false) => Err(Error::invalid(
                "it must end in `appsink name=keyframes` or `appsink name=frames`",
            )),
            (true, true) => {
                Err(Error::invalid("it names both `keyframes` and `frames`; one of them is enough"))
            }
        }
    }
}

/// The launch line: comment lines removed, each `{placeholder}` replaced by its quoted value.
///
/// Other braces stay (caps use them for lists: `format={I420,NV12}`).
pub(crate) fn fill(text: &str, values: &[(&str, &str)]) -> Result<String> {
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let text = lines.collect::<Vec<_>>().join(" ");
    for credential in ["{user}", "{password}"] {
        if text.contains(credential) {
            return Err(Error::invalid(format!(
                "{credential} must not be in a pipeline text: name the source element `source`, \
                its user-id and user-pw are set from the register"
            )));
        }
    }
    let mut filled = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(open) = rest.find('{') {
        filled.push_str(&rest[..open]);
        rest = &rest[open..];
        let known = values
            .iter()
            .find(|(name, _)| rest[1..].strip_prefix(name).is_some_and(|r| r.starts_with('}')));
        if let Some((name, value)) = known {
            filled.push_str(&quoted(value)?);
            rest = &rest[name.len() + 2..];
        } else if ["{url}", "{path}"].iter().any(|p| rest.starts_with(p)) {
            let end = rest.find('}').unwrap_or(rest.len() - 1);
            return Err(Error::invalid(format!(
                "{} is not known for this kind of source",
                &rest[..=end]
            )));
        } else {
            filled.push('{');
            rest = &rest[1..];
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Quotes a value so that GStreamer's launch grammar reads it back unchanged. Its lexer cannot tell
/// a quoted trailing backslash from an escaped quote, so a backslash is refused. Control characters
/// are refused too: nobody means them.
fn quoted(value: &str) -> Result<String> {
    if value.contains('\\') || value.chars().any(char::is_control) {
        return Err(Error::invalid(
            "an address or path must not contain backslashes or control characters",
        ));
    }
    Ok(format!("\"{}\"", value.replace('"', "\\\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_quoted_and_comments_dropped() {
        let text = "# a camera\nrtspsrc location={url} !\n  # more\n  appsink name=keyframes\n";
        let line =
            fill(text, &[("url", "rtsp://h/a b\" ! filesink location=\"/x")]).expect("fills");
        assert_eq!(
            line,
            r#"rtspsrc location="rtsp://h/a b\" ! filesink location=\"/x" ! appsink name=keyframes"#
        );
    }

    #[test]
    fn a_value_that_looks_like_a_placeholder_is_not_filled_again() {
        let line = fill("a={url} b={path}", &[("url", "{path}"), ("path", "x")]).expect("fills");
        assert_eq!(line, r#"a="{path}" b="x""#);
    }

    #[test]
    fn caps_lists_keep_their_braces() {
        assert_eq!(
            fill("video/x-raw,format={I420,NV12} {", &[]).expect("fills"),
            "video/x-raw,format={I420,NV12} {"
        );
    }

    #[test]
    fn what_cannot_be_quoted_or_must_not_be_written_is_refused() {
        for (text, value) in [
            ("{url}", "a\\"),
            ("{url}", "a\nb"),
            ("{user}", "x"),
            ("pw={password}", "x"),
            ("{path}", "x"),
        ] {
            assert!(fill(text, &[("url", value)]).is_err(), "{text} {value:?}");
        }
    }

    #[test]
    fn the_outlet_is_named_once() {
        assert_eq!(Outlet::of("a ! appsink name=keyframes").ok(), Some(Outlet::Keyframes));
        assert_eq!(Outlet::of("a ! appsink name=frames").ok(), Some(Outlet::Frames));
        assert!(Outlet::of("a ! fakesink").is_err());
        assert!(Outlet::of("a ! appsink name=framesets").is_err());
        assert!(Outlet::of("appsink name=frames appsink name=keyframes").is_err());
    }
}
