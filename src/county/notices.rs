//! Pure: what is proclaimed for which ground, and what contradicts it.

use super::sheet::Sheet;
use super::{Burn, County, Grid, Problem};
use crate::lang::{Lang, Words};
use crate::register::{Ban, Entries, Ground, InForce, Notice, Register};
use crate::table::cells::{areas, local};
use crate::triage::event::Place;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;

/// Townships named where an area is not known.
const OFFERED: usize = 6;

impl County {
    /// What holds somewhere in the county.
    pub fn in_force(&self, at: Timestamp) -> InForce {
        InForce::at(&self.danger, &self.signals, &self.bans, at)
    }

    /// What holds at an incident's place: of its grid, its township, and the whole county. A place
    /// in no grid only has the name of a township near it.
    pub fn in_force_on(&self, place: &Place, at: Timestamp) -> InForce {
        let township = place.township.as_deref().filter(|_| place.grid.is_some());
        let grids = place.grid.iter().map(|grid| grid.as_str()).collect();
        self.in_force(at).on(&Ground { township, grids })
    }

    /// The ban that forbids a burn at this instant.
    pub(super) fn ban_on(&self, burn: &Burn, at: Timestamp) -> Option<&Ban> {
        self.bans.iter().find(|ban| ban.notice.holds(at) && self.is_on_ground(burn, &ban.notice))
    }

    /// Whether the burn's circle touches the ground of a notice.
    fn is_on_ground(&self, burn: &Burn, notice: &Notice) -> bool {
        let named = |grid: &&Grid| {
            let (township, grids) = (Some(grid.township.as_str()), vec![grid.id.as_str()]);
            notice.covers(&Ground { township, grids })
        };
        let touches = |grid: &Grid| {
            grid.area.contains(burn.at) || grid.area.edge_distance_m(burn.at) <= burn.radius_m
        };
        notice.areas.is_empty() || self.grids.iter().filter(named).any(touches)
    }

    /// What the registers say that cannot both be: burns approved under a ban, and notices for
    /// ground that nobody knows. What is over is no contradiction any more.
    pub fn contradictions(&self, now: Timestamp) -> Vec<Problem> {
        let mut found = Vec::new();
        for burn in self.burns.iter().filter(|burn| burn.to > now) {
            let forbids = |ban: &&Ban| {
                let Notice { from, until, .. } = &ban.notice;
                *from < burn.to
                    && until.is_none_or(|until| until > burn.from.max(now))
                    && self.is_on_ground(burn, &ban.notice)
            };
            if let Some(ban) = self.bans.iter().find(forbids) {
                found.push(of(Register::Burns, Words::by(|lang| under_ban(burn, ban, lang))));
            }
        }
        let known: BTreeSet<&str> =
            self.grids.iter().flat_map(|grid| [grid.id.as_str(), grid.township.as_str()]).collect();
        let danger = self.danger.iter().map(|it| (Register::Danger, &it.notice));
        let signals = self.signals.iter().map(|it| (Register::Signals, &it.notice));
        let bans = self.bans.iter().map(|it| (Register::Bans, &it.notice));
        for (register, notice) in danger.chain(signals).chain(bans) {
            let is_over = notice.until.is_some_and(|until| until <= now);
            let unknown = notice.areas.iter().find(|area| !known.contains(area.as_str()));
            if let Some(area) = unknown.filter(|_| !is_over) {
                let words = Words::by(|lang| unknown_area(area, &BTreeSet::new(), lang));
                found.push(of(register, words));
            }
        }
        found
    }
}

fn of(register: Register, reason: Words) -> Problem {
    Problem::of_file(register.file_name(), reason)
}

fn under_ban(burn: &Burn, ban: &Ban, lang: Lang) -> String {
    let (name, begins) = (&burn.name, local(burn.from));
    let Ban { name: ban, notice } = ban;
    let until = notice.until.map(local);
    match lang {
        Lang::Zh => format!(
            "“{name}”（{begins} 起）与禁火令“{ban}”（至 {}）冲突：请撤销或改期该用火，\
            或更正禁火令；在此之前，该处的烟火不作已批用火对待",
            until.as_deref().unwrap_or("另行通知")
        ),
        Lang::En => format!(
            "\"{name}\" (from {begins}) is approved under the ban \"{ban}\" (until {}): call the \
            burn off, move it, or correct the ban; until then smoke there is not taken for an \
            approved burn",
            until.as_deref().unwrap_or("further notice")
        ),
    }
}

/// A notice for ground that no register knows would hold nowhere: its row is rejected.
pub(super) fn resolve(sheet: &mut Sheet, current: &Entries, lang: Lang) {
    let grids = current.of(Register::Grids);
    let township = |grid: &crate::register::Entry| -> Option<String> {
        grid.value.get("properties")?.get("township").and_then(Value::as_str).map(str::to_owned)
    };
    let townships: BTreeSet<String> = grids.iter().filter_map(township).collect();
    let is_known =
        |area: &String| townships.contains(area) || grids.iter().any(|grid| grid.key == *area);
    let mut rejected = Vec::new();
    sheet.entries.retain(|(spot, entry)| {
        let cell = entry.value.get("area").and_then(Value::as_str).unwrap_or_default();
        match areas(cell).into_iter().find(|area| !is_known(area)) {
            Some(area) => {
                rejected.push((spot.clone(), unknown_area(&area, &townships, lang)));
                false
            }
            None => true,
        }
    });
    sheet.rejected.extend(rejected);
    sheet.rejected.sort();
}

