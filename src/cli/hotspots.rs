//! `huoyan hotspots`: hotspot files of any known format → one GeoJSON, or how many hotspots of each
//! file are new.

use super::{Common, Outcome};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::lang::Lang;
use crate::progress::Progress;
use crate::satellite::{self, Parsed};
use crate::triage::hotspot::Hotspot;
use geojson::{Feature, FeatureCollection, Geometry, GeometryValue};
use serde::Serialize;
use serde_json::json;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(super) struct Args {
    /// 热点文件，按先后顺序 / hotspot files, oldest first
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// What one file adds to the files before it.
#[derive(Serialize)]
struct Read {
    file: String,
    hotspots: usize,
    new: usize,
    repeated: usize,
    #[serde(skip)]
    features: Vec<Hotspot>,
    #[serde(skip)]
    rejected: Vec<satellite::Rejected>,
    /// A sentence for each sheet of a workbook that is no list.
    unread: Vec<String>,
}

pub(super) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let stage = common.lang.pick("读取热点", "reading hotspots");
    let mut progress = Progress::new(stage, args.files.len() as u64, common.quiet);
    let mut known = HashSet::new();
    let (mut reads, mut refused) = (Vec::new(), Vec::new());
    for path in &args.files {
        match read(path, common) {
            Ok(parsed) => reads.push(sift(path, parsed, &mut known)),
            Err(error) => refused.push(error),
        }
        progress.advance(1, &path.display().to_string());
    }
    progress.finish("");
    if common.json {
        println!("{}", collection(&reads, &refused)?);
    } else {
        print!("{}", words(&reads, common.lang));
    }
    if reads.is_empty() && !refused.is_empty() {
        return Err(refused.swap_remove(0));
    }
    for error in &refused {
        eprintln!("{}", error.chain());
    }
    let fine = refused.is_empty() && reads.iter().all(|read| read.rejected.is_empty());
    Ok(if fine { Outcome::Fine } else { Outcome::Findings })
}

fn read(path: &Path, common: &Common) -> Result<Parsed> {
    let bytes = satellite::read_file(path, &common.config.camera.pipelines, common.lang)?;
    let (name, mappings) = (path.display().to_string(), &common.config.satellite.mappings);
    satellite::parse_mapped(&bytes, &name, Clock::System.now(), mappings, common.lang)
}

fn sift(path: &Path, parsed: Parsed, known: &mut HashSet<String>) -> Read {
    let all = parsed.hotspots.len();
    let features: Vec<Hotspot> =
        parsed.hotspots.into_iter().filter(|hotspot| known.insert(hotspot.key.clone())).collect();
    Read {
        file: path.display().to_string(),
        hotspots: all,
        new: features.len(),
        repeated: parsed.repeated,
        features,
        rejected: parsed.rejected,
        unread: parsed.unread,
    }
}

/// One FeatureCollection with each hotspot once. Beside `features` it says what each file added and
/// what was rejected.
fn collection(reads: &[Read], refused: &[Error]) -> Result<String> {
    let features =
        reads.iter().flat_map(|read| &read.features).map(feature).collect::<Result<Vec<_>>>()?;
    let rejected: Vec<_> = reads
        .iter()
        .flat_map(|read| {
            read.rejected
                .iter()
                .map(|row| json!({"file": read.file, "line": row.line, "reason": row.reason}))
        })
        .collect();
    let refused: Vec<_> = refused.iter().map(Error::chain).collect();
    let members = json!({"files": reads, "rejected": rejected, "refused": refused});
    let mut collection = FeatureCollection::new(features);
    collection.foreign_members = members.as_object().cloned();
    Ok(collection.to_string())
}

fn feature(hotspot: &Hotspot) -> Result<Feature> {
    let properties = serde_json::to_value(hotspot)
        .map_err(|e| Error::internal("a hotspot cannot be written as JSON").because(e))?;
    let at = GeometryValue::new_point([hotspot.at.lon_deg(), hotspot.at.lat_deg()]);
    Ok(Feature {
        geometry: Some(Geometry::new(at)),
        properties: properties.as_object().cloned(),
        ..Feature::default()
    })
}

fn words(reads: &[Read], lang: Lang) -> String {
    let mut text = String::new();
    for read in reads {
        text.push_str(&match lang {
            Lang::Zh => format!(
                "{}：热点{}个，其中新{}个，重复{}行，不可用{}行\n",
                read.file,
                read.hotspots,
                read.new,
                read.repeated,
                read.rejected.len()
            ),
            Lang::En => format!(
                "{}: {} hotspots, {} new, {} repeated rows, {} rejected rows\n",
                read.file,
                read.hotspots,
                read.new,
                read.repeated,
                read.rejected.len()
            ),
        });
        for row in &read.rejected {
            text.push_str(&match lang {
                Lang::Zh => format!("  第{}行：{}\n", row.line, row.reason),
                Lang::En => format!("  line {}: {}\n", row.line, row.reason),
            });
        }
        for sentence in &read.unread {
            text.push_str(&format!("  {sentence}\n"));
        }
    }
    text
}
