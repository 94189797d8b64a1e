//! Where a request comes from, including behind a trusted proxy.

use crate::web::WebState;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

pub(crate) struct ClientIp(pub IpAddr);

impl FromRequestParts<WebState> for ClientIp {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Infallible> {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|info| info.0.ip().to_canonical());
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Ok(Self(origin(peer, &state.config.server.trusted_proxy, &parts.headers)))
    }
}

/// Proxies report it in `X-Forwarded-For` or in `Forwarded` (RFC 7239), and pass on what strangers
/// wrote into the other. Where both are present and disagree, neither is believed.
fn origin(peer: IpAddr, trusted: &[IpAddr], headers: &HeaderMap) -> IpAddr {
    let lines = |name| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
    };
    let classic: Vec<&str> = lines("x-forwarded-for").collect();
    let standard: Vec<&str> = lines("forwarded").map(said_for).collect();
    match (classic.is_empty(), standard.is_empty()) {
        (true, _) => walk(peer, trusted, standard),
        (_, true) => walk(peer, trusted, classic),
        _ => {
            let from = walk(peer, trusted, classic);
            if walk(peer, trusted, standard) == from { from } else { peer }
        }
    }
}

/// Each proxy appends the address that the request came from. Everything before was written by
/// strangers.
fn walk(peer: IpAddr, trusted: &[IpAddr], mut before: Vec<&str>) -> IpAddr {
    let mut from = peer;
    while trusted.contains(&from) {
        let Some(said) = before.pop().and_then(address) else { break };
        from = said;
    }
    from
}

/// `for=192.0.2.60;proto=https` → `192.0.2.60`; empty when absent.
fn said_for(element: &str) -> &str {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let mut said = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    said.next().map_or("", |(_, value)| value.trim().trim_matches('"'))
}

/// Some proxies append the port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let text = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let ip =
        text.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|it| it.ip()));
    ip.map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_its_own_word() {
        let proxies: [IpAddr; 2] =
            ["127.0.0.1", "10.0.0.2"].map(|it| it.parse().expect("an address"));
        for (peer, trusted, said, expected) in [
            ("10.0.0.9", &proxies[..], Some("1.2.3.4"), "10.0.0.9"),
            ("127.0.0.1", &[], Some("1.2.3.4"), "127.0.0.1"),
            ("127.0.0.1", &proxies, None, "127.0.0.1"),
            ("127.0.0.1", &proxies, Some("1.2.3.4"), "1.2.3.4"),
            ("127.0.0.1", &proxies, Some("6.6.6.6, 1.2.3.4"), "1.2.3.4"),
            ("127.0.0.1", &proxies, Some("6.6.6.6, 1.2.3.4, 10.0.0.2"), "1.2.3.4"),
            ("127.0.0.1", &proxies, Some("1.2.3.4:5678"), "1.2.3.4"),
            ("127.0.0.1", &proxies, Some("[2001:db8::1]:5678"), "2001:db8::1"),
            ("127.0.0.1", &proxies, Some("unknown"), "127.0.0.1"),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(said) = said {
                headers.insert("x-forwarded-for", HeaderValue::from_static(said));
            }
            let found = origin(peer.parse().expect("an address"), trusted, &headers);
            assert_eq!(found.to_string(), expected, "{peer} {said:?}");
        }
    }

    #[test]
    fn a_proxy_may_say_it_the_standard_way_and_no_stranger_beside_it() {
        let proxies: [IpAddr; 2] =
            ["127.0.0.1", "10.0.0.2"].map(|it| it.parse().expect("an address"));
        for (classic, standard, expected) in [
            (None, "for=1.2.3.4;proto=https;host=h", "1.2.3.4"),
            (None, "proto=https; For=\"[2001:db8::1]:5678\"", "2001:db8::1"),
            (None, "for=\"[2001:db8::1]\"", "2001:db8::1"),
            (None, "for=6.6.6.6, for=1.2.3.4, for=10.0.0.2", "1.2.3.4"),
            (None, "for=_hidden", "127.0.0.1"),
            (None, "proto=https", "127.0.0.1"),
            (Some("1.2.3.4"), "for=1.2.3.4", "1.2.3.4"),
            (Some("1.2.3.4"), "for=6.6.6.6", "127.0.0.1"),
            (Some("6.6.6.6"), "for=1.2.3.4", "127.0.0.1"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("forwarded", HeaderValue::from_static(standard));
            if let Some(classic) = classic {
                headers.insert("x-forwarded-for", HeaderValue::from_static(classic));
            }
            let found = origin("127.0.0.1".parse().expect("an address"), &proxies, &headers);
            assert_eq!(found.to_string(), expected, "{classic:?} {standard}");
        }
    }
}
