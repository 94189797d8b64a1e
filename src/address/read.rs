//! Finds where the login of an address ends and its host begins. An `@` may stand anywhere, even in
//! a password or a path; `/`, `?` and `#` may stand in a password. So the text after every `@` is
//! rated as a host, and the best one wins, the first among equals.

use std::net::{Ipv4Addr, Ipv6Addr};
use url::Host;

/// A network address after its `://`, as slices of the text.
pub(super) struct AddressParts<'a> {
    pub login: Option<&'a str>,
    /// Host with its port.
    pub host: &'a str,
    /// Path, query and fragment.
    pub tail: &'a str,
    /// False: another reading is possible, with a password that reaches into host or tail. Then
    /// nothing may be shown.
    pub is_sure: bool,
}

/// How much a text looks like a host and port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    Word,
    /// It has a dot or a port, or stands where the standard expects the host.
    Name,
    /// An IP address: nearly every camera has one, and no password looks like one.
    Number,
}

const ENDS: [char; 3] = ['/', '?', '#'];

/// None: no part of it is a host.
pub(super) fn parts(rest: &str) -> Option<AddressParts<'_>> {
    let authority = &rest[..rest.find(ENDS).unwrap_or(rest.len())];
    let standard = authority.rfind('@');
    let open = standard.is_none().then_some(None);
    let logins = rest
        .match_indices('@')
        .map(|(at, _)| Some(at))
        .filter(|at| at.is_some_and(|at| is_login(&rest[..at])));
    let readings = open.into_iter().chain(logins).filter_map(|at| {
        let from = at.map_or(0, |at| at + 1);
        let end = rest[from..].find(ENDS).map_or(rest.len(), |end| from + end);
        let (host, tail) = (&rest[from..end], &rest[end..]);
        let likeness = likeness(host)?;
        let has_other_reading =
            || super::decoded(tail).contains('@') && (at.is_some() || host.contains(':'));
        let is_sure = likeness == Likeness::Number || !has_other_reading();
        let likeness =
            if at.is_some() && at == standard { likeness.max(Likeness::Name) } else { likeness };
        Some((likeness, AddressParts { login: at.map(|at| &rest[..at]), host, tail, is_sure }))
    });
    readings.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, parts)| parts)
}

/// A user name never holds a character that ends a host; a password may.
fn is_login(text: &str) -> bool {
    !text.split(':').next().unwrap_or_default().contains(ENDS)
}

fn likeness(text: &str) -> Option<Likeness> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_port = |port: &str| {
        port.bytes().all(|c| c.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    if !port.is_none_or(is_port) {
        return None;
    }
    if let Some(inside) = host.strip_prefix('[') {
        let number = inside.strip_suffix(']')?.split('%').next().unwrap_or_default();
        return number.parse::<Ipv6Addr>().ok().map(|_| Likeness::Number);
    }
    if host.parse::<Ipv4Addr>().is_ok() {
        return Some(Likeness::Number);
    }
    // The crate reads `1` as 0.0.0.1 and `%40` as `@`. Nobody writes a camera's host so, but
    // passwords look like it.
    let is_odd =
        host.contains(['%', '@', ':']) || host.bytes().all(|c| c.is_ascii_digit() || c == b'.');
    if is_odd || Host::parse(host).is_err() {
        return None;
    }
    Some(if port.is_some() || host.contains('.') { Likeness::Name } else { Likeness::Word })
}
