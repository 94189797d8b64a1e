//! The registers as they are now, and as they were: one handle that everybody reads. They come from
//! the log ([`Registers::renew`]), or, where there is no database, from the folder alone
//! ([`Registers::load`]). A row that cannot be used is listed as a problem, and the rest is used.

use super::basics::Problem;
use super::folder::{Folder, Found};
use super::sheet::Sheet;
use super::terrain::{self, Listing, TileCache, Window};
use super::{County, names};
use crate::address::Address;
use crate::error::{Error, Result};
use crate::lang::{Lang, Words};
use crate::register::{Entries, Entry, History, Register, Validity};
use crate::table::Spot;
use jiff::{SignedDuration, Timestamp};
use parking_lot::{Mutex, RwLock};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// How long an edited file has to stay as it is before it is taken. One that is still being saved,
/// perhaps over a slow network, lacks the rows at its end.
pub const SETTLED_AFTER: SignedDuration = SignedDuration::from_secs(10);

/// A handle on the registers. Clones share it.
#[derive(Clone, Debug)]
pub struct Registers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    folder: Folder,
    current: RwLock<Arc<County>>,
    history: RwLock<Arc<History>>,
    /// The files as they were read last.
    stamps: Mutex<Stamps>,
    /// Without a database: since when changed files have been as they are, until they are taken.
    unsettled: Mutex<Option<Timestamp>>,
    /// Without a database: when a row of the folder begins or ends by itself.
    next_turn: Mutex<Option<Timestamp>>,
    shelf: Mutex<TileCache>,
    /// Counties of other days with all that they depend on, the last used first.
    past: Mutex<Vec<(State, Arc<County>)>>,
}

/// The newest change, and the last instant at which anything changed by what it knows.
type State = (u64, Timestamp);

/// Closed incidents are read in rows of one day. A county of 267 cameras takes a few megabytes.
const PAST: usize = 4;

/// The state of the register files and of the terrain files.
type Stamps = (Vec<Option<Stamp>>, Listing);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
}

impl Registers {
    /// From the folder alone. Error when a file that exists cannot be read or parsed as a whole.
    pub fn load(dir: &Path, now: Timestamp) -> Result<Self> {
        let registers = Self::in_folder(dir);
        registers.files_have_changed();
        registers.read_folder(now)?;
        Ok(registers)
    }

    /// Empty until the first [`Self::renew`].
    pub fn in_folder(dir: &Path) -> Self {
        Self::holding(Folder::new(dir), County::default())
    }

    /// A county that no file holds, for tests and replays.
    pub fn fixed(county: County) -> Self {
        Self::holding(Folder::default(), county)
    }

    fn holding(folder: Folder, county: County) -> Self {
        let current = RwLock::new(Arc::new(county));
        let (history, stamps, shelf) = (RwLock::default(), Mutex::default(), Mutex::default());
        let (unsettled, next_turn) = (Mutex::default(), Mutex::default());
        let past = Mutex::default();
        let shared = Shared { folder, current, history, stamps, unsettled, next_turn, shelf, past };
        Self(Arc::new(shared))
    }

    pub fn folder(&self) -> &Folder {
        &self.0.folder
    }

    /// The registers as they are now. The value does not change while a decision uses it.
    pub fn current(&self) -> Arc<County> {
        Arc::clone(&self.0.current.read())
    }

    /// Everything that was ever registered; empty without a database.
    pub fn history(&self) -> Arc<History> {
        Arc::clone(&self.0.history.read())
    }

