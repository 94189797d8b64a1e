//! The rules that are tests: who may import whom, where outside crates live, how long a file may be, what a folder must hold.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    fn walk(at: &Path, ending: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(at).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() {
                if !["node_modules", "dist", "generated", "__pycache__"].iter().any(|it| name == *it) {
                    walk(&path, ending, found);
                }
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), ending, &mut found);
    found.sort();
    let text = |path: &PathBuf| fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    found.iter().map(|p| (p.strip_prefix(root()).expect("below the root").display().to_string(), text(p))).collect()
}

/// The module a file of `src/` belongs to: `src/camera/gst.rs` → `camera`.
fn module(path: &str) -> &str {
    let inside = path.trim_start_matches("src/");
    inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs")
}

/// Code lines with comments and doc comments taken out.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

/// ARCHITECTURE.md "Who may import whom".
fn may_import(module: &str) -> Option<&'static [&'static str]> {
    const BASE: [&str; 0] = [];
    Some(match module {
        "address" | "triage" | "error" | "clock" | "lang" => &BASE,
        "config" => &["triage", "error"],
        "frame" => &["triage", "error"],
        "camera" => &["address", "triage", "config", "clock", "error", "lang", "frame"],
        "detect" => &["triage", "config", "clock", "error", "lang", "frame"],
        "register" => &["triage"],
        "county" => &["address", "register", "triage", "config", "clock", "error", "lang"],
        "store" => &["register", "triage", "config", "clock", "error", "lang"],
        "satellite" | "bus" => &["triage", "config", "clock", "error", "lang"],
        "backup" => &["triage", "store", "config", "clock", "error", "lang"],
        "desk" => &["triage", "register", "county", "store", "bus", "config", "clock", "error", "lang"],
        "notify" | "report" => &["triage", "county", "store", "config", "clock", "error", "lang"],
        "drill" => &["triage", "frame", "camera", "config", "clock", "error", "lang"],
        "engine" => &["triage", "frame", "camera", "detect", "drill", "config", "clock", "error", "lang"],
        "web" => &[
            "triage", "register", "desk", "store", "bus", "report", "county", "frame", "config", "clock", "error",
            "lang",
        ],
        "app" | "cli" | "main" | "lib" => return None,
        unknown => panic!("src/{unknown} is not in the import table: add it to ARCHITECTURE.md and here"),
    })
}

