//! Pure: how the demo county is divided: townships in bands, villages in townships, grids in
//! villages.

use super::ground::{COLUMNS, Ground, ROWS};
use crate::county::{Area, Grid};
use crate::error::{Error, Result};

/// From south to north: the number of grid rows, and from west to east each township with its
/// number of grid columns. A county of 1,400 km² in western Hunan has about ten townships and
/// ninety villages.
const BANDS: [(usize, &[(&str, usize)]); 3] = [
    (6, &[("杉岭镇", 8), ("雾隐镇", 7), ("竹源乡", 7)]),
    (7, &[("楠溪镇", 6), ("云阁镇", 5), ("石门溪乡", 6), ("望山乡", 5)]),
    (6, &[("白鹭镇", 7), ("枫香坳乡", 8), ("青桐镇", 7)]),
];
/// Width and height of a village in cells, or one more where the township's cells do not divide
/// evenly.
const VILLAGE_CELLS: usize = 2;

/// A village is named after what grows or stands there and after its ground: 杉木冲村, 双溪村.
const OF: [&str; 25] = [
    "杉木", "楠木", "枫香", "茶", "桐木", "板栗", "白岩", "青石", "黄泥", "高", "长", "大", "双",
    "金竹", "水井", "铁炉", "龙王", "马鞍", "老屋", "花", "桃", "清水", "观音", "梨子", "香樟",
];
const AT: [&str; 10] = ["坪", "溪", "冲", "湾", "坳", "岭", "寨", "垭", "坡", "潭"];
/// Coprime to the number of names, so that none repeats, and large enough that neighbours sound
/// different.
const STRIDE: usize = 77;

pub(super) fn townships() -> impl Iterator<Item = &'static str> {
    BANDS.iter().flat_map(|(_, townships)| *townships).map(|&(name, _)| name)
}

/// The grids of a village are adjacent, and so are the villages of a township. Codes are like real
/// ones: township, village, grid.
pub(super) fn grids(ground: &Ground) -> Result<Vec<Grid>> {
    let mut grids = Vec::with_capacity(ROWS * COLUMNS);
    let (mut south, mut township_number, mut villages) = (0, 0, 0);
    for (rows, townships) in BANDS {
        let mut west = 0;
        for &(township, columns) in townships {
            township_number += 1;
            let parts = (rows / VILLAGE_CELLS, columns / VILLAGE_CELLS);
            for village in 0..parts.0 * parts.1 {
                let name = village_name(villages);
                villages += 1;
                let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
                let of_village = |&(row, column): &(usize, usize)| {
                    row * parts.0 / rows * parts.1 + column * parts.1 / columns == village
                };
                for (number, (row, column)) in (1..).zip(cells.filter(of_village)) {
                    let ring = ground.grid(south + row, west + column);
                    grids.push(Grid {
                        id: format!("YX{township_number:02}{:02}{number:02}", village + 1)
                            .as_str()
                            .into(),
                        name: format!("{number}号网格"),
                        village: name.clone(),
                        township: township.to_owned(),
                        area: Area::from_rings(vec![ring])
                            .map_err(|why| Error::internal(why.en))?,
                    });
                }
            }
            west += columns;
        }
        south += rows;
    }
    Ok(grids)
}

fn village_name(index: usize) -> String {
    let name = index * STRIDE % (OF.len() * AT.len());
    format!("{}{}村", OF[name / AT.len()], AT[name % AT.len()])
}
