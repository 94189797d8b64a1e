//! The walls of the house: who may import whom, where outside crates live, and that no circle of
//! modules exists. The code is parsed, so an import counts however it is written.
//! `HUOYAN_PRINT_GRAPH=1` prints who knows whom.

mod graph;
mod source;

use crate::tidy::{files, root};
use graph::{Edges, Target, Tree, Use, circle};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Everybody may use it; `lib.rs` gives three of its rooms a second name.
const BASE: [&str; 4] = ["base", "clock", "error", "lang"];

/// ARCHITECTURE.md "Who may import whom". None: everything.
fn may_import(module: &str) -> Option<&'static [&'static str]> {
    Some(match module {
        "address" | "base" | "triage" | "progress" => &[],
        "config" | "frame" | "register" => &["triage"],
        "table" => &["address", "triage"],
        "camera" => &["address", "triage", "config", "frame"],
        "detect" => &["triage", "config", "frame"],
        "county" => &["address", "register", "table", "triage", "config"],
        "store" => &["register", "triage", "config"],
        "satellite" => &["table", "triage", "config"],
        "bus" => &["triage", "config"],
        "edge" => &["triage", "frame", "bus", "config"],
        "backup" => &["triage", "store", "config"],
        "desk" => &["triage", "register", "county", "store", "bus", "config"],
        "notify" | "report" => &["triage", "county", "store", "config"],
        "drill" => &["triage", "frame", "camera", "config"],
        "engine" => &["triage", "frame", "camera", "detect", "drill", "config"],
        "web" => {
            &["triage", "register", "desk", "store", "bus", "report", "county", "frame", "config"]
        }
        "app" | "cli" | "main" | "fuzz" => return None,
        unknown => panic!(
            "src/{unknown} is not in the import table: add it to ARCHITECTURE.md and \
            here"
        ),
    })
}

/// The files that may name an outside crate: all of `[dependencies]`. `src/`: a word of the whole
/// house.
fn homes() -> BTreeMap<&'static str, &'static [&'static str]> {
    const ALL: &[&str] = &["src/"];
    BTreeMap::from([
        ("jiff", ALL),
        ("uuid", ALL),
        ("serde", ALL),
        ("serde_json", ALL),
        ("tracing", ALL),
        ("tokio", ALL),
        ("sha2", ALL),
        ("hex", ALL),
        ("parking_lot", ALL),
        (
            "utoipa",
            &[
                "src/triage/",
                "src/register/",
                "src/frame/",
                "src/store/",
                "src/report/",
                "src/web/",
                "src/base/error.rs",
                "src/base/lang.rs",
            ],
        ),
        ("toml", &["src/config", "src/county/", "src/detect/", "src/cli/"]),
        ("calamine", &["src/table/workbook.rs"]),
        ("csv", &["src/table/", "src/report/"]),
        (
            "quick_xml",
            &["src/satellite/format/kml.rs", "src/web/inbound/alarm/xml.rs", "src/report/cap.rs"],
        ),
        ("geojson", &["src/county/", "src/web/", "src/cli/"]),
        ("geo", &["src/county/crossing.rs"]),
        ("encoding_rs", &["src/table/", "src/web/inbound/alarm/text.rs"]),
        ("sgp4", &["src/satellite/passes.rs"]),
        ("getrandom", &["src/web/http/secret.rs"]),
        (
            "base64",
            &[
                "src/web/http/secret.rs",
                "src/web/inbound/alarm",
                "src/web/office/registers/visit.rs",
                "src/cli/",
            ],
        ),
        ("gstreamer", &["src/camera/", "src/satellite/bytes.rs"]),
        ("gstreamer_app", &["src/camera/", "src/satellite/bytes.rs"]),
        ("gstreamer_video", &["src/camera/"]),
        ("gstreamer_rtsp_server", &["src/camera/play/playback.rs"]),
        ("retina", &["src/camera/receive/rtsp/"]),
        (
            "url",
            &[
                "src/address/",
                "src/camera/receive/rtsp/",
                "src/config/server.rs",
                "src/config/webhooks.rs",
            ],
        ),
        ("percent_encoding", &["src/address/", "src/web/inbound/alarm/text.rs"]),
        ("ort", &["src/detect/"]),
        ("fast_image_resize", &["src/frame/"]),
        ("tiff", &["src/county/terrain/"]),
        ("image", &["src/frame/"]),
        ("crossbeam", &["src/camera/receivers.rs"]),
        (
            "rustix",
            &[
                "src/camera/receive/open_files.rs",
                "src/app/disk.rs",
                "src/engine/mod.rs",
                "src/cli/mod.rs",
                "src/base/clock.rs",
                "src/table/apart.rs",
            ],
        ),
        ("tokio_stream", &["src/bus/", "src/camera/receive/rtsp/", "src/web/"]),
        ("axum", &["src/web/"]),
        ("hyper", &["src/web/http/connections"]),
        ("hyper_util", &["src/web/http/connections"]),
        ("socket2", &["src/web/http/connections"]),
        ("tower", &["src/web/"]),
        ("tower_http", &["src/web/"]),
        ("utoipa_axum", &["src/web/"]),
        ("rust_embed", &["src/web/"]),
        ("sqlx", &["src/store/"]),
        ("http_auth", &["src/camera/receive/snapshot.rs", "src/camera/receive/rtsp/redirect.rs"]),
        ("async_nats", &["src/bus/"]),
        ("reqwest", &["src/notify/", "src/camera/receive/snapshot.rs"]),
        ("rustls", &["src/notify/client.rs", "src/camera/receive/snapshot.rs", "src/web/tls"]),
        ("tokio_rustls", &["src/web/"]),
        ("governor", &["src/web/"]),
        ("hmac", &["src/notify/webhook.rs"]),
        ("rsntp", &["src/cli/check/clock.rs"]),
        ("metrics", &["src/camera/", "src/engine/", "src/app"]),
        ("metrics_exporter_prometheus", &["src/web/", "src/app"]),
        ("clap", &["src/cli/"]),
        ("indicatif", &["src/progress.rs"]),
        ("tracing_subscriber", &["src/cli/"]),
    ])
}

