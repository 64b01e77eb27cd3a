//! Passwords: argon2id with 19 MiB and two passes (OWASP's first choice for argon2id), off the async threads.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use crate::AppError;

/// Hashes at a time: each takes 19 MiB.
const AT_ONCE: usize = 4;

const SHORTEST: usize = 10;
const LONGEST: usize = 200;

/// Hash of nothing anyone knows: an unknown address takes as long as a wrong password.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bG9uZ2JvYXJkLW5vYm9keQ$aJH0Yt1sT7kuGrJ2J3ZRv0m4f7n4uT6hTfOrGyhUFYo";

pub(crate) struct Passwords(Semaphore);

impl Default for Passwords {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

impl Passwords {
    /// A PHC string.
    pub async fn hash(&self, password: SecretString, salt: [u8; 16]) -> Result<String, AppError> {
        let letters = password.expose_secret().chars().count();
        if !(SHORTEST..=LONGEST).contains(&letters) {
            return Err(AppError::Invalid(format!("the password needs {SHORTEST} to {LONGEST} characters")));
        }
        let _permit = self.0.acquire().await;
        let hashed = tokio::task::spawn_blocking(move || {
            let hash: Result<argon2::password_hash::phc::PasswordHash, _> =
                argon2id().hash_password_with_salt(password.expose_secret().as_bytes(), &salt);
            hash.map(|hash| hash.to_string())
        });
        let failed = |_| AppError::Invalid("the password cannot be hashed; choose another".to_owned());
        hashed.await.map_err(AppError::stopped)?.map_err(failed)
    }

    /// Whether the password belongs to the hash; without one, as slow as with one and false.
    pub async fn verify(&self, password: SecretString, hash: Option<String>) -> Result<bool, AppError> {
        let _permit = self.0.acquire().await;
        let verified = tokio::task::spawn_blocking(move || {
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
            let Ok(parsed) = PasswordHash::new(&hash) else { return false };
            let right = argon2id().verify_password(password.expose_secret().as_bytes(), &parsed).is_ok();
            known && right
        });
        verified.await.map_err(AppError::stopped)
    }
}

fn argon2id() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_opens_its_own_hash_only() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse".into(), [1; 16]).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify("correct horse".into(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("correct horsf".into(), Some(hash)).await.unwrap());
        assert!(!passwords.verify("correct horse".into(), None).await.unwrap());
        assert!(PasswordHash::new(NOBODY).is_ok(), "the comparison must really run");
        assert!(passwords.hash("short".into(), [1; 16]).await.is_err());
    }
}
