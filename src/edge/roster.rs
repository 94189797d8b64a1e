//! Pure: which edge spoke when, and of which cameras. A camera is watched as long as some edge says
//! so, whatever the edge is called.

use super::{CameraWord, Fault, Waits, Word};
use crate::lang::Words;
use crate::triage::id::CameraId;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use uuid::Uuid;

/// An edge speaks every 5 s. After this time without a word it, or its camera, may be lost.
const SILENT_AFTER: SignedDuration = SignedDuration::from_secs(30);
/// An edge that was taken away for good is forgotten after this time, as at the server.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);

#[derive(Debug)]
pub struct Roster {
    edges: BTreeMap<String, Edge>,
    /// The edge that spoke of it last, and when.
    cameras: BTreeMap<CameraId, (String, Timestamp)>,
    /// When this desk began to listen.
    since: Timestamp,
}

#[derive(Debug)]
struct Edge {
    at: Timestamp,
    cameras: usize,
    faults: Vec<Fault>,
    instance: Uuid,
    /// The run that spoke under this name before.
    before: Option<Uuid>,
    /// When two runs last spoke by turns.
    twice_at: Option<Timestamp>,
}

/// How an edge is: one part of the board.
#[derive(Debug)]
pub struct Standing {
    pub edge: String,
    pub is_well: bool,
    pub words: Words,
}

impl Roster {
    pub fn new(since: Timestamp) -> Self {
        Self { edges: BTreeMap::new(), cameras: BTreeMap::new(), since }
    }

    /// Takes a word in. Returns what it says of cameras that no later word has spoken of.
    pub fn hear(&mut self, edge: String, at: Timestamp, word: Word) -> Vec<CameraWord> {
        let Word { instance, cameras, mut faults, waits, .. } = word;
        faults.extend(of_spool(&waits));
        let last = self.edges.get(&edge);
        let is_same = last.is_some_and(|it| it.instance == instance);
        let twice = last.is_some_and(|it| !is_same && it.before == Some(instance));
        let known = Edge {
            at,
            cameras: cameras.len(),
            faults,
            instance,
            before: last.and_then(|it| if is_same { it.before } else { Some(it.instance) }),
            twice_at: if twice { Some(at) } else { last.and_then(|it| it.twice_at) },
        };
        self.edges.insert(edge.clone(), known);
        let mut news = cameras;
        news.retain(|it| self.cameras.get(&it.camera).is_none_or(|(_, last)| *last <= at));
        let said = news.iter().map(|it| (it.camera.clone(), (edge.clone(), at)));
        self.cameras.extend(said);
        news
    }

    /// One for each edge: what is wrong there, or how long it has been silent.
    pub fn standings(&mut self, now: Timestamp) -> Vec<Standing> {
        self.edges.retain(|_, edge| now.duration_since(edge.at) <= FORGOTTEN_AFTER);
        let edges = &self.edges;
        self.cameras.retain(|_, (edge, _)| edges.contains_key(edge));
        self.edges.iter().map(|(name, edge)| edge.standing(name, now)).collect()
    }

    /// The cameras of the register that no edge watches now, each with what to do. `is_alone`: this
    /// process has no cameras of its own, so that each needs an edge.
    pub fn unwatched<'a>(
        &self,
        registered: impl Iterator<Item = &'a CameraId>,
        is_alone: bool,
        now: Timestamp,
    ) -> Vec<(&'a CameraId, Words)> {
        let silent = |since: Timestamp| {
            let silent = now.duration_since(since);
            (silent > SILENT_AFTER).then(|| silent.as_secs())
        };
        let of = |camera: &'a CameraId| {
            let words = match self.cameras.get(camera) {
                Some((edge, at)) => {
                    let silent_s = silent(*at)?;
                    Words::new(
                        format!(
                            "边缘 {edge} 已有{silent_s}秒没有说到它：\
                            请看那台计算机的电源、网络、程序和摄像机台账；是否有人看不得而知"
                        ),
                        format!(
                            "edge {edge} has said nothing of it for {silent_s} s: check that \
                            computer's power, network, program and camera register. Whether it is \
                            watched is unknown"
                        ),
                    )
                }
                None => {
                    silent(self.since).filter(|_| is_alone)?;
                    Words::new(
                        "没有边缘在看这台摄像机：请登记到一个边缘的摄像机台账，并启动该边缘",
                        "no edge watches this camera: put it into the camera register of one, and \
                        start that edge",
                    )
                }
            };
            Some((camera, words))
        };
        registered.filter_map(of).collect()
    }
}

