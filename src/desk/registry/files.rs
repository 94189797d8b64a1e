//! The folder of the registers as a working copy of the log: edited files are taken, and what was
//! changed elsewhere is written into them.

use super::Registry;
use crate::county::{self, Found, Problem, SETTLED_AFTER, Taken};
use crate::error::{Error, Result};
use crate::lang::Words;
use crate::register::{Author, Edited, Entry, History, Merge, Register, Version, merge};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Default)]
pub(super) struct Followed {
    /// When it was looked at last; facts may begin and end without a change.
    pub(super) at: Option<Timestamp>,
    /// Files that were edited since they were taken: their sha256, and since when they have been
    /// as they are.
    pub(super) unsettled: BTreeMap<Register, (String, Timestamp)>,
    /// What was taken, while the folder does not take a note of it.
    unremembered: Option<BTreeMap<String, Taken>>,
    pub(super) problems: Problems,
}

#[derive(Default)]
pub(super) struct Problems {
    /// What the files hold that cannot be taken.
    pub(super) stand: BTreeMap<Register, Vec<Problem>>,
    /// What was not taken from a file that has been written anew since, until somebody edits it
    /// again.
    pub(super) passed: BTreeMap<Register, Vec<Problem>>,
    /// Tables that lie beside the file that is read.
    pub(super) unread: Vec<Problem>,
    /// Why the folder takes no note of what was taken; tried again at every look.
    unremembered: Option<Problem>,
    /// Files that are behind because they hold rows which stand nowhere else.
    pub(super) held: Vec<Problem>,
    /// Files that are behind because they cannot be written; tried again at every look.
    pub(super) unwritten: Vec<Problem>,
}

impl Problems {
    pub(super) fn all(&self) -> Vec<Problem> {
        self.stand
            .values()
            .chain(self.passed.values())
            .flatten()
            .chain(&self.unread)
            .chain(&self.unremembered)
            .chain(&self.held)
            .chain(&self.unwritten)
            .cloned()
            .collect()
    }
}

impl Registry {
    /// Makes what was edited in the folder a change of the log. What cannot be taken stays in its
    /// file and is a problem on the board.
    pub(super) async fn take_files(
        &self,
        mut history: Arc<History>,
        followed: &mut Followed,
    ) -> Result<Arc<History>> {
        let folder = self.registers.folder();
        let mut taken = match followed.unremembered.take() {
            Some(taken) => {
                self.remember(&taken, followed);
                taken
            }
            None => match folder.taken() {
                Ok(taken) => {
                    followed.problems.unremembered = None;
                    taken
                }
                // Then no file is known, and none is taken for the truth; the log goes on.
                Err(e) => {
                    followed.problems.unremembered = Some(unremembered(&e));
                    BTreeMap::new()
                }
            },
        };
        followed.problems.unread = folder.unread();
        for register in Register::ALL {
            let stand = match county::look(folder, register, &history.at(self.clock.now())) {
                Ok(Some((found, mut stand))) => {
                    let take = self.take(register, &found, &mut history, &taken, followed).await?;
                    match take {
                        Take::Known | Take::Unsettled => {}
                        Take::Stranger => {
                            stand.push(whole(register, stranger(register.file_name())))
                        }
                        Take::In { known, passed } => {
                            let name = register.file_name().to_owned();
                            let before = taken.insert(name, known).map(|before| before.sha256);
                            let told = followed.problems.passed.entry(register).or_default();
                            // Of another text of the file.
                            if before.as_ref() != Some(&found.sha256) {
                                told.clear();
                            }
                            told.extend(passed);
                            // At once: a fault at the next file must not make this one an edit
                            // again.
                            self.remember(&taken, followed);
                        }
                    }
                    stand
                }
                other => {
                    followed.unsettled.remove(&register);
                    let fault = other.err().map(|e| whole(register, said(&e)));
                    fault.into_iter().collect()
                }
            };
            followed.problems.stand.insert(register, stand);
        }
        Ok(history)
    }

