//! Pure: the forms that hotspot lists come in, one parser a file, and what is no list at all.

mod firms;
#[cfg(test)]
mod tests;

use crate::error::{Error, Result};
use crate::lang::Lang;
use crate::triage::hotspot::Hotspot;
use serde::Serialize;

/// The content of one file or answer.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Parsed {
    /// In the file's order, each key once.
    pub hotspots: Vec<Hotspot>,
    /// Rows that could not be used; every one is listed.
    pub rejected: Vec<Rejected>,
    /// Rows that repeated a pixel, perhaps in another processing version. The better version was
    /// taken.
    pub repeated: usize,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Rejected {
    /// Line in the file, from 1.
    pub line: u64,
    pub reason: String,
}

/// Reads a hotspot list of any known format. `name` is used in error messages.
///
/// Error when the content is no hotspot list at all: a web page, a service's error text, another
/// format. A list without rows is valid.
pub fn parse(bytes: &[u8], name: &str, lang: Lang) -> Result<Parsed> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    refuse_foreign(bytes, text, lang)
        .and_then(|()| firms::parse(text, lang))
        .map_err(|why| Error::invalid(format!("{name}: {why}")))
}

/// What is often sent instead of a list, each with advice.
fn refuse_foreign(bytes: &[u8], text: &str, lang: Lang) -> Result<(), String> {
    let head: String = text.trim_start().chars().take(200).collect::<String>().to_lowercase();
    let sentence = if head.is_empty() {
        lang.pick("文件是空的；请重新下载", "the file is empty; download it again")
    } else if bytes.starts_with(b"PK") || bytes.starts_with(&[0x1f, 0x8b]) {
        lang.pick(
            "这是压缩包或表格文件（zip、xlsx、kmz、gz）；请解压或另存为 CSV",
            "this is an archive or workbook (zip, xlsx, kmz, gz); unpack it or save it as CSV",
        )
    } else if head.contains("invalid map_key") || head.contains("invalid api call") {
        lang.pick(
            "FIRMS 拒绝了请求：密钥（MAP_KEY）或地址不对；请检查 HUOYAN_FIRMS_KEY 和 [satellite] \
            feeds",
            "FIRMS refused the request: its key (MAP_KEY) or address is wrong; check \
            HUOYAN_FIRMS_KEY and [satellite] feeds",
        )
    } else if head.contains("exceeding allowed transaction limit")
        || head.contains("transaction limit")
    {
        lang.pick(
            "FIRMS 请求过多（每10分钟5000次）；请加大 feed_every 或缩小范围",
            "too many FIRMS requests (5000 in 10 minutes); raise feed_every or ask for a smaller \
            box",
        )
    } else if head.starts_with("<?xml") && head.contains("kml") || head.starts_with("<kml") {
        lang.pick("这是 KML；请下载 CSV 格式", "this is KML; download the CSV format")
    } else if head.starts_with('<') {
        lang.pick(
            "收到的是网页而不是热点列表（可能在维护或需要登录）；请稍后重试，\
            并在浏览器中打开地址查看",
            "a web page came instead of a hotspot list (maintenance or a login?); try later, or \
            open the address in a browser",
        )
    } else if head.starts_with('{') || head.starts_with('[') {
        lang.pick("这是 JSON；请下载 CSV 格式", "this is JSON; download the CSV format")
    } else if head.starts_with('#') {
        lang.pick(
            "这是带#注释的列表（如葵花卫星 P-Tree）；目前只能读取 FIRMS 的 CSV",
            "this list has # comments (Himawari P-Tree?); only FIRMS CSV can be read so far",
        )
    } else {
        return Ok(());
    };
    Err(sentence.to_owned())
}
