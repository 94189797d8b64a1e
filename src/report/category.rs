//! 热点类别: the official categories as they stand on the ranger's form.

use crate::triage::category::*;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Category {
    /// The province's number; statistics are by this.
    pub code: u8,
    /// As it stands on the ranger's button.
    pub zh: &'static str,
    pub en: &'static str,
    /// Something burned in the open, wanted or not: the smoke was real.
    pub fire: bool,
    /// On the first page of the ranger's form.
    pub first_page: bool,
    /// Only the office may say so.
    pub officer_only: bool,
    /// 核查中: the clock runs on.
    pub interim: bool,
}

const fn entry(
    code: u8,
    zh: &'static str,
    en: &'static str,
    fire: bool,
    first_page: bool,
) -> Category {
    Category { code, zh, en, fire, first_page, officer_only: false, interim: false }
}

static CATEGORIES: [Category; 12] = [
    entry(FOREST_FIRE, "森林火灾", "Forest fire", true, true),
    entry(FARM_BURNING, "农事用火", "Farm burning", true, true),
    entry(WASTE_LAND_FIRE, "荒火", "Waste-land fire", true, true),
    entry(PRESCRIBED_BURN, "计划烧除", "Prescribed burn", true, true),
    entry(SLASH_BURN, "炼山", "Slash burn", true, true),
    entry(INDUSTRIAL_HEAT, "工矿用火", "Industrial heat", false, true),
    entry(NOTHING_FOUND, "未找到", "Nothing found", false, true),
    entry(OTHER, "其他", "Other", false, true),
    Category { interim: true, ..entry(STILL_CHECKING, "核查中", "Still checking", false, true) },
    entry(GRASSLAND_FIRE, "草原火", "Grassland fire", true, false),
    entry(SHRUB_FIRE, "灌木火", "Shrub fire", true, false),
    Category {
        officer_only: true,
        ..entry(OUTSIDE, "境外火", "Fire outside the county", true, false)
    },
];

/// In the order of the ranger's form.
pub fn categories() -> &'static [Category] {
    &CATEGORIES
}

pub fn category(code: u8) -> Option<&'static Category> {
    CATEGORIES.iter().find(|category| category.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_provinces_codes_are_all_there_once() {
        let mut codes: Vec<u8> = categories().iter().map(|category| category.code).collect();
        codes.sort_unstable();
        assert_eq!(codes, (0..=11).collect::<Vec<_>>());
        assert_eq!(category(3).map(|category| category.zh), Some("农事用火"));
        assert_eq!(category(12), None);
        let only = |property: fn(&Category) -> bool| {
            categories().iter().filter(|c| property(c)).map(|c| c.code).collect::<Vec<_>>()
        };
        let burned = |c: &&Category| c.interim || c.fire == burned(c.code);
        assert!(
            categories().iter().all(|c| burned(&c)),
            "what is kept as a fire's evidence is what is counted as one"
        );
        assert_eq!(only(|c| c.interim), [10]);
        assert_eq!(only(|c| c.officer_only), [8]);
    }
}
