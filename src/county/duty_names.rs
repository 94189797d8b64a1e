//! Who is meant on a rota. The register knows people by id; rotas are written with names. A name
//! that one person has is that person; any other is refused with the ids it could be, before a
//! night begins with nobody on duty.

use super::sheet::Sheet;
use crate::lang::Lang;
use crate::register::{Entries, Register};
use serde_json::Value;

/// Ids and names offered for a name that several people share, or nobody has.
const OFFERED: usize = 5;

/// Turns the names of a rota into ids. Rows that name nobody of the register are rejected.
pub(super) fn resolve(sheet: &mut Sheet, people: &Entries, lang: Lang) {
    let people = people.of(Register::People);
    let is_known = |id: &str| people.iter().any(|person| person.key == id);
    let name = |it: &Value| it.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut rejected = Vec::new();
    sheet.entries.retain_mut(|(spot, entry)| {
        let written =
            entry.value.get("person").and_then(Value::as_str).unwrap_or_default().to_owned();
        if is_known(&written) {
            return true;
        }
        let wanted = without_phone(&written);
        let named: Vec<_> = people.iter().filter(|person| name(&person.value) == wanted).collect();
        if let ([one], Value::Object(cells)) = (&named[..], &mut entry.value) {
            cells.insert("person".to_owned(), Value::String(one.key.clone()));
            return true;
        }
        let offered =
            named.iter().take(OFFERED).map(|person| person.key.as_str()).collect::<Vec<_>>();
        rejected.push((spot.clone(), refusal(&written, &offered, lang)));
        false
    });
    sheet.rejected.extend(rejected);
    sheet.rejected.sort();
}

/// "李四 13800000001" → "李四"
fn without_phone(text: &str) -> &str {
    text.trim_end_matches(|c: char| {
        c.is_ascii_digit() || c.is_whitespace() || matches!(c, '-' | '+' | '(' | ')' | '（' | '）')
    })
}

fn refusal(written: &str, offered: &[&str], lang: Lang) -> String {
    let is_list = written.contains(['、', ',', '，', '/', ';', '；']);
    match (lang, offered) {
        (Lang::Zh, []) if is_list => format!("“{written}”是几个人：每人一行，填人员编号"),
        (Lang::En, []) if is_list => {
            format!("\"{written}\" is several people: one line each, by id")
        }
        (Lang::Zh, []) => format!("人员名册中没有“{written}”：请填名册中的编号，或先导入人员"),
        (Lang::En, []) => {
            format!(
                "nobody in the register is \"{written}\": give an id of the register, or \
                import people first"
            )
        }
        (Lang::Zh, ids) => {
            format!("名册中有{}位以上“{written}”：请改填编号，如 {}", ids.len(), ids.join("、"))
        }
        (Lang::En, ids) => {
            format!("several people are called \"{written}\": give the id, {}", ids.join(" or "))
        }
    }
}
