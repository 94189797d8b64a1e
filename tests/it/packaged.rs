//! What the Debian package installs: every role is a service that may do no more than it needs.

use crate::tidy::{files, root};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What holds for every role. The value is that of the line in `common.conf`.
const HARDENED: &[(&str, &str)] = &[
    ("User", "huoyan"),
    ("Group", "huoyan"),
    ("StateDirectoryMode", "0700"),
    ("UMask", "0077"),
    ("Restart", "always"),
    ("LimitCORE", "0"),
    ("CapabilityBoundingSet", "CAP_NET_BIND_SERVICE"),
    ("NoNewPrivileges", "yes"),
    ("ProtectSystem", "strict"),
    ("ProtectHome", "yes"),
    ("PrivateTmp", "yes"),
    ("PrivateDevices", "yes"),
    ("ProtectClock", "yes"),
    ("ProtectControlGroups", "yes"),
    ("ProtectHostname", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelTunables", "yes"),
    ("ProtectProc", "invisible"),
    ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX AF_NETLINK"),
    ("RestrictNamespaces", "yes"),
    ("RestrictRealtime", "yes"),
    ("RestrictSUIDSGID", "yes"),
    ("RemoveIPC", "yes"),
    ("LockPersonality", "yes"),
    ("MemoryDenyWriteExecute", "yes"),
    ("SystemCallArchitectures", "native"),
    ("SystemCallFilter", "@system-service ~@privileged"),
];
/// What a unit of a role may say. Anything else could take a rule of `common.conf` back.
const OF_A_ROLE: &[&str] = &[
    "Unit.Description",
    "Unit.Documentation",
    "Unit.Conflicts",
    "Service.ExecStart",
    "Install.WantedBy",
];
const ROLES: [&str; 3] = ["desk", "detect", "run"];
/// systemd's own mark, times ten: 0 is safe, 100 is not.
const EXPOSED_AT_MOST: &str = "17";

/// `Section.Key` and all its values.
fn lines(text: &str) -> BTreeMap<String, String> {
    let (mut section, mut lines) = (String::new(), BTreeMap::<String, String>::new());
    for line in text.lines().map(str::trim).filter(|it| !it.is_empty() && !it.starts_with('#')) {
        match line.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            Some(name) => section = name.to_owned(),
            None => {
                let (key, value) = line.split_once('=').expect("a line with a value");
                let all = lines.entry(format!("{section}.{key}")).or_default();
                *all = format!("{all} {value}").trim().to_owned();
            }
        }
    }
    lines
}

fn manifest() -> toml::Table {
    let text = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let table: toml::Table = text.parse().expect("TOML");
    table["package"]["metadata"]["deb"].as_table().expect("a table").clone()
}

#[test]
fn every_role_runs_as_nobody_who_could_do_harm() {
    let common = lines(include_str!("../../packaging/systemd/common.conf"));
    for (key, value) in HARDENED {
        assert_eq!(
            common.get(&format!("Service.{key}")).map(String::as_str),
            Some(*value),
            "{key}"
        );
    }
    let edge = lines(include_str!("../../packaging/systemd/detect.conf"));
    let nothing = |key: &str| (format!("Service.{key}"), String::new());
    assert_eq!(
        edge,
        BTreeMap::from(["AmbientCapabilities", "CapabilityBoundingSet"].map(nothing)),
        "an edge has fewer rights, and no more"
    );
    let units = files("packaging/systemd", ".service");
    let roles: Vec<&str> = units
        .iter()
        .map(|(path, text)| {
            let name = Path::new(path).file_stem().and_then(|it| it.to_str()).expect("a name");
            // The name is how huoyan-.service.d/ finds it.
            let role = name.strip_prefix("huoyan-").expect("huoyan-<role>");
            let unit = lines(text);
            let program = format!("/usr/lib/huoyan/huoyan {role}");
            assert_eq!(unit["Service.ExecStart"], program, "{path}");
            for key in unit.keys() {
                assert!(OF_A_ROLE.contains(&key.as_str()), "{path}: {key} belongs to common.conf");
            }
            role
        })
        .collect();
    assert_eq!(roles, ROLES);
}

/// A PC of an office runs everything. A machine with another role is told so by a person.
#[test]
fn the_package_brings_every_role_and_starts_only_the_one_of_an_office() {
    let manifest = manifest();
    let units = manifest["systemd-units"].as_array().expect("a list");
    let mut roles: Vec<(&str, bool, bool)> = units
        .iter()
        .map(|it| {
            let is = |key: &str| it[key].as_bool().expect(key);
            assert!(is("restart-after-upgrade"), "what runs is restarted with the new program");
            let name = it["unit-name"].as_str().expect("a name");
            (name.trim_start_matches("huoyan-"), is("enable"), is("start"))
        })
        .collect();
    roles.sort_unstable();
    assert_eq!(roles, [("desk", false, false), ("detect", false, false), ("run", true, true)]);
    let assets: Vec<&str> = manifest["assets"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|it| it[1].as_str())
        .collect();
    for needed in [
        "usr/lib/systemd/system/huoyan-.service.d/10-common.conf",
        "usr/lib/systemd/system/huoyan-detect.service.d/20-edge.conf",
    ] {
        assert!(assets.contains(&needed), "{needed} is installed");
    }
}

#[test]
fn systemd_reads_the_units_and_finds_them_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let system = folder.path().join("usr/lib/systemd/system");
    let packaging = root().join("packaging/systemd");
    for (from, to) in [
        ("common.conf", "huoyan-.service.d/10-common.conf"),
        ("detect.conf", "huoyan-detect.service.d/20-edge.conf"),
    ] {
        let to = system.join(to);
        fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        fs::copy(packaging.join(from), to).expect("a copy");
    }
    for role in ROLES {
        let name = format!("huoyan-{role}.service");
        let text = fs::read_to_string(packaging.join(&name)).expect("a unit");
        // The program is not installed here.
        let text = text.replace("/usr/lib/huoyan/huoyan", "/bin/true");
        fs::write(system.join(&name), text).expect("a copy");
    }
    let asks = |words: &[&str], role: &str| {
        let asked = Command::new("systemd-analyze")
            .args(words)
            .arg(format!("huoyan-{role}.service"))
            .env("SYSTEMD_UNIT_PATH", format!("{}:", system.display()))
            .env("SYSTEMD_LOG_TARGET", "console")
            .output()
            .ok()?;
        let said = [asked.stdout, asked.stderr].concat();
        Some((asked.status.success(), String::from_utf8_lossy(&said).into_owned()))
    };
    let at = format!("--root={}", folder.path().display());
    for role in ROLES {
        let Some((_, said)) = asks(&["verify", "--man=no"], role) else {
            return eprintln!("skipped: systemd-analyze is not installed");
        };
        assert_eq!(said, "", "{role}");
        let threshold = format!("--threshold={EXPOSED_AT_MOST}");
        let (is_closed, said) =
            asks(&["security", "--offline=true", &threshold, &at], role).expect("as before");
        assert!(is_closed, "{said}");
    }
}
