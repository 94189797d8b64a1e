//! Secrets: login links and the tokens of sessions. Only their hashes are stored.

use crate::clock::Clock;
use crate::config::Server;
use crate::error::{Error, Result};
use crate::store::{Access, Login, Store};
use crate::triage::id::PersonId;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use sha2::{Digest, Sha256};

/// 256 bits, too many to guess.
const SECRET_BYTES: usize = 32;

/// A one-time login link, as the path to append to the public address: `/login/…`. The token is
/// stored nowhere.
pub async fn issue_login(
    store: &Store,
    person: &PersonId,
    access: Access,
    life: SignedDuration,
    clock: &Clock,
) -> Result<String> {
    let token = secret()?;
    let login = Login { person: person.clone(), access };
    store.create_login(&hash(&token), &login, clock.now() + life).await?;
    Ok(format!("/login/{token}"))
}

/// How long such a link is valid.
pub fn link_life(server: &Server, access: Access) -> SignedDuration {
    match access {
        Access::Ranger => server.ranger_link_life,
        Access::Officer | Access::Ops => server.login_link_life,
    }
}

/// 32 random bytes as 43 characters that need no escaping anywhere.
pub fn secret() -> Result<String> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::unavailable("the machine provides no random numbers").because(e))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// The stored form of a secret. It needs no salt and no slow hash: 256 bits cannot be searched.
pub fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// Compares all characters in constant time, so that timing reveals nothing: people choose weaker
/// secrets than [`secret`] does.
pub(crate) fn is_secret_of(kept: &str, given: &str) -> bool {
    let given = hash(given);
    kept.len() == given.len()
        && kept.bytes().zip(given.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_safe_in_addresses_and_never_the_same() {
        let (a, b) = (secret().expect("random"), secret().expect("random"));
        assert_eq!(a.len(), 43);
        assert!(a.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{a}");
        assert_ne!(a, b);
    }
}