impl Edge {
    fn standing(&self, name: &str, now: Timestamp) -> Standing {
        let silent = now.duration_since(self.at);
        let silent_s = silent.as_secs().max(0);
        if silent > SILENT_AFTER {
            let words = Words::new(
                format!(
                    "边缘 {name} 已有{silent_s}秒没有消息：请看它的电源、网络和程序；\
                    其摄像机是否有人看不得而知"
                ),
                format!(
                    "no word from edge {name} for {silent_s} s: check its power, network and \
                    program. Whether its cameras are watched is unknown"
                ),
            );
            return Standing { edge: name.to_owned(), is_well: false, words };
        }
        let is_twice = self.twice_at.is_some_and(|at| now.duration_since(at) <= SILENT_AFTER);
        let cameras = self.cameras;
        let mut zh = format!("{name} 有{cameras}台摄像机，{silent_s}秒前有消息");
        let mut en = format!("{name} has {cameras} cameras, last word {silent_s} s ago");
        if is_twice {
            zh += "；有两台计算机用这个名字，请给其中一台改名（[edge] name）";
            en += "; two computers have this name: give one of them another ([edge] name)";
        }
        for fault in &self.faults {
            zh += &format!("；{}", fault.zh);
            en += &format!("; {}", fault.en);
        }
        let is_well = self.faults.is_empty() && !is_twice;
        Standing { edge: name.to_owned(), is_well, words: Words::new(zh, en) }
    }
}

/// What waits at an edge and needs somebody.
fn of_spool(waits: &Waits) -> Vec<Fault> {
    let fault = |count: u64, zh: String, en: String| {
        (count > 0).then(|| Fault { part: "spool".to_owned(), zh, en })
    };
    let Waits { shed, unsaved, unreadable, .. } = *waits;
    let faults = [
        fault(
            shed,
            format!("断网时存不下，已舍弃{shed}张图片"),
            format!("{shed} pictures were shed for lack of room while the network was away"),
        ),
        fault(
            unsaved as u64,
            format!("磁盘写不进去，{unsaved}条线索只在内存中，停机即失"),
            format!(
                "its disk takes nothing: {unsaved} sightings are in memory only, and a stop would \
                lose them"
            ),
        ),
        fault(
            unreadable as u64,
            format!("待发的文件有{unreadable}个读不出来，请看该机数据目录的 spool"),
            format!(
                "{unreadable} files that wait cannot be read: look into spool in its data folder"
            ),
        ),
    ];
    faults.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::StatusBoard;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("a time")
    }

    fn word(instance: u128, cameras: &[&str]) -> Word {
        let board = StatusBoard::default();
        cameras.iter().for_each(|it| board.update(&(*it).into(), |_| {}));
        Word {
            instance: Uuid::from_u128(instance),
            version: String::new(),
            thresholds_version: 1,
            cameras: CameraWord::all(&board),
            faults: Vec::new(),
            waits: Waits::default(),
        }
    }

    fn unwatched(roster: &Roster, register: &[&str], second: i64) -> Vec<String> {
        let register: Vec<CameraId> = register.iter().map(|it| (*it).into()).collect();
        let found = roster.unwatched(register.iter(), true, at(second));
        found.into_iter().map(|(camera, _)| camera.to_string()).collect()
    }

    #[test]
    fn silence_is_said_of_the_edge_and_of_its_cameras() {
        let mut roster = Roster::new(at(0));
        roster.hear("edge-1".to_owned(), at(0), word(1, &["c1"]));
        assert!(roster.standings(at(30)).iter().all(|it| it.is_well));
        let standing = roster.standings(at(31)).pop().expect("one edge");
        assert!(!standing.is_well && standing.words.en.contains("31 s"), "{standing:?}");
        assert_eq!(unwatched(&roster, &["c1"], 31), ["c1"]);
        assert!(roster.standings(at(7 * 86_400 + 1)).is_empty(), "taken away for good");
    }

    #[test]
    fn a_camera_that_no_edge_has_is_not_starting_for_ever() {
        let mut roster = Roster::new(at(0));
        roster.hear("edge-1".to_owned(), at(25), word(1, &["c1"]));
        assert!(unwatched(&roster, &["c1", "c9"], 30).is_empty(), "an edge may still begin");
        assert_eq!(unwatched(&roster, &["c1", "c9"], 31), ["c9"]);
        let own = CameraId::from("c9");
        let with_cameras = roster.unwatched([&own].into_iter(), false, at(31));
        assert!(with_cameras.is_empty(), "this process watches it itself");
    }

    #[test]
    fn a_renamed_edge_keeps_its_cameras() {
        let mut roster = Roster::new(at(0));
        roster.hear("edge-1".to_owned(), at(0), word(1, &["c1"]));
        roster.hear("edge-2".to_owned(), at(40), word(2, &["c1"]));
        assert!(unwatched(&roster, &["c1"], 60).is_empty());
        let kept = roster.hear("edge-1".to_owned(), at(1), word(1, &["c1"]));
        assert!(kept.is_empty(), "an old word, heard late, says nothing new");
    }

    #[test]
    fn two_computers_of_one_name_are_told_from_one_that_was_started_again() {
        let mut roster = Roster::new(at(0));
        let mut said = |second, instance, camera: &str| {
            roster.hear("edge-1".to_owned(), at(second), word(instance, &[camera]));
            roster.standings(at(second)).pop().expect("one").is_well
        };
        assert!(said(0, 1, "c1") && said(5, 2, "c1") && said(10, 2, "c1"), "started again");
        assert!(said(15, 3, "c2"), "and again, or another one");
        assert!(!said(16, 2, "c1"), "the former run speaks once more: there are two");
        assert_eq!(unwatched(&roster, &["c1", "c2"], 46), ["c2"], "one of them died");
    }
}
