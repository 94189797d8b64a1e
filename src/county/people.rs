//! Pure: who does what in the county, and who is on duty today.

pub use crate::base::time::county_time;
use crate::table::cells;
use crate::triage::id::{GridId, PersonId};
use crate::triage::policy::Role;
use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, ToSpan};

/// The digits of a phone number, as people write it; `None` where it is none.
pub fn phone_number(text: &str) -> Option<String> {
    cells::phone(text)
}

/// A person in the office's register. `Debug` hides the phone.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    pub id: PersonId,
    pub name: String,
    /// Digits only, perhaps with a leading "+".
    pub phone: Option<String>,
    pub post: Post,
    /// Where the post applies: a ranger's grid, a chief's village, an officer's township.
    pub grid: Option<GridId>,
    pub village: Option<String>,
    pub township: Option<String>,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person({} {})", self.id, self.post.zh())
    }
}

/// 岗位: the post that somebody is appointed to. Who acts today is decided by the rota.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Post {
    /// 护林员A角
    RangerA,
    /// 护林员B角
    RangerB,
    /// 村级林长
    VillageChief,
    /// 监管员
    Supervisor,
    /// 乡镇值班员
    TownshipOfficer,
    /// 县值班员
    CountyOfficer,
    /// 带班领导
    Leader,
}

impl Post {
    pub const ALL: [Self; 7] = [
        Self::RangerA,
        Self::RangerB,
        Self::VillageChief,
        Self::Supervisor,
        Self::TownshipOfficer,
        Self::CountyOfficer,
        Self::Leader,
    ];

    /// 护林员, A角 or B角.
    pub fn is_ranger(self) -> bool {
        matches!(self, Self::RangerA | Self::RangerB)
    }

    pub fn zh(self) -> &'static str {
        match self {
            Self::RangerA => "护林员A角",
            Self::RangerB => "护林员B角",
            Self::VillageChief => "村级林长",
            Self::Supervisor => "监管员",
            Self::TownshipOfficer => "乡镇值班员",
            Self::CountyOfficer => "县值班员",
            Self::Leader => "带班领导",
        }
    }

    pub fn en(self) -> &'static str {
        match self {
            Self::RangerA => "ranger A",
            Self::RangerB => "ranger B",
            Self::VillageChief => "village chief",
            Self::Supervisor => "supervisor",
            Self::TownshipOfficer => "township officer",
            Self::CountyOfficer => "county officer",
            Self::Leader => "leader",
        }
    }

    /// The word as an office writes it; "护林员" alone is the A角. What stands in brackets explains
    /// (`村级林长（支书）`) or says which of the two a ranger is (`护林员（B角）`).
    pub fn parse(text: &str) -> Option<Self> {
        let word: String = cells::half_width(text)
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-'))
            .flat_map(char::to_lowercase)
            .collect();
        let whole = word.replace(['(', ')'], "");
        let before = word.split('(').next().unwrap_or_default();
        Self::ranger(&whole).or_else(|| Self::named(&whole)).or_else(|| Self::named(before))
    }

    /// `专职护林员`, `护林员A`, `生态护林员B角`, `A角`.
    fn ranger(word: &str) -> Option<Self> {
        const KINDS: [&str; 9] =
            ["护林员", "网格员", "专职", "兼职", "生态", "天保", "公益林", "聘用", "网格"];
        let is_ranger = ["护林员", "网格员", "a角", "b角"].iter().any(|name| word.contains(name));
        let rest = KINDS.iter().fold(word.to_owned(), |rest, kind| rest.replace(kind, ""));
        match rest.trim_end_matches('角') {
            "" | "a" if is_ranger => Some(Self::RangerA),
            "b" if is_ranger => Some(Self::RangerB),
            _ => None,
        }
    }

    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "rangera" | "ranger" => Self::RangerA,
            "rangerb" => Self::RangerB,
            "村级林长" | "村林长" | "林长" | "villagechief" => Self::VillageChief,
            "监管员" | "supervisor" => Self::Supervisor,
            "乡镇值班员" | "乡镇值班" | "乡值班员" | "镇值班员" | "townshipofficer"
            | "townshipduty" => Self::TownshipOfficer,
            "县值班员"
            | "县值班"
            | "值班员"
            | "县林业局值班员"
            | "林业局值班员"
            | "县森防办值班员"
            | "森防办值班员"
            | "countyofficer"
            | "countyduty" => Self::CountyOfficer,
            "带班领导" | "县带班领导" | "值班领导" | "县值班领导" | "leader" | "countyleader" => {
                Self::Leader
            }
            _ => return None,
        })
    }
}

/// One row of the 值班表, a shift: from `begins` on `date` (county time), `person` acts in `role`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Duty {
    pub date: Date,
    /// `None`: midnight.
    pub begins: Option<Time>,
    /// Of the next day where it is not after `begins`, as of a night shift; `None`: the end of the
    /// day.
    pub ends: Option<Time>,
    pub role: Role,
    /// For 乡镇值班 the township; for a ranger's stand-in the grid.
    pub township: Option<String>,
    pub grid: Option<GridId>,
    pub person: PersonId,
}

