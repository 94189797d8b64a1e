//! Pure: what the first and last bytes of a picture file say.

/// No camera's picture is larger (a 12-megapixel JPEG at best quality has about 8 MB), and 267 of
/// them must fit into memory.
pub(super) const MAX_BYTES: usize = 10_000_000;

const JPEG_START: &[u8] = b"\xff\xd8";
const JPEG_END: &[u8] = b"\xff\xd9";
const PNG_START: &[u8] = b"\x89PNG";
const PNG_END: &[u8] = b"IEND\xaeB`\x82";

/// Begins like a JPEG or PNG.
pub(super) fn is_picture(bytes: &[u8]) -> bool {
    bytes.starts_with(JPEG_START) || bytes.starts_with(PNG_START)
}

/// Also ends like one. Some makes pad the file with zeros.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let padding = bytes.iter().rev().take_while(|byte| **byte == 0).count();
    let bytes = &bytes[..bytes.len() - padding];
    (bytes.starts_with(JPEG_START) && bytes.ends_with(JPEG_END))
        || (bytes.starts_with(PNG_START) && bytes.ends_with(PNG_END))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_file_is_told_from_a_whole_one() {
        for (bytes, picture, whole) in [
            (b"\xff\xd8abc\xff\xd9".as_slice(), true, true),
            (b"\xff\xd8abc\xff\xd9\0\0\0", true, true),
            (b"\xff\xd8abc\xff", true, false),
            (b"\xff\xd8\0\0\0", true, false),
            (b"\x89PNG....IEND\xaeB`\x82", true, true),
            (b"\x89PNG....IEND", true, false),
            (b"<html>\xff\xd9", false, false),
            (b"", false, false),
        ] {
            assert_eq!((is_picture(bytes), is_whole(bytes)), (picture, whole), "{bytes:?}");
        }
    }
}