    /// The registers as they were at an instant: names in an old report are the names of its day.
    /// Before the first change the first registers are the best that is known.
    pub fn at(&self, instant: Timestamp) -> Arc<County> {
        let history = self.history();
        let Some(first) = history.changes().first() else { return self.current() };
        let instant = instant.max(first.at);
        let state = (history.number(), history.last_turn(instant));
        let mut past = self.0.past.lock();
        if let Some(place) = past.iter().position(|(it, _)| *it == state) {
            past[..=place].rotate_right(1);
            return Arc::clone(&past[0].1);
        }
        drop(past);
        let county = Arc::new(County::of(&history.at(instant), Lang::from_env()));
        let mut past = self.0.past.lock();
        past.retain(|((number, _), _)| *number == state.0);
        past.retain(|(it, _)| *it != state);
        past.insert(0, (state, Arc::clone(&county)));
        past.truncate(PAST);
        county
    }

    /// Takes over what the log says is valid now.
    pub fn renew(
        &self,
        history: Arc<History>,
        problems: Vec<Problem>,
        now: Timestamp,
    ) -> Result<()> {
        let county = self.county(&history.at(now), problems)?;
        *self.0.history.write() = history;
        *self.0.current.write() = Arc::new(county);
        Ok(())
    }

    /// Without a database: reads again when a file was added, removed or changed and has been as it
    /// is for long enough, or when a row's time has come; true when it did. On an error the old
    /// registers stay, and the same files are not tried again until one changes.
    pub fn reload_if_changed(&self, now: Timestamp) -> Result<bool> {
        let has_changed = self.files_have_changed();
        let mut unsettled = self.0.unsettled.lock();
        if has_changed {
            *unsettled = Some(now);
        }
        let has_turned = self.0.next_turn.lock().is_some_and(|turn| turn <= now);
        match *unsettled {
            Some(since) if now.duration_since(since) < SETTLED_AFTER => return Ok(false),
            None if !has_turned => return Ok(false),
            _ => *unsettled = None,
        }
        drop(unsettled);
        self.read_folder(now)?;
        Ok(true)
    }

    fn read_folder(&self, now: Timestamp) -> Result<()> {
        *self.0.next_turn.lock() = None;
        let (mut entries, mut problems) = (Entries::default(), Vec::new());
        let mut turns = Vec::new();
        for register in Register::ALL {
            let Some((found, refused)) = look(&self.0.folder, register, &entries)? else {
                continue;
            };
            problems.extend(refused);
            for entry in found.sheet.wanted(now) {
                turns.extend([entry.valid.from, entry.valid.until].into_iter().flatten());
                if entry.valid.holds(now) {
                    entries.push(register, Entry { valid: Validity::default(), ..entry });
                }
            }
        }
        *self.0.next_turn.lock() = turns.into_iter().filter(|turn| *turn > now).min();
        let county = self.county(&entries, problems)?;
        *self.0.current.write() = Arc::new(county);
        Ok(())
    }

    /// Whether a file was added, removed or changed since the last call. A change is seen by time
    /// and size; of the outline, whatever its name, by the folder's own time.
    pub fn files_have_changed(&self) -> bool {
        let dir = self.0.folder.dir();
        let names = std::iter::once("").chain(Register::ALL.map(Register::file_name));
        let stamp = |name| {
            let meta = std::fs::metadata(dir.join(name)).ok()?;
            Some(Stamp { modified: meta.modified().ok(), bytes: meta.len() })
        };
        let now = (
            names.map(stamp).collect(),
            terrain_dir(dir).map(|dir| terrain::listing(&dir)).unwrap_or_default(),
        );
        let mut seen = self.0.stamps.lock();
        let has_changed = *seen != now;
        *seen = now;
        has_changed
    }

    /// The next [`Self::files_have_changed`] says yes: what was found could not be taken over.
    pub fn look_again(&self) {
        *self.0.stamps.lock() = Stamps::default();
    }

    fn county(&self, entries: &Entries, mut problems: Vec<Problem>) -> Result<County> {
        let lang = Lang::from_env();
        let mut county = County::of(entries, lang);
        county.cameras = county.cameras.into_iter().map(with_password).collect::<Result<_>>()?;
        if let Some(dir) = terrain_dir(self.0.folder.dir()) {
            let mut shelf = self.0.shelf.lock();
            let (terrain, unused) = shelf.take(&dir, county.bounds().map(Window::around));
            county.terrain = terrain;
            problems.extend(unused);
        }
        county.problems.extend(problems);
        Ok(county)
    }
}

