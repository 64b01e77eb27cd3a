//! Bearer tokens: random, prefixed, stored as hashes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use sha2::{Digest, Sha256};

/// Bytes of randomness in a token.
pub const TOKEN_BYTES: usize = 32;

/// What a token is for, visible in its first letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// JSON API of a team.
    Api,
    /// Worker API.
    Worker,
    /// Browser session.
    Session,
}

impl TokenKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Api => "lba_",
            Self::Worker => "lbw_",
            Self::Session => "lbs_",
        }
    }

    /// Writes a token from fresh randomness.
    #[must_use]
    pub fn token(self, random: [u8; TOKEN_BYTES]) -> SecretString {
        SecretString::from(format!("{}{}", self.prefix(), URL_SAFE_NO_PAD.encode(random)))
    }
}

/// SHA-256 in hex: what the database holds of a token. Tokens carry 256 bits of randomness, so no salt is needed.
#[must_use]
pub fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}
