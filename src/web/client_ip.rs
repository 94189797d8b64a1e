//! Where a request comes from, also behind a proxy that the configuration trusts.

use super::WebState;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

pub struct ClientIp(pub IpAddr);

impl FromRequestParts<WebState> for ClientIp {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Ok(Self(origin(peer, &state.config.server.trusted_proxy, &parts.headers)))
    }
}

/// Each proxy writes the address it was asked from at the end of `X-Forwarded-For`; what stands before was said by strangers.
fn origin(peer: IpAddr, trusted: &[IpAddr], headers: &HeaderMap) -> IpAddr {
    let lines = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
    let mut before: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    let mut from = peer;
    while trusted.contains(&from) {
        let Some(said) = before.pop().and_then(address) else { break };
        from = said;
    }
    from
}

/// Some proxies write the port too.
fn address(text: &str) -> Option<IpAddr> {
    let ip = text.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|it| it.ip()));
    ip.map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_its_own_word() {
        let proxies: [IpAddr; 2] = ["127.0.0.1", "10.0.0.2"].map(|it| it.parse().expect("an address"));
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
}
