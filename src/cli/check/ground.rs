//! Pure: what the office's cameras can say about where a fire is: direction, and range from the
//! shape of the ground.

use super::Finding;
use crate::county::{CameraEntry, County, Ground};
use crate::lang::Lang;
use std::path::Path;

const PART: &str = "terrain";
/// Cameras named at most, so that the line fits a terminal; the others are counted.
const NAMED: usize = 5;

pub(super) fn findings(county: &County, data: &Path, lang: Lang) -> Vec<Finding> {
    if county.cameras.is_empty() {
        return Vec::new();
    }
    let mut findings = vec![shape(county, data, lang)];
    let without = |lacks: &dyn Fn(&CameraEntry) -> bool| -> Vec<&CameraEntry> {
        county.cameras.iter().filter(|camera| lacks(camera)).collect()
    };
    let unsurveyed = without(&|camera| camera.azimuth_deg.is_none());
    if !unsurveyed.is_empty() {
        findings.push(Finding::limited(
            PART,
            names(
                &unsurveyed,
                lang,
                "没有方位角，看到烟也说不出方向",
                "have no azimuth: the direction of smoke they see is unknown",
            ),
            lang.pick(
                "测量后填写摄像机台账的“方位角”",
                "measure it and fill in 方位角 in the camera register",
            ),
        ));
    }
    let blind = |camera: &CameraEntry| match county.ground() {
        Ground::Terrain(terrain) => terrain.elevation_m(camera.at).is_none(),
        Ground::Flat | Ground::Unknown => false,
    };
    let beside = without(&blind);
    if !beside.is_empty() {
        findings.push(Finding::limited(
            PART,
            names(
                &beside,
                lang,
                "所在处没有高程，距离未知",
                "stand where the elevation is unknown: they give no range",
            ),
            lang.pick("补充该处的高程文件", "add the elevation tile of that place"),
        ));
    }
    let unmeasured = without(&|camera| {
        !matches!(county.ground(), Ground::Unknown)
            && camera.azimuth_deg.is_some()
            && (camera.tilt_deg.is_none() || camera.height_m.is_none())
    });
    if !unmeasured.is_empty() {
        findings.push(Finding::limited(
            PART,
            names(
                &unmeasured,
                lang,
                "没有俯仰角或高度，距离未知",
                "have no tilt or height: they give no range",
            ),
            lang.pick(
                "测量后填写摄像机台账的“俯仰角”和“高度”",
                "measure them and fill in 俯仰角 and 高度 in the camera register",
            ),
        ));
    }
    findings
}

fn shape(county: &County, data: &Path, lang: Lang) -> Finding {
    match county.ground() {
        Ground::Terrain(terrain) => {
            let thousands = terrain.samples().div_ceil(1000);
            Finding::works(
                PART,
                match lang {
                    Lang::Zh => format!(
                        "有地形（{thousands}千个高程点）：一台摄像机也能测距，\
                        并注明误差"
                    ),
                    Lang::En => format!(
                        "the terrain has {thousands} thousand elevations: a single camera gives a \
                        range, with its uncertainty"
                    ),
                },
            )
        }
        Ground::Flat => Finding::works(
            PART,
            lang.pick(
                "没有地形，台账说明地面平坦：按平地测距，只在近处有用",
                "no terrain, and the register says that the ground is flat: ranges are computed \
                for flat ground, useful nearby only",
            ),
        ),
        Ground::Unknown => {
            let folder = data.join("terrain");
            Finding::limited(
                PART,
                lang.pick(
                    "没有地形：一台摄像机只给方位，距离未知",
                    "no terrain: a single camera gives a bearing but no range",
                ),
                match lang {
                    Lang::Zh => format!(
                        "把本县的高程文件（SRTM 的 .hgt 或 WGS-84 的 GeoTIFF）放入 {}；平原县可在 \
                        county.toml 写 ground = \"flat\"",
                        folder.display()
                    ),
                    Lang::En => format!(
                        "put elevation tiles of the county (SRTM's .hgt, or GeoTIFF on WGS-84) \
                        into {}; on a plain, ground = \"flat\" in county.toml",
                        folder.display()
                    ),
                },
            )
        }
    }
}

fn names(cameras: &[&CameraEntry], lang: Lang, zh: &str, en: &str) -> String {
    let named: Vec<&str> = cameras.iter().take(NAMED).map(|camera| camera.name.as_str()).collect();
    let count = cameras.len();
    match lang {
        Lang::Zh if count > NAMED => format!("{}等{count}台摄像机{zh}", named.join("、")),
        Lang::Zh => format!("{}{zh}", named.join("、")),
        Lang::En if count > NAMED => {
            format!("{} and {} more cameras {en}", named.join(", "), count - NAMED)
        }
        Lang::En => format!("{} {en}", named.join(", ")),
    }
}
