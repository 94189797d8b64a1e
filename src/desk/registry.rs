//! 登记台: the only place that changes a register. It follows the log, so that all desks of one
//! database know the same; it takes what was edited in the folder of the registers, and writes
//! there what was changed elsewhere.

mod files;

use super::{ATTEMPTS, leave_room};
use crate::clock::Clock;
use crate::county::{self, ImportReport, Registers};
use crate::error::{Error, Kind, Result};
use crate::lang::{Lang, Words};
use crate::register::{Author, Change, Diff, Fact, History, Register};
use crate::store::Store;
use files::Followed;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Mutex;

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

/// Which file brings which register, and how.
#[derive(Clone, Debug)]
pub struct Import<'a> {
    pub register: Register,
    /// The file's name, for its original and for the words.
    pub name: &'a str,
    pub bytes: &'a [u8],
    /// Entries missing from the file are removed from the register; otherwise they stay.
    pub replace: bool,
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
        // A row that names nobody is usable once that person is registered.
        let is_news =
            history.number() != before.number() || followed.has_turned(&history, self.clock.now());
        let may_be_usable = is_news && followed.problems.stand.values().any(|it| !it.is_empty());
        let looks = files || may_be_usable || !followed.unsettled.is_empty();
        if looks {
            let taken = self.take_files(history, &mut followed).await;
            history = taken.inspect_err(|_| self.registers.look_again())?;
        }
        // Later than every change that was just made.
        let now = self.clock.now();
        let is_changed = history.number() != before.number() || followed.has_turned(&history, now);
        if is_changed || looks || followed.at.is_none() || !followed.problems.unwritten.is_empty() {
            self.write_files(&history, now, &mut followed.problems);
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

    /// Registers what a file of the office says, and keeps the file.
    ///
    /// # Errors
    /// `Invalid` when the file as a whole is not of this register.
    pub async fn import(&self, import: &Import<'_>, by: Author, why: &str) -> Result<ImportReport> {
        self.follow().await?;
        let Import { register, name, bytes, replace } = *import;
        let (history, now) = (self.registers.history(), self.clock.now());
        let (report, facts) =
            county::import(register, name, bytes, &history, replace, now, self.lang)?;
        self.registers.folder().keep_original(register, name, bytes, now)?;
        self.change(facts, by, why, None).await?;
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
    /// decide again. `Invalid` when there is no change `seen` yet. The same change of the same
    /// author sent again changes nothing.
    pub async fn change(
        &self,
        facts: Vec<Fact>,
        by: Author,
        why: &str,
        seen: Option<u64>,
    ) -> Result<u64> {
        // A page sends logins back as stars, and whoever has read it has put them in again.
        let facts: Vec<Fact> = facts.into_iter().map(Fact::with_logins).collect();
        if !facts.is_empty() {
            let followed = self.following.lock().await;
            let history = self.caught_up(&self.registers.history()).await?;
            self.added(history, facts, by, why, seen).await?;
            drop(followed);
        }
        self.follow().await?;
        Ok(self.registers.history().number())
    }

    /// Takes a change back: every entry as it was before, from now on.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when a later change has set one of its entries, or when a login that
    /// a camera had is no longer known.
    pub async fn undo(&self, number: u64, by: Author, why: &str) -> Result<u64> {
        self.follow().await?;
        let history = self.registers.history();
        let Some(change) = history.change(number) else {
            return Err(Error::new(Kind::NotFound, format!("no change {number}")));
        };
        let now = self.clock.now();
        let facts = history.reversed(number, now).map_err(|keys| {
            let keys = keys.join(", ");
            conflict(
                format!("{keys}：之后又被更改，不能撤销；请直接更正。"),
                format!(
                    "{keys}: a later change has set it, so this one cannot be taken back: correct \
                    it instead."
                ),
            )
        })?;
        let current = history.at(now);
        let is_lasting = |fact: &&Fact| !fact.validity().is_given();
        let lasting: HashSet<&String> =
            change.facts.iter().filter(is_lasting).map(|it| &it.key).collect();
        let mut lost = facts.iter().filter(|fact| history.has_lost_login(fact, &current));
        if let Some(fact) = lost.find(|fact| lasting.contains(&fact.key)) {
            let key = &fact.key;
            return Err(conflict(
                format!(
                    "{key}：不能撤销，因为旧的登录名和密码不保留：请直接填写地址，连同登录名和密码。"
                ),
                format!(
                    "{key}: this cannot be taken back, because the login from before is not kept: \
                    enter the address with its login instead."
                ),
            ));
        }
        self.change(facts, by, why, Some(history.number())).await
    }

    /// The history with one more change, unless the facts are in force already: another process on
    /// this folder may have taken the same edit. Whoever decided on a view decides on it again
    /// each time that somebody else was faster.
    async fn added(
        &self,
        mut history: Arc<History>,
        facts: Vec<Fact>,
        by: Author,
        why: &str,
        seen: Option<u64>,
    ) -> Result<Arc<History>> {
        for attempt in 0..ATTEMPTS {
            if let Some(seen) = seen {
                if is_known(&history, seen, &facts, &by, why) {
                    return Ok(history);
                }
                check_view(&history, seen, &facts)?;
            }
            let (at, number) = (self.clock.now(), history.number() + 1);
            let facts = history.news(facts.clone(), at);
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
                Err(e) if e.kind == Kind::Conflict => {
                    leave_room(attempt).await;
                    history = self.caught_up(&history).await?;
                }
                Err(e) => return Err(e),
            }
        }
        Err(Error::new(Kind::Conflict, "others change the registers all the time: try again"))
    }
}

/// Whether this change was made after `seen` by the same author: the answer got lost, and it is
/// sent again.
fn is_known(history: &History, seen: u64, facts: &[Fact], by: &Author, why: &str) -> bool {
    let later = history.changes().iter().rev().take_while(|change| change.number > seen);
    later.into_iter().any(|it| it.by == *by && it.why == why && it.facts == facts)
}

/// Nobody decides on an old view of an entry.
fn check_view(history: &History, seen: u64, facts: &[Fact]) -> Result<()> {
    if seen > history.number() {
        return Err(Error::invalid(Words::new(
            format!("没有编号为{seen}的更改：请填写查看时的编号（seen）。"),
            format!("There is no change {seen}: send the number (seen) of the view."),
        )));
    }
    let keys: HashSet<_> = facts.iter().map(|fact| (fact.register, &fact.key)).collect();
    let later = history.changes().iter().rev().take_while(|change| change.number > seen);
    let mut later = later.flat_map(|change| &change.facts);
    match later.find(|it| keys.contains(&(it.register, &it.key))) {
        None => Ok(()),
        Some(Fact { key, .. }) => Err(conflict(
            format!("{key}：已被他人更改，请重新查看后再决定。"),
            format!("{key}: somebody has changed it meanwhile. Look again, then decide."),
        )),
    }
}

fn conflict(zh: String, en: String) -> Error {
    Error::new(Kind::Conflict, Words::new(zh, en))
}
