//! What one look at a camera costs before the model: a keyframe decoded in the pool's lane.

use divan::Bencher;
use huoyan::camera::{self, ClipCodec, Codec, Decoder, Keyframe, encode_clip};
use huoyan::frame::Picture;
use huoyan::triage::detection::Stream;
use jiff::{SignedDuration, Timestamp};

fn main() {
    println!("processor: {}", huoyan::frame::cpu_flags().join(" "));
    divan::main();
}

/// A textured hillside: a smooth picture would decode too fast.
fn hillside(width: u32, height: u32) -> Picture {
    let mut seed = 1u32;
    let rgb = (0..width * height).flat_map(|at| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let ridge = (at % width + 3 * (at / width)) % 97;
        [60 + ridge as u8, 80 + (seed >> 29) as u8 * 4, 50]
    });
    Picture::from_rgb(width, height, &rgb.collect::<Vec<_>>()).expect("sizes fit")
}

fn keyframe(codec: Codec, width: u32, height: u32) -> Keyframe {
    let picture = hillside(width, height);
    let clip_codec = match codec {
        Codec::H265 => ClipCodec::H265,
        _ => ClipCodec::H264,
    };
    if codec == Codec::Jpeg {
        return Keyframe::from_image_bytes(
            Timestamp::UNIX_EPOCH,
            picture.to_jpeg(80).expect("jpeg"),
        );
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("clip.bin");
    encode_clip(&file, 10, [picture], clip_codec, |_| {}).expect("the clip is encoded");
    let bytes = std::fs::read(&file).expect("reads");
    Keyframe {
        captured_at: Timestamp::UNIX_EPOCH,
        codec,
        bytes: bytes.into(),
        stream: Stream::Screened,
    }
}

#[divan::bench(args = [(Codec::H264, 640, 360), (Codec::H264, 1920, 1080), (Codec::H265, 1920, 1080), (Codec::Jpeg, 1920, 1080)])]
fn keyframe_to_picture(bencher: Bencher, (codec, width, height): (Codec, u32, u32)) {
    let keyframe = keyframe(codec, width, height);
    let mut decoder = Decoder::new().expect("decoders");
    bencher.bench_local(|| decoder.decode(&keyframe).expect("decodes"));
}

/// Two seconds of video at ten pictures a second, with two looks a second: the cost of
/// `huoyan replay`.
#[divan::bench(sample_count = 10)]
fn replay_of_two_seconds(bencher: Bencher) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("clip.mp4");
    encode_clip(&file, 10, std::iter::repeat_n(hillside(640, 360), 20), ClipCodec::H264, |_| {})
        .expect("encodes");
    bencher.bench_local(|| {
        let frames = camera::frames(&file, SignedDuration::from_millis(500), Timestamp::UNIX_EPOCH)
            .expect("opens");
        frames.filter(|frame| frame.is_ok()).count()
    });
}
