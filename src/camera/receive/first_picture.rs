//! Pure: the first whole JPEG or PNG in an answer, searched as its bytes arrive. Where a picture ends
//! is told by its own structure, so what stands around it does not matter: nothing, a line end, or
//! the parts of a Motion JPEG, whose boundaries and lengths are wrong as often as right.

/// Whatever stands before a picture is no longer than this.
const LEAD_MAX_BYTES: usize = 64 * 1024;

/// What looks like the beginning of a picture and is none. More than this, and the search is given up.
const FALSE_STARTS_MAX: u32 = 16;

const JPEG: &[u8] = b"\xff\xd8\xff";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Why the search has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoPicture {
    TooLarge,
    /// None begins within the first 64 KB, or only what looks like one.
    NotBegun,
}

/// Collects bytes until the first picture is whole.
#[derive(Debug)]
pub(super) struct FirstPicture {
    /// Begins with the picture once it has begun.
    bytes: Vec<u8>,
    max_bytes: usize,
    picture: Option<Picture>,
    false_starts: u32,
}

/// How far a picture has been read.
#[derive(Clone, Copy, Debug)]
enum Picture {
    /// The next marker stands here.
    JpegMarker(usize),
    /// Coded picture data go on from here to the next marker.
    JpegScan(usize),
    /// The next chunk begins here.
    PngChunk(usize),
}

/// One step of reading.
enum Step {
    On(Picture),
    NeedsMore,
    Ends(usize),
    /// Another picture begins here, before this one has ended.
    Anew(usize),
    Broken,
}

impl FirstPicture {
    /// `max_bytes`: limit for the picture.
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { bytes: Vec::new(), max_bytes, picture: None, false_starts: 0 }
    }

    /// The picture once it is whole.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, NoPicture> {
        self.bytes.extend_from_slice(bytes);
        loop {
            let begun = match self.picture {
                Some(picture) => Some(picture),
                None => self.begin(),
            };
            let Some(picture) = begun else {
                let is_hopeless = self.bytes.len() > LEAD_MAX_BYTES;
                return if is_hopeless { Err(NoPicture::NotBegun) } else { Ok(None) };
            };
            match picture.step(&self.bytes) {
                Step::On(further) => self.picture = Some(further),
                Step::Ends(end) if end <= self.max_bytes => {
                    return Ok(Some(self.bytes[..end].to_vec()));
                }
                Step::NeedsMore if self.bytes.len() <= self.max_bytes => {
                    self.picture = Some(picture);
                    return Ok(None);
                }
                Step::Ends(_) | Step::NeedsMore => return Err(NoPicture::TooLarge),
                Step::Anew(at) if at > self.max_bytes => return Err(NoPicture::TooLarge),
                Step::Anew(at) if self.false_starts < FALSE_STARTS_MAX => {
                    self.bytes.drain(..at);
                    (self.picture, self.false_starts) = (None, self.false_starts + 1);
                }
                Step::Broken if self.false_starts < FALSE_STARTS_MAX => {
                    self.bytes.drain(..1);
                    (self.picture, self.false_starts) = (None, self.false_starts + 1);
                }
                Step::Anew(_) | Step::Broken => return Err(NoPicture::NotBegun),
            }
        }
    }

    /// A picture has begun and not ended.
    pub(super) fn has_begun(&self) -> bool {
        self.picture.is_some()
    }

    /// What has come instead of a picture.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes
    }

    fn begin(&mut self) -> Option<Picture> {
        let starts =
            |at: &usize| self.bytes[*at..].starts_with(JPEG) || self.bytes[*at..].starts_with(PNG);
        let start = (0..self.bytes.len()).find(starts)?;
        self.bytes.drain(..start);
        let is_jpeg = self.bytes.starts_with(JPEG);
        Some(if is_jpeg { Picture::JpegMarker(2) } else { Picture::PngChunk(PNG.len()) })
    }
}

impl Picture {
    fn step(self, bytes: &[u8]) -> Step {
        match self {
            Self::JpegMarker(at) => jpeg_marker(bytes, at),
            Self::JpegScan(at) => jpeg_scan(bytes, at),
            Self::PngChunk(at) => png_chunk(bytes, at),
        }
    }
}

