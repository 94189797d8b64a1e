//! TLS: a certificate and its key, judged before they are used and replaced while the program
//! runs. The cryptography is rustls' with ring.

mod fault;
mod pair;

pub use fault::CertificateFault;
pub use pair::Pair;

use crate::config::Server;
use crate::error::{Error, Result};
use crate::lang::Lang;
use jiff::{SignedDuration, Timestamp};
use pair::Files;
use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// From when before its end a certificate is reported: 14 days. Renewals run 30 days before, so by
/// then some have failed, and there is still time to ask an authority that works in writing.
const WARN_BEFORE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// What new connections are greeted with; cloning shares it.
#[derive(Clone)]
pub struct Tls {
    current: Arc<Current>,
    acceptor: TlsAcceptor,
}

/// The pair in use.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read()))
    }
}

impl Tls {
    fn of(pair: &Pair) -> Result<Self> {
        let current = Arc::new(Current(RwLock::new(Arc::clone(&pair.certified))));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|e| Error::internal("TLS could not be set up").because(e))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { current, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    /// Connections that are open keep the pair they were greeted with.
    fn take(&self, pair: &Pair) {
        *self.current.0.write() = Arc::clone(&pair.certified);
    }
}

/// Watches the files of the pair in use.
pub struct Keeper {
    tls: Tls,
    server: Server,
    in_use: Pair,
    /// The files as last judged.
    judged: Files,
    /// Files that differ from these. They are judged when a second look finds them unchanged: who
    /// renews a pair writes two files, one after the other.
    waiting: Option<Files>,
    refused: Option<CertificateFault>,
}

/// What a look at the files found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Renewal {
    Same,
    Taken,
    Refused,
}

impl Keeper {
    /// `None` without `[server] certificate`. An unusable pair is an error; one that phones will
    /// refuse (for another name, or expired) is used and reported, because a restart at night must
    /// not take the pages away from the office.
    pub fn open(server: &Server, lang: Lang) -> Result<Option<Self>> {
        let Some(files) = Files::read(server) else { return Ok(None) };
        let in_use = Pair::of(&files, server).map_err(|fault| Error::invalid(fault.words(lang)))?;
        let tls = Tls::of(&in_use)?;
        Ok(Some(Self {
            tls,
            server: server.clone(),
            in_use,
            judged: files,
            waiting: None,
            refused: None,
        }))
    }

    pub fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// Takes a renewed pair that can be used, is for the right name and is valid now; otherwise the
    /// old one stays in use.
    pub fn look(&mut self, now: Timestamp) -> Renewal {
        let Some(files) = Files::read(&self.server) else { return Renewal::Same };
        if files == self.judged {
            self.waiting = None;
            return Renewal::Same;
        }
        if self.waiting.as_ref() != Some(&files) {
            self.waiting = Some(files);
            return Renewal::Same;
        }
        let judged =
            Pair::of(&files, &self.server).and_then(|pair| pair.problem(now).map_or(Ok(pair), Err));
        (self.judged, self.waiting) = (files, None);
        match judged {
            Ok(pair) => {
                self.tls.take(&pair);
                (self.in_use, self.refused) = (pair, None);
                Renewal::Taken
            }
            Err(fault) => {
                self.refused = Some(fault);
                Renewal::Refused
            }
        }
    }

    /// What is wrong with the pair in use, or with the one that should have replaced it.
    pub fn trouble(&self, now: Timestamp) -> Option<Trouble<'_>> {
        let in_use = self.in_use.problem(now).or_else(|| self.in_use.ends_soon(now));
        (in_use.is_some() || self.refused.is_some())
            .then_some(Trouble { in_use, refused: self.refused.as_ref() })
    }

    /// When the pair in use expires.
    pub fn valid_until(&self) -> Timestamp {
        self.in_use.until
    }
}

/// For the board.
pub struct Trouble<'a> {
    in_use: Option<CertificateFault>,
    refused: Option<&'a CertificateFault>,
}

impl Trouble<'_> {
    pub fn words(&self, lang: Lang) -> String {
        let refused = self.refused.map(|fault| {
            let old = lang.pick(
                "新的证书文件不能用，仍用原来的：",
                "the new certificate files are not used, the old pair stays: ",
            );
            format!("{old}{}", fault.words(lang))
        });
        let all: Vec<String> =
            refused.into_iter().chain(self.in_use.iter().map(|fault| fault.words(lang))).collect();
        all.join(lang.pick("；", "; "))
    }
}
