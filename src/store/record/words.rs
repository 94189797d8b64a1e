//! Findings as sentences that claim no more than is known: a flipped bit on the disk and an edit by
//! hand look alike.

use super::{Anchor, Difference, Named, Record, What};
use crate::base::time::COUNTY;
use crate::lang::Lang;
use jiff::Timestamp;

impl Record {
    /// What is wrong, the most telling first. Empty when the record is sound.
    pub fn faults(&self, lang: Lang) -> Vec<String> {
        let rewritten = named(&self.rewritten, lang, |it| self.rewritten_words(it, lang));
        let cut = named(&self.cut, lang, |it| self.cut_words(it, lang));
        let damaged = listed(
            &self.damaged,
            lang.pick(
                "事件记录第{}条与其校验码不符：可能是磁盘出错，也可能被改动过",
                "log row {} does not match its hash: a disk error, or an edit",
            ),
            lang,
            ToString::to_string,
        );
        let absent = listed(
            &self.absent,
            lang.pick("事件记录缺第{}条", "log row {} is missing"),
            lang,
            |(first, last)| {
                if first == last { first.to_string() } else { format!("{first}–{last}") }
            },
        );
        let unreadable = listed(
            &self.unreadable,
            lang.pick(
                "事件记录第{}条读不出来：由更新的版本写成，或已损坏",
                "log row {} cannot be read: written by a newer version, or damaged",
            ),
            lang,
            ToString::to_string,
        );
        let head = lang.pick(
            "事件记录的最后一条与登记的末尾不符：可能是磁盘出错，也可能被改动过",
            "the last row of the log differs from the end that is stored for it: a disk error, or \
            an edit",
        );
        let head = self.head_differs.then(|| head.to_owned());
        let pictures = listed(
            &self.changed_pictures,
            lang.pick(
                "证据图片与记录不符或读不出来，磁盘损坏或被替换过，请从备份恢复：{}",
                "evidence pictures do not match the log or cannot be read; they are damaged or \
                were replaced. Restore them from a backup: {}",
            ),
            lang,
            |it| format!("{it}.jpg"),
        );
        let differences = named(&self.differences, lang, |it| it.words(lang));
        rewritten
            .into_iter()
            .chain(cut)
            .chain(damaged)
            .chain(absent)
            .chain(head)
            .chain(unreadable)
            .chain(differences)
            .chain(pictures)
            .collect()
    }

    /// Pictures that should be there and are missing; `None`: no picture is.
    pub fn missing(&self, lang: Lang) -> Option<String> {
        listed(
            &self.missing_pictures,
            lang.pick(
                "缺少应在留存期内的证据图片，没能保存或已被删除：{}",
                "evidence pictures are missing within their retention; they were never saved, or \
                were removed: {}",
            ),
            lang,
            |it| format!("{it}.jpg"),
        )
    }

    /// What was verified, when nothing is wrong.
    pub fn proof(&self, lang: Lang) -> String {
        let (events, proven, unproven) =
            (self.head.events, self.proven_pictures, self.unproven_pictures);
        let anchor = Anchor::of(&self.head);
        let mut words = match lang {
            Lang::Zh => format!(
                "事件链完整，共{events}条，数据与之一致，{proven}幅图片与之相符；\
                存证：{anchor}"
            ),
            Lang::En => format!(
                "the chain of {events} events is whole, and the rows and {proven} pictures agree \
                with it; it ends at {anchor}"
            ),
        };
        if unproven > 0 {
            words.push_str(&match lang {
                Lang::Zh => format!("；{unproven}幅图片来自旧版本，记录里没有校验码，无法核对"),
                Lang::En => format!(
                    "; {unproven} pictures are from an older version: the log has \
                    no hash of them, so they cannot be verified"
                ),
            });
        }
        words
    }

    fn rewritten_words(&self, anchor: &Anchor, lang: Lang) -> String {
        let (told, seq) = (told(anchor, lang), anchor.seq);
        match (lang, self.damaged.is_none() && self.absent.is_none()) {
            (Lang::Zh, true) => {
                format!(
                    "事件记录被改写过：{told}的第{seq}条已是另一条，而各条与校验码前后一致；\
                    磁盘出错不会如此"
                )
            }
            (Lang::Zh, false) => format!("事件记录第{seq}条与{told}的校验码不同"),
            (Lang::En, true) => format!(
                "the log was rewritten: row {seq} is not the one {told}, although rows and hashes \
                agree; a disk error does not do that"
            ),
            (Lang::En, false) => format!("row {seq} of the log does not have the hash {told}"),
        }
    }