fn unknown_area(area: &str, townships: &BTreeSet<String>, lang: Lang) -> String {
    let some: Vec<&str> = townships.iter().take(OFFERED).map(String::as_str).collect();
    let named = |zh: &str, en: &str| match some.is_empty() {
        true => String::new(),
        false => lang.pick(zh, en).replace("{}", &some.join(lang.pick("、", ", "))),
    };
    match lang {
        Lang::Zh => format!(
            "“区域”的值“{area}”不对：网格登记册里没有这个乡镇或网格编号{}；全县请留空",
            named("（乡镇如 {}）", "")
        ),
        Lang::En => format!(
            "\"area\" cannot be \"{area}\": the register of grids has no township and no grid of \
            that name{}; leave it empty for the whole county",
            named("", " (townships: {})")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::county::Area;
    use crate::register::Entry;
    use crate::table::Spot;
    use crate::triage::geo::LatLon;
    use crate::triage::geo::Locus;
    use crate::triage::sighting::Label;

    fn at(lat: f64, lon: f64) -> LatLon {
        LatLon::new(lat, lon).expect("a place")
    }

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn grid(code: &str, township: &str, south: f64) -> Grid {
        let corners = [(0.0, 0.0), (0.0, 0.1), (0.1, 0.1), (0.1, 0.0)];
        let ring = corners.map(|(up, right)| at(south + up, 110.0 + right)).to_vec();
        Grid {
            id: code.into(),
            name: code.to_owned(),
            village: String::new(),
            township: township.to_owned(),
            area: Area::from_rings(vec![ring]).expect("a ring"),
        }
    }

    /// 凤滩镇 in the south, 官庄镇 in the north; a burn in the middle of each.
    fn county(ban_on: &[&str]) -> County {
        let burn = |name: &str, lat| Burn {
            name: name.to_owned(),
            at: at(lat, 110.05),
            radius_m: 200.0,
            from: time("2026-11-21T00:00:00Z"),
            to: time("2026-11-21T10:00:00Z"),
            approver: "镇政府".to_owned(),
        };
        let notice = Notice {
            areas: ban_on.iter().map(|&area| area.to_owned()).collect(),
            issuer: "县政府".to_owned(),
            from: time("2026-11-20T16:00:00Z"),
            until: Some(time("2026-11-21T05:00:00Z")),
            why: Some("连续晴热".to_owned()),
        };
        County {
            grids: vec![grid("WG-1", "凤滩镇", 28.0), grid("WG-2", "官庄镇", 28.1)],
            burns: vec![burn("南山炼山", 28.05), burn("北山炼山", 28.15)],
            bans: vec![Ban { name: "冬季禁火令".to_owned(), notice }],
            ..County::default()
        }
    }

    fn labels(county: &County, lat: f64, hour: &str) -> Vec<Label> {
        let locus = Locus::Disc { centre: at(lat, 110.05), radius_m: 100.0 };
        county.labels(&locus, time(&format!("2026-11-21T{hour}:00Z")))
    }

    /// Somebody in the south lights the slash although the township is under a ban until one
    /// o'clock: nobody may read it as "approved, never mind".
    #[test]
    fn a_burn_under_a_ban_explains_no_smoke() {
        let county = county(&["凤滩镇"]);
        let approved = |name: &str| vec![Label::ApprovedBurn { name: name.to_owned() }];
        let banned =
            Label::BurnInBan { name: "南山炼山".to_owned(), ban: "冬季禁火令".to_owned() };
        assert_eq!(labels(&county, 28.05, "04:59"), [banned]);
        assert_eq!(labels(&county, 28.05, "05:00"), approved("南山炼山"), "the ban is over");
        assert_eq!(labels(&county, 28.15, "04:59"), approved("北山炼山"), "no ban in the north");
        for all in [&[][..], &["WG-1", "官庄镇"]] {
            let county = self::county(all);
            assert!(matches!(labels(&county, 28.15, "01:00")[..], [Label::BurnInBan { .. }]));
        }
    }

    #[test]
    fn the_contradiction_is_said_ahead_and_until_it_is_over() {
        let county = county(&["WG-1"]);
        let said = |now: &str| -> Vec<String> {
            let all = county.contradictions(time(now));
            all.iter().map(|it| it.said(Lang::Zh)).collect()
        };
        let ahead = said("2026-11-19T00:00:00Z");
        assert_eq!(ahead.len(), 1, "{ahead:?}");
        assert!(ahead[0].starts_with("burns.csv: “南山炼山”"), "{ahead:?}");
        assert!(ahead[0].contains("冬季禁火令") && ahead[0].contains("11-21 13:00"), "{ahead:?}");
        assert_eq!(said("2026-11-21T05:00:00Z"), [""; 0], "the ban has ended before the burn");
    }

    #[test]
    fn a_ban_for_ground_that_nobody_knows_is_refused_and_one_that_was_left_behind_is_said() {
        let county = county(&["凤滩镇"]);
        let entries = county.entries();
        let ban = |area: &str| Entry {
            value: serde_json::json!({"area": area, "name": "令"}),
            ..entries.of(Register::Bans)[0].clone()
        };
        let rows = ["凤滩镇、WG-2", "全县", "", "凤摊镇"].map(ban);
        let mut sheet =
            Sheet { entries: (2..).map(Spot::from).zip(rows).collect(), ..Sheet::default() };
        resolve(&mut sheet, &entries, Lang::Zh);
        assert_eq!(sheet.entries.len(), 3);
        assert_eq!(sheet.rejected[0].0.line, 5);
        assert!(sheet.rejected[0].1.contains("凤滩镇"), "{:?}", sheet.rejected);

        // The township is renamed: its ban would silently hold nowhere.
        let renamed = County { grids: vec![grid("WG-1", "凤凰镇", 28.0)], ..county };
        let said = renamed.contradictions(time("2026-11-20T00:00:00Z"));
        assert!(said.iter().any(|it| it.file == "bans.csv" && it.reason.en.contains("凤滩镇")));
    }
}