fn tree() -> &'static Tree {
    static TREE: LazyLock<Tree> = LazyLock::new(|| Tree::new(&files("src", ".rs"), dependencies()));
    &TREE
}

/// The outside crates of Cargo.toml, as code writes their names.
fn dependencies() -> Vec<String> {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let manifest: toml::Table = manifest.parse().expect("TOML");
    let table = manifest["dependencies"].as_table().expect("[dependencies]");
    table.keys().map(|name| name.replace('-', "_")).collect()
}

/// Imports against the table.
fn strays(tree: &Tree) -> Vec<String> {
    let is_stray = |it: &Use| {
        let own = it.from.first().map_or("lib", String::as_str);
        let Some(allowed) = (own != "lib").then(|| may_import(own)).flatten() else { return false };
        let held = match &it.target {
            Target::Ours(place) => place.first().map(String::as_str),
            Target::Outside(_) => None,
        };
        [held, it.named.as_deref()]
            .into_iter()
            .flatten()
            .any(|name| name != own && !BASE.contains(&name) && !allowed.contains(&name))
    };
    tree.uses.iter().filter(|it| is_stray(it)).map(Use::shown).collect()
}

fn away_from_home(tree: &Tree) -> Vec<String> {
    let homes = homes();
    let is_away = |it: &Use| match &it.target {
        Target::Outside(path) => homes
            .get(path[0].as_str())
            .is_some_and(|home| !home.iter().any(|at| it.file.starts_with(at))),
        Target::Ours(_) => false,
    };
    tree.uses.iter().filter(|it| is_away(it)).map(Use::shown).collect()
}

/// A circle of each folder that has one, with a line for each of its edges.
fn circles(tree: &Tree) -> Vec<String> {
    let told = |(folder, edges): (&Vec<String>, &Edges)| {
        let circle = circle(edges)?;
        let edge =
            |pair: &[String]| format!("  {} → {}: {}", pair[0], pair[1], edges[&pair[0]][&pair[1]]);
        let edges: Vec<String> = circle.windows(2).map(edge).collect();
        Some(format!("in src/{}: {}\n{}", folder.join("/"), circle.join(" → "), edges.join("\n")))
    };
    tree.folders().iter().filter_map(told).collect()
}

