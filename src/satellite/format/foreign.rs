//! Pure: what is often sent instead of a hotspot list, each with advice.

use super::firms;
use crate::lang::Lang;
use crate::table;

/// How a shapefile begins: file code 9994, big-endian.
const SHAPEFILE: [u8; 4] = [0x00, 0x00, 0x27, 0x0a];
/// Characters of a file's beginning that a sentence shows.
const SHOWN: usize = 80;

pub(super) fn refuse(bytes: &[u8], text: &str, lang: Lang) -> Result<(), String> {
    let head: String = text.chars().take(200).collect::<String>().to_lowercase();
    let sentence = if head.is_empty() {
        lang.pick("文件是空的；请重新下载", "the file is empty; download it again")
    } else if bytes.starts_with(&SHAPEFILE) {
        lang.pick(
            "这是 Shapefile；请在原系统中导出 CSV 或 GeoJSON",
            "this is a shapefile; export it as CSV or GeoJSON",
        )
    } else if bytes.starts_with(&[0x1f, 0x8b]) || table::is_archive(bytes) {
        lang.pick(
            "这是压缩包（zip、kmz、gz）；请解压后放入其中的文件",
            "this is an archive (zip, kmz, gz); unpack it and put the file in it here",
        )
    } else if head.contains("invalid map_key") || head.contains("invalid api call") {
        lang.pick(
            "FIRMS 拒绝了请求：密钥（MAP_KEY）或地址不对；请检查 HUOYAN_FIRMS_KEY 和 [satellite] \
            feeds",
            "FIRMS refused the request: its key (MAP_KEY) or address is wrong; check \
            HUOYAN_FIRMS_KEY and [satellite] feeds",
        )
    } else if head.contains("transaction limit") {
        lang.pick(
            "FIRMS 请求过多（每10分钟5000次）；请加大 feed_every 或缩小范围",
            "too many FIRMS requests (5000 in 10 minutes); raise feed_every or ask for a smaller \
            box",
        )
    } else if head.starts_with("<html xmlns:") || head.contains("urn:schemas-microsoft-com") {
        lang.pick(
            "这是存成网页的表格（扩展名是 xls，内容是 HTML）；请用 Excel 或 WPS 打开，另存为 XLSX \
            或 CSV",
            "this is a table saved as a web page (named xls, but HTML); open it in a spreadsheet \
            program and save it as XLSX or CSV",
        )
    } else if head.starts_with('<') {
        lang.pick(
            "收到的是网页而不是热点列表（可能在维护或需要登录）；请稍后重试，\
            并在浏览器中打开地址查看",
            "a web page came instead of a hotspot list (maintenance or a login?); try later, or \
            open the address in a browser",
        )
    } else if head.starts_with('{') || head.starts_with('[') {
        lang.pick(
            "这是 JSON，但不是 GeoJSON 的 FeatureCollection；请下载 CSV 或 GeoJSON",
            "this is JSON, but no GeoJSON FeatureCollection; download CSV or GeoJSON",
        )
    } else {
        return Ok(());
    };
    Err(sentence.to_owned())
}

pub(super) fn landsat(lang: Lang) -> String {
    let words = lang.pick(
        "这是 Landsat 列表：其 scan、track 是格网序号而不是公里，且没有功率；请下载 VIIRS 或 MODIS",
        "this is a Landsat list: its scan and track are grid indices, not kilometres, and it has \
        no power; download VIIRS or MODIS",
    );
    words.to_owned()
}

/// Of a table that has some columns of FIRMS, but not all.
pub(super) fn lacking(known: &[&str], lang: Lang) -> Option<String> {
    let missing: Vec<&str> =
        firms::NEEDED.into_iter().filter(|name| !known.contains(name)).collect();
    let is_one = known.len() > 1 && missing.len() < firms::NEEDED.len();
    let missing = missing.join(", ");
    is_one.then(|| match lang {
        Lang::Zh => format!("FIRMS 列表缺少列 {missing}"),
        Lang::En => format!("the FIRMS list lacks {missing}"),
    })
}

/// A table, or a text, without the columns of any form.
pub(super) fn unknown(text: &str, lang: Lang) -> String {
    let is_text = text.chars().all(|c| c != '\u{fffd}' && (!c.is_control() || c.is_whitespace()));
    let first = if is_text { text.lines().next().unwrap_or_default() } else { "…" };
    let first: String = first.trim().chars().take(SHOWN).collect();
    match lang {
        Lang::Zh => format!(
            "不是已知的热点列表，开头是“{first}”。能读取：FIRMS 的 CSV、GeoJSON、KML，\
            热点表（须有经度、纬度、接收时间），国家卫星气象中心火情信息表（须有中心经度、\
            中心纬度），葵花卫星 WLF；可为 CSV 或 XLSX"
        ),
        Lang::En => format!(
            "not a known hotspot list; it begins with \"{first}\". Read are FIRMS (CSV with {}, \
            GeoJSON, KML), the Chinese hotspot sheet (经度, 纬度, 接收时间), the table of the \
            National Satellite Meteorological Centre (中心经度, 中心纬度), Himawari WLF; as CSV or \
            XLSX",
            firms::NEEDED.join(", ")
        ),
    }
}
