//! 登记台: the only place that changes a register. It follows the log, so that all desks of one
//! database know the same; it takes what was edited in the folder of the registers, and writes
//! there what was changed elsewhere.

use crate::clock::Clock;
use crate::county::{self, Found, ImportReport, Problem, Registers, Taken};
use crate::error::{Error, Kind, Result};
use crate::lang::Lang;
use crate::register::{Author, Change, Diff, Entry, Fact, History, Register};
use crate::store::Store;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Mutex;

/// How often a change that lost to a faster one is tried again. Losing five times in a row means an
/// error.
pub(super) const ATTEMPTS: usize = 5;

/// A handle, cheap to clone.
#[derive(Clone)]
pub struct Registry {
    store: Store,
    registers: Registers,
    pub(super) clock: Clock,
    pub(super) lang: Lang,
    /// One at a time follows the log and the folder.
    following: Arc<Mutex<Followed>>,
}

#[derive(Default)]
struct Followed {
    /// When it was looked at last; facts may begin and end without a change.
    at: Option<Timestamp>,
    problems: Problems,
}

#[derive(Default)]
struct Problems {
    /// What the files hold that cannot be taken.
    stand: BTreeMap<Register, Vec<Problem>>,
    /// What was not taken from a file that has been written anew since, until somebody edits it
    /// again.
    passed: BTreeMap<Register, Vec<Problem>>,
    /// Files that are behind because they cannot be written; tried again at every look.
    unwritten: Vec<Problem>,
}

impl Problems {
    fn all(&self) -> Vec<Problem> {
        self.stand
            .values()
            .chain(self.passed.values())
            .flatten()
            .chain(&self.unwritten)
            .cloned()
            .collect()
    }
}

/// Which file brings which register, and how.
#[derive(Clone, Debug)]
pub struct Import<'a> {
    pub register: Register,
    /// The file's name, for its original and for the words.
    pub name: &'a str,
    pub bytes: &'a [u8],
    /// Entries missing from the file are removed from the register; otherwise they stay.
    pub replace: bool,
    /// Only report what would happen.
    pub dry_run: bool,
}

impl Registry {
    /// Reads the log. A folder of an earlier release, which only had files, is taken over.
    pub async fn open(store: &Store, dir: &Path, clock: Clock, lang: Lang) -> Result<Self> {
        let registry = Self::over(store, Registers::in_folder(dir), clock, lang);
        registry.follow().await?;
        Ok(registry)
    }

    /// Over registers that are at hand; nothing is read until [`Self::follow`].
    pub fn over(store: &Store, registers: Registers, clock: Clock, lang: Lang) -> Self {
        Self { store: store.clone(), registers, clock, lang, following: Arc::default() }
    }

    pub fn registers(&self) -> &Registers {
        &self.registers
    }

    /// Takes over what was changed in the log, in the folder, or by the hour. True when entries or
    /// problems are others now.
    ///
    /// # Errors
    /// When the database does not answer; the next call finds the same edits again. A folder that
    /// cannot be written is no error: what was registered is in force, and the board says which
    /// file is behind.
    pub async fn follow(&self) -> Result<bool> {
        let mut followed = self.following.lock().await;
        let (before, known) = (self.registers.history(), followed.problems.all());
        let mut history = self.caught_up(&before).await?;
        // Also after one's own writing: then every file is the one that was taken last.
        let files = self.registers.files_have_changed();
        if files {
            let taken = self.take_files(history, &mut followed.problems).await;
            history = taken.inspect_err(|_| self.registers.look_again())?;
        }
        // Later than every change that was just made.
        let now = self.clock.now();
        let has_turned =
            followed.at.and_then(|at| history.next_turn(at)).is_some_and(|turn| turn <= now);
        let is_changed = history.number() != before.number() || has_turned;
        if is_changed || files || followed.at.is_none() || !followed.problems.unwritten.is_empty() {
            followed.problems.unwritten =
                self.write_files(&history, followed.at.unwrap_or(now), now);
            self.registers.renew(history, followed.problems.all(), now)?;
        }
        followed.at = Some(now);
        let problems = followed.problems.all();
        let is_other = problems != known;
        if is_other {
            problems.iter().for_each(
                |it| tracing::warn!(problem = %it, "a register file is not taken as it is"),
            );
        }
        Ok(is_changed || is_other)
    }

