//! Secrets at rest: AES-256-GCM, bound to the row they belong to.
//!
//! A record is `v1.` and base64 of a random 12-byte nonce with the ciphertext. The associated data names team, endpoint
//! and column, so a record copied to another row does not open.

use aes_gcm::aead::{Aead, KeyInit, Nonce, Payload};
use aes_gcm::{Aes256Gcm, Key};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::error::StoreError;

/// Length of the key in bytes.
pub const KEY_BYTES: usize = 32;

const NONCE_BYTES: usize = 12;
const VERSION: &str = "v1.";

/// Seals and opens secrets. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    cipher: Aes256Gcm,
}

impl Vault {
    /// A vault with this key.
    #[must_use]
    pub fn new(key: [u8; KEY_BYTES]) -> Self {
        Self { cipher: Aes256Gcm::new(&Key::<Aes256Gcm>::from(key)) }
    }

    /// Seals an endpoint's bearer secret. `nonce` must be fresh randomness.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] only when the text exceeds what the cipher can take.
    pub fn seal(
        &self,
        team: Uuid,
        endpoint: Uuid,
        secret: &SecretString,
        nonce: [u8; NONCE_BYTES],
    ) -> Result<String, StoreError> {
        let aad = associated(team, endpoint);
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: aad.as_bytes() };
        let nonce = Nonce::<Aes256Gcm>::from(nonce);
        let sealed = self.cipher.encrypt(&nonce, payload).map_err(|_| StoreError::Sealed)?;
        Ok(format!("{VERSION}{}", STANDARD.encode([nonce.as_slice(), sealed.as_slice()].concat())))
    }

    /// Opens a sealed secret of exactly this row.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] with another key, another row or a changed record.
    pub fn open(&self, team: Uuid, endpoint: Uuid, record: &str) -> Result<SecretString, StoreError> {
        let encoded = record.strip_prefix(VERSION).ok_or(StoreError::Sealed)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| StoreError::Sealed)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES).ok_or(StoreError::Sealed)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| StoreError::Sealed)?;
        let aad = associated(team, endpoint);
        let opened = self
            .cipher
            .decrypt(&Nonce::<Aes256Gcm>::from(nonce), Payload { msg: sealed, aad: aad.as_bytes() })
            .map_err(|_| StoreError::Sealed)?;
        Ok(SecretString::from(String::from_utf8(opened).map_err(|_| StoreError::Sealed)?))
    }
}

fn associated(team: Uuid, endpoint: Uuid) -> String {
    format!("{team}|{endpoint}|endpoints.secret_ciphertext")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_in_its_own_row_and_with_its_own_key() {
        let (team, endpoint) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let vault = Vault::new([7; KEY_BYTES]);
        let record = vault.seal(team, endpoint, &SecretString::from("sk-1"), [1; NONCE_BYTES]).unwrap();
        assert!(!record.contains("sk-1"));
        assert_eq!(vault.open(team, endpoint, &record).unwrap().expose_secret(), "sk-1");
        assert!(vault.open(team, Uuid::from_u128(3), &record).is_err());
        assert!(vault.open(endpoint, team, &record).is_err());
        assert!(Vault::new([8; KEY_BYTES]).open(team, endpoint, &record).is_err());
        assert!(vault.open(team, endpoint, &record.replace("v1.", "v1.AAAA")).is_err());
    }
}
