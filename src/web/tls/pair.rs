//! A certificate and its key, from the bytes of their files to what a connection is greeted with.

use super::{CertificateFault, WARN_BEFORE};
use crate::config::Server;
use jiff::Timestamp;
use rustls::CertificateError::{ExpiredContext, NotValidYetContext};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{Error as TlsError, RootCertStore};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A chain of ten certificates is below 30 kB.
const FILE_MAX_BYTES: u64 = 1 << 20;
/// The year 10000, after every date that a certificate can name, seconds since 1970.
const END_OF_TIME_S: u64 = 253_402_300_800;

/// The two files as read; a file that cannot be read is its reason.
#[derive(PartialEq, Eq)]
pub(super) struct Files {
    certificate: (PathBuf, Result<Vec<u8>, String>),
    key: (PathBuf, Result<Vec<u8>, String>),
}

impl Files {
    /// `None` where the configuration names none.
    pub(super) fn read(server: &Server) -> Option<Self> {
        let file = |path: &PathBuf| (path.clone(), bytes(path));
        Some(Self {
            certificate: file(server.certificate.as_ref()?),
            key: file(server.key.as_ref()?),
        })
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|e| e.to_string())?;
    file.take(FILE_MAX_BYTES).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    Ok(bytes)
}

/// A certificate with its chain and its key.
pub struct Pair {
    pub(super) certified: Arc<CertifiedKey>,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// The name that phones open, where the certificate is for another.
    other_name: Option<CertificateFault>,
}

impl Pair {
    /// Reads the files that the configuration names. `None` without any.
    pub fn read(server: &Server) -> Option<Result<Self, CertificateFault>> {
        Some(Self::of(&Files::read(server)?, server))
    }

    /// An error only where it cannot be used at all; see [`Pair::problem`].
    pub(super) fn of(files: &Files, server: &Server) -> Result<Self, CertificateFault> {
        let text = |(file, bytes): &(PathBuf, Result<Vec<u8>, String>)| match bytes {
            Ok(bytes) => Ok((file.clone(), bytes.clone())),
            Err(why) => Err(CertificateFault::Unreadable { file: file.clone(), why: why.clone() }),
        };
        let ((certificate, chain), (key_file, key)) =
            (text(&files.certificate)?, text(&files.key)?);
        let bad = |why: &dyn std::fmt::Display| CertificateFault::BadCertificate {
            file: certificate.clone(),
            why: why.to_string(),
        };
        let chain = CertificateDer::pem_slice_iter(&chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| bad(&e))?;
        let own = chain
            .first()
            .cloned()
            .ok_or_else(|| CertificateFault::NoCertificate { file: certificate.clone() })?;
        let key = PrivateKeyDer::from_pem_slice(&key)
            .map_err(|_| CertificateFault::NoKey { file: key_file.clone() })?;
        let parsed = ParsedCertificate::try_from(&own).map_err(|e| bad(&e))?;
        let (from, until) = validity(&parsed).ok_or_else(|| bad(&"its dates cannot be read"))?;
        let other_name = server.certified_name().and_then(|name| {
            let is_for = ServerName::try_from(name.as_str())
                .is_ok_and(|it| verify_server_name(&parsed, &it).is_ok());
            (!is_for).then(|| CertificateFault::OtherName { file: certificate.clone(), name })
        });
        let certified =
            CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|e| match e {
                TlsError::InconsistentKeys(_) => CertificateFault::NotAPair {
                    certificate: certificate.clone(),
                    key: key_file.clone(),
                },
                e => CertificateFault::BadKey { file: key_file.clone(), why: e.to_string() },
            })?;
        Ok(Self { certified: Arc::new(certified), from, until, other_name })
    }

    /// Why phones refuse it now.
    pub fn problem(&self, now: Timestamp) -> Option<CertificateFault> {
        if now < self.from {
            return Some(CertificateFault::NotYet { from: self.from });
        }
        if now > self.until {
            return Some(CertificateFault::Expired { at: self.until });
        }
        self.other_name.clone()
    }

    /// Whether it should have been renewed by now: 14 days before its end, of a short-lived one in
    /// the last third of its life.
    pub fn ends_soon(&self, now: Timestamp) -> Option<CertificateFault> {
        let life = self.until.duration_since(self.from);
        let left = self.until.duration_since(now);
        let is_soon = left < WARN_BEFORE.min(life / 3);
        is_soon.then(|| CertificateFault::EndsSoon { at: self.until, days: left.as_hours() / 24 })
    }

    pub fn until(&self) -> Timestamp {
        self.until
    }
}

/// First and last instant. rustls reads them, and tells them where it refuses a certificate for
/// them: it is asked about the beginning and the end of time. Nothing is proved of its issuers,
/// whom the phones know and this machine may not.
fn validity(certificate: &ParsedCertificate<'_>) -> Option<(Timestamp, Timestamp)> {
    let refused = |at_s: u64| {
        let at = UnixTime::since_unix_epoch(Duration::from_secs(at_s));
        let algorithms = ring::default_provider().signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(
            certificate,
            &RootCertStore::empty(),
            &[],
            at,
            algorithms,
        )
        .err()
    };
    // jiff's last instant lies a day before the last that a certificate can name.
    let instant = |time: UnixTime| {
        i64::try_from(time.as_secs())
            .ok()
            .and_then(|s| Timestamp::from_second(s).ok())
            .unwrap_or(Timestamp::MAX)
    };
    let from = match refused(0)? {
        TlsError::InvalidCertificate(NotValidYetContext { not_before, .. }) => instant(not_before),
        // Valid since before 1970.
        _ => Timestamp::UNIX_EPOCH,
    };
    let TlsError::InvalidCertificate(ExpiredContext { not_after, .. }) = refused(END_OF_TIME_S)?
    else {
        return None;
    };
    Some((from, instant(not_after)))
}