    async fn caught_up(&self, known: &Arc<History>) -> Result<Arc<History>> {
        let news = self.store.register_changes(known.number()).await?;
        // Asked every few seconds, and nearly always nothing is new.
        let mut history = Arc::clone(known);
        news.into_iter().for_each(|change| Arc::make_mut(&mut history).push(change));
        Ok(history)
    }

    /// Makes what was edited in the folder a change of the log. What cannot be taken stays in its
    /// file and is a problem on the board.
    async fn take_files(
        &self,
        mut history: Arc<History>,
        problems: &mut Problems,
    ) -> Result<Arc<History>> {
        let folder = self.registers.folder();
        let mut taken = folder.taken()?;
        for register in Register::ALL {
            let stand = match folder.read(register, self.lang) {
                Ok(Some(mut found)) => {
                    county::resolve_names(
                        register,
                        &mut found.sheet,
                        &history.at(self.clock.now()),
                        self.lang,
                    );
                    let mut stand: Vec<Problem> =
                        county::rejected(register, &found.sheet).collect();
                    match self.take(register, &found, &mut history, &taken).await? {
                        Take::Known => {}
                        Take::Stranger => {
                            stand.push(whole(register, stranger(register.file_name(), self.lang)))
                        }
                        Take::In { change, passed } => {
                            problems.passed.insert(register, passed);
                            let known = Taken { sha256: found.sha256, change, is_ours: false };
                            taken.insert(register.file_name().to_owned(), known);
                            // At once: a fault at the next file must not make this one an edit
                            // again.
                            folder.remember(&taken)?;
                        }
                    }
                    stand
                }
                Ok(None) => Vec::new(),
                Err(e) => vec![whole(register, e.chain_in(self.lang))],
            };
            problems.stand.insert(register, stand);
        }
        Ok(history)
    }

    /// Takes one file, if it is not the one that was taken last.
    async fn take(
        &self,
        register: Register,
        found: &Found,
        history: &mut Arc<History>,
        taken: &BTreeMap<String, Taken>,
    ) -> Result<Take> {
        let (name, now) = (register.file_name(), self.clock.now());
        // A database that is older than the folder, or another one, knows nothing of what was
        // taken.
        let known = taken.get(name).filter(|known| known.change <= history.number());
        if known.is_some_and(|known| known.sha256 == found.sha256) {
            return Ok(Take::Known);
        }
        let Some(mut facts) = edits(history, register, found, known, now) else {
            return Ok(Take::Stranger);
        };
        let old = facts.extract_if(.., |fact| is_old_copy(history, fact, now));
        let passed: Vec<_> = old.map(|fact| whole(register, kept(&fact.key, self.lang))).collect();
        let before = known.map_or(0, |known| known.change);
        let why = match known {
            Some(_) => {
                self.lang.pick("在登记册文件夹中修改", "edited in the folder of the registers")
            }
            None => {
                self.lang.pick("从登记册文件夹接管", "taken over from the folder of the registers")
            }
        };
        *history =
            self.added(Arc::clone(history), facts, Author::File(name.to_owned()), why).await?;
        // An old copy is behind, and is written anew.
        let change = if passed.is_empty() { history.number() } else { before };
        Ok(Take::In { change, passed })
    }

    /// Writes the registers that were changed elsewhere into their files. Returns what could not be
    /// written.
    fn write_files(&self, history: &History, before: Timestamp, now: Timestamp) -> Vec<Problem> {
        let (current, earlier) = (history.at(now), history.at(before));
        let mut unwritten = Vec::new();
        for register in Register::ALL {
            let entries = current.of(register);
            let has_turned = earlier.of(register) != entries;
            if let Err(e) = self.write_file(register, entries, history, has_turned, now) {
                unwritten.push(whole(register, e.chain_in(self.lang)));
            }
        }
        unwritten
    }