/// A file of the folder, its names resolved by `current`, and its rows that cannot be used. What is
/// wrong is said in both languages, by reading it twice.
pub fn look(
    folder: &Folder,
    register: Register,
    current: &Entries,
) -> Result<Option<(Found, Vec<Problem>)>> {
    let read = |lang| -> Result<Option<Found>> {
        let mut found = folder.read(register, lang)?;
        if let Some(found) = &mut found {
            names::resolve(register, &mut found.sheet, current, lang);
        }
        Ok(found)
    };
    let found = read(Lang::Zh).map_err(|zh| {
        let said = |lang| read(lang).map_or_else(|e| e.chain_in(lang), |_| zh.chain_in(lang));
        Error::new(zh.kind, Words::by(said))
    })?;
    let Some(found) = found else { return Ok(None) };
    if found.sheet.rejected.is_empty() && found.sheet.unread.is_empty() {
        return Ok(Some((found, Vec::new())));
    }
    let Sheet { rejected: english, unread, .. } =
        read(Lang::En)?.map(|it| it.sheet).unwrap_or_default();
    let english: BTreeMap<Spot, String> = english.into_iter().collect();
    let problem = |(spot, zh): &(Spot, String)| {
        let en = english.get(spot).unwrap_or(zh);
        let said = |why: &String, lang| spot.said(why.clone(), lang);
        let reason = Words::new(said(zh, Lang::Zh), said(en, Lang::En));
        Problem { file: register.file_name().to_owned(), line: spot.line, reason }
    };
    let sheets = found
        .sheet
        .unread
        .iter()
        .zip(unread)
        .map(|(zh, en)| Problem::of_file(register.file_name(), Words::new(zh, en)));
    let problems = found.sheet.rejected.iter().map(problem).chain(sheets).collect();
    Ok(Some((found, problems)))
}

/// `<data>/terrain`, beside `<data>/registers`.
fn terrain_dir(registers: &Path) -> Option<PathBuf> {
    registers
        .file_name()
        .filter(|name| *name == "registers")
        .map(|_| registers.with_file_name("terrain"))
}

/// Adds the password: from the address, from `HUOYAN_CAMERA_PASSWORD_<ID>`, from the file that
/// `HUOYAN_CAMERA_PASSWORD_<ID>_FILE` names, or from HUOYAN_CAMERA_PASSWORD for all cameras. In
/// `<ID>` everything but letters and digits is "_".
fn with_password(mut camera: super::CameraEntry) -> Result<super::CameraEntry> {
    if !camera.url.lacks_password()
        && !camera.main_url.as_ref().is_some_and(Address::lacks_password)
    {
        return Ok(camera);
    }
    let id: String = camera
        .id
        .as_str()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let own = format!("HUOYAN_CAMERA_PASSWORD_{}", id.to_ascii_uppercase());
    let password = match (std::env::var(&own), std::env::var(format!("{own}_FILE"))) {
        (Ok(password), _) => Some(password),
        (_, Ok(path)) => Some(
            std::fs::read_to_string(&path)
                .map_err(|e| {
                    Error::unavailable(format!("cannot read {path}, named by {own}_FILE"))
                        .because(e)
                })?
                .trim_end()
                .to_owned(),
        ),
        _ => std::env::var("HUOYAN_CAMERA_PASSWORD").ok(),
    };
    // Only for addresses for which the register names a user: the others need no password.
    let with =
        |url: Address| if url.lacks_password() { url.with(None, password.clone()) } else { url };
    (camera.url, camera.main_url) = (with(camera.url), camera.main_url.map(with));
    Ok(camera)
}
