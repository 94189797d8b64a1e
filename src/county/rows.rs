//! Pure: each register's columns, and the conversion between rows and values.

use super::bearing::AZIMUTH_ERROR_DEG;
use super::people::county_time;
use super::{Burn, CameraEntry, HeatSource, Mask, Person, Post};
use crate::address::Address;
use crate::lang::Lang;
use crate::table::cells::{self, local};
use crate::table::{Column, Row, Spot};
use crate::triage::detection::BoundingBox;
use crate::triage::id::PoseId;
use jiff::{Timestamp, ToSpan};
use std::borrow::Cow;

mod duty;
mod grids;
mod notices;

pub use grids::swap_axes;
pub(super) use grids::{grid, grid_feature, grids};

pub(super) const REPEATED: (&str, &str) = ("与前面的行重复", "repeats an earlier line");

/// A register whose file is a table.
pub(super) trait Record: Sized {
    /// Headers as we write them, each with its accepted synonyms.
    const COLUMNS: &'static [Column];
    /// Columns that hold an address, perhaps with a login.
    const ADDRESSES: &'static [&'static str] = &[];
    /// Why a second row of one key is refused.
    const REPEATED: (&'static str, &'static str) = REPEATED;
    fn read(row: &Row) -> Result<Self, String>;
    fn write(&self) -> Vec<String>;
    /// What of a row that was taken is not what it says, to the letter.
    fn note(_row: &Row) -> Option<String> {
        None
    }
    /// Identifies the same entry in a later file.
    fn key(&self) -> String;
}

impl Record for Person {
    const COLUMNS: &'static [Column] = &[
        &["编号", "id", "人员编号", "工号"],
        &["姓名", "name"],
        &["电话", "phone", "手机", "手机号", "手机号码", "联系电话", "联系方式", "tel", "mobile"],
        &["岗位", "post", "职务", "角色", "role"],
        &["网格", "grid", "网格编号", "网格编码", "责任网格"],
        &["村", "village", "行政村", "所属村"],
        &["乡镇", "township", "所属乡镇", "town"],
    ];

    fn read(row: &Row) -> Result<Self, String> {
        let posts = Post::ALL.map(Post::zh).join("、");
        let phone = match row.get("电话") {
            None => None,
            Some(text) if cells::unspread(text).is_err() => return Err(row.spoilt("电话", text)),
            Some(_) => Some(row.parse(
                "电话",
                "应为11位手机号或带区号的座机",
                "a phone number is needed",
                cells::phone,
            )?),
        };
        let person = Self {
            id: code(row, "编号")?.as_str().into(),
            name: row.one_line("姓名")?,
            phone,
            post: row.parse(
                "岗位",
                &format!("应为{posts}之一"),
                &format!("one of {posts} is needed"),
                Post::parse,
            )?,
            grid: code_if_any(row, "网格")?.map(|code| code.as_str().into()),
            village: row.text("村"),
            township: row.text("乡镇"),
        };
        match person.post {
            Post::RangerA | Post::RangerB => _ = row.need("网格")?,
            Post::VillageChief if person.grid.is_none() => _ = (row.need("村")?, row.need("乡镇")?),
            Post::TownshipOfficer => _ = row.need("乡镇")?,
            _ => {}
        }
        Ok(person)
    }

    fn note(row: &Row) -> Option<String> {
        let (phone, says_more) = cells::phone_in(row.get("电话")?)?;
        says_more.then(|| match row.lang {
            Lang::Zh => format!("“电话”中不止一个号码，只取 {phone}"),
            Lang::En => format!("\"电话\" says more than one number: {phone} is taken"),
        })
    }

    fn write(&self) -> Vec<String> {
        let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
        vec![
            self.id.to_string(),
            self.name.clone(),
            or_empty(&self.phone),
            self.post.zh().to_owned(),
            self.grid.as_ref().map(ToString::to_string).unwrap_or_default(),
            or_empty(&self.village),
            or_empty(&self.township),
        ]
    }

    fn key(&self) -> String {
        self.id.to_string()
    }
}

