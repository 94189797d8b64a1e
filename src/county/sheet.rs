//! Files of the office ↔ entries of the register, and entries ↔ [`County`]: the one place that
//! knows what the cells of an entry mean, for imports, pages, the log and the folder alike.

use super::basics::{Basics, GroundWord, Problem};
use super::rows::{self, Record, Rows};
use super::{Area, Burn, CameraEntry, County, Duty, Grid, HeatSource, Person};
use crate::address::Address;
use crate::lang::{Lang, Words};
use crate::register::{Ban, Danger, Entries, Entry, Register, Signal, Validity};
use crate::table::cells::local;
use crate::table::{self, Column, Kept, Row, Spot};
use geojson::Geometry;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};

/// From when until when a row holds. Every register's sheet may say it, unless one of the register's
/// own columns has that name.
const VALIDITY: &[Column] = &[
    &["生效", "valid_from", "生效日期", "生效时间"],
    &["失效", "valid_until", "失效日期", "失效时间"],
];

/// A file of the office, read row by row.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sheet {
    /// The usable entries, the first of each key, each with its place.
    pub entries: Vec<(Spot, Entry)>,
    /// Why a row cannot be used.
    pub rejected: Vec<(Spot, String)>,
    /// Rows that were taken otherwise than they are written, and how.
    pub notes: Vec<(Spot, String)>,
    /// Columns that the register does not have, as written.
    pub unknown: Vec<String>,
    /// A sentence for each sheet of a workbook that is not of this register.
    pub unread: Vec<String>,
}

impl Sheet {
    /// The usable entries without their lines and without what is over. What holds at a time of its
    /// own stands behind what holds from now on, and the later beginning behind the earlier, so that
    /// each is the last word for its time.
    pub fn wanted(&self, now: Timestamp) -> Vec<Entry> {
        let entries = self.entries.iter().map(|(_, entry)| entry.clone());
        let mut wanted: Vec<Entry> = entries.filter(|entry| !entry.valid.is_over(now)).collect();
        wanted.sort_by_key(|entry| (entry.valid.is_given(), entry.valid.from));
        wanted
    }
}

/// `Err` is a sentence: the file as a whole is not of this register. county.toml is read by its
/// folder, because it names another file.
pub fn parse(register: Register, bytes: &[u8], lang: Lang) -> Result<Sheet, String> {
    match register {
        Register::County | Register::Shift | Register::Policy => {
            Err(format!("{} is no table", register.file_name()))
        }
        Register::Grids => {
            let (grids, rejected) = first_of_each(
                rows::grids(&table::decode(bytes), lang)?,
                grid_key,
                rows::REPEATED,
                lang,
            );
            let entries = grids.iter().map(|(spot, grid)| (spot.clone(), of_grid(grid))).collect();
            Ok(Sheet { entries, rejected, ..Sheet::default() })
        }
        Register::People => rows_of::<Person>(bytes, lang),
        Register::Cameras => rows_of::<CameraEntry>(bytes, lang),
        Register::Duty => rows_of::<Duty>(bytes, lang),
        Register::Burns => rows_of::<Burn>(bytes, lang),
        Register::HeatSources => rows_of::<HeatSource>(bytes, lang),
        Register::Danger => rows_of::<Danger>(bytes, lang),
        Register::Signals => rows_of::<Signal>(bytes, lang),
        Register::Bans => rows_of::<Ban>(bytes, lang),
    }
}

/// A file of cameras for keeping. `Err` is a sentence.
pub(crate) fn without_secrets(bytes: &[u8]) -> Result<Kept, String> {
    table::without_secrets(bytes, CameraEntry::COLUMNS, Lang::from_env())
}

/// One entry as a page or a program sends it: columns by any of their names. `Err` is a sentence.
pub fn entry(register: Register, value: &Value, lang: Lang) -> Result<Entry, String> {
    match register {
        Register::County => {
            Err(lang.pick("请改 county.toml", "change county.toml instead").to_owned())
        }
        Register::Policy => Err(lang
            .pick("请改配置文件的 [policy]", "change [policy] of the configuration instead")
            .to_owned()),
        Register::Shift => {
            Err(lang.pick("班次由本人签字", "a shift is signed by its officer").to_owned())
        }
        Register::Grids => read_grid(value, lang).map(|grid| of_grid(&grid)),
        Register::People => taken_in::<Person>(value, lang),
        Register::Cameras => taken_in::<CameraEntry>(value, lang),
        Register::Duty => taken_in::<Duty>(value, lang),
        Register::Burns => taken_in::<Burn>(value, lang),
        Register::HeatSources => taken_in::<HeatSource>(value, lang),
        Register::Danger => taken_in::<Danger>(value, lang),
        Register::Signals => taken_in::<Signal>(value, lang),
        Register::Bans => taken_in::<Ban>(value, lang),
    }
}

