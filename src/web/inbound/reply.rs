//! Pure: "1 1121-03" → acknowledge that incident. Old phones and unpractised hands send full-width
//! digits, commas and no spaces. Everything else is left to the duty officer.

/// What could be read of a reply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Reply {
    /// The incident's number, "1121-03".
    pub code: Option<String>,
    /// `None`: not understood.
    pub step: Option<ReplyStep>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum ReplyStep {
    Acknowledge,
    /// 收到: the person has received the message, and does not say whether they go.
    Heard,
    Arrive,
    Decline {
        reason: Option<String>,
    },
}

pub(super) fn read(text: &str) -> Reply {
    let text: String = text.chars().map(plain).collect();
    let (mut codes, mut rest) = (Vec::new(), String::new());
    for piece in text.split_inclusive(is_gap) {
        match code(piece.trim_end_matches(is_gap)) {
            Some(code) if codes.contains(&code) => {}
            Some(code) => codes.push(code),
            None => rest.push_str(piece),
        }
    }
    match &codes[..] {
        [] | [_] => Reply { step: step(rest.trim_matches(is_gap)), code: codes.pop() },
        _ => Reply { code: None, step: None },
    }
}

fn step(words: &str) -> Option<ReplyStep> {
    let bare = words.trim_end_matches(['。', '.', '!', '！', '#']);
    match bare {
        "1" | "1接收" | "接收" => return Some(ReplyStep::Acknowledge),
        "收到" | "1收到" => return Some(ReplyStep::Heard),
        "2" | "2到达" | "到达" => return Some(ReplyStep::Arrive),
        "0" => return Some(ReplyStep::Decline { reason: None }),
        _ => {}
    }
    // "0点到" is a time, "0 车坏了" a reason.
    let reason = words.strip_prefix('0')?.strip_prefix(is_gap)?.trim_start_matches(is_gap);
    Some(ReplyStep::Decline { reason: Some(reason.to_owned()) })
}

/// "1121-03", "1121-3": month and day, then the number within the day. "0745-42" is no date, but
/// the beginning of a telephone number.
fn code(word: &str) -> Option<String> {
    let (day, number) = word.split_once('-')?;
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if day.len() != 4 || !(1..=4).contains(&number.len()) || !is_number(day) || !is_number(number) {
        return None;
    }
    let (month, day_of_month): (u8, u8) = (day[..2].parse().ok()?, day[2..].parse().ok()?);
    let exists = (1..=12).contains(&month) && (1..=31).contains(&day_of_month);
    exists.then(|| format!("{day}-{number:0>2}"))
}

fn is_gap(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | '，' | '、' | ';' | '；')
}

/// Full-width digits, and every dash that a phone's keyboard offers, as ASCII.
fn plain(c: char) -> char {
    match c {
        '０'..='９' => char::from_u32(c as u32 - '０' as u32 + '0' as u32).unwrap_or(c),
        '－' | '–' | '—' | '−' | '‐' | '‑' => '-',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decline(reason: &str) -> Option<ReplyStep> {
        Some(ReplyStep::Decline { reason: (!reason.is_empty()).then(|| reason.to_owned()) })
    }

    #[test]
    fn replies_as_people_write_them() {
        let (acknowledge, arrive) = (Some(ReplyStep::Acknowledge), Some(ReplyStep::Arrive));
        for (text, code, step) in [
            ("1", None, acknowledge.clone()),
            (" 1。\n", None, acknowledge.clone()),
            ("１", None, acknowledge.clone()),
            ("1接收", None, acknowledge.clone()),
            ("1#", None, acknowledge.clone()),
            ("2", None, arrive.clone()),
            ("0", None, decline("")),
            ("0 车坏了，去不了", None, decline("车坏了，去不了")),
            ("0，生病", None, decline("生病")),
            ("1 1121-03", Some("1121-03"), acknowledge.clone()),
            ("1121-03 1", Some("1121-03"), acknowledge.clone()),
            ("1，１１２１－０３", Some("1121-03"), acknowledge.clone()),
            ("1121—3\u{3000}1", Some("1121-03"), acknowledge.clone()),
            ("1121-103 2", Some("1121-103"), arrive),
            ("1121-03 1 1121-03", Some("1121-03"), acknowledge),
            ("0 1121-03 桥断了", Some("1121-03"), decline("桥断了")),
            ("0 请打 0745-42", None, decline("请打 0745-42")),
        ] {
            assert_eq!(read(text), Reply { code: code.map(str::to_owned), step }, "{text:?}");
        }
    }

    #[test]
    fn what_could_be_anything_is_left_to_a_person() {
        for text in [
            "",
            "好的",
            "11",
            "10",
            "1 不去",
            "12",
            "3",
            "0点到",
            "0.5小时到",
            "01",
            "-1",
            "1 1121-02 1121-03",
            "TD",
        ] {
            assert_eq!(read(text).step, None, "{text:?}");
        }
        assert_eq!(read("1121-03").code.as_deref(), Some("1121-03"), "an incident, but no step");
        assert_eq!(read("1 1321-03").code, None, "there is no thirteenth month");
        assert_eq!(read("1 1121-02 1121-03").code, None, "two are none");
    }
}