/// ITU T.81, annex B: a marker is FF and a code; most carry a length and that much content.
fn jpeg_marker(bytes: &[u8], at: usize) -> Step {
    let Some(&[first, code]) = bytes.get(at..at + 2) else { return Step::NeedsMore };
    if first != 0xff {
        return Step::Broken;
    }
    match code {
        // Fill bytes may stand before a code.
        0xff => return Step::On(Picture::JpegMarker(at + 1)),
        0xd9 => return Step::Ends(at + 2),
        // This one was cut short: within a segment's content, as in a thumbnail, nobody looks.
        0xd8 => return Step::Anew(at),
        0x01 | 0xd0..=0xd7 => return Step::On(Picture::JpegMarker(at + 2)),
        _ => {}
    }
    let Some(&[high, low]) = bytes.get(at + 2..at + 4) else { return Step::NeedsMore };
    let length = usize::from(u16::from_be_bytes([high, low]));
    match code {
        _ if length < 2 => Step::Broken,
        0xda => Step::On(Picture::JpegScan(at + 2 + length)),
        _ => Step::On(Picture::JpegMarker(at + 2 + length)),
    }
}

/// In coded data FF is followed by 00 (a byte of data) or a restart marker. Below C0 there is no
/// marker that ends them: such a pair is damage, or where the picture was cut short.
fn jpeg_scan(bytes: &[u8], at: usize) -> Step {
    let rest = bytes.get(at..).unwrap_or_default();
    let is_marker = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0..=0xbf | 0xd0..=0xd7);
    match rest.windows(2).position(is_marker) {
        Some(further) => Step::On(Picture::JpegMarker(at + further)),
        // What has been read is not read again. The last byte may be the first of a marker.
        None if rest.len() > 1 => Step::On(Picture::JpegScan(at + rest.len() - 1)),
        None => Step::NeedsMore,
    }
}

/// A chunk is a length, a name, content and a sum.
fn png_chunk(bytes: &[u8], at: usize) -> Step {
    let Some(&[a, b, c, d, ref name @ ..]) = bytes.get(at..at + 8) else { return Step::NeedsMore };
    let end = (u32::from_be_bytes([a, b, c, d]) as usize).saturating_add(at + 12);
    if name != b"IEND" {
        return Step::On(Picture::PngChunk(end));
    }
    if bytes.len() < end { Step::NeedsMore } else { Step::Ends(end) }
}