#[test]
fn nobody_imports_what_the_table_does_not_allow() {
    let strays = strays(tree());
    assert!(
        strays.is_empty(),
        "imports against the table of ARCHITECTURE.md:\n{}",
        strays.join("\n")
    );
}

#[test]
fn every_outside_crate_lives_in_its_home() {
    let (named, used): (BTreeSet<String>, BTreeSet<String>) =
        (homes().into_keys().map(str::to_owned).collect(), dependencies().into_iter().collect());
    assert_eq!(named, used, "the table of homes names the crates of Cargo.toml, each once");
    let away = away_from_home(tree());
    assert!(away.is_empty(), "outside crates away from home:\n{}", away.join("\n"));
}

#[test]
fn a_home_that_nobody_lives_in_is_struck_from_the_table() {
    let uses = &tree().uses;
    let lives = |name: &str, home: &str| {
        uses.iter().any(|it| {
            matches!(&it.target, Target::Outside(path) if path[0] == name)
                && it.file.starts_with(home)
        })
    };
    let empty: Vec<String> = homes()
        .iter()
        .flat_map(|(name, homes)| homes.iter().map(move |home| (*name, *home)))
        .filter(|(name, home)| !lives(name, home))
        .map(|(name, home)| format!("{name}: {home}"))
        .collect();
    assert!(empty.is_empty(), "homes without anybody:\n{}", empty.join("\n"));
}

#[test]
fn no_circle_of_modules_exists() {
    let tree = tree();
    if std::env::var_os("HUOYAN_PRINT_GRAPH").is_some() {
        for (folder, edges) in tree.folders() {
            println!("src/{}", folder.join("/"));
            for (from, to) in edges {
                println!("  {from} → {}", to.into_keys().collect::<Vec<_>>().join(", "));
            }
        }
    }
    let circles = circles(tree);
    assert!(
        circles.is_empty(),
        "modules that know each other in a circle:\n{}",
        circles.join("\n")
    );
}

#[test]
fn no_module_is_read_from_another_place() {
    // The kit of triage's tests is shared with the stories in `tests/it`.
    let foreign: Vec<&String> =
        tree().foreign.iter().filter(|it| !it.ends_with("#[path] mod kit")).collect();
    assert!(foreign.is_empty(), "walls are drawn between files where they stand: {foreign:#?}");
}

#[test]
fn triage_reaches_nothing_outside() {
    let closed = ["fs", "net", "env", "thread", "process"];
    let reaches = |it: &&Use| match &it.target {
        Target::Outside(path) => {
            let inside = path.get(1).map_or("", String::as_str);
            let is_clock =
                path.iter().any(|name| ["SystemTime", "Instant"].contains(&name.as_str()));
            path[0] == "tokio"
                || path[0] == "tracing"
                || path[0] == "std" && (closed.contains(&inside) || is_clock)
        }
        Target::Ours(_) => false,
    };
    let uses = &tree().uses;
    let found: Vec<String> = uses
        .iter()
        .filter(|it| it.from.first().is_some_and(|it| it == "triage"))
        .filter(reaches)
        .map(Use::shown)
        .collect();
    assert!(found.is_empty(), "triage is pure:\n{}", found.join("\n"));
}

/// A house of a few files, in which one text stands in `src/camera/gst.rs`.
fn house(text: &str) -> Tree {
    let file = |path: &str, text: &str| (format!("src/{path}"), text.to_owned());
    let files = [
        file("lib.rs", "pub mod camera; pub mod triage; pub mod web; pub mod frame; pub mod app;"),
        file("camera/mod.rs", "mod gst; mod fault; pub use gst::init; pub use fault::Fault;"),
        file("camera/gst.rs", text),
        file("camera/fault.rs", "pub struct Fault;"),
        file("triage.rs", "pub struct Sighting;"),
        file("frame.rs", "pub use crate::web::State; pub struct Frame;"),
        file(
            "web.rs",
            "pub struct State; pub fn serve() {} pub mod limits { pub const MOST: u32 = 1; }",
        ),
        file("app.rs", "pub fn run() {} pub use sqlx::query as ask;"),
    ];
    Tree::new(&files, ["sqlx", "gstreamer"].map(str::to_owned))
}