    fn write_file(
        &self,
        register: Register,
        entries: &[Entry],
        history: &History,
        has_turned: bool,
        now: Timestamp,
    ) -> Result<()> {
        let (folder, name) = (self.registers.folder(), register.file_name());
        let mut taken = folder.taken()?;
        let known = taken.get(name).filter(|known| known.change <= history.number());
        let is_there = folder.path(register).exists();
        let is_behind = match known {
            Some(known) => {
                !is_there || history.has_changed_since(known.change, register) || has_turned
            }
            None => !is_there && !entries.is_empty(),
        };
        // An edit that has not been taken yet is not written over.
        let is_edited = || match (known, folder.read(register, self.lang)) {
            (Some(known), Ok(Some(found))) => found.sha256 != known.sha256,
            (_, Ok(None)) => false,
            (None, _) | (_, Err(_)) => true,
        };
        if !is_behind || is_edited() {
            return Ok(());
        }
        let sha256 =
            folder.write(register, entries, now, known.is_some_and(|known| known.is_ours))?;
        taken.insert(name.to_owned(), Taken { sha256, change: history.number(), is_ours: true });
        folder.remember(&taken)
    }

    /// What a file of the office would change, and, without `dry_run`, the change.
    ///
    /// # Errors
    /// `Invalid` when the file as a whole is not of this register.
    pub async fn import(&self, import: &Import<'_>, by: Author, why: &str) -> Result<ImportReport> {
        self.follow().await?;
        let Import { register, name, bytes, replace, dry_run } = *import;
        let current = self.registers.history().at(self.clock.now());
        let (report, facts) = county::import(register, name, bytes, &current, replace, self.lang)?;
        if !dry_run {
            self.registers.folder().keep_original(name, bytes, self.clock.now())?;
            self.change(facts, by, why, None).await?;
        }
        Ok(report)
    }

    /// What facts would change now.
    pub fn diff(&self, facts: &[Fact]) -> Diff {
        Diff::of(&self.registers.history().at(self.clock.now()), facts)
    }

    /// Registers facts, all or none. `seen` is the number of the newest change that the author
    /// knew.
    ///
    /// # Errors
    /// `Conflict` when somebody has changed one of these entries since then: read it again and
    /// decide again.
    pub async fn change(
        &self,
        facts: Vec<Fact>,
        by: Author,
        why: &str,
        seen: Option<u64>,
    ) -> Result<u64> {
        if !facts.is_empty() {
            let followed = self.following.lock().await;
            let history = self.caught_up(&self.registers.history()).await?;
            if let Some(key) = seen.and_then(|seen| changed_since(&history, seen, &facts)) {
                let words = self.lang.pick(
                    "已被他人更改，请重新查看后再改",
                    "somebody has changed it meanwhile: look again, then decide",
                );
                return Err(Error::new(Kind::Conflict, format!("{key}: {words}")));
            }
            self.added(history, facts, by, why).await?;
            drop(followed);
        }
        self.follow().await?;
        Ok(self.registers.history().number())
    }

    /// Takes a change back: every entry as it was before, from now on.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when a later change has set one of its entries.
    pub async fn undo(&self, number: u64, by: Author, why: &str) -> Result<u64> {
        self.follow().await?;
        let history = self.registers.history();
        if history.change(number).is_none() {
            return Err(Error::new(Kind::NotFound, format!("no change {number}")));
        }
        let facts = history.reversed(number, self.clock.now()).map_err(|keys| {
            let words = self.lang.pick(
                "之后又被更改，不能撤销；请直接更正",
                "a later change has set it, so this one cannot be taken back: correct it instead",
            );
            Error::new(Kind::Conflict, format!("{}: {words}", keys.join(", ")))
        })?;
        self.change(facts, by, why, Some(history.number())).await
    }

