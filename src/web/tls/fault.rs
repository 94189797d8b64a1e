//! What can be wrong with a certificate and its key, in words for whoever has to put it right.

use crate::clock::county_time;
use crate::lang::Lang;
use jiff::Timestamp;
use std::path::PathBuf;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CertificateFault {
    Unreadable {
        file: PathBuf,
        why: String,
    },
    NoCertificate {
        file: PathBuf,
    },
    NoKey {
        file: PathBuf,
    },
    BadCertificate {
        file: PathBuf,
        why: String,
    },
    BadKey {
        file: PathBuf,
        why: String,
    },
    /// The key is another certificate's.
    NotAPair {
        certificate: PathBuf,
        key: PathBuf,
    },
    OtherName {
        file: PathBuf,
        name: String,
    },
    NotYet {
        from: Timestamp,
    },
    Expired {
        at: Timestamp,
    },
    EndsSoon {
        at: Timestamp,
        days: i64,
    },
}

impl CertificateFault {
    pub fn words(&self, lang: Lang) -> String {
        match lang {
            Lang::Zh => self.zh(),
            Lang::En => self.en(),
        }
    }

    fn zh(&self) -> String {
        match self {
            Self::Unreadable { file, why } => {
                format!("{} 读不出来（{why}）：看文件是否存在、运行用户能否读取", file.display())
            }
            Self::NoCertificate { file } => {
                format!(
                    "{} 里没有证书：需要 PEM 文件，以 -----BEGIN CERTIFICATE----- 开头",
                    file.display()
                )
            }
            Self::NoKey { file } => {
                format!(
                    "{} 里没有未加密的私钥：需要 PEM 文件；加密的先用 openssl pkey -in 旧文件 -out \
                    新文件 解密",
                    file.display()
                )
            }
            Self::BadCertificate { file, why } => {
                format!("{} 里的证书不能用（{why}）：向签发单位重新索取", file.display())
            }
            Self::BadKey { file, why } => {
                format!(
                    "{} 里的私钥不能用（{why}）：用 RSA 2048 以上或 ECDSA P-256、P-384",
                    file.display()
                )
            }
            Self::NotAPair { certificate, key } => {
                format!(
                    "{} 的私钥不是 {} 中第一张证书的：本站证书要放在最前面，中间证书在后",
                    key.display(),
                    certificate.display()
                )
            }
            Self::OtherName { file, name } => {
                format!(
                    "{} 不是发给 {name} 的，手机会拒绝：换成该域名的证书，或改 [server] \
                    public_url",
                    file.display()
                )
            }
            Self::NotYet { from } => {
                format!("证书 {} 才生效，手机会拒绝：看本机时间，或换证书", time(*from))
            }
            Self::Expired { at } => {
                format!("证书已于 {} 过期，手机打不开页面：换新的证书文件，不必重启", time(*at))
            }
            Self::EndsSoon { at, days } => {
                format!("证书 {} 到期，还有{days}天：换新的证书文件，不必重启", time(*at))
            }
        }
    }

    fn en(&self) -> String {
        match self {
            Self::Unreadable { file, why } => {
                format!(
                    "{} cannot be read ({why}): check that it exists and that the program's user \
                    may read it",
                    file.display()
                )
            }
            Self::NoCertificate { file } => {
                format!(
                    "{} holds no certificate: it must be a PEM file with -----BEGIN \
                    CERTIFICATE-----",
                    file.display()
                )
            }
            Self::NoKey { file } => format!(
                "{} holds no unencrypted private key: it must be a PEM file; decrypt one with \
                openssl pkey -in OLD -out NEW",
                file.display()
            ),
            Self::BadCertificate { file, why } => {
                format!(
                    "the certificate in {} cannot be used ({why}): ask its issuer for another",
                    file.display()
                )
            }
            Self::BadKey { file, why } => {
                format!(
                    "the key in {} cannot be used ({why}): use RSA with 2048 bits or more, or \
                    ECDSA P-256 or P-384",
                    file.display()
                )
            }
            Self::NotAPair { certificate, key } => format!(
                "the key in {} is not that of the first certificate in {}: this site's own \
                certificate comes first, its issuers after it",
                key.display(),
                certificate.display()
            ),
            Self::OtherName { file, name } => format!(
                "{} is not for {name}, so phones refuse it: put a certificate for that name there, \
                or correct [server] public_url",
                file.display()
            ),
            Self::NotYet { from } => {
                format!(
                    "the certificate is valid from {} on, so phones refuse it: check this \
                    machine's clock, or replace it",
                    time(*from)
                )
            }
            Self::Expired { at } => {
                format!(
                    "the certificate expired on {}, so phones cannot open the pages: replace its \
                    files, no restart is needed",
                    time(*at)
                )
            }
            Self::EndsSoon { at, days } => {
                format!(
                    "the certificate expires on {}, in {days} days: replace its files, no restart \
                    is needed",
                    time(*at)
                )
            }
        }
    }
}

fn time(at: Timestamp) -> String {
    at.to_zoned(county_time()).strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_said_in_both_languages_with_its_file_or_time() {
        let (file, why, at) =
            (PathBuf::from("/etc/a.pem"), "why".to_owned(), Timestamp::UNIX_EPOCH);
        for (fault, mark) in [
            (CertificateFault::Unreadable { file: file.clone(), why: why.clone() }, "/etc/a.pem"),
            (CertificateFault::NoCertificate { file: file.clone() }, "/etc/a.pem"),
            (CertificateFault::NoKey { file: file.clone() }, "/etc/a.pem"),
            (CertificateFault::BadCertificate { file: file.clone(), why: why.clone() }, "(why)"),
            (CertificateFault::BadKey { file: file.clone(), why }, "/etc/a.pem"),
            (
                CertificateFault::NotAPair { certificate: file.clone(), key: file.clone() },
                "/etc/a.pem",
            ),
            (
                CertificateFault::OtherName { file, name: "huoyan.example".to_owned() },
                "huoyan.example",
            ),
            (CertificateFault::NotYet { from: at }, "1970-01-01 08:00"),
            (CertificateFault::Expired { at }, "1970-01-01 08:00"),
            (CertificateFault::EndsSoon { at, days: 9 }, "9"),
        ] {
            let (zh, en) = (fault.words(Lang::Zh), fault.words(Lang::En));
            assert!(en.contains(mark) && en.is_ascii(), "{en}");
            assert!(zh.contains(mark.trim_matches(['(', ')'])) && !zh.is_ascii(), "{zh}");
        }
    }
}
