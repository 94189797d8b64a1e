//! Elevation tiles that the tests write themselves, valid and broken.

use super::*;
use std::fs::{self, File};
use tiff::encoder::colortype::{Gray8, Gray16, Gray32Float, GrayI16};
use tiff::encoder::{Compression, TiffEncoder};
use tiff::tags::Tag;

fn at(lat: f64, lon: f64) -> LatLon {
    LatLon::new(lat, lon).expect("a place")
}

fn window() -> Window {
    Window::around((at(28.4, 110.3), at(28.6, 110.5)))
}

/// A plane that rises to the east and the north, by 1,000 m a degree each.
fn slope(lat: f64, lon: f64) -> f64 {
    (lat - 28.0) * 1000.0 + (lon - 110.0) * 1000.0
}

fn hgt(side: usize) -> Vec<u8> {
    let step = 1.0 / (side - 1) as f64;
    let sample = |index: usize| {
        let (lat, lon) =
            (29.0 - (index / side) as f64 * step, 110.0 + (index % side) as f64 * step);
        slope(lat, lon).round() as i16
    };
    (0..side * side).flat_map(|index| sample(index).to_be_bytes()).collect()
}

/// The tags of a synthetic GeoTIFF; the default is valid.
struct Spec {
    model: u16,
    crs: u16,
    raster: u16,
    scale: Vec<f64>,
    tie: Vec<f64>,
    no_data: &'static str,
}

/// 0.005° (about 500 m) pixels from 29° N 110° E, 200 by 200.
const PIXEL: f64 = 0.005;
const PIXELS: usize = 200;

impl Default for Spec {
    fn default() -> Self {
        let (scale, tie) = (vec![PIXEL, PIXEL, 0.0], vec![0.0, 0.0, 0.0, 110.0, 29.0, 0.0]);
        Self { model: 2, crs: 4326, raster: 1, scale, tie, no_data: "-9999" }
    }
}

macro_rules! write_tiff {
    ($path:expr, $spec:expr, $colour:ty, $values:expr) => {{
        let spec: &Spec = $spec;
        let mut file = TiffEncoder::new(File::create($path).expect("a file")).expect("a TIFF");
        file = file.with_compression(Compression::Deflate(Default::default()));
        let mut image = file.new_image::<$colour>(PIXELS as u32, PIXELS as u32).expect("an image");
        image.rows_per_strip(16).expect("strips");
        let keys =
            [1, 1, 0, 3, 1024, 0, 1, spec.model, 1025, 0, 1, spec.raster, 2048, 0, 1, spec.crs];
        let tags = image.encoder();
        tags.write_tag(Tag::GeoKeyDirectoryTag, &keys[..]).expect("keys");
        tags.write_tag(Tag::ModelPixelScaleTag, &spec.scale[..]).expect("a scale");
        tags.write_tag(Tag::ModelTiepointTag, &spec.tie[..]).expect("a tie point");
        tags.write_tag(Tag::GdalNodata, spec.no_data).expect("no data");
        image.write_data(&$values[..]).expect("pixels");
    }};
}

/// Heights of the slope at the centre of every pixel, or at its corner.
fn pixels(middle: f64) -> Vec<f64> {
    let place = |index: usize| (index as f64 + middle) * PIXEL;
    (0..PIXELS * PIXELS)
        .map(|index| slope(29.0 - place(index / PIXELS), 110.0 + place(index % PIXELS)))
        .collect()
}

fn read_in(dir: &Path) -> (Option<Terrain>, Vec<Problem>) {
    read(dir, &window(), SAMPLES_MAX)
}

fn is_the_slope(terrain: &Terrain) {
    for (lat, lon) in [(28.5, 110.4), (28.43, 110.31), (28.5871, 110.4993)] {
        let found = terrain.elevation_m(at(lat, lon)).expect("inside");
        assert!(
            (found - slope(lat, lon)).abs() <= 1.0,
            "{lat},{lon}: {found}, not {}",
            slope(lat, lon)
        );
    }
}

#[test]
fn a_tile_of_srtm_is_read_and_only_its_needed_part_kept() {
    for (side, name) in [(1201, "N28E110.hgt"), (3601, "n28e110.SRTMGL1.hgt")] {
        let dir = tempfile::tempdir().expect("a folder");
        fs::write(dir.path().join(name), hgt(side)).expect("a tile");
        fs::write(dir.path().join("N40E120.hgt"), []).expect("a tile far off");
        fs::write(dir.path().join("readme.txt"), "SRTM").expect("a text");
        let (terrain, problems) = read_in(dir.path());
        let terrain = terrain.expect("a terrain");
        is_the_slope(&terrain);
        assert!(terrain.samples() < side * side / 2, "{} of {}", terrain.samples(), side * side);
        let [far] = &problems[..] else { panic!("{problems:?}") };
        assert!(far.file == "terrain/N40E120.hgt" && far.reason.en.contains("0 bytes"), "{far:?}");
    }
}

#[test]
fn a_geotiff_is_read_whatever_its_numbers_are() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("dem.tif");
    let check = || {
        let (terrain, problems) = read_in(dir.path());
        assert_eq!(problems, []);
        is_the_slope(&terrain.expect("a terrain"));
    };
    write_tiff!(
        &path,
        &Spec::default(),
        Gray32Float,
        pixels(0.5).iter().map(|&m| m as f32).collect::<Vec<_>>()
    );
    check();
    write_tiff!(
        &path,
        &Spec { crs: 4490, ..Spec::default() },
        GrayI16,
        pixels(0.5).iter().map(|&m| m.round() as i16).collect::<Vec<_>>()
    );
    check();
    write_tiff!(
        &path,
        &Spec { raster: 2, ..Spec::default() },
        Gray16,
        pixels(0.0).iter().map(|&m| m.round() as u16).collect::<Vec<_>>()
    );
    check();
    let tie = vec![100.0, 100.0, 0.0, 110.0 + 100.0 * PIXEL, 29.0 - 100.0 * PIXEL, 0.0];
    write_tiff!(
        &path,
        &Spec { tie, ..Spec::default() },
        GrayI16,
        pixels(0.5).iter().map(|&m| m.round() as i16).collect::<Vec<_>>()
    );
    check();
}

