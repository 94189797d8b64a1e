//! Pure: 热点类别, the official categories, by the codes of a Hunan provincial platform; 11 荒火
//! comes from a prefecture's. The log and the statistics hold the code. `report::category` has the
//! words.

pub const FOREST_FIRE: u8 = 0;
pub const GRASSLAND_FIRE: u8 = 1;
pub const PRESCRIBED_BURN: u8 = 2;
pub const FARM_BURNING: u8 = 3;
pub const SLASH_BURN: u8 = 4;
pub const SHRUB_FIRE: u8 = 5;
/// 工矿用火
pub const INDUSTRIAL_HEAT: u8 = 6;
pub const OTHER: u8 = 7;
/// 境外火: outside the county.
pub const OUTSIDE: u8 = 8;
/// 未找到: the category of a false alarm.
pub const NOTHING_FOUND: u8 = 9;
/// 核查中: interim. It does not stop the 60-minute clock (domain rule 21).
pub const STILL_CHECKING: u8 = 10;
pub const WASTE_LAND_FIRE: u8 = 11;

/// What a county is judged by and warned of: 林火, 草原火, 灌木火.
pub fn is_forest_fire(category: u8) -> bool {
    matches!(category, FOREST_FIRE | GRASSLAND_FIRE | SHRUB_FIRE)
}

/// Whether something burned in the open. A category that this version does not know counts as a
/// fire: its evidence is kept.
pub fn burned(category: u8) -> bool {
    !matches!(category, INDUSTRIAL_HEAT | OTHER | NOTHING_FOUND)
}

/// Heat that stays in one place.
pub fn is_fixed_heat(category: u8) -> bool {
    matches!(category, INDUSTRIAL_HEAT | OTHER)
}