    /// A folder that takes no note holds no change up: this process remembers.
    fn remember(&self, taken: &BTreeMap<String, Taken>, followed: &mut Followed) {
        let fault = self.registers.folder().remember(taken).err();
        followed.unremembered = fault.is_some().then(|| taken.clone());
        followed.problems.unremembered = fault.map(|e| unremembered(&e));
    }

    /// Takes one file, if it is not the one that was taken last.
    async fn take(
        &self,
        register: Register,
        found: &Found,
        history: &mut Arc<History>,
        taken: &BTreeMap<String, Taken>,
        followed: &mut Followed,
    ) -> Result<Take> {
        let (name, now) = (register.file_name(), self.clock.now());
        let known = known(taken, register, history);
        let (wanted, is_whole) = (found.sheet.wanted(now), found.sheet.rejected.is_empty());
        let refused: Vec<u64> = found.sheet.rejected.iter().map(|(spot, _)| spot.line).collect();
        let is_untouched = known.is_some_and(|known| known.sha256 == found.sha256);
        if is_untouched {
            followed.unsettled.remove(&register);
            if known.is_some_and(|known| known.refused == refused) {
                return Ok(Take::Known);
            }
        } else if known.is_some() && !followed.has_settled(register, &found.sha256, now) {
            return Ok(Take::Unsettled);
        }
        let held = match known {
            Some(known) => version(known, now),
            None => {
                let current = history.at(now);
                let other = current.toward(register, &wanted, is_whole);
                if !current.of(register).is_empty() && !history.news(other, now).is_empty() {
                    return Ok(Take::Stranger);
                }
                Version::NONE
            }
        };
        let (dated, rows): (Vec<Entry>, Vec<Entry>) =
            wanted.into_iter().partition(|entry| entry.valid.is_given());
        let edited = Edited { register, rows: &rows, dated: &dated, is_whole, held, is_untouched };
        let merged = merge(history, &edited, now);
        let passed = told(register, &merged);
        let Merge { facts, base, is_up_to_date, .. } = merged;
        let why = match known {
            Some(_) => {
                self.lang.pick("在登记册文件夹中修改", "edited in the folder of the registers")
            }
            None => {
                self.lang.pick("从登记册文件夹接管", "taken over from the folder of the registers")
            }
        };
        *history = self
            .added(Arc::clone(history), facts, Author::File(name.to_owned()), why, None)
            .await?;
        followed.unsettled.remove(&register);
        // One that lacks what was changed elsewhere is behind, and is written anew.
        let version = match is_up_to_date || known.is_none() {
            true => Version { change: history.number(), at: self.clock.now() },
            false => base,
        };
        let known = Taken {
            sha256: found.sha256.clone(),
            change: version.change,
            at: Some(version.at),
            is_ours: is_untouched && known.is_some_and(|known| known.is_ours),
            refused,
        };
        Ok(Take::In { known, passed })
    }

    /// Writes the registers that were changed elsewhere into their files.
    pub(super) fn write_files(&self, history: &History, now: Timestamp, problems: &mut Problems) {
        let current = history.at(now);
        (problems.unwritten, problems.held) = (Vec::new(), Vec::new());
        for register in Register::ALL {
            match self.write_file(register, current.of(register), history, now) {
                Ok(Written::Agrees) => {}
                Ok(Written::Held) => problems.held.push(whole(register, held())),
                Err(e) => problems.unwritten.push(whole(register, said(&e))),
            }
        }
    }

    fn write_file(
        &self,
        register: Register,
        entries: &[Entry],
        history: &History,
        now: Timestamp,
    ) -> Result<Written> {
        let (folder, name) = (self.registers.folder(), register.file_name());
        let mut taken = folder.taken()?;
        let known = known(&taken, register, history);
        let is_there = folder.path(register).exists();
        let is_behind = match known {
            Some(known) => {
                !is_there
                    || history.has_changed_since(known.change, register)
                    || history.version(register, version(known, now)) != entries
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
            return Ok(Written::Agrees);
        }
        // Rows that cannot be used stand in no register.
        if is_there && known.is_some_and(|known| !known.is_ours && !known.refused.is_empty()) {
            return Ok(Written::Held);
        }
        let sha256 =
            folder.write(register, entries, now, known.is_some_and(|known| known.is_ours))?;
        let known = Taken {
            sha256,
            change: history.number(),
            at: Some(now),
            is_ours: true,
            refused: Vec::new(),
        };
        taken.insert(name.to_owned(), known);
        folder.remember(&taken)?;
        Ok(Written::Agrees)
    }
}

impl Followed {
    /// Whether a fact has begun or ended by itself since the last look.
    pub(super) fn has_turned(&self, history: &History, now: Timestamp) -> bool {
        self.at.and_then(|at| history.next_turn(at)).is_some_and(|turn| turn <= now)
    }

