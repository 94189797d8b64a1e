//! Nothing leaves an office unasked: the model runs, and ONNX Runtime neither marks the machine nor
//! stores anything to send.

use std::path::Path;
use std::process::Command;

#[test]
fn a_look_at_the_model_leaves_nothing_behind_for_the_maker_of_the_runtime() {
    let home = tempfile::tempdir().expect("a home");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut check = Command::new(env!("CARGO_BIN_EXE_huoyan"));
    // Starts it like a user. The runtime sends nothing by itself where it detects a test
    // environment (CI).
    for name in ["ORT_DISABLE_TELEMETRY", "CI", "GITHUB_ACTIONS", "XDG_CACHE_HOME"] {
        check.env_remove(name);
    }
    check.env("ORT_DYLIB_PATH", root.join(".huoyan/lib/libonnxruntime.so"));
    let told = check
        .env("HOME", home.path())
        .current_dir(root)
        .args(["model", "check"])
        .output()
        .expect("it runs");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let left: Vec<_> =
        std::fs::read_dir(home.path()).expect("readable").flatten().map(|it| it.path()).collect();
    assert!(left.is_empty(), "the runtime left {left:?}");
}