/// The register as its file, with logins: for the office's own folder, never for a page.
pub fn render(register: Register, entries: &[Entry]) -> Result<String, String> {
    match register {
        Register::County | Register::Shift | Register::Policy => {
            Err(format!("{} is no table", register.file_name()))
        }
        Register::Grids => {
            let collection = serde_json::json!({
                "type": "FeatureCollection",
                "features": entries.iter().map(|entry| &entry.value).collect::<Vec<_>>(),
            });
            Ok(collection.to_string())
        }
        Register::People => written::<Person>(entries),
        Register::Cameras => written::<CameraEntry>(entries),
        Register::Duty => written::<Duty>(entries),
        Register::Burns => written::<Burn>(entries),
        Register::HeatSources => written::<HeatSource>(entries),
        Register::Danger => written::<Danger>(entries),
        Register::Signals => written::<Signal>(entries),
        Register::Bans => written::<Ban>(entries),
    }
}

impl County {
    /// What the entries say. Those that cannot be read are listed as problems, and the rest is
    /// used.
    pub fn of(entries: &Entries, lang: Lang) -> Self {
        let mut problems = Vec::new();
        let basics = entries.of(Register::County).first();
        let basics =
            basics.map(|entry| serde_json::from_value::<Basics<Geometry>>(entry.value.clone()));
        let basics = basics.transpose().unwrap_or_else(|e| {
            let why = Words::by(|_| e.to_string());
            problems.push(problem(Register::County, "", why));
            None
        });
        let mut county = Self::default();
        if let Some(Basics { name, centre, outline, ground, neighbours }) = basics {
            // The outline was an area when it was registered.
            let outline = outline.and_then(|geometry| Area::from_geojson(&geometry).ok());
            county =
                Self { name, centre, outline, is_flat: ground.is_some(), neighbours, ..county };
        }
        let grids = entries.of(Register::Grids).iter().filter_map(|entry| {
            in_both(lang, |lang| read_grid(&entry.value, lang))
                .map_err(|why| problems.push(problem(Register::Grids, &entry.key, why)))
                .ok()
        });
        county.grids = grids.collect();
        let county = Self {
            people: all(entries, Register::People, lang, &mut problems),
            cameras: all(entries, Register::Cameras, lang, &mut problems),
            duties: all(entries, Register::Duty, lang, &mut problems),
            burns: all(entries, Register::Burns, lang, &mut problems),
            heat_sources: all(entries, Register::HeatSources, lang, &mut problems),
            danger: all(entries, Register::Danger, lang, &mut problems),
            signals: all(entries, Register::Signals, lang, &mut problems),
            bans: all(entries, Register::Bans, lang, &mut problems),
            ..county
        };
        Self { problems, ..county }
    }

    /// The entries that say this. The county of a test or of the demo becomes registers by it.
    pub fn entries(&self) -> Entries {
        let mut entries = Entries::default();
        let basics = Basics {
            name: self.name.clone(),
            centre: self.centre,
            outline: self.outline.as_ref().map(Area::to_geojson),
            ground: self.is_flat.then_some(GroundWord::Flat),
            neighbours: self.neighbours.clone(),
        };
        let value = serde_json::to_value(basics).unwrap_or_default();
        entries.push(Register::County, Entry::of("", value));
        self.grids.iter().for_each(|it| entries.push(Register::Grids, of_grid(it)));
        self.people.iter().for_each(|it| entries.push(Register::People, of(it)));
        self.cameras.iter().for_each(|it| entries.push(Register::Cameras, of(it)));
        self.duties.iter().for_each(|it| entries.push(Register::Duty, of(it)));
        self.burns.iter().for_each(|it| entries.push(Register::Burns, of(it)));
        self.heat_sources.iter().for_each(|it| entries.push(Register::HeatSources, of(it)));
        self.danger.iter().for_each(|it| entries.push(Register::Danger, of(it)));
        self.signals.iter().for_each(|it| entries.push(Register::Signals, of(it)));
        self.bans.iter().for_each(|it| entries.push(Register::Bans, of(it)));
        entries
    }
}

