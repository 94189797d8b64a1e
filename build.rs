//! Without Node the program still builds: placeholder pages with instructions replace the real ones
//! until `make ui` has run.

use std::path::Path;
use std::{fs, io};

const STUB: &str = r#"<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><meta name="huoyan-ui" content="missing"><title>Huoyan</title>
<h1>页面尚未构建</h1><p>请运行 <code>make ui</code>，再重新编译。接口在 <a href="/openapi.json">/openapi.json</a>。</p>
<p lang="en">The pages have not been built. Run <code>make ui</code>, then build again.</p>
"#;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/web/ui/dist");
    // Embedded by a macro that cannot see new files by itself.
    println!("cargo::rerun-if-changed=src/store/migrations");
    let dist = Path::new("src/web/ui/dist");
    fs::create_dir_all(dist)?;
    for face in ["office", "wall", "ranger", "ops", "counties", "registers"] {
        let page = dist.join(face).with_extension("html");
        if !page.exists() {
            fs::write(page, STUB)?;
        }
    }
    Ok(())
}