    /// Whether an edited file has been as it is for long enough. It is looked at again until it
    /// has.
    fn has_settled(&mut self, register: Register, sha256: &str, now: Timestamp) -> bool {
        match self.unsettled.get(&register) {
            Some((seen, since)) if seen == sha256 => now.duration_since(*since) >= SETTLED_AFTER,
            _ => {
                self.unsettled.insert(register, (sha256.to_owned(), now));
                false
            }
        }
    }
}

/// What became of a file of the folder.
enum Take {
    /// It is the one that was taken last.
    Known,
    /// It may still be being saved.
    Unsettled,
    /// It was never taken and is not what the log says: nobody knows which is newer.
    Stranger,
    /// It is taken, but for the rows that were `passed` over.
    In { known: Taken, passed: Vec<Problem> },
}

enum Written {
    /// The file says what the register says, or an edit of it is taken first.
    Agrees,
    /// It is behind, but holds rows that stand nowhere else.
    Held,
}

/// How far the log knows this file. A database that is older than the folder, or another one, knows
/// nothing of what was taken.
fn known<'a>(
    taken: &'a BTreeMap<String, Taken>,
    register: Register,
    history: &History,
) -> Option<&'a Taken> {
    taken.get(register.file_name()).filter(|known| known.change <= history.number())
}

fn version(known: &Taken, now: Timestamp) -> Version {
    Version { change: known.change, at: known.at.unwrap_or(now) }
}

/// What of a file was not taken, for whoever saved it.
fn told(register: Register, merged: &Merge) -> Vec<Problem> {
    let outdated = merged.outdated.iter().map(|key| {
        Words::new(
            format!(
                "{key}：文件里是更改前的内容，像是旧副本，已保留之后的更改；确要改回，\
                请撤销那次更改，或用 huoyan import 导入"
            ),
            format!(
                "{key}: the file has it as it was before a change made elsewhere, as an old copy \
                would; that change stays. To set it back, undo the change or use huoyan import"
            ),
        )
    });
    let contested = merged.contested.iter().map(|key| {
        Words::new(
            format!(
                "{key}：文件打开之后，该条已在别处更改，已保留别处的更改；文件里的改法没有采用，\
                请看过现在的内容后再改"
            ),
            format!(
                "{key}: it was changed elsewhere after the file was opened, and that change stays; \
                what the file says is not taken. Look at it as it is now, then edit it again"
            ),
        )
    });
    outdated.chain(contested).map(|reason| whole(register, reason)).collect()
}

fn held() -> Words {
    Words::new(
        "其中有不能采用的行，所以没有把别处的更改写入此文件；更正或删除这些行后会自动写入",
        "it holds rows that cannot be used, so what was changed elsewhere is not written into it; \
        that is done as soon as these rows are corrected or removed",
    )
}

fn unremembered(e: &Error) -> Problem {
    Problem::of_file("registers", said(e))
}

fn said(error: &Error) -> Words {
    Words::by(|lang| error.chain_in(lang))
}

fn whole(register: Register, reason: Words) -> Problem {
    Problem::of_file(register.file_name(), reason)
}

fn stranger(name: &str) -> Words {
    Words::new(
        format!(
            "{name} 与数据库中的登记不同，且不知哪个更新：要以文件为准，运行 huoyan import；\
            否则删除此文件，程序会重新写出"
        ),
        format!(
            "{name} differs from the registers in the database, and nobody knows which is newer: \
            to take the file, run huoyan import; otherwise remove it, and it is written anew"
        ),
    )
}
