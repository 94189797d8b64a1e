//! GeoTIFF: one band of elevations in metres on a grid of longitude and latitude. Read strip by
//! strip or tile by tile, so that a file with a whole province costs only what the county needs.

use super::{Layout, Part, Refusal, Window, refusal, too_much, unreadable};
use crate::triage::terrain::Raster;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;
use tiff::{ColorType, TiffError, TiffResult};

/// Largest strip or tile accepted: a model of 1" with a whole degree in one 32-bit strip has 52 MB.
const CHUNK_MAX_BYTES: usize = 128 << 20;

/// Keys of the GeoTIFF directory (OGC 19-008) and the accepted values.
const MODEL_TYPE: u16 = 1024;
const GEOGRAPHIC: u16 = 2;
const RASTER_TYPE: u16 = 1025;
const PIXEL_IS_POINT: u16 = 2;
const GEODETIC_CRS: u16 = 2048;
/// WGS-84, and CGCS2000, which agrees with it to a decimetre.
const CRS: [u16; 2] = [4326, 4490];
const VERTICAL_UNITS: u16 = 4099;
const METRE: u16 = 9001;

pub(super) fn read(path: &Path, window: &Window, room: usize) -> Result<Option<Raster>, Refusal> {
    let file = File::open(path).map_err(|e| unreadable(&e))?;
    let mut limits = Limits::default();
    limits.decoding_buffer_size = CHUNK_MAX_BYTES;
    limits.intermediate_buffer_size = CHUNK_MAX_BYTES;
    let mut decoder = Decoder::new(BufReader::new(file)).map_err(|e| said(&e))?.with_limits(limits);
    let layout = layout(&mut decoder)?;
    let Some(part) = layout.part(window) else { return Ok(None) };
    if let Some(refusal) = too_much(&part, room) {
        return Err(refusal);
    }
    let heights = heights(&mut decoder, &layout, &part)?;
    layout
        .raster(&part, heights)
        .map(Some)
        .ok_or_else(|| unreadable(&"its data does not fit its size"))
}

type Open = Decoder<BufReader<File>>;

fn layout(decoder: &mut Open) -> Result<Layout, Refusal> {
    let (columns, rows) = decoder.dimensions().map_err(|e| said(&e))?;
    match decoder.colortype().map_err(|e| said(&e))? {
        ColorType::Gray(16 | 32) if columns >= 2 && rows >= 2 => {}
        other => {
            return Err(refusal(
                format!("不是单波段高程（{other:?}），未使用：需要16位整数或32位浮点的单波段高程"),
                format!(
                    "it does not have a single band of elevations ({other:?}), so it is not used: \
                    16-bit integers or 32-bit floats are needed"
                ),
            ));
        }
    }
    let keys = unsigned(decoder, Tag::GeoKeyDirectoryTag)?;
    let key = |wanted: u16| {
        keys.as_chunks::<4>()
            .0
            .iter()
            .skip(1)
            .find(|key| key[0] == wanted && key[1] == 0)
            .map(|key| key[3])
    };
    let crs = key(GEODETIC_CRS);
    if key(MODEL_TYPE) != Some(GEOGRAPHIC) || !crs.is_some_and(|crs| CRS.contains(&crs)) {
        return Err(refusal(
            "不是 WGS-84 经纬度坐标（EPSG:4326 或 CGCS2000 EPSG:4490），未使用：先转换，如 \
            gdalwarp -t_srs EPSG:4326 旧.tif 新.tif",
            "it is not on WGS-84 longitudes and latitudes (EPSG:4326, or CGCS2000 EPSG:4490), so \
            it is not used: convert it, such as gdalwarp -t_srs EPSG:4326 old.tif new.tif",
        ));
    }
    if key(VERTICAL_UNITS).is_some_and(|unit| unit != METRE) {
        return Err(refusal(
            "高程单位不是米，未使用：请换算成米",
            "its elevations are not in metres, so it is not used: convert them to metres",
        ));
    }
    let placed =
        (doubles(decoder, Tag::ModelPixelScaleTag)?, doubles(decoder, Tag::ModelTiepointTag)?);
    let turned = decoder.find_tag(Tag::ModelTransformationTag).map_err(|e| said(&e))?.is_some();
    let ([step_lon_deg, step_lat_deg, ..], [i, j, _, lon_deg, lat_deg, _]) =
        (&placed.0[..], &placed.1[..])
    else {
        return Err(unplaced());
    };
    if turned || !(*step_lat_deg > 0.0 && *step_lon_deg > 0.0) {
        return Err(unplaced());
    }
    // The tie point is a pixel's corner, or its centre for pixels that are points. Elevations hold
    // at the centre.
    let middle = if key(RASTER_TYPE) == Some(PIXEL_IS_POINT) { 0.0 } else { 0.5 };
    Ok(Layout {
        north_deg: lat_deg - (middle - j) * step_lat_deg,
        west_deg: lon_deg + (middle - i) * step_lon_deg,
        step_lat_deg: *step_lat_deg,
        step_lon_deg: *step_lon_deg,
        rows: rows as usize,
        columns: columns as usize,
    })
}

