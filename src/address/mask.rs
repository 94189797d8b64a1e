//! Masks secrets after the host: `?pwd=…`, `/user=admin_password=…_channel=1`, `#token=…`,
//! `/admin:password@…`, also percent-encoded. When in doubt it hides: whoever needs the whole
//! address has the register.

use super::decoded;

/// The value of a key that contains one of these is a secret. Lower case.
const IN_KEYS: [&str; 16] = [
    "pas", "pw", "psw", "psd", "token", "secret", "auth", "key", "sig", "ticket", "cred", "sess",
    "jwt", "密码", "口令", "密钥",
];

/// Keys too short to be searched for inside others.
const WHOLE_KEYS: [&str; 3] = ["p", "pin", "sid"];

/// As a segment of a path: the next segment is the secret.
const WORDS: [&str; 11] = [
    "token", "key", "auth", "pass", "password", "passwd", "pwd", "psw", "secret", "ticket", "sign",
];

const SEPARATORS: [char; 6] = ['/', '?', '&', ';', '#', ','];

const STARS: &str = "***";

/// Path, query and fragment, or a whole text without a host, with stars for every secret.
pub(super) fn tail(text: &str) -> String {
    let shown = starred(text);
    let mut seen = shown.clone();
    loop {
        // Encoded once or several times: the position of the secret in the text is unknown, so
        // nothing is shown.
        let plainer = decoded(&seen);
        if plainer == seen {
            return shown;
        }
        if starred(&plainer) != plainer {
            return hidden(text);
        }
        seen = plainer;
    }
}

fn starred(text: &str) -> String {
    let shown = pairs(text);
    match text.rfind('@').filter(|at| text[..*at].contains(':')) {
        None => shown,
        Some(at) if shown == text => format!("{}{}", hidden(text), &text[at..]),
        // A login and a pair may overlap, so it is unknown where the secret ends.
        Some(_) => hidden(text),
    }
}

fn hidden(text: &str) -> String {
    let first = text.chars().next().filter(|first| SEPARATORS.contains(first));
    first.map(String::from).unwrap_or_default() + STARS
}

/// `key=value` between separators; some makes join pairs with `_` instead. A secret extends to the
/// beginning of the next pair.
fn pairs(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut is_hiding = false;
    let mut follows_a_word = false;
    let begins = text.match_indices(SEPARATORS).map(|(at, _)| at);
    let mut from = 0;
    for end in begins.chain([text.len()]) {
        let piece = &text[from..end];
        from = end;
        let body = piece.trim_start_matches(SEPARATORS);
        // Base64 may hold `/` and end in `=`.
        if is_hiding && (piece.starts_with(['/', ',']) || !body.contains('=')) {
            continue;
        }
        shown.push_str(&piece[..piece.len() - body.len()]);
        if body.contains('=') {
            is_hiding = pair(body, is_hiding, &mut shown);
        } else {
            is_hiding = follows_a_word && !body.is_empty();
            shown.push_str(if is_hiding { STARS } else { body });
        }
        follows_a_word =
            WORDS.contains(&body.to_lowercase().as_str()) || (follows_a_word && body.is_empty());
    }
    shown
}

/// `a=1_b=2`. True when the last value is a secret, which may continue after a separator.
fn pair(body: &str, is_hiding: bool, shown: &mut String) -> bool {
    let mut texts = body.split('=').peekable();
    let first = texts.next().unwrap_or_default();
    let mut is_secret = is_secret_key(first);
    shown.push_str(if is_hiding { first.rsplit('_').next().unwrap_or_default() } else { first });
    let mut is_starred = false;
    while let Some(text) = texts.next() {
        let is_last = texts.peek().is_none();
        let has_value = texts.peek().is_some_and(|value| !is_secret || !value.is_empty());
        let next = text.rsplit_once('_').filter(|_| has_value);
        if !is_starred {
            shown.push('=');
            shown.push_str(if is_secret { STARS } else { next.map_or(text, |(value, _)| value) });
        }
        if let Some((_, key)) = next {
            shown.push('_');
            shown.push_str(key);
        }
        // Without a next key, the value itself holds `=`.
        is_starred = is_secret && next.is_none();
        is_secret = is_starred || (!is_last && is_secret_key(text));
    }
    is_secret
}

pub(super) fn is_secret_key(key: &str) -> bool {
    let key = key.to_lowercase();
    let last = key.rsplit(['_', '-', '.']).next().unwrap_or_default();
    IN_KEYS.iter().any(|part| key.contains(part)) || WHOLE_KEYS.contains(&last)
}
