//! The rota's columns.

use super::{Record, code, code_if_any};
use crate::county::Duty;
use crate::county::people::{parse_role, role_zh};
use crate::table::cells;
use crate::table::{Column, Row};
use crate::triage::policy::Role;
use jiff::civil::Time;

impl Record for Duty {
    const COLUMNS: &'static [Column] = &[
        &["日期", "date", "值班日期"],
        &["岗位", "role", "值班岗位", "post"],
        &["乡镇", "township", "town"],
        &["网格", "grid", "网格编号"],
        &["人员", "person", "人员编号", "值班人员", "personid", "姓名", "name"],
        &["开始", "begins", "起", "接班", "from"],
        &["结束", "ends", "止", "交班", "to"],
    ];

    const REPEATED: (&'static str, &'static str) = (
        "这个岗位这一班前面已有一人（两人轮值请填开始和结束）",
        "somebody has that post and shift above (two who take turns need begins and ends)",
    );

    fn read(row: &Row) -> Result<Self, String> {
        let roles = "县值班、带班领导、乡镇值班、A角替班、B角替班";
        let right = (format!("应为{roles}之一"), format!("one of {roles} is needed"));
        let time = |column| {
            row.get(column)
                .map(|_| row.parse(column, "应为 8:00", "8:00 is needed", cells::time_of_day))
                .transpose()
        };
        let duty = Self {
            date: row.parse(
                "日期",
                "应为 2026-11-21，每天一行",
                "2026-11-21 is needed, one row a day",
                cells::date,
            )?,
            begins: time("开始")?,
            ends: time("结束")?,
            role: row.parse("岗位", &right.0, &right.1, |text| {
                parse_role(text).filter(|role| *role != Role::VillageChief)
            })?,
            township: row.text("乡镇"),
            grid: code_if_any(row, "网格")?.map(|code| code.as_str().into()),
            person: code(row, "人员")?.as_str().into(),
        };
        match duty.role {
            Role::TownshipDuty => _ = row.need("乡镇")?,
            Role::Ranger | Role::BackupRanger => _ = row.need("网格")?,
            _ => {}
        }
        Ok(duty)
    }

    fn write(&self) -> Vec<String> {
        vec![
            self.date.to_string(),
            role_zh(self.role).to_owned(),
            self.township.clone().unwrap_or_default(),
            self.grid.as_ref().map(ToString::to_string).unwrap_or_default(),
            self.person.to_string(),
            clock(self.begins),
            clock(self.ends),
        ]
    }

    fn key(&self) -> String {
        let [date, role, township, grid, _, begins, _] = &self.write()[..] else {
            return String::new();
        };
        [date.as_str(), role, township, grid, begins]
            .join(" ")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }
}

fn clock(time: Option<Time>) -> String {
    time.map(|time| time.strftime("%H:%M").to_string()).unwrap_or_default()
}