#[test]
fn nobody_imports_what_the_table_does_not_allow() {
    let mut broken = Vec::new();
    for (path, text) in files("src", ".rs") {
        let own = module(&path);
        let Some(allowed) = may_import(own) else { continue };
        for line in code(&text) {
            for used in line.split("crate::").skip(1) {
                let name: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if !name.is_empty() && name != own && !allowed.contains(&name.as_str()) {
                    broken.push(format!("{path}: {}", line.trim()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "imports against the table of ARCHITECTURE.md:\n{}", broken.join("\n"));
}

#[test]
fn every_outside_crate_lives_in_its_home() {
    let homes: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("gstreamer", ["src/camera/", "src/satellite/bytes.rs"].as_slice()),
        ("retina::", &["src/camera/receive/rtsp/"]),
        (
            "rustix::",
            &[
                "src/camera/receive/open_files.rs",
                "src/app/disk.rs",
                "src/engine/mod.rs",
                "src/cli/mod.rs",
                "src/clock.rs",
            ],
        ),
        ("percent_encoding::", &["src/address/"]),
        ("ort::", &["src/detect/"]),
        ("sqlx::", &["src/store/"]),
        ("async_nats", &["src/bus/"]),
        ("axum::", &["src/web/", "src/app"]),
        ("hyper::", &["src/web/http/connections"]),
        ("hyper_util::", &["src/web/http/connections"]),
        ("socket2::", &["src/web/http/connections"]),
        ("rust_embed", &["src/web/"]),
        ("reqwest::", &["src/notify/", "src/camera/receive/snapshot.rs"]),
        ("http_auth", &["src/camera/receive/snapshot.rs"]),
        ("clap::", &["src/cli/", "src/main.rs"]),
        ("indicatif::", &["src/cli/progress.rs"]),
        ("fast_image_resize", &["src/frame/"]),
        ("tiff::", &["src/county/terrain/"]),
        ("rsntp::", &["src/cli/check/clock.rs"]),
        ("csv::", &["src/county/", "src/satellite/", "src/report/"]),
    ]);
    let mut strays = Vec::new();
    for (path, text) in files("src", ".rs") {
        for (name, home) in &homes {
            let at_home = home.iter().any(|h| path.starts_with(h));
            let used = |line: &&str| {
                line.match_indices(name).any(|(at, _)| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '-' || c == '"')
                })
            };
            if !at_home && let Some(line) = code(&text).find(used) {
                strays.push(format!("{path}: {}", line.trim()));
            }
        }
    }
    assert!(strays.is_empty(), "outside crates away from home:\n{}", strays.join("\n"));
}

#[test]
fn triage_is_pure() {
    let banned =
        ["std::fs", "std::net", "std::env", "std::thread", "tokio", "async ", "SystemTime", "Instant::now", "::now()"];
    for (path, text) in files("src/triage", ".rs") {
        for line in code(&text) {
            assert!(!banned.iter().any(|b| line.contains(b)), "{path} is not pure: {}", line.trim());
        }
    }
}

#[test]
fn a_file_fits_a_mind() {
    for (path, text) in
        files("src", ".rs").into_iter().chain(files("src/web/ui", ".ts")).chain(files("src/web/ui", ".tsx"))
    {
        let lines = text.lines().count();
        assert!(lines <= 600, "{path} has {lines} lines; 600 is a stop (tests go to a sibling file)");
    }
}

#[test]
fn nothing_is_left_unfinished_or_silenced() {
    let words = ["todo!(", "unimplemented!(", "dbg!(", concat!("FIX", "ME"), concat!("#[ig", "nore")];
    for (path, text) in
        files("src", ".rs").into_iter().chain(files("tests", ".rs")).filter(|(p, _)| !p.ends_with("tidy.rs"))
    {
        for word in words {
            assert!(!text.contains(word), "{path} holds {word}");
        }
    }
}

#[test]
fn sqlite_and_postgres_migrations_have_the_same_names() {
    let names = |kind: &str| -> Vec<String> {
        let folder = format!("src/store/migrations/{kind}");
        files(&folder, ".sql").iter().map(|(p, _)| p.rsplit('/').next().expect("a name").to_owned()).collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
    assert!(!names("sqlite").is_empty());
}

#[test]
fn every_model_folder_is_a_release() {
    for entry in fs::read_dir(root().join("models")).expect("models/").flatten().filter(|e| e.path().is_dir()) {
        for version in fs::read_dir(entry.path()).expect("a model").flatten() {
            let path = version.path();
            if path.is_dir() && version.file_name() != "train" {
                for part in ["model.onnx", "model.toml", "MODEL_CARD.md", "goldens.json"] {
                    assert!(path.join(part).is_file(), "{} lacks {part}", path.display());
                }
                let size = fs::metadata(path.join("model.onnx")).expect("size").len();
                assert!(size <= 12_000_000, "{} has {size} bytes, 12 MB is the limit", path.display());
            }
        }
    }
}

#[test]
fn the_commands_of_the_readme_are_the_ones_that_ci_runs() {
    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    let (readme, ci, makefile) = (read("README.md"), read(".ci/run"), read("Makefile"));
    let commands: Vec<&str> = ci.lines().filter(|l| !l.starts_with('#') && l.contains("make ")).collect();
    assert_eq!(commands, ["exec make test"], ".ci/run runs the README's test command and nothing else");
    for command in ["make run", "make test", "make e2e", "make simulate", "make bench"] {
        assert!(readme.contains(command), "README does not tell of `{command}`");
        let target = command.trim_start_matches("make ");
        assert!(makefile.lines().any(|l| l.starts_with(&format!("{target}:"))), "Makefile has no {target}");
    }
}

#[test]
fn the_map_stays_small() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    assert!(map.lines().count() <= 250, "ARCHITECTURE.md has {} lines, 250 is the limit", map.lines().count());
}