    /// The history with one more change, unless the facts are in force already: another process on
    /// this folder may have taken the same edit.
    async fn added(
        &self,
        mut history: Arc<History>,
        facts: Vec<Fact>,
        by: Author,
        why: &str,
    ) -> Result<Arc<History>> {
        for _ in 0..ATTEMPTS {
            let (at, number) = (self.clock.now(), history.number() + 1);
            let facts = history.at(at).news(facts.clone());
            if facts.is_empty() {
                return Ok(history);
            }
            let change = Change { number, at, by: by.clone(), why: why.to_owned(), facts };
            match self.store.register(&change).await {
                Ok(cursor) => {
                    tracing::info!(
                        change = number,
                        cursor,
                        facts = change.facts.len(),
                        "registers changed"
                    );
                    Arc::make_mut(&mut history).push(change);
                    return Ok(history);
                }
                Err(e) if e.kind == Kind::Conflict => history = self.caught_up(&history).await?,
                Err(e) => return Err(e),
            }
        }
        Err(Error::new(Kind::Conflict, "others change the registers all the time: try again"))
    }
}

/// What became of a file of the folder.
enum Take {
    /// It is the one that was taken last.
    Known,
    /// It was never taken and is not what the log says: nobody knows which is newer.
    Stranger,
    /// It is taken up to this change, but for the old copies of rows that were `passed` over.
    In { change: u64, passed: Vec<Problem> },
}

/// What was edited in a file: the differences from what the file said when it was last taken, so
/// that a change made elsewhere meanwhile stays. `None`: the file was never taken and is not what
/// the log says, so nobody knows which is newer.
fn edits(
    history: &History,
    register: Register,
    found: &Found,
    known: Option<&Taken>,
    now: Timestamp,
) -> Option<Vec<Fact>> {
    let (current, wanted) = (history.at(now), found.sheet.wanted());
    // With rejected rows it is unknown who is meant to go, so everybody stays.
    let removes = found.sheet.rejected.is_empty();
    let base = match known {
        Some(known) => history.known(known.change, now),
        None if current.of(register).is_empty() => current.clone(),
        None => return current.toward(register, &wanted, removes).is_empty().then(Vec::new),
    };
    Some(current.news(base.toward(register, &wanted, removes)))
}

/// The row says what the register said before somebody changed it on a page or by an import:
/// whoever saved the file had opened it before. Taking it would undo that change without a word.
fn is_old_copy(history: &History, fact: &Fact, now: Timestamp) -> bool {
    let says = |change: &&Change| {
        change.facts.iter().any(|it| (it.register, &it.key) == (fact.register, &fact.key))
    };
    let Some(last) = history.changes().iter().rfind(says) else { return false };
    let before = history.known(last.number - 1, now);
    let same =
        before.get(fact.register, &fact.key).map(|entry| &entry.value) == fact.entry.as_ref();
    same && !matches!(last.by, Author::File(_))
}

fn kept(key: &str, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!(
            "{key}：文件里是更改前的内容，像是旧副本，已保留之后的更改；确要改回，请撤销那次更改，\
            或用 huoyan import 导入"
        ),
        Lang::En => format!(
            "{key}: the file has it as it was before a change made elsewhere, as an old copy \
            would; that change stays. To set it back, undo the change or use huoyan import"
        ),
    }
}

fn changed_since(history: &History, seen: u64, facts: &[Fact]) -> Option<String> {
    let later = history
        .changes()
        .iter()
        .filter(|change| change.number > seen)
        .flat_map(|change| &change.facts);
    let mut same = later
        .filter(|it| facts.iter().any(|fact| (fact.register, &fact.key) == (it.register, &it.key)));
    same.next().map(|fact| fact.key.clone())
}

fn whole(register: Register, reason: String) -> Problem {
    Problem { file: register.file_name().to_owned(), line: 0, reason }
}

fn stranger(name: &str, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!(
            "{name} 与数据库中的登记不同，且不知哪个更新：要以文件为准，运行 huoyan import；\
            否则删除此文件，程序会重新写出"
        ),
        Lang::En => format!(
            "{name} differs from the registers in the database, and nobody knows which is newer: \
            to take the file, run huoyan import; otherwise remove it, and it is written anew"
        ),
    }
}
