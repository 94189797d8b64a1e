//! 火险等级, 预警信号, 禁火令: what was proclaimed, by whom, for which ground, from when until when.
//! Three registers: a level follows from no signal, and no signal from a level (domain.md 3.4).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What every proclamation says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Notice {
    /// Townships by their names, grids by their codes. None: the whole county.
    pub areas: Vec<String>,
    pub issuer: String,
    pub from: Timestamp,
    /// Null: until another one for the same ground begins.
    pub until: Option<Timestamp>,
    /// In the words of the issuer.
    pub why: Option<String>,
}

impl Notice {
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }

    pub fn covers(&self, ground: &Ground<'_>) -> bool {
        let named = |area: &String| {
            ground.township == Some(area.as_str()) || ground.grids.contains(&area.as_str())
        };
        self.areas.is_empty() || self.areas.iter().any(named)
    }

    /// Names the same ground, in whatever order.
    fn is_of_same_ground(&self, other: &Self) -> bool {
        self.areas.is_empty() == other.areas.is_empty()
            && self.is_within(other)
            && other.is_within(self)
    }

    fn is_within(&self, other: &Self) -> bool {
        other.areas.is_empty()
            || !self.areas.is_empty() && self.areas.iter().all(|it| other.areas.contains(it))
    }
}

/// A place, by what a notice can name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ground<'a> {
    pub township: Option<&'a str>,
    pub grids: Vec<&'a str>,
}

/// 火险气象等级, 1 (low) to 5 (extreme): QX/T 77-2007.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Danger {
    #[schema(minimum = 1, maximum = 5)]
    pub level: u8,
    #[serde(flatten)]
    pub notice: Notice,
}

/// 森林火险预警信号: LY/T 2578-2016.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Signal {
    pub colour: Colour,
    #[serde(flatten)]
    pub notice: Notice,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    /// 解除: what held for this ground is lifted.
    Lifted,
    Blue,
    Yellow,
    Orange,
    Red,
}

/// 禁火令
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Ban {
    pub name: String,
    #[serde(flatten)]
    pub notice: Notice,
}

/// What holds at one instant, the strongest first.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct InForce {
    pub danger: Vec<Danger>,
    pub signals: Vec<Signal>,
    pub bans: Vec<Ban>,
}

impl InForce {
    /// Of two levels or two signals for the same ground the one that began later holds. Bans stand
    /// side by side.
    pub fn at(danger: &[Danger], signals: &[Signal], bans: &[Ban], at: Timestamp) -> Self {
        let mut danger = newest(danger, |it| &it.notice, at);
        danger.sort_by_key(|it| std::cmp::Reverse(it.level));
        // 解除 lifts what was issued before it for any part of its ground, whatever came after.
        let lifts = |it: &&Signal| it.colour == Colour::Lifted && it.notice.holds(at);
        let lifts: Vec<&Notice> = signals.iter().filter(lifts).map(|it| &it.notice).collect();
        let is_lifted = |it: &Notice| lifts.iter().any(|by| it.is_within(by) && it.from <= by.from);
        let mut signals = newest(signals, |it| &it.notice, at);
        signals.retain(|it| it.colour != Colour::Lifted && !is_lifted(&it.notice));
        signals.sort_by_key(|it| std::cmp::Reverse(it.colour));
        let bans = bans.iter().filter(|it| it.notice.holds(at)).cloned().collect();
        Self { danger, signals, bans }
    }

    /// What of it holds for a place.
    #[must_use]
    pub fn on(mut self, ground: &Ground<'_>) -> Self {
        self.danger.retain(|it| it.notice.covers(ground));
        self.signals.retain(|it| it.notice.covers(ground));
        self.bans.retain(|it| it.notice.covers(ground));
        self
    }
}

