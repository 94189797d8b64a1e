//! `huoyan coverage`: 覆盖: how much of the county the cameras see, and where nobody would see a
//! young fire's smoke.

use super::{Common, Outcome};
use crate::clock::Clock;
use crate::county::{Coverage, Registers, SMOKE_M};
use crate::error::{Error, Result};
use crate::lang::{Lang, Words};
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(super) struct Args {
    /// 地图（GeoJSON），属性 cameras：0、1、2（两台以上） / the map, property cameras: 0, 1, 2 (or more)
    #[arg(long, value_name = "FILE.geojson")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let county = Registers::load(&common.config.store.data.join("registers"), Clock::System.now())?
        .current();
    let coverage = county.coverage().ok_or_else(|| {
        Error::invalid(Words::new(
            "没有网格或没有高程：先导入网格，并把高程文件放入数据目录的 terrain/",
            "no grids, or no elevation: import grids, and put elevation tiles into terrain/ of the \
            data folder",
        ))
    })?;
    if let Some(path) = &args.out {
        std::fs::write(path, coverage.geojson().to_string()).map_err(|e| {
            Error::unavailable(format!("cannot write {}", path.display())).because(e)
        })?;
    }
    if common.json {
        let shares = coverage.shares();
        let Coverage { seen_km2, unmeasured, .. } = &coverage;
        println!("{}", json!({"shares": shares, "seen_km2": seen_km2, "unmeasured": unmeasured}));
    } else {
        print!("{}", words(&coverage, common.lang));
    }
    Ok(Outcome::Fine)
}

fn words(coverage: &Coverage, lang: Lang) -> String {
    let shares = coverage.shares();
    let [none, one, several] = [shares.none, shares.one, shares.several].map(|it| it * 100.0);
    let mut text = match lang {
        Lang::Zh => format!(
            "高出地面{SMOKE_M}米的烟：{none:.1}% 的网格面积没有摄像机能看到，{one:.1}% 有一台，\
            {several:.1}% 有两台以上\n"
        ),
        Lang::En => format!(
            "smoke {SMOKE_M} m over the ground: {none:.1}% of the grids' area is seen by no \
            camera, {one:.1}% by one, {several:.1}% by two or more\n"
        ),
    };
    for (camera, km2) in &coverage.seen_km2 {
        text.push_str(&format!("  {camera} {km2:.1} km²\n"));
    }
    if !coverage.unmeasured.is_empty() {
        let ids: Vec<&str> = coverage.unmeasured.iter().map(|id| id.as_str()).collect();
        text.push_str(&match lang {
            Lang::Zh => format!("未计入（没有方位角、高度或高程）：{}\n", ids.join("、")),
            Lang::En => {
                format!("not counted (no azimuth, height or elevation): {}\n", ids.join(", "))
            }
        });
    }
    text
}