fn problem(register: Register, key: &str, why: Words) -> Problem {
    let reason = if key.is_empty() { why } else { why.after(&format!("{key}:")) };
    Problem::of_file(register.file_name(), reason)
}

/// What cannot be read is said in both languages, by reading it twice.
fn in_both<T>(lang: Lang, read: impl Fn(Lang) -> Result<T, String>) -> Result<T, Words> {
    read(lang).map_err(|_| Words::by(|lang| read(lang).err().unwrap_or_default()))
}

fn all<T: Record>(
    entries: &Entries,
    register: Register,
    lang: Lang,
    problems: &mut Vec<Problem>,
) -> Vec<T> {
    let read = |entry: &Entry| match in_both(lang, |lang| read::<T>(&exposed(entry), lang)) {
        Ok(it) => Some(it),
        Err(why) => {
            problems.push(problem(register, &entry.key, why));
            None
        }
    };
    entries.of(register).iter().filter_map(read).collect()
}

/// The entry with its logins in their cells.
fn exposed(entry: &Entry) -> Value {
    let mut value = entry.value.clone();
    if let Value::Object(cells) = &mut value {
        for (column, secret) in &entry.secrets {
            cells.insert(column.clone(), Value::String(secret.clone()));
        }
    }
    value
}

fn rows_of<T: Record>(bytes: &[u8], lang: Lang) -> Result<Sheet, String> {
    let table = table::read(bytes, T::COLUMNS, VALIDITY, lang)?;
    let read = |row: &Row| Ok((harmless(T::read(row)?, lang)?, validity::<T>(row)?));
    let of_row = |row: &Result<Row, String>| row.as_ref().map_err(Clone::clone).and_then(read);
    let rows: Rows<(T, Validity)> =
        table.rows.iter().map(|(spot, row)| (spot.clone(), of_row(row))).collect();
    // One entry may have several rows, each with its time.
    let key = |(it, Validity { from, until }): &(T, Validity)| {
        let times = [from.map(local), until.map(|until| format!("– {}", local(until)))];
        [Some(it.key())].into_iter().chain(times).flatten().collect::<Vec<_>>().join(" ")
    };
    let (entries, rejected) = first_of_each(rows, key, T::REPEATED, lang);
    let entry = |(it, valid): &(T, Validity)| Entry { valid: *valid, ..of(it) };
    let entries: Vec<_> = entries.iter().map(|(spot, it)| (spot.clone(), entry(it))).collect();
    let is_taken = |spot: &Spot| entries.binary_search_by_key(&spot, |(spot, _)| spot).is_ok();
    let taken = table.rows.iter().filter(|(spot, _)| is_taken(spot));
    let note = |(spot, row): &(Spot, Result<Row, String>)| {
        Some((spot.clone(), T::note(row.as_ref().ok()?)?))
    };
    let notes = taken.filter_map(note).collect();
    Ok(Sheet { entries, rejected, notes, unknown: table.unknown, unread: table.unread })
}

/// 生效, 失效. A day alone is whole: it holds from its first moment, and through its last.
fn validity<T: Record>(row: &Row) -> Result<Validity, String> {
    let time = |column, end| row.get(column).map(|_| row.time(column, end)).transpose();
    let valid = Validity { from: time("生效", false)?, until: time("失效", true)? };
    // Of logins only the newest is kept, so none can wait for its day.
    if valid.is_given() && !T::ADDRESSES.is_empty() {
        let words = row.lang.pick(
            "摄像机不能预先登记：请到时再改，不填“生效”“失效”",
            "cameras cannot be registered ahead: change them when it is time, without 生效 and 失效",
        );
        return Err(words.to_owned());
    }
    match (valid.from, valid.until) {
        (Some(from), Some(until)) if until <= from => Err(row
            .lang
            .pick("“失效”不晚于“生效”：请更正", "失效 is not later than 生效: correct them")
            .to_owned()),
        _ => Ok(valid),
    }
}

fn read<T: Record>(value: &Value, lang: Lang) -> Result<T, String> {
    let Value::Object(cells) = value else {
        return Err(lang.pick("应为各列的值", "an object with its columns is needed").to_owned());
    };
    T::read(&Row::of(cells, T::COLUMNS, lang)?)
}

