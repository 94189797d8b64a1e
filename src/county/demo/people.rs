//! Pure: the demo county's people and their rota. The numbers 190-0000-… belong to nobody.

use super::{Dice, land};
use crate::county::{County, Duty, Grid, Person, Post, county_date};
use crate::triage::id::PersonId;
use crate::triage::policy::Role;
use jiff::{Timestamp, ToSpan};
use std::collections::HashSet;

const SURNAMES: [&str; 18] = [
    "向", "田", "彭", "覃", "吴", "李", "周", "杨", "龙", "石", "黄", "陈", "张", "刘", "王", "全",
    "瞿", "麻",
];
/// Enough names for a thousand people without repeats.
const GIVEN: [[&str; 18]; 2] = [
    [
        "长", "大", "春", "水", "秀", "志", "桂", "厚", "金", "安", "茂", "冬", "家", "玉", "守",
        "国", "友", "云",
    ],
    [
        "青", "山", "生", "英", "远", "松", "贵", "莲", "顺", "林", "梅", "福", "兰", "义", "文",
        "才", "明", "海",
    ],
];
/// Length of the village code: "YX0104" of "YX010402".
const VILLAGE_CODE: usize = 6;
/// The rota runs from yesterday to this many days ahead.
const ROTA_DAYS: i32 = 14;

/// Four digits: 1 to 9999.
pub(super) fn phone(number: usize) -> String {
    format!("1900000{number:04}")
}

/// A角 and B角 of every grid, a chief of every village, officers of the townships and the county.
pub(super) fn people(county: &County, dice: &mut Dice) -> Vec<Person> {
    let mut names = HashSet::new();
    let mut people: Vec<Person> = Vec::new();
    let mut add = |id: String, post: Post, grid: Option<&Grid>, township: Option<&str>| {
        let mut name = String::new();
        while name.is_empty() || !names.insert(name.clone()) {
            name = [dice.pick(&SURNAMES), dice.pick(&GIVEN[0]), dice.pick(&GIVEN[1])].concat();
        }
        people.push(Person {
            id: id.as_str().into(),
            name,
            phone: Some(phone(people.len() + 1)),
            post,
            grid: grid.filter(|_| post.is_ranger()).map(|grid| grid.id.clone()),
            village: grid.map(|grid| grid.village.clone()),
            township: township.map(str::to_owned),
        });
    };
    let mut village = "";
    for grid in &county.grids {
        let township = Some(grid.township.as_str());
        // The grids of a village are consecutive, and share the village's code as a prefix.
        let code = grid.id.as_str().get(..VILLAGE_CODE).unwrap_or_default();
        if code != village {
            village = code;
            add(format!("{code}L"), Post::VillageChief, Some(grid), township);
        }
        add(format!("{}A", grid.id), Post::RangerA, Some(grid), township);
        add(format!("{}B", grid.id), Post::RangerB, Some(grid), township);
    }
    for (number, township) in (1..).zip(land::townships()) {
        add(format!("XZ{number}1"), Post::TownshipOfficer, None, Some(township));
        add(format!("XZ{number}2"), Post::TownshipOfficer, None, Some(township));
        add(format!("JG{number}"), Post::Supervisor, None, Some(township));
    }
    (1..=4).for_each(|number| add(format!("ZB{number}"), Post::CountyOfficer, None, None));
    (1..=3).for_each(|number| add(format!("LD{number}"), Post::Leader, None, None));
    people
}

/// Who has duty when: officers and leaders take turns.
pub(super) fn rota(people: &[Person], now: Timestamp) -> Vec<Duty> {
    let today = county_date(now);
    let mut duties = Vec::new();
    for day in -1..=ROTA_DAYS {
        let turn = |post: Post, township: Option<&str>| -> Option<PersonId> {
            let of =
                |person: &&Person| person.post == post && person.township.as_deref() == township;
            let people: Vec<&Person> = people.iter().filter(of).collect();
            let index = usize::try_from(day + 1).unwrap_or(0) % people.len().max(1);
            people.get(index).map(|person| person.id.clone())
        };
        let mut add = |role: Role, township: Option<&str>, person: Option<PersonId>| {
            let date = today.saturating_add(day.days());
            let township = township.map(str::to_owned);
            duties.extend(person.map(|person| Duty {
                date,
                begins: None,
                ends: None,
                role,
                township,
                grid: None,
                person,
            }));
        };
        add(Role::CountyDuty, None, turn(Post::CountyOfficer, None));
        add(Role::CountyLeader, None, turn(Post::Leader, None));
        for township in land::townships() {
            add(Role::TownshipDuty, Some(township), turn(Post::TownshipOfficer, Some(township)));
        }
    }
    duties
}
