//! Whose pages a request asks for, by the host that it names: where several counties share one
//! listener, each has a name of its own. A browser keeps the cookies of one from the other.

use super::WebState;
use crate::lang::Words;
use axum::Router;
use axum::http::header::HOST;
use axum::http::{HeaderMap, Uri};
use parking_lot::RwLock;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// How a county of a centre stands.
#[derive(Clone)]
pub enum Standing {
    Up(Box<WebState>),
    /// It cannot be served; the reason, for operations.
    Down(Words),
}

/// A handle: clones share it.
#[derive(Clone)]
pub struct Doors(Arc<RwLock<Hosts>>);

struct Hosts {
    by_host: HashMap<String, Router>,
    /// By code; also those without a door, because their file does not say which.
    counties: BTreeMap<String, CountyDoor>,
    /// Of every other host.
    elsewhere: Router,
}

struct CountyDoor {
    host: Option<String>,
    standing: Standing,
}

impl Doors {
    /// One house with one door: whatever the host is called.
    pub(super) fn one(router: Router) -> Self {
        let (by_host, counties) = Default::default();
        Self(Arc::new(RwLock::new(Hosts { by_host, counties, elsewhere: router })))
    }

    /// Opens a door for the centre's own pages, and one for whoever has mistyped a name.
    pub(super) fn open(&self, host: String, own: Router, elsewhere: Router) {
        let mut hosts = self.0.write();
        hosts.by_host.insert(host, own);
        hosts.elsewhere = elsewhere;
    }

    /// `host`: `None` where the county's file does not say. A host that is another's stays the
    /// other's, unless that one is not served.
    pub(super) fn put(&self, code: &str, host: Option<String>, standing: Standing, router: Router) {
        let mut hosts = self.0.write();
        hosts.forget(code);
        let host = host.filter(|it| hosts.is_free(it, &standing));
        if let Some(host) = &host {
            hosts.by_host.insert(host.clone(), router);
        }
        hosts.counties.insert(code.to_owned(), CountyDoor { host, standing });
    }

    /// Its file is gone.
    pub fn forget(&self, code: &str) {
        self.0.write().forget(code);
    }

    pub fn codes(&self) -> Vec<String> {
        self.0.read().counties.keys().cloned().collect()
    }

    pub(super) fn counties(&self) -> Vec<(String, Standing)> {
        let hosts = self.0.read();
        hosts.counties.iter().map(|(code, it)| (code.clone(), it.standing.clone())).collect()
    }

    /// The pages that a request asks for.
    pub(super) fn of(&self, uri: &Uri, headers: &HeaderMap) -> Router {
        let named = headers.get(HOST).and_then(|it| it.to_str().ok());
        self.at(&host_of(uri.authority().map(|it| it.as_str()).or(named).unwrap_or_default()))
    }

    /// The pages behind a host name.
    pub fn at(&self, host: &str) -> Router {
        let hosts = self.0.read();
        hosts.by_host.get(host).unwrap_or(&hosts.elsewhere).clone()
    }
}

impl Hosts {
    /// Also true when a county that is not served has it, and another that is served comes.
    fn is_free(&mut self, host: &str, standing: &Standing) -> bool {
        if !self.by_host.contains_key(host) {
            return true;
        }
        let is_its = |door: &&mut CountyDoor| door.host.as_deref() == Some(host);
        match (self.counties.values_mut().find(is_its), standing) {
            (Some(door), Standing::Up(_)) if matches!(door.standing, Standing::Down(_)) => {
                door.host = None;
                true
            }
            _ => false,
        }
    }

    fn forget(&mut self, code: &str) {
        if let Some(host) = self.counties.remove(code).and_then(|it| it.host) {
            self.by_host.remove(&host);
        }
    }
}

/// `Yuanling.Fire.example.:8131` → `yuanling.fire.example`.
fn host_of(authority: &str) -> String {
    let host = match authority.strip_prefix('[').and_then(|it| it.split_once(']')) {
        Some((address, _)) => address,
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    host.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A county file that was copied and renamed names the host of the one that it was copied from.
    #[test]
    fn a_host_stays_with_the_county_that_has_it() {
        let doors = Doors::one(Router::new());
        let down = || Standing::Down(Words::new("没有启动", "not running"));
        let host = || Some("yuanling.fire.example".to_owned());
        let of = |doors: &Doors| {
            let hosts = doors.0.read();
            let its = |door: &CountyDoor| door.host.is_some();
            hosts.counties.iter().find(|(_, it)| its(it)).map(|(code, _)| code.clone())
        };
        doors.put("yuanling", host(), down(), Router::new());
        doors.put("anhua", host(), down(), Router::new());
        assert_eq!(of(&doors).as_deref(), Some("yuanling"), "in any order of their names");
        doors.forget("anhua");
        assert!(doors.0.read().by_host.contains_key("yuanling.fire.example"), "and stays open");
    }

    #[test]
    fn a_host_is_a_name_without_its_port_however_it_is_written() {
        for (authority, host) in [
            ("yuanling.fire.example", "yuanling.fire.example"),
            ("Yuanling.Fire.Example.:8131", "yuanling.fire.example"),
            ("10.0.0.5:8131", "10.0.0.5"),
            ("[2001:DB8::1]:8131", "2001:db8::1"),
            ("[::1]", "::1"),
            ("", ""),
            (":8131", ""),
        ] {
            assert_eq!(host_of(authority), host, "{authority}");
        }
    }
}