#[test]
fn unknown_heights_stay_unknown() {
    let dir = tempfile::tempdir().expect("a folder");
    let holed: Vec<f32> = pixels(0.5)
        .iter()
        .enumerate()
        .map(|(index, &m)| if (95..105).contains(&(index / PIXELS)) { -9999.0 } else { m as f32 })
        .collect();
    write_tiff!(dir.path().join("dem.tif"), &Spec::default(), Gray32Float, holed);
    let terrain = read_in(dir.path()).0.expect("a terrain");
    assert_eq!(terrain.elevation_m(at(28.5, 110.4)), None);
    assert!(terrain.elevation_m(at(28.55, 110.4)).is_some());
}

#[test]
fn a_wrong_file_is_refused_in_words_and_the_others_are_used() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = |name: &str| dir.path().join(name);
    let metres: Vec<f32> = pixels(0.5).iter().map(|&m| m as f32).collect();
    write_tiff!(file("good.tif"), &Spec::default(), Gray32Float, metres);
    write_tiff!(
        file("a-utm.tif"),
        &Spec { model: 1, crs: 32649, ..Spec::default() },
        Gray32Float,
        metres
    );
    write_tiff!(
        file("b-unplaced.tif"),
        &Spec { tie: vec![0.0; 12], ..Spec::default() },
        Gray32Float,
        metres
    );
    write_tiff!(file("c-photo.tif"), &Spec::default(), Gray8, vec![7u8; PIXELS * PIXELS]);
    let whole = fs::read(file("good.tif")).expect("the good one");
    fs::write(file("d-cut.tif"), &whole[..whole.len() / 2]).expect("half of it");
    fs::write(file("e-text.tif"), "no picture").expect("a text");
    fs::write(file("N28E110.hgt"), &hgt(1201)[..100_000]).expect("a cut tile");
    fs::write(file("tile.hgt"), hgt(1201)).expect("a tile without a place");
    fs::write(file("N28E110.hgt.zip"), "PK").expect("packed");
    let (terrain, problems) = read_in(dir.path());
    is_the_slope(&terrain.expect("the good one is used"));
    for (name, word) in [
        ("a-utm.tif", "gdalwarp"),
        ("b-unplaced.tif", "ModelTiepoint"),
        ("c-photo.tif", "single band"),
        ("d-cut.tif", "copy it again"),
        ("e-text.tif", "copy it again"),
        ("N28E110.hgt", "100000 bytes"),
        ("tile.hgt", "N28E110.hgt"),
        ("N28E110.hgt.zip", "unpack"),
    ] {
        let of = problems.iter().find(|problem| problem.file == format!("terrain/{name}"));
        assert!(of.is_some_and(|problem| problem.reason.en.contains(word)), "{name}: {of:?}");
    }
    assert_eq!(problems.len(), 8, "{problems:?}");
    let is_zh = |problem: &Problem| problem.reason.zh.contains("未使用");
    assert!(problems.iter().all(is_zh), "{problems:?}");
}

#[test]
fn no_bytes_make_the_loader_panic() {
    let dir = tempfile::tempdir().expect("a folder");
    write_tiff!(dir.path().join("dem.tif"), &Spec::default(), GrayI16, vec![5i16; PIXELS * PIXELS]);
    let whole = fs::read(dir.path().join("dem.tif")).expect("a TIFF");
    for step in 0..400 {
        let mut bytes = whole.clone();
        let place = step * 7919 % bytes.len();
        bytes[place] ^= 1 << (step % 8);
        // The TIFF directory stands at the end.
        let late = bytes.len() - 1 - step % 300.min(bytes.len());
        bytes[late] = bytes[late].wrapping_add(step as u8);
        fs::write(dir.path().join("dem.tif"), &bytes).expect("written");
        let (terrain, problems) = read_in(dir.path());
        assert!(problems.len() <= 1 && (terrain.is_none() || problems.is_empty()));
    }
}

#[test]
fn more_than_the_bound_is_not_kept() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("N28E110.hgt"), hgt(1201)).expect("a tile");
    let needed = read_in(dir.path()).0.expect("a terrain").samples();
    assert!(read(dir.path(), &window(), needed).0.is_some());
    let (terrain, problems) = read(dir.path(), &window(), needed - 1);
    assert_eq!(terrain, None);
    assert!(problems[0].reason.zh.contains("上限"), "{problems:?}");
}

#[test]
fn a_shelf_reads_again_only_what_has_changed() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut shelf = TileCache::default();
    assert_eq!(shelf.take(dir.path(), None), (None, vec![]), "a county without a place needs none");
    assert_eq!(shelf.take(dir.path(), Some(window())), (None, vec![]));
    fs::write(dir.path().join("N28E110.hgt"), hgt(1201)).expect("a tile");
    let first = shelf.take(dir.path(), Some(window())).0.expect("a terrain");
    let again = shelf.take(dir.path(), Some(window())).0.expect("a terrain");
    assert!(Arc::ptr_eq(&first, &again), "not read again");
    fs::remove_file(dir.path().join("N28E110.hgt")).expect("gone");
    assert_eq!(shelf.take(dir.path(), Some(window())), (None, vec![]));
}
