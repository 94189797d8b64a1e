//! `[centre]`: one process for several counties. Each has a file of its own, `<code>.toml`, and is
//! complete: what several share stands in the centre's file and nowhere else.

use super::Config;
use super::bus::token;
use super::check::Checked;
use crate::base::range::within;
use crate::error::{Error, Result};
use crate::lang::Words;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The centre's own schema, unless it is configured. No county has this code.
const CENTRE: &str = "centre";

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CentreConfig {
    /// The folder of the counties' files, beside the centre's own. None: one county.
    pub counties: Option<PathBuf>,
    /// PostgreSQL connections of each county at most: 4, so that a flood of one county leaves the
    /// server's to the others. A quiet county soon holds as many: its tasks look at once.
    pub connections: u32,
}

impl Default for CentreConfig {
    fn default() -> Self {
        Self { counties: None, connections: 4 }
    }
}

impl CentreConfig {
    pub(super) fn check(&self) -> Checked {
        let usual = Self::default();
        within("[centre] connections", self.connections, 2..=20, usual.connections)
    }
}

/// Sections of the centre's own file; `None`: all keys. What a county decides stands in its file.
const OF_THE_CENTRE: [(&str, Option<&[&str]>); 7] = [
    ("server", None),
    ("clock", None),
    ("store", None),
    ("bus", Some(&["url", "ca"])),
    ("disk", None),
    ("backup", None),
    ("centre", None),
];
/// The same of a county's file. What is shared stands in the centre's, or at the edges.
const OF_A_COUNTY: [(&str, Option<&[&str]>); 11] = [
    ("server", Some(&["public_url", "login_link_life", "ranger_link_life", "session_life"])),
    ("store", Some(&["data", "schema"])),
    ("bus", Some(&["user", "creds"])),
    ("secrets", None),
    ("retention", None),
    ("disk", None),
    ("backup", None),
    ("record", None),
    ("satellite", None),
    ("notify", None),
    ("thresholds", None),
];
const POLICY: (&str, Option<&[&str]>) = ("policy", None);

/// The first section or key that does not belong into this file.
fn stranger(table: &toml::Table, known: &[(&str, Option<&[&str]>)]) -> Option<String> {
    for (section, value) in table {
        let Some((_, keys)) = known.iter().find(|(name, _)| name == section) else {
            return Some(format!("[{section}]"));
        };
        let (Some(keys), Some(given)) = (keys, value.as_table()) else { continue };
        if let Some(key) = given.keys().find(|key| !keys.contains(&key.as_str())) {
            return Some(format!("[{section}] {key}"));
        }
    }
    None
}

/// A county of a centre as it stands in its file.
pub struct Listed {
    pub code: String,
    pub config: Result<Config>,
}

impl Config {
    pub fn is_centre(&self) -> bool {
        self.centre.counties.is_some()
    }

    /// What is true of a centre's own file only.
    pub(super) fn check_centre(&mut self, table: &toml::Table) -> Checked {
        if !self.is_centre() {
            return Ok(());
        }
        if let Some(what) = stranger(table, &OF_THE_CENTRE) {
            return Err(Words::new(
                format!(
                    "有 [centre] 时，{what} 不写在这里：属于某县的写进该县的文件，属于摄像机的写在边缘"
                ),
                format!(
                    "with [centre], {what} does not belong here: what is a county's stands in its \
                    own file, what is of cameras at the edge"
                ),
            ));
        }
        self.store.schema.get_or_insert_with(|| CENTRE.to_owned());
        Ok(())
    }