    fn cut_words(&self, anchor: &Anchor, lang: Lang) -> String {
        let (told, seq, ends) = (told(anchor, lang), anchor.seq, self.head.events);
        match lang {
            Lang::Zh => format!(
                "{told}时事件记录已有{seq}条，现在只有{ends}条：末尾被删去，或恢复过更早的备份"
            ),
            Lang::En => format!(
                "by the proof {told} the log had {seq} rows, and it has {ends} now: its end was \
                removed, or an earlier backup was restored"
            ),
        }
    }
}

fn told(anchor: &Anchor, lang: Lang) -> String {
    match (&anchor.day, lang) {
        (Some(day), Lang::Zh) => format!("{day}记下"),
        (Some(day), Lang::En) => format!("written down on {day}"),
        (None, Lang::Zh) => "所给凭据".to_owned(),
        (None, Lang::En) => "on the paper".to_owned(),
    }
}

impl Difference {
    pub fn words(&self, lang: Lang) -> String {
        let code = &self.code;
        let of = |zh: String, en: String| match lang {
            Lang::Zh => format!("警情 {code} {zh}"),
            Lang::En => format!("incident {code}: {en}"),
        };
        match &self.what {
            What::Row { columns } => {
                let names: Vec<&str> = columns.iter().map(|it| column(it, lang)).collect();
                let done = match (self.mended, lang) {
                    (true, Lang::Zh) => "，已按事件记录改正",
                    (true, Lang::En) => "; corrected from the log",
                    (false, _) => "",
                };
                let names = names.join(lang.pick("、", ", "));
                of(
                    format!("的{names}与事件记录不同{done}"),
                    format!("differs from the log in {names}{done}"),
                )
            }
            What::NoRow if self.mended => of(
                "的数据行不见了，已按事件记录重建，编号是新的".to_owned(),
                "its row was missing; rebuilt from the log with a new number".to_owned(),
            ),
            What::NoRow => of("的数据行不见了".to_owned(), "its row is missing".to_owned()),
            What::Stray => {
                of("没有任何事件记录".to_owned(), "the log has no event of it".to_owned())
            }
            What::Evidence { sighting } => of(
                format!("的线索 {sighting} 归属与事件记录不同"),
                format!("sighting {sighting} is filed differently from the log"),
            ),
            What::Hotspot { key } => of(
                format!("的热点 {key} 归属与事件记录不同"),
                format!("hotspot {key} is filed differently from the log"),
            ),
            What::ClosedPlace => of(
                "的销号登记与事件记录不同".to_owned(),
                "the stored record of its closing differs from the log".to_owned(),
            ),
            What::Sent { to, at } => of(
                format!("{}给{to}的通知标为已发出，但没有网关收过它：请电话核实", moment(*at)),
                format!(
                    "the text to {to} of {} is marked as sent, but no gateway accepted it: phone \
                    to make sure",
                    moment(*at)
                ),
            ),
            What::UnknownMessage { to, at } => of(
                format!("{}给{to}的通知在事件记录里没有来由", moment(*at)),
                format!("the text to {to} of {} belongs to no event of the log", moment(*at)),
            ),
            What::LostMessage { at } => of(
                format!("{}记为未送达的通知不见了", moment(*at)),
                format!("a text recorded as undelivered at {} is missing", moment(*at)),
            ),
        }
    }
}

fn column(name: &'static str, lang: Lang) -> &'static str {
    match name {
        "state" => lang.pick("状态", "the state"),
        "closed_at_us" => lang.pick("销号时间", "the time of closing"),
        "opened_at_us" | "opened_seq" => lang.pick("立案时间", "the time of opening"),
        "version" => lang.pick("版本号", "the version"),
        "drill" => lang.pick("演练标记", "the drill mark"),
        _ => name,
    }
}

/// "04-05 14:03", in the county's time zone.
fn moment(at: Timestamp) -> String {
    COUNTY.to_datetime(at).strftime("%m-%d %H:%M").to_string()
}

/// One sentence per finding, and how many more there are.
fn named<T>(all: &Named<T>, lang: Lang, words: impl Fn(&T) -> String) -> Vec<String> {
    let more = all.count - all.first.len() as u64;
    let more = (more > 0).then(|| match lang {
        Lang::Zh => format!("此类另有{more}处"),
        Lang::En => format!("and {more} more of this kind"),
    });
    all.first.iter().map(words).chain(more).collect()
}

/// All findings in one sentence.
fn listed<T>(
    all: &Named<T>,
    sentence: &str,
    lang: Lang,
    words: impl Fn(&T) -> String,
) -> Option<String> {
    let mut list = all.first.iter().map(words).collect::<Vec<_>>().join(lang.pick("、", ", "));
    if !all.is_whole() {
        let of = lang.pick("等，共{}处", " and more, {} in all");
        list.push_str(&of.replace("{}", &all.count.to_string()));
    }
    (!all.is_none()).then(|| sentence.replace("{}", &list))
}
