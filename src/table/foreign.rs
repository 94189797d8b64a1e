//! Pure: what is sent instead of a table, with what to do.

use super::decode;
use crate::lang::Lang;

/// `None` for what may be a table.
pub(super) fn refusal(bytes: &[u8], lang: Lang) -> Option<&'static str> {
    let text = decode(&bytes[..bytes.len().min(2000)]);
    let head = text.trim_start_matches('\u{feff}').trim_start().to_lowercase();
    Some(if bytes.is_empty() || head.is_empty() {
        lang.pick("文件是空的", "the file is empty")
    } else if bytes.starts_with(b"%PDF") {
        lang.pick(
            "这是 PDF：请向来源索取 XLSX 或 CSV",
            "this is a PDF: ask for the XLSX or CSV it was made from",
        )
    } else if bytes.starts_with(b"PK") {
        lang.pick(
            "这是压缩包或不认识的表格文件：请解压，或另存为 XLSX 或 CSV",
            "this is an archive, or a workbook of a form that is not read: unpack it, or save it \
            as XLSX or CSV",
        )
    } else if head.starts_with('<') {
        lang.pick(
            "这是网页，或存成网页的表格：请用 Excel 或 WPS 打开，另存为 XLSX 或 CSV",
            "this is a web page, or a table saved as one: open it in a spreadsheet program and \
            save it as XLSX or CSV",
        )
    } else if head.starts_with(['{', '[']) {
        lang.pick("这是 JSON，不是表格", "this is JSON, not a table")
    } else {
        return None;
    })
}