#[test]
fn a_wall_is_not_passed_by_writing_an_import_another_way() {
    for text in [
        "use crate::web;",
        "use crate::{triage, web};",
        "use crate::{triage::Sighting, web::{limits::{MOST}, State as S}};",
        "use crate::web::*;",
        "fn f() { crate::web::serve() }",
        "fn f() { use super::super::web::serve; serve() }",
        "fn f() { super::super::web::limits::MOST; }",
        "mod inner { fn f() { super::super::super::web::serve() } }",
        "use crate::frame::State;",
        "use crate as all; fn f() { all::web::serve() }",
        "struct S { it: Vec<Option<crate::web::State>> }",
        "impl From<crate::web::State> for () {}",
        "fn f() { tracing::info!(it = crate::web::serve()); }",
        "macro_rules! m { () => { $crate::web::serve() } }",
        "#[derive(Deserialize)] struct S { #[serde(default = \"crate::web::serve\")] it: u32 }",
        "#[utoipa::path(responses((body = crate::web::State)))] fn f() {}",
        "pub(crate) type S = crate::web::State;",
        "#[cfg(test)] mod tests { use crate::web::serve; }",
        "use crate::app::run;",
    ] {
        let found = strays(&house(text));
        assert!(
            found.iter().any(|it| it.starts_with("src/camera/gst.rs:1: ")),
            "not seen: {text}\n{found:?}"
        );
    }
    for text in [
        "use crate::{triage, frame::Frame};",
        "use super::Fault;",
        "fn web() { let web = 1; web + web; }",
        "",
    ] {
        let found: Vec<String> =
            strays(&house(text)).into_iter().filter(|it| it.contains("gst.rs")).collect();
        assert!(found.is_empty(), "nothing is wrong with: {text}\n{found:?}");
    }
}

#[test]
fn an_outside_crate_is_seen_however_it_is_named() {
    for text in [
        "use sqlx;",
        "use sqlx::query;",
        "use {sqlx::{query as ask}};",
        "use sqlx as database; fn f() { database::query() }",
        "fn f() { sqlx::query() }",
        "fn f() { ::sqlx::query() }",
        "extern crate sqlx;",
        "fn f() { vec![sqlx::query()]; }",
        "#[sqlx::test] fn f() {}",
        "use crate::app::ask;",
    ] {
        let found = away_from_home(&house(text));
        assert!(
            found.iter().any(|it| it.starts_with("src/camera/gst.rs:1: ")),
            "not seen: {text}\n{found:?}"
        );
    }
    for text in [
        "use gstreamer as gst; fn f() { gst::init() }",
        "fn f(sqlx: u32) { sqlx + 1; x.sqlx; }",
        "// sqlx::query",
    ] {
        let found: Vec<String> =
            away_from_home(&house(text)).into_iter().filter(|it| it.contains("gst.rs")).collect();
        assert!(found.is_empty(), "nothing is wrong with: {text}\n{found:?}");
    }
}

#[test]
fn a_circle_is_found_through_parents_and_re_exports_and_named_edge_by_edge() {
    let file = |path: &str, text: &str| (format!("src/{path}"), text.to_owned());
    let house = |fault: &str| {
        let files = [
            file("lib.rs", "mod camera; mod web;"),
            file(
                "camera/mod.rs",
                "mod fault; mod gst; mod turn; pub use turn::slots::Slots; use \
                gst::Pipeline;",
            ),
            file("camera/fault.rs", fault),
            file("camera/gst.rs", "use super::fault::Fault; pub struct Pipeline;"),
            file("camera/turn/mod.rs", "pub mod slots;"),
            file("camera/turn/slots.rs", "use crate::camera::Pipeline; pub struct Slots;"),
            file("web.rs", "use crate::camera::Slots;"),
        ];
        circles(&Tree::new(&files, []))
    };
    assert!(house("pub struct Fault;").is_empty());
    for text in ["use super::Slots; pub struct Fault;", "use super::*; pub struct Fault(Slots);"] {
        let found = house(text).join("\n");
        for edge in
            ["in src/camera: ", "fault → turn: src/camera/fault.rs:1", "turn → gst", "gst → fault"]
        {
            assert!(found.contains(edge), "{edge} is missing: {found}");
        }
    }
    assert!(
        house("pub struct Fault; #[cfg(test)] mod tests { use crate::camera::Slots; }").is_empty(),
        "tests may look"
    );
}