/// Whatever comes, and in whatever pieces, is the same picture or none.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(bytes: &[u8]) {
    const MAX_BYTES: usize = 2000;
    let at_once = FirstPicture::new(MAX_BYTES).push(bytes);
    for size in [1, 7, 64] {
        let mut search = FirstPicture::new(MAX_BYTES);
        let ends = |piece| search.push(piece).transpose();
        let in_pieces = bytes.chunks(size).find_map(ends).transpose();
        assert_eq!(in_pieces, at_once, "in pieces of {size}");
    }
    if let Ok(Some(picture)) = at_once {
        assert!(picture.starts_with(JPEG) || picture.starts_with(PNG), "it begins as one");
        assert!(bytes.windows(picture.len()).any(|it| it == picture), "it is what came");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A comment that holds the end of a picture, coded data with an escaped FF, a restart marker,
    /// and a second scan.
    const PICTURE: &[u8] = b"\xff\xd8\xff\xfe\x00\x06\xff\xd9\xff\xd8\xff\xff\xdb\x00\x03q\xff\xda\
        \x00\x03sab\xff\x00c\xff\xd0d\xff\xda\x00\x02e\xff\xd9";

    /// Feeds the answer in pieces of `step` bytes, as a network may split it.
    fn first(answer: &[u8], step: usize) -> Result<Option<Vec<u8>>, NoPicture> {
        let mut search = FirstPicture::new(1000);
        for piece in answer.chunks(step) {
            if let Some(picture) = search.push(piece)? {
                return Ok(Some(picture));
            }
        }
        Ok(None)
    }

    fn around(before: &str, after: &str) -> Vec<u8> {
        [before.as_bytes(), PICTURE, after.as_bytes()].concat()
    }

    #[test]
    fn a_whole_picture_is_found_however_the_camera_frames_it() {
        let head = "Content-Type: image/jpeg\r\nContent-Length:";
        let n = PICTURE.len();
        for (what, before, after) in [
            ("alone", String::new(), ""),
            ("behind a line end", "\r\n".to_owned(), ""),
            ("padded", String::new(), "\0\0\0\0"),
            ("as a part should be", format!("--b\r\n{head} {n}\r\n\r\n"), "\r\n--b\r\n"),
            ("a length that is too long", format!("--b\r\n{head} {}\r\n\r\n", n + 2), "\r\n--b"),
            ("too short", format!("--b\r\n{head} {}\r\n\r\n", n - 10), "\r\n--b\r\n"),
            ("a length of nothing", format!("--b\r\n{head} 0\r\n\r\n"), "\r\n--b\r\n"),
            ("no length", "--b\r\nContent-Type: image/jpeg\r\n\r\n".to_owned(), "\r\n--b\r\n"),
            ("no first boundary", format!("{head} {n}\r\n\r\n"), "\r\n--b\r\n"),
            ("no line end behind the boundary", format!("--b{head} {n}\r\n\r\n"), "\r\n"),
            ("bare line ends", format!("--b\n{head} {n}\n\n"), "\n--b\n"),
            (
                "a text first",
                format!(
                    "--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\n{head} {n}\r\n\r\n"
                ),
                "\r\n--b\r\n",
            ),
        ] {
            let answer = around(&before, after);
            for step in [1, 2, 7, 1000] {
                let found = first(&answer, step).expect("there is a picture");
                assert_eq!(found.as_deref(), Some(PICTURE), "{what}, in steps of {step}");
            }
        }
    }

    #[test]
    fn a_png_is_found_to_its_end() {
        let png = [PNG, b"\0\0\0\x02IHDRxycccc\0\0\0\0IENDcccc"].concat();
        for step in [1, 3, 100] {
            assert_eq!(first(&[&png[..], b"more"].concat(), step), Ok(Some(png.clone())));
        }
        assert_eq!(first(&png[..png.len() - 1], 5), Ok(None));
    }

    #[test]
    fn a_part_of_a_picture_is_none() {
        for cut in 3..PICTURE.len() {
            let mut search = FirstPicture::new(1000);
            assert_eq!(search.push(&PICTURE[..cut]), Ok(None), "{cut} bytes");
            assert!(search.has_begun(), "{cut} bytes");
        }
    }

    /// A camera with too little uplink cuts a picture short and sends the next one whole.
    #[test]
    fn half_a_picture_gives_way_to_the_whole_one_behind_it() {
        let at = |mark| PICTURE.iter().position(|byte| *byte == mark).expect("coded data");
        for cut in at(b'a')..=at(b'd') + 2 {
            let answer = [&PICTURE[..cut], b"\r\n--b\r\n\r\n", PICTURE, b"\r\n--b"].concat();
            for step in [1, 3, 1000] {
                let found = first(&answer, step).expect("there is a picture");
                let is_whole = found.as_deref() == Some(PICTURE);
                assert!(is_whole, "cut after {cut} bytes, in steps of {step}: {found:?}");
            }
        }
    }

    #[test]
    fn what_only_looks_like_a_beginning_is_passed_over() {
        let answer = [b"\xff\xd8\xff\xe0\x00\x01", PICTURE].concat();
        assert_eq!(first(&answer, 4), Ok(Some(PICTURE.to_vec())));
        let mut search = FirstPicture::new(1000);
        assert_eq!(search.push(b"<html>Device Busy</html>"), Ok(None));
        assert!(!search.has_begun() && search.rest() == b"<html>Device Busy</html>");
    }

    #[test]
    fn too_much_is_refused() {
        let endless = [b"\xff\xd8\xff\xda\x00\x02", &[7; 2000][..]].concat();
        assert_eq!(first(&endless, 100), Err(NoPicture::TooLarge));
        assert_eq!(first(&[b'a'; LEAD_MAX_BYTES + 1], 9000), Err(NoPicture::NotBegun));
        assert_eq!(first(&b"\xff\xd8\xff\x00\x00\x00".repeat(20), 9), Err(NoPicture::NotBegun));
    }

    proptest::proptest! {
        /// Whatever comes, and however it is split: no panic, and the same answer.
        #[test]
        fn any_bytes_are_survived(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300),
            step in 1usize..50,
        ) {
            let answer = [JPEG, &bytes[..]].concat();
            proptest::prop_assert_eq!(first(&answer, step), first(&answer, 1000));
        }
    }
}