impl Record for CameraEntry {
    const COLUMNS: &'static [Column] = &[
        &["编号", "id", "摄像机编号", "设备编号", "国标编号", "device"],
        &["名称", "name", "摄像机名称"],
        &["经度", "longitude", "lon", "lng"],
        &["纬度", "latitude", "lat"],
        &["高度", "height", "heightm", "架设高度", "塔高"],
        &["方位角", "azimuth", "azimuthdeg", "朝向"],
        &["方位误差", "azimutherror", "azimutherrordeg", "方位角误差"],
        &["视场角", "fieldofview", "fieldofviewdeg", "fov", "水平视场角"],
        &["俯仰角", "tilt", "tiltdeg"],
        &["视距", "range", "rangem", "可视距离", "监测距离"],
        &["地址", "url", "rtsp", "视频地址", "取流地址"],
        &["主码流", "main_url", "main", "主码流地址"],
        &["用户", "user", "用户名"],
        &["管线", "pipeline"],
        &["预置位", "pose"],
        &["屏蔽区", "masks", "mask"],
        &["天际线", "horizon", "skyline"],
    ];
    const ADDRESSES: &'static [&'static str] = &["地址", "主码流"];

    fn read(row: &Row) -> Result<Self, String> {
        let masks = match row.get("屏蔽区") {
            None => Vec::new(),
            Some(_) => row.parse(
                "屏蔽区",
                "应为 名称:左,上,宽,高（0到1），多个用分号隔开",
                "name:x,y,w,h (0..1 each) is needed, several separated by semicolons",
                masks,
            )?,
        };
        let pipeline = match row.get("管线") {
            None => None,
            // The value becomes part of a path.
            Some(_) => Some(row.parse(
                "管线",
                "只能用字母、数字和连字符",
                "letters, digits and hyphens only",
                |name| {
                    name.chars()
                        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
                        .then(|| name.to_owned())
                },
            )?),
        };
        // An empty cell means "not measured". No value is made up for it.
        let measured = |column, min, max| {
            row.get(column).map(|_| row.number(column, min, max, None)).transpose()
        };
        Ok(Self {
            id: whole_number(row, "编号")?.into(),
            name: row.text("名称").map_or_else(|| row.need("编号").map(str::to_owned), Ok)?,
            at: row.place()?,
            height_m: measured("高度", 0.0, 500.0)?,
            azimuth_deg: measured("方位角", 0.0, 360.0)?,
            azimuth_error_deg: row.number("方位误差", 0.05, 45.0, Some(AZIMUTH_ERROR_DEG))?,
            // A 4 mm lens on a 1/2.8 inch sensor, the usual fixed camera, sees about 80° across.
            field_of_view_deg: row.number("视场角", 1.0, 360.0, Some(80.0))?,
            tilt_deg: measured("俯仰角", -90.0, 90.0)?,
            range_m: row.number("视距", 100.0, 50_000.0, Some(5000.0))?,
            url: address(row, "地址")?,
            main_url: row.get("主码流").map(|_| address(row, "主码流")).transpose()?,
            pipeline,
            pose: preset(row)?,
            masks,
            horizon: measured("天际线", 0.0, 1.0)?,
        })
    }

    fn write(&self) -> Vec<String> {
        let mask = |mask: &Mask| {
            let BoundingBox { x, y, w, h } = mask.bbox;
            format!("{}:{x},{y},{w},{h}", mask.name)
        };
        let measured =
            |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        let url = self.url.expose();
        vec![
            self.id.to_string(),
            self.name.clone(),
            self.at.lon_deg().to_string(),
            self.at.lat_deg().to_string(),
            measured(self.height_m),
            measured(self.azimuth_deg),
            self.azimuth_error_deg.to_string(),
            self.field_of_view_deg.to_string(),
            measured(self.tilt_deg),
            self.range_m.to_string(),
            url.written.to_owned(),
            self.main_url.as_ref().map(|main| main.expose().written.to_owned()).unwrap_or_default(),
            url.user_beside.unwrap_or_default().to_owned(),
            self.pipeline.clone().unwrap_or_default(),
            self.pose.to_string(),
            self.masks.iter().map(mask).collect::<Vec<_>>().join(";"),
            measured(self.horizon),
        ]
    }

    fn key(&self) -> String {
        format!("{}@{}", self.id, self.pose)
    }
}

/// `?` begins the views that are no preset.
fn preset(row: &Row) -> Result<PoseId, String> {
    let pose = PoseId::from(row.get("预置位").unwrap_or("default"));
    if pose.is_unregistered() {
        let (zh, en) = ("“预置位”不能以问号开头", "\"预置位\" must not begin with a question mark");
        return Err(row.lang.pick(zh, en).to_owned());
    }
    Ok(pose)
}

/// Adds the user from the column, unless the address names one.
fn address(row: &Row, column: &str) -> Result<Address, String> {
    let read =
        |text: &str| Some(Address::parse(text)).filter(|address| !address.has_mistyped_scheme());
    let (zh, en) = ("“://”要用半角符号", "its \"://\" is not written in plain ASCII characters");
    Ok(row.parse(column, zh, en, read)?.with(row.text("用户"), None))
}