fn unplaced() -> Refusal {
    refusal(
        "位置信息无法使用（需要 ModelPixelScale 和一个 ModelTiepoint，北在上），未使用：用 \
        gdalwarp -t_srs EPSG:4326 重新导出",
        "its position cannot be read (ModelPixelScale and one ModelTiepoint, north up, are \
        needed), so it is not used: export it again with gdalwarp -t_srs EPSG:4326",
    )
}

fn heights(decoder: &mut Open, layout: &Layout, part: &Part) -> Result<Vec<f32>, Refusal> {
    let no_data = no_data(decoder)?;
    let (wide, high) = decoder.chunk_dimensions();
    let (wide, high) = (wide as usize, high as usize);
    if wide == 0 || high == 0 {
        return Err(unreadable(&"empty strips"));
    }
    let across = layout.columns.div_ceil(wide);
    let mut heights = vec![f32::NAN; part.samples()];
    for down in part.rows.start / high..part.rows.end.div_ceil(high) {
        for aside in part.columns.start / wide..part.columns.end.div_ceil(wide) {
            let number = u32::try_from(down * across + aside).map_err(|e| unreadable(&e))?;
            let chunk = metres(decoder.read_chunk(number).map_err(|e| said(&e))?)?;
            // Chunks at the right and lower edge are smaller.
            let own = wide.min(layout.columns - aside * wide);
            for (y, row) in
                (down * high..).zip(chunk.chunks_exact(own)).filter(|(y, _)| part.rows.contains(y))
            {
                for (x, &height) in
                    (aside * wide..).zip(row).filter(|(x, _)| part.columns.contains(x))
                {
                    if Some(height) != no_data {
                        heights
                            [(y - part.rows.start) * part.columns.len() + x - part.columns.start] =
                            height;
                    }
                }
            }
        }
    }
    Ok(heights)
}

fn metres(chunk: DecodingResult) -> Result<Vec<f32>, Refusal> {
    Ok(match chunk {
        DecodingResult::F32(values) => values,
        DecodingResult::I16(values) => values.into_iter().map(f32::from).collect(),
        DecodingResult::U16(values) => values.into_iter().map(f32::from).collect(),
        _ => {
            return Err(refusal(
                "高程不是16位整数或32位浮点，未使用：请转换，如 gdal_translate -ot Float32",
                "its elevations are neither 16-bit integers nor 32-bit floats, so it is not used: \
                convert it, such as gdal_translate -ot Float32",
            ));
        }
    })
}

/// GDAL writes the no-data value as text.
fn no_data(decoder: &mut Open) -> Result<Option<f32>, Refusal> {
    let text = decoder.find_tag(Tag::GdalNodata).map_err(|e| said(&e))?;
    Ok(text
        .and_then(|text| text.into_string().ok())
        .and_then(|text| text.trim_matches(['\0', ' ']).parse().ok()))
}

fn unsigned(decoder: &mut Open, tag: Tag) -> Result<Vec<u16>, Refusal> {
    value(decoder.find_tag(tag), |it| it.into_u16_vec())
}

fn doubles(decoder: &mut Open, tag: Tag) -> Result<Vec<f64>, Refusal> {
    value(decoder.find_tag(tag), |it| it.into_f64_vec())
}

/// Empty when the file has no such tag.
fn value<T>(
    found: TiffResult<Option<tiff::decoder::ifd::Value>>,
    as_list: impl FnOnce(tiff::decoder::ifd::Value) -> TiffResult<Vec<T>>,
) -> Result<Vec<T>, Refusal> {
    found.and_then(|value| value.map_or_else(|| Ok(Vec::new()), as_list)).map_err(|e| said(&e))
}

fn said(why: &TiffError) -> Refusal {
    match why {
        TiffError::UnsupportedError(what) => refusal(
            format!(
                "这种 TIFF 不支持（{what}），未使用：用 gdal_translate -co COMPRESS=DEFLATE \
                重新导出"
            ),
            format!(
                "this kind of TIFF is not supported ({what}), so it is not used: export it again \
                with gdal_translate -co COMPRESS=DEFLATE"
            ),
        ),
        TiffError::LimitsExceeded => refusal(
            "一个数据块超过128 MB，未使用：用 gdal_translate -co TILED=YES 重新导出",
            "one of its blocks has more than 128 MB, so it is not used: export it again with \
            gdal_translate -co TILED=YES",
        ),
        _ => unreadable(why),
    }
}
