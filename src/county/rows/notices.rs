//! The columns of danger levels, signals and bans.

use super::Record;
use crate::register::{Ban, Colour, Danger, Notice, Signal};
use crate::table::cells::{areas, local};
use crate::table::{Column, Row};

const AREA: Column = &["区域", "area", "areas", "范围", "乡镇", "township", "网格", "grid"];
const ISSUER: Column = &["发布单位", "issuer", "发布人", "发布机关", "签发", "单位"];
const FROM: Column =
    &["开始", "from", "开始时间", "起", "生效", "生效日期", "生效时间", "valid_from"];
const UNTIL: Column =
    &["结束", "until", "结束时间", "止", "失效", "失效日期", "失效时间", "valid_until"];
const WHY: Column = &["原因", "why", "依据", "说明", "reason"];

/// What a ban without a name or number is called.
const UNNAMED: &str = "禁火令";

impl Record for Danger {
    const COLUMNS: &'static [Column] =
        &[AREA, &["等级", "level", "火险等级", "danger"], ISSUER, FROM, UNTIL, WHY];

    fn read(row: &Row) -> Result<Self, String> {
        let level =
            row.parse("等级", "应为一级到五级（1到5）", "a level from 1 to 5 is needed", level)?;
        Ok(Self { level, notice: notice(row)? })
    }

    fn write(&self) -> Vec<String> {
        written(&self.level.to_string(), &self.notice)
    }

    fn key(&self) -> String {
        key("", &self.notice)
    }
}

impl Record for Signal {
    const COLUMNS: &'static [Column] = &[
        AREA,
        &["信号", "signal", "预警信号", "颜色", "colour", "color"],
        ISSUER,
        FROM,
        UNTIL,
        WHY,
    ];

    fn read(row: &Row) -> Result<Self, String> {
        let colours = ("应为蓝、黄、橙、红或解除", "blue, yellow, orange, red or lifted is needed");
        let colour = row.parse("信号", colours.0, colours.1, colour)?;
        Ok(Self { colour, notice: notice(row)? })
    }

    fn write(&self) -> Vec<String> {
        written(colour_zh(self.colour), &self.notice)
    }

    fn key(&self) -> String {
        key("", &self.notice)
    }
}

impl Record for Ban {
    const COLUMNS: &'static [Column] =
        &[AREA, &["名称", "name", "文号", "禁火令"], ISSUER, FROM, UNTIL, WHY];

    fn read(row: &Row) -> Result<Self, String> {
        // A ban that somebody forgot to end would contradict every burn for good.
        row.need("结束")?;
        Ok(Self { name: row.get("名称").unwrap_or(UNNAMED).to_owned(), notice: notice(row)? })
    }

    fn write(&self) -> Vec<String> {
        written(&self.name, &self.notice)
    }

    fn key(&self) -> String {
        key(&self.name, &self.notice)
    }
}

fn notice(row: &Row) -> Result<Notice, String> {
    let notice = Notice {
        areas: row.get("区域").map(areas).unwrap_or_default(),
        issuer: row.need("发布单位")?.to_owned(),
        from: row.time("开始", false)?,
        until: row.get("结束").map(|_| row.time("结束", true)).transpose()?,
        why: row.text("原因"),
    };
    match notice.until {
        Some(until) if until <= notice.from => {
            Err(row.lang.pick("结束早于开始", "it ends before it begins").to_owned())
        }
        _ => Ok(notice),
    }
}

fn written(what: &str, notice: &Notice) -> Vec<String> {
    vec![
        notice.areas.join("、"),
        what.to_owned(),
        notice.issuer.clone(),
        local(notice.from),
        notice.until.map(local).unwrap_or_default(),
        notice.why.clone().unwrap_or_default(),
    ]
}

/// Its ground, its name and when it begins.
fn key(name: &str, notice: &Notice) -> String {
    let ground = notice.areas.join("、");
    let parts = [ground.as_str(), name, &local(notice.from)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// `4`, `四级`, `4级`, `高`: QX/T 77-2007.
fn level(text: &str) -> Option<u8> {
    let word = text.trim().trim_end_matches('级');
    Some(match word {
        "1" | "一" | "１" | "低" => 1,
        "2" | "二" | "２" | "较低" => 2,
        "3" | "三" | "３" | "较高" => 3,
        "4" | "四" | "４" | "高" => 4,
        "5" | "五" | "５" | "极高" => 5,
        _ => return None,
    })
}

fn colour(text: &str) -> Option<Colour> {
    let word = text.trim().trim_end_matches("预警").trim_end_matches("信号");
    Some(match word.trim_end_matches("预警").trim_end_matches('色').to_lowercase().as_str() {
        "蓝" | "blue" => Colour::Blue,
        "黄" | "yellow" => Colour::Yellow,
        "橙" | "orange" => Colour::Orange,
        "红" | "red" => Colour::Red,
        "解除" | "无" | "lifted" | "none" => Colour::Lifted,
        _ => return None,
    })
}

fn colour_zh(colour: Colour) -> &'static str {
    match colour {
        Colour::Lifted => "解除",
        Colour::Blue => "蓝",
        Colour::Yellow => "黄",
        Colour::Orange => "橙",
        Colour::Red => "红",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_colours_as_offices_write_them() {
        let levels = ["4", "四级", "4级", "高", "极高", "0", "6", "四五", ""].map(level);
        let known = [Some(4), Some(4), Some(4), Some(4), Some(5)];
        assert_eq!(levels[..5], known);
        assert!(levels[5..].iter().all(Option::is_none));
        for (text, expected) in [
            ("橙色预警信号", Some(Colour::Orange)),
            ("红色预警", Some(Colour::Red)),
            ("蓝", Some(Colour::Blue)),
            ("Yellow", Some(Colour::Yellow)),
            ("解除", Some(Colour::Lifted)),
            ("紫", None),
        ] {
            assert_eq!(colour(text), expected, "{text}");
        }
    }
}
