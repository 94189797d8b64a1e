//! Pure: masks phone numbers for readers who do not have to phone.

/// "139****0001": enough to tell two numbers of one person apart.
pub(super) fn masked(phone: &str) -> String {
    let digits: Vec<char> = phone.chars().collect();
    match digits.len() {
        0..=4 => "****".to_owned(),
        5..=7 => format!("****{}", digits[digits.len() - 2..].iter().collect::<String>()),
        n => format!(
            "{}****{}",
            digits[..3].iter().collect::<String>(),
            digits[n - 4..].iter().collect::<String>()
        ),
    }
}

/// A caller's words often hold a number: runs of seven digits or more are masked.
pub(super) fn without_numbers(text: &str) -> String {
    const SHORTEST: usize = 7;
    let mut safe = String::with_capacity(text.len());
    let mut digits = String::new();
    for letter in text.chars().chain(std::iter::once('\0')) {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        safe.push_str(if digits.len() >= SHORTEST { "****" } else { &digits });
        digits.clear();
        if letter != '\0' {
            safe.push(letter);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_covered_words_are_not() {
        for (text, safe) in [
            ("张三 13900000001", "张三 ****"),
            ("3号塔往北2公里", "3号塔往北2公里"),
            ("0745-4222119打来", "0745-****打来"),
            ("", ""),
        ] {
            assert_eq!(without_numbers(text), safe);
        }
        assert_eq!(masked("13900000001"), "139****0001");
        assert_eq!(masked("12119"), "****19");
        assert_eq!(masked(""), "****");
    }
}