/// An id as the office wrote it. Spreadsheets turn the 20 digits of GB/T 28181 into `4.3E+19`, or
/// replace the digits from the 16th on by zeros. Then the camera can no longer be identified.
fn whole_number<'a>(row: &'a Row, column: &str) -> Result<&'a str, String> {
    let id = row.need(column)?;
    let is_number = id.chars().all(|c| c.is_ascii_digit() || c == '.');
    let is_cut = id.len() == 20 && is_number && id.ends_with("00000");
    match cells::unspread(id) {
        Ok(_) if !is_cut => Ok(id),
        _ => Err(row.spoilt(column, id)),
    }
}

/// An id or a grid's code: text, whatever a spreadsheet has made of its digits.
fn code(row: &Row, column: &str) -> Result<String, String> {
    let written = row.need(column)?;
    cells::unspread(written).map(Cow::into_owned).map_err(|_| row.spoilt(column, written))
}

fn code_if_any(row: &Row, column: &str) -> Result<Option<String>, String> {
    row.get(column).map(|_| code(row, column)).transpose()
}

fn masks(text: &str) -> Option<Vec<Mask>> {
    let mask = |part: &str| {
        let (name, numbers) = part.trim().split_once([':', '：'])?;
        let numbers = numbers
            .split([',', '，'])
            .map(|n| n.trim().parse::<f32>().ok())
            .collect::<Option<Vec<_>>>()?;
        let [x, y, w, h] = numbers[..] else { return None };
        let inside = [x, y, w, h].iter().all(|n| (0.0..=1.0).contains(n)) && w > 0.0 && h > 0.0;
        inside.then(|| Mask { name: name.trim().to_owned(), bbox: BoundingBox { x, y, w, h } })
    };
    text.split([';', '；']).filter(|part| !part.trim().is_empty()).map(mask).collect()
}

impl Record for HeatSource {
    const COLUMNS: &'static [Column] = &[
        &["名称", "name", "热源名称"],
        &["经度", "longitude", "lon", "lng"],
        &["纬度", "latitude", "lat"],
        &["半径", "radius", "radiusm"],
        &["有效期至", "expires", "到期", "有效期"],
    ];

    fn read(row: &Row) -> Result<Self, String> {
        Ok(Self {
            name: row.one_line("名称")?,
            at: row.place()?,
            radius_m: row.number("半径", 1.0, 5000.0, Some(300.0))?,
            expires: row.time("有效期至", true)?,
        })
    }

    fn write(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.at.lon_deg().to_string(),
            self.at.lat_deg().to_string(),
            self.radius_m.to_string(),
            last_day(self.expires),
        ]
    }

    fn key(&self) -> String {
        self.name.clone()
    }
}

impl Record for Burn {
    const COLUMNS: &'static [Column] = &[
        &["名称", "name", "用火名称", "地点"],
        &["经度", "longitude", "lon", "lng"],
        &["纬度", "latitude", "lat"],
        &["半径", "radius", "radiusm"],
        &["开始", "from", "开始时间", "起"],
        &["结束", "to", "结束时间", "止"],
        &["批准人", "approver", "审批人", "批准单位", "审批单位"],
    ];

    fn read(row: &Row) -> Result<Self, String> {
        let burn = Self {
            name: row.one_line("名称")?,
            at: row.place()?,
            radius_m: row.number("半径", 1.0, 5000.0, Some(200.0))?,
            from: row.time("开始", false)?,
            to: row.time("结束", true)?,
            approver: row.need("批准人")?.to_owned(),
        };
        if burn.from < burn.to {
            return Ok(burn);
        }
        Err(row.lang.pick("结束早于开始", "it ends before it begins").to_owned())
    }

    fn write(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.at.lon_deg().to_string(),
            self.at.lat_deg().to_string(),
            self.radius_m.to_string(),
            local(self.from),
            local(self.to),
            self.approver.clone(),
        ]
    }

    fn key(&self) -> String {
        format!("{} {}", self.name, local(self.from))
    }
}

/// An instant at midnight is written as the day that ends there, any other instant exactly.
fn last_day(at: Timestamp) -> String {
    let local_time = at.to_zoned(county_time());
    match local_time.date().checked_sub(1.day()) {
        Ok(day) if local_time.time() == jiff::civil::Time::midnight() => day.to_string(),
        _ => local(at),
    }
}

/// Rows of a register: the line (or feature) number from 1, and the value or why it cannot be used.
pub(super) type Rows<T> = Vec<(Spot, Result<T, String>)>;

#[cfg(test)]
mod tests;