    /// The codes of the folder's files, in order.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn county_codes(&self) -> Result<Vec<String>> {
        let folder = self.counties_folder()?;
        let cannot = |e| {
            let shown = folder.display();
            Error::invalid(Words::new(
                format!("[centre] counties：无法读取目录 {shown}"),
                format!("[centre] counties: cannot read the folder {shown}"),
            ))
            .because(e)
        };
        let mut codes = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(cannot)? {
            let file = entry.map_err(cannot)?.path();
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if file.extension().is_some_and(|it| it == "toml") && !name.starts_with('.') {
                codes.push(name);
            }
        }
        codes.sort();
        Ok(codes)
    }

    /// Every county of the folder, by code. A file that is wrong has its reason and hides no other.
    ///
    /// # Errors
    /// When the folder itself cannot be read.
    pub fn counties(&self) -> Result<Vec<Listed>> {
        let listed = |code: String| Listed { config: self.county(&code), code };
        let mut listed: Vec<Listed> = self.county_codes()?.into_iter().map(listed).collect();
        let mut before: Vec<&Self> = Vec::new();
        let mut clashes = Vec::new();
        for (n, it) in listed.iter().enumerate() {
            let Ok(config) = &it.config else { continue };
            let clash = std::iter::once(self).chain(before.iter().copied());
            match clash.filter_map(|other| config.clash(other)).next() {
                Some(words) => clashes.push((n, words)),
                None => before.push(config),
            }
        }
        for (n, words) in clashes {
            let file = format!("{}.toml:", listed[n].code);
            listed[n].config = Err(Error::invalid(words.after(&file)));
        }
        Ok(listed)
    }

    /// One county of a centre.
    ///
    /// # Errors
    /// `Invalid`, with what is wrong in its file.
    pub fn county(&self, code: &str) -> Result<Self> {
        self.county_in(&self.counties_folder()?.join(format!("{code}.toml")))
    }

    /// The folder begins at the centre's file, wherever the program was started.
    fn counties_folder(&self) -> Result<PathBuf> {
        let folder = self.centre.counties.as_ref().ok_or_else(|| {
            Error::invalid(Words::new(
                "配置里没有 [centre] counties：这里只有一个县，不要写 --county",
                "the configuration has no [centre] counties: there is one county, so leave \
                --county out",
            ))
        })?;
        Ok(beside(self.file.as_deref(), folder))
    }

    fn county_in(&self, file: &Path) -> Result<Self> {
        let shown = file.display();
        let text = std::fs::read_to_string(file).map_err(|e| {
            Error::invalid(Words::new(
                format!("无法读取县的配置 {shown}"),
                format!("cannot read the county's configuration {shown}"),
            ))
            .because(e)
        })?;
        let code = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        self.county_of(&code, &text, file)
            .map_err(|why| Error::invalid(why.after(&format!("{shown}:"))))
    }

    fn county_of(&self, code: &str, text: &str, file: &Path) -> Result<Self, Words> {
        token("<code>.toml", code)?;
        if code == CENTRE {
            return Err(Words::new(
                "\"centre\" 是中心自己的代号，请给县另取一个",
                "\"centre\" is the centre's own code: give the county another",
            ));
        }
        let table = toml::from_str::<toml::Table>(text).unwrap_or_default();
        let known: Vec<_> = OF_A_COUNTY.into_iter().chain([POLICY]).collect();
        if let Some(what) = stranger(&table, &known) {
            return Err(Words::new(
                format!(
                    "{what} 不写在县的文件里：各县共用的写在中心的 huoyan.toml，摄像机的写在边缘"
                ),
                format!(
                    "{what} does not belong into a county's file: what counties share stands in \
                    the centre's huoyan.toml, what is of cameras at the edge"
                ),
            ));
        }
        let mut county = Self::parsed(text)?;
        if county.server.public_url.is_none() {
            return Err(Words::new(
                format!(
                    "请填 [server] public_url，每县一个域名，例如 \"https://{code}.fire.example\""
                ),
                format!(
                    "[server] public_url is missing; every county has a name of its own, for \
                    example \"https://{code}.fire.example\""
                ),
            ));
        }
        for path in county.own_paths() {
            *path = beside(Some(file), path);
        }
        county.take_over(self, code, table.get("store").and_then(|it| it.get("data")).is_some());
        county.file = Some(file.to_owned());
        county.check()?;
        Ok(county)
    }

    /// The paths that a county's file may name.
    fn own_paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let Self { secrets, bus, backup, store, .. } = self;
        [
            &mut secrets.sms_key,
            &mut secrets.voice_key,
            &mut secrets.wecom_key,
            &mut secrets.inbound_key,
            &mut secrets.firms_key,
            &mut secrets.nats_password,
            &mut bus.creds,
            &mut backup.folder,
        ]
        .into_iter()
        .filter_map(Option::as_mut)
        .chain([&mut store.data])
    }

    /// What all counties of a centre share.
    fn take_over(&mut self, centre: &Self, code: &str, has_own_folder: bool) {
        let shared = &centre.server;
        self.server.listen = shared.listen;
        self.server.certificate.clone_from(&shared.certificate);
        self.server.key.clone_from(&shared.key);
        self.server.plain_http = shared.plain_http;
        self.server.trusted_proxy.clone_from(&shared.trusted_proxy);
        self.clock = centre.clock.clone();
        self.store.url.clone_from(&centre.store.url);
        self.store.schema.get_or_insert_with(|| code.to_owned());
        self.store.connections = Some(centre.centre.connections);
        if !has_own_folder {
            self.store.data = centre.store.data.join(code);
        }
        self.bus.url.clone_from(&centre.bus.url);
        self.bus.ca.clone_from(&centre.bus.ca);
        code.clone_into(&mut self.bus.county);
        (self.camera, self.detect) = (centre.camera.clone(), centre.detect.clone());
        self.code = Some(code.to_owned());
    }

    /// What two of a centre would share without knowing: the one would see the other's.
    pub fn clash(&self, other: &Self) -> Option<Words> {
        let name = other.code.as_deref().unwrap_or(CENTRE);
        let (own, theirs) = (&self.store, &other.store);
        let (what, value) = if self.host() == other.host() {
            ("[server] public_url", self.host())
        } else if own.schema == theirs.schema {
            ("[store] schema", own.schema.clone().unwrap_or_default())
        } else if own.data == theirs.data {
            ("[store] data", own.data.display().to_string())
        } else if let Some(folder) = &self.backup.folder
            && self.backup.folder == other.backup.folder
        {
            ("[backup] folder", folder.display().to_string())
        } else if self.satellite.folder.is_absolute()
            && self.satellite.folder == other.satellite.folder
        {
            ("[satellite] folder", self.satellite.folder.display().to_string())
        } else {
            return None;
        };
        Some(Words::new(
            format!("{what} \"{value}\" 已是 {name} 的，每县应有自己的"),
            format!("{what} \"{value}\" is {name}'s already; every county has its own"),
        ))
    }
}

/// A relative path begins at the folder of the file that names it.
fn beside(file: Option<&Path>, path: &Path) -> PathBuf {
    file.and_then(Path::parent).map_or_else(|| path.to_owned(), |folder| folder.join(path))
}