impl Duty {
    pub fn begins_at(&self) -> Timestamp {
        instant(self.date, self.begins.unwrap_or(Time::midnight()))
    }

    /// The shift is over from this instant on.
    pub fn ends_at(&self) -> Timestamp {
        let ends = self.ends.unwrap_or(Time::midnight());
        let is_next_day = ends <= self.begins.unwrap_or(Time::midnight());
        instant(if is_next_day { self.date.saturating_add(1.day()) } else { self.date }, ends)
    }

    /// Whether the shift holds at this time of the county's clock ([`county_clock`]).
    pub fn covers(&self, local: DateTime) -> bool {
        // A year's rota has thousands of rows; most are out by their day alone.
        if self.date > local.date() || self.date < local.date().saturating_sub(1.day()) {
            return false;
        }
        let midnight = Time::midnight();
        let (begins, ends) = (self.begins.unwrap_or(midnight), self.ends.unwrap_or(midnight));
        let last = if ends <= begins { self.date.saturating_add(1.day()) } else { self.date };
        self.date.to_datetime(begins) <= local && local < last.to_datetime(ends)
    }
}

/// The instant of a county's clock. At the end of the calendar, in the year 9999, it is the last
/// there is.
fn instant(date: Date, time: Time) -> Timestamp {
    date.to_datetime(time).to_zoned(county_time()).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

/// The role's name on a 值班表.
pub(super) fn role_zh(role: Role) -> &'static str {
    match role {
        Role::Ranger => "A角替班",
        Role::BackupRanger => "B角替班",
        Role::VillageChief => "村级林长",
        Role::TownshipDuty => "乡镇值班",
        Role::CountyDuty => "县值班",
        Role::CountyLeader => "带班领导",
        Role::NextDuty => "下一班县值班",
    }
}

pub(super) fn parse_role(text: &str) -> Option<Role> {
    let word: String = text.chars().filter(|c| !c.is_whitespace() && *c != '_').collect();
    Some(match word.to_lowercase().as_str() {
        "a角替班" | "a角" | "护林员" | "替班" | "ranger" => Role::Ranger,
        "b角替班" | "b角" | "backupranger" => Role::BackupRanger,
        "村级林长" | "villagechief" => Role::VillageChief,
        "乡镇值班" | "乡镇值班员" | "townshipduty" => Role::TownshipDuty,
        "县值班" | "县值班员" | "值班员" | "countyduty" => Role::CountyDuty,
        "带班领导" | "县带班领导" | "countyleader" | "leader" => Role::CountyLeader,
        _ => return None,
    })
}

/// What clocks in the county show.
pub(super) fn county_clock(now: Timestamp) -> DateTime {
    now.to_zoned(county_time()).datetime()
}

/// The date in the county.
pub fn county_date(now: Timestamp) -> Date {
    now.to_zoned(county_time()).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posts_and_roles_read_back_what_they_write() {
        for post in Post::ALL {
            assert_eq!(Post::parse(post.zh()), Some(post));
            assert_eq!(Post::parse(post.en()), Some(post));
        }
        for role in [
            Role::Ranger,
            Role::BackupRanger,
            Role::TownshipDuty,
            Role::CountyDuty,
            Role::CountyLeader,
        ] {
            assert_eq!(parse_role(role_zh(role)), Some(role));
        }
        assert_eq!(Post::parse("护林员（B角）"), Some(Post::RangerB));
        for (text, post) in [
            ("专职护林员", Post::RangerA),
            ("护林员(A)", Post::RangerA),
            ("护林员 B 角", Post::RangerB),
            ("Ａ角", Post::RangerA),
            ("网格员", Post::RangerA),
            ("天保护林员", Post::RangerA),
            ("生态护林员（B角）", Post::RangerB),
            ("村级林长（支书）", Post::VillageChief),
            ("县林业局值班员", Post::CountyOfficer),
            ("值班领导", Post::Leader),
        ] {
            assert_eq!(Post::parse(text), Some(post), "{text}");
        }
        for text in ["厨师", "护林员队长", "角", "生态", ""] {
            assert_eq!(Post::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_day_begins_at_16_utc() {
        let before: Timestamp = "2026-11-20T15:59:59Z".parse().expect("time");
        assert_eq!(county_date(before).to_string(), "2026-11-20");
        assert_eq!(
            county_date(before + jiff::SignedDuration::from_secs(1)).to_string(),
            "2026-11-21"
        );
    }

    #[test]
    fn a_phone_is_not_in_the_debug_text() {
        let person = Person {
            id: "p1".into(),
            name: "向某".to_owned(),
            phone: Some("19000000001".to_owned()),
            post: Post::RangerA,
            grid: None,
            village: None,
            township: None,
        };
        assert!(!format!("{person:?}").contains("1900"));
    }
}