fn taken_in<T: Record>(value: &Value, lang: Lang) -> Result<Entry, String> {
    read::<T>(value, lang).and_then(|it| harmless(it, lang)).map(|it| of(&it))
}

/// Refuses what the office's table program would take for a formula when it opens the file, and
/// what breaks lines. Only when it comes in: what is registered already is read as it is.
fn harmless<T: Record>(it: T, lang: Lang) -> Result<T, String> {
    let mut faults = T::COLUMNS.iter().zip(it.write()).filter_map(|(names, cell)| {
        let column = names.first()?;
        if cell.chars().any(char::is_control) {
            return Some(match lang {
                Lang::Zh => format!("“{column}”中有换行或其他控制字符，请删除"),
                Lang::En => {
                    format!(
                        "\"{column}\" holds a line break or another control character: remove it"
                    )
                }
            });
        }
        is_formula(&cell).then(|| match lang {
            Lang::Zh => format!("“{column}”以 = + - @ 开头，表格软件会当作公式，请改写"),
            Lang::En => format!(
                "\"{column}\" begins with = + - or @, which table programs take for a formula: \
                write it otherwise"
            ),
        })
    });
    faults.next().map_or(Ok(it), Err)
}

/// A dash alone stands for nothing; numbers and telephone numbers may have a sign.
fn is_formula(cell: &str) -> bool {
    let is_plain = |rest: &str| rest.chars().all(|c| c.is_ascii_digit() || " .".contains(c));
    match cell.strip_prefix(['+', '-']) {
        Some(rest) => !is_plain(rest) && cell.parse::<f64>().is_err(),
        None => cell.starts_with(['=', '@']),
    }
}

/// The entry as it is kept: columns by their English names, empty cells left out, logins as stars.
fn of<T: Record>(it: &T) -> Entry {
    let (mut cells, mut secrets) = (Map::new(), BTreeMap::new());
    for (names, cell) in T::COLUMNS.iter().zip(it.write()) {
        let Some(name) = names.get(1).or(names.first()).filter(|_| !cell.is_empty()) else {
            continue;
        };
        let is_address = names.first().is_some_and(|first| T::ADDRESSES.contains(first));
        let shown =
            if is_address { Address::parse(&cell).shown().to_owned() } else { cell.clone() };
        if shown != cell {
            secrets.insert((*name).to_owned(), cell);
        }
        cells.insert((*name).to_owned(), Value::String(shown));
    }
    Entry { secrets, ..Entry::of(it.key(), Value::Object(cells)) }
}

fn written<T: Record>(entries: &[Entry]) -> Result<String, String> {
    let line = |entry: &Entry| {
        let value = exposed(entry);
        let cell = |names: &&[&str]| {
            value.get(names.get(1).or(names.first())?).and_then(Value::as_str).map(str::to_owned)
        };
        T::COLUMNS.iter().map(|names| cell(names).unwrap_or_default()).collect()
    };
    table::write(T::COLUMNS, entries.iter().map(line))
}

fn grid_key(grid: &Grid) -> String {
    grid.id.to_string()
}

fn of_grid(grid: &Grid) -> Entry {
    let value = serde_json::to_value(rows::grid_feature(grid)).unwrap_or_default();
    Entry::of(grid_key(grid), value)
}

fn read_grid(value: &Value, lang: Lang) -> Result<Grid, String> {
    let feature = serde_json::from_value(value.clone()).map_err(|e| {
        format!("{}: {e}", lang.pick("不是 GeoJSON Feature", "not a GeoJSON feature"))
    })?;
    rows::grid(&feature, lang)
}

/// Each with its place.
type Placed<T> = Vec<(Spot, T)>;

/// The usable entries, the first of each key, and the others with their reasons.
fn first_of_each<T>(
    rows: Rows<T>,
    key: impl Fn(&T) -> String,
    (zh, en): (&str, &str),
    lang: Lang,
) -> (Placed<T>, Placed<String>) {
    let mut seen = HashSet::new();
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (spot, row) in rows {
        match row {
            Ok(entry) if seen.insert(key(&entry)) => good.push((spot, entry)),
            Ok(entry) => bad.push((
                spot,
                match lang {
                    Lang::Zh => format!("{zh}：{}", key(&entry)),
                    Lang::En => format!("{en}: {}", key(&entry)),
                },
            )),
            Err(reason) => bad.push((spot, reason)),
        }
    }
    (good, bad)
}