fn newest<T: Clone>(all: &[T], notice: impl Fn(&T) -> &Notice, at: Timestamp) -> Vec<T> {
    let mut held: Vec<&T> = Vec::new();
    for it in all.iter().filter(|it| notice(it).holds(at)) {
        match held.iter_mut().find(|other| notice(other).is_of_same_ground(notice(it))) {
            Some(other) if notice(other).from <= notice(it).from => *other = it,
            Some(_) => {}
            None => held.push(it),
        }
    }
    held.into_iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(hour: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(hour)
    }

    fn notice(areas: &[&str], from: i64, until: Option<i64>) -> Notice {
        Notice {
            areas: areas.iter().map(|&area| area.to_owned()).collect(),
            issuer: "县森防指".to_owned(),
            from: time(from),
            until: until.map(time),
            why: None,
        }
    }

    fn level(level: u8, areas: &[&str], from: i64, until: Option<i64>) -> Danger {
        Danger { level, notice: notice(areas, from, until) }
    }

    /// Level 3 stands; on the second day it is 5 for a day; one township has its own.
    #[test]
    fn the_later_level_of_the_same_ground_holds_and_afterwards_the_earlier_again() {
        let all =
            [level(3, &[], 0, None), level(5, &[], 24, Some(48)), level(4, &["凤滩镇"], 0, None)];
        let levels = |hour| -> Vec<u8> {
            InForce::at(&all, &[], &[], time(hour)).danger.iter().map(|it| it.level).collect()
        };
        assert_eq!([levels(-1), levels(0), levels(23)], [vec![], vec![4, 3], vec![4, 3]]);
        assert_eq!([levels(24), levels(47), levels(48)], [vec![5, 4], vec![5, 4], vec![4, 3]]);
        let here = Ground { township: Some("官庄镇"), grids: vec!["WG-1"] };
        let on = InForce::at(&all, &[], &[], time(1)).on(&here);
        assert_eq!(on.danger, [all[0].clone()], "the township's own level is not theirs");
    }

    #[test]
    fn a_signal_is_lifted_and_a_level_stays() {
        let signal = |colour, from| Signal { colour, notice: notice(&[], from, None) };
        let signals = [signal(Colour::Orange, 0), signal(Colour::Lifted, 10)];
        let danger = [level(4, &[], 0, None)];
        let at = |hour| InForce::at(&danger, &signals, &[], time(hour));
        assert_eq!((at(9).signals.len(), at(10).signals.len(), at(10).danger.len()), (1, 0, 1));
    }

    #[test]
    fn what_is_lifted_names_its_ground_in_any_order_or_lies_within() {
        let held =
            |colour, areas: &[&str], from| Signal { colour, notice: notice(areas, from, None) };
        for (lifted, left) in [
            (&["官庄镇", "凤滩镇"][..], 0),
            (&[], 0),
            (&["凤滩镇", "官庄镇", "二酉乡"], 0),
            // Half of its ground is still under it, and nobody can say it otherwise than whole.
            (&["凤滩镇"], 1),
        ] {
            let signals =
                [held(Colour::Red, &["凤滩镇", "官庄镇"], 0), held(Colour::Lifted, lifted, 10)];
            let at = |hour| InForce::at(&[], &signals, &[], time(hour)).signals.len();
            assert_eq!((at(9), at(10)), (1, left), "{lifted:?}");
        }
        let later = [held(Colour::Lifted, &[], 10), held(Colour::Red, &["凤滩镇"], 11)];
        assert_eq!(InForce::at(&[], &later, &[], time(12)).signals.len(), 1, "issued anew");
        let third = [
            held(Colour::Red, &["凤滩镇"], 1),
            held(Colour::Lifted, &[], 2),
            held(Colour::Blue, &[], 3),
        ];
        let colours: Vec<_> =
            InForce::at(&[], &third, &[], time(4)).signals.iter().map(|it| it.colour).collect();
        assert_eq!(colours, [Colour::Blue], "what was lifted does not come back");
    }

    #[test]
    fn a_ban_holds_on_its_ground_until_its_end() {
        let ban = Ban { name: "禁火令".to_owned(), notice: notice(&["WG-1"], 0, Some(5)) };
        let held = |hour, grid| {
            let ground = Ground { township: None, grids: vec![grid] };
            !InForce::at(&[], &[], std::slice::from_ref(&ban), time(hour))
                .on(&ground)
                .bans
                .is_empty()
        };
        assert!(held(0, "WG-1") && held(4, "WG-1"));
        assert!(!held(5, "WG-1") && !held(0, "WG-2"));
    }
}
