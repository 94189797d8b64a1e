//! The rules that are tests: how long a file may be, what a folder must hold. The walls between
//! modules are in `walls.rs`.

use std::fs;
use std::path::{Path, PathBuf};

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    fn walk(at: &Path, ending: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(at).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() {
                if !["node_modules", "dist", "generated", "__pycache__"]
                    .iter()
                    .any(|it| name == *it)
                {
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
    let text = |path: &PathBuf| {
        fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    };
    found
        .iter()
        .map(|p| (p.strip_prefix(root()).expect("below the root").display().to_string(), text(p)))
        .collect()
}

/// Code lines with comments and doc comments taken out.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

/// `walls.rs` sees that it imports nothing that could reach outside; nor may it wait, or ask for
/// the time.
#[test]
fn triage_is_pure() {
    for (path, text) in files("src/triage", ".rs") {
        for line in code(&text) {
            assert!(
                !["async ", "::now()", "clock::", "base::file"].iter().any(|it| line.contains(it)),
                "{path} is not pure: {}",
                line.trim()
            );
        }
    }
}

#[test]
fn a_file_fits_a_mind() {
    for (path, text) in files("src", ".rs")
        .into_iter()
        .chain(files("src/web/ui", ".ts"))
        .chain(files("src/web/ui", ".tsx"))
    {
        let lines = text.lines().count();
        assert!(
            lines <= 600,
            "{path} has {lines} lines; 600 is a stop (tests go to a sibling file)"
        );
    }
}

#[test]
fn nothing_is_left_unfinished_or_silenced() {
    let words =
        ["todo!(", "unimplemented!(", "dbg!(", concat!("FIX", "ME"), concat!("#[ig", "nore")];
    for (path, text) in files("src", ".rs")
        .into_iter()
        .chain(files("tests", ".rs"))
        .filter(|(p, _)| !p.ends_with("tidy.rs"))
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
        files(&folder, ".sql")
            .iter()
            .map(|(p, _)| p.rsplit('/').next().expect("a name").to_owned())
            .collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
    assert!(!names("sqlite").is_empty());
}

#[test]
fn every_model_folder_is_a_release() {
    for entry in fs::read_dir(root().join("models"))
        .expect("models/")
        .flatten()
        .filter(|e| e.path().is_dir())
    {
        for version in fs::read_dir(entry.path()).expect("a model").flatten() {
            let path = version.path();
            if path.is_dir() && version.file_name() != "train" {
                for part in ["model.onnx", "model.toml", "MODEL_CARD.md", "goldens.json"] {
                    assert!(path.join(part).is_file(), "{} lacks {part}", path.display());
                }
                let size = fs::metadata(path.join("model.onnx")).expect("size").len();
                assert!(
                    size <= 12_000_000,
                    "{} has {size} bytes, 12 MB is the limit",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn the_commands_of_the_readme_are_the_ones_that_ci_runs() {
    let read = |name: &str| {
        fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    };
    let (readme, ci, makefile) = (read("README.md"), read(".ci/run"), read("Makefile"));
    let commands: Vec<&str> =
        ci.lines().filter(|l| !l.starts_with('#') && l.contains("make ")).collect();
    assert_eq!(
        commands,
        ["exec make test"],
        ".ci/run runs the README's test command and nothing else"
    );
    for command in ["make run", "make test", "make e2e", "make simulate", "make bench"] {
        assert!(readme.contains(command), "README does not tell of `{command}`");
        let target = command.trim_start_matches("make ");
        assert!(
            makefile.lines().any(|l| l.starts_with(&format!("{target}:"))),
            "Makefile has no {target}"
        );
    }
}

#[test]
fn the_map_stays_small() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    assert!(
        map.lines().count() <= 250,
        "ARCHITECTURE.md has {} lines, 250 is the limit",
        map.lines().count()
    );
}
