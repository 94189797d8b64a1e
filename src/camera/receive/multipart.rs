//! Pure: the first part of a `multipart/x-mixed-replace` answer (MJPEG), parsed as its bytes
//! arrive. The boundary is read from the stream itself: it often differs from the one announced in
//! the header.

/// Part headers are a few lines. More than this is not a part header.
const HEADERS_MAX_BYTES: usize = 8 * 1024;

/// Why the bytes are not a valid part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Broken {
    /// No boundary and headers at the start.
    NotMultipart,
    TooLarge,
}

/// Collects bytes until the first part is complete.
#[derive(Debug)]
pub(super) struct FirstPart {
    bytes: Vec<u8>,
    max_bytes: usize,
    head: Option<Head>,
    /// No boundary lies before this offset.
    searched: usize,
}

#[derive(Debug)]
struct Head {
    body_at: usize,
    separator: Vec<u8>,
    /// The part's Content-Length. None: the next boundary ends the part.
    length: Option<usize>,
}

impl FirstPart {
    /// `max_bytes`: limit for the part's body.
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { bytes: Vec::new(), max_bytes, head: None, searched: 0 }
    }

    /// The part's body once it is complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, Broken> {
        self.bytes.extend_from_slice(bytes);
        if self.head.is_none() {
            self.head = head_of(&self.bytes)?;
        }
        let Some(head) = &self.head else { return Ok(None) };
        let body = &self.bytes[head.body_at..];
        let end = match head.length {
            Some(length) if length > self.max_bytes => return Err(Broken::TooLarge),
            Some(length) => (body.len() >= length).then_some(length),
            None => {
                let found =
                    find(&body[self.searched..], &head.separator).map(|at| at + self.searched);
                self.searched = body.len().saturating_sub(head.separator.len());
                found.map(|at| if body[..at].ends_with(b"\r") { at - 1 } else { at })
            }
        };
        match end {
            Some(end) => Ok(Some(body[..end].to_vec())),
            None if body.len() > self.max_bytes => Err(Broken::TooLarge),
            None => Ok(None),
        }
    }
}

/// `--boundary`, headers, an empty line. None until all of it has arrived.
fn head_of(bytes: &[u8]) -> Result<Option<Head>, Broken> {
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(bytes.len());
    let opening = &bytes[start..];
    let Some(end) = find(opening, b"\r\n\r\n")
        .map(|at| at + 4)
        .or_else(|| find(opening, b"\n\n").map(|at| at + 2))
    else {
        let is_opening = opening.starts_with(&b"--"[..opening.len().min(2)]);
        return if is_opening && bytes.len() <= HEADERS_MAX_BYTES {
            Ok(None)
        } else {
            Err(Broken::NotMultipart)
        };
    };
    let text = String::from_utf8_lossy(&opening[..end]);
    let mut lines = text.lines();
    let separator = lines.next().unwrap_or_default().trim_end();
    if !separator.starts_with("--") || separator.len() < 3 || end > HEADERS_MAX_BYTES {
        return Err(Broken::NotMultipart);
    }
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    Ok(Some(Head {
        body_at: start + end,
        separator: format!("\n{separator}").into_bytes(),
        length,
    }))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = wanted.first()?;
    let mut found = bytes.iter().enumerate().filter(|(_, byte)| *byte == first).map(|(at, _)| at);
    found.find(|at| bytes[*at..].starts_with(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds the answer in pieces of `step` bytes, as a network may split it.
    fn first(answer: &[u8], step: usize, max_bytes: usize) -> Result<Option<Vec<u8>>, Broken> {
        let mut part = FirstPart::new(max_bytes);
        for piece in answer.chunks(step) {
            if let Some(body) = part.push(piece)? {
                return Ok(Some(body));
            }
        }
        Ok(None)
    }

    #[test]
    fn the_first_picture_is_found_however_the_camera_writes_it() {
        for (answer, expected) in [
            (
                "--b\r\nContent-Type: image/jpeg\r\nContent-Length: 3\r\n\r\nabc\r\n--b\r\n",
                Some("abc"),
            ),
            ("\r\n--b\r\ncontent-length:3\r\n\r\nabcdef", Some("abc")),
            ("--b\r\nContent-Type: image/jpeg\r\n\r\na\r\nbc\r\n--b\r\n", Some("a\r\nbc")),
            ("--b\nContent-Type: image/jpeg\n\nabc\n--b\n", Some("abc")),
            ("----b--\r\nContent-Length: 0\r\n\r\n", Some("")),
            ("--b\r\nContent-Length: 3\r\n\r\nab", None),
            ("--b\r\nContent-Type: image/jpeg\r\n\r\nabc\r\n--", None),
            ("--b\r\n", None),
            ("", None),
        ] {
            for step in [1, 2, 7, 1000] {
                let found = first(answer.as_bytes(), step, 100).expect("is multipart");
                assert_eq!(
                    found.as_deref(),
                    expected.map(str::as_bytes),
                    "{answer:?} in steps of {step}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_part_or_too_much_is_refused_at_once() {
        let endless = format!("--b\r\n\r\n{}", "a".repeat(200));
        let chatty = format!("--b\r\n{}", "X: y\r\n".repeat(2000));
        for (answer, expected) in [
            ("<html>", Broken::NotMultipart),
            ("<html>\r\n\r\n", Broken::NotMultipart),
            ("--\r\n\r\nabc", Broken::NotMultipart),
            (&chatty, Broken::NotMultipart),
            ("--b\r\nContent-Length: 101\r\n\r\n", Broken::TooLarge),
            (&endless, Broken::TooLarge),
        ] {
            assert_eq!(first(answer.as_bytes(), 50, 100), Err(expected), "{answer:.40}");
        }
    }
}
