//! People: signing up, in and out, and the first maintainer.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use longboard_store::account::{Session, User};
use longboard_store::token::{TokenKind, token_hash};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::slug::line;
use crate::{AppError, Fresh, Longboard};

/// A session ends after this long, used or not.
const SESSION_MOST: TimeDelta = TimeDelta::days(30);

/// Attempts to sign in to one account.
const ATTEMPTS: (u32, Duration) = (10, Duration::from_secs(15 * 60));

/// New accounts from one address.
const SIGN_UPS: (u32, Duration) = (20, Duration::from_secs(60 * 60));

/// What somebody fills in to get an account.
#[derive(Debug, Clone)]
pub struct SignUp {
    /// E-mail address.
    pub email: String,
    /// Name as others see it.
    pub name: String,
    /// Password.
    pub password: SecretString,
}

/// A signed-in person.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// Token that their forms carry.
    pub csrf: String,
}

/// Proof that somebody is a maintainer.
#[derive(Debug, Clone)]
pub struct Maintainer(User);

impl Maintainer {
    /// Who.
    #[must_use]
    pub fn user(&self) -> &User {
        &self.0
    }
}

impl SignedIn {
    /// Their proof, when they are one.
    #[must_use]
    pub fn maintainer(&self) -> Option<Maintainer> {
        self.user.maintainer.then(|| Maintainer(self.user.clone()))
    }
}

impl Longboard {
    /// Makes an account. `from` is the caller's network address.
    ///
    /// # Errors
    /// [`AppError::Invalid`] names the field, [`AppError::Store`] when the address has an account.
    pub async fn sign_up(&self, form: SignUp, from: &str, fresh: Fresh, now: DateTime<Utc>) -> Result<User, AppError> {
        self.admit(&format!("sign-up:{from}"), SIGN_UPS.0, SIGN_UPS.1, now).await?;
        let user = self.new_user(form, false, fresh, now).await?;
        self.note(&user.email, "sign_up", &user.email, json!({}), now).await?;
        Ok(user)
    }

    /// Makes an account for somebody, as an operator.
    ///
    /// # Errors
    /// [`AppError::Invalid`] names the field, [`AppError::Store`] when the address has an account.
    pub async fn create_user(
        &self,
        form: SignUp,
        maintainer: bool,
        fresh: Fresh,
        now: DateTime<Utc>,
    ) -> Result<User, AppError> {
        let user = self.new_user(form, maintainer, fresh, now).await?;
        self.note("operator", "create_user", &user.email, json!({"maintainer": maintainer}), now).await?;
        Ok(user)
    }

    async fn new_user(
        &self,
        form: SignUp,
        maintainer: bool,
        fresh: Fresh,
        now: DateTime<Utc>,
    ) -> Result<User, AppError> {
        let email = address(&form.email)?;
        let name = line("the name", &form.name, 80)?;
        let password_hash = self.passwords.hash(form.password, salt(fresh)).await?;
        let row = User { id: Uuid::now_v7(), email, name, password_hash, maintainer, created_at: now };
        Ok(self.store.add_user(row).await?)
    }

    /// Checks a password and opens a session; returns the cookie's value.
    ///
    /// # Errors
    /// [`AppError::Unknown`] without saying whether address or password is wrong; [`AppError::TooMany`].
    pub async fn sign_in(
        &self,
        email: &str,
        password: SecretString,
        fresh: Fresh,
        now: DateTime<Utc>,
    ) -> Result<SecretString, AppError> {
        let email = email.trim().to_lowercase();
        let key = format!("sign-in:{}", token_hash(&email));
        self.admit(&key, ATTEMPTS.0, ATTEMPTS.1, now).await?;
        let user = self.store.user_by_email(&email).await?;
        let hash = user.as_ref().map(|user| user.password_hash.clone());
        let right = self.passwords.verify(password, hash).await?;
        let Some(user) = user.filter(|_| right) else {
            return Err(AppError::Unknown("the address or the password is wrong".to_owned()));
        };
        self.open_session(&user, fresh, now).await
    }

    /// Replaces a password and ends all sessions of its user.
    ///
    /// # Errors
    /// [`AppError::Unknown`] when the old one is wrong; [`AppError::Invalid`] when the new one is too short.
    pub async fn change_password(
        &self,
        user: &User,
        old: SecretString,
        new: SecretString,
        fresh: Fresh,
        now: DateTime<Utc>,
    ) -> Result<(), AppError> {
        self.admit(&format!("password:{}", user.id), ATTEMPTS.0, ATTEMPTS.1, now).await?;
        if !self.passwords.verify(old, Some(user.password_hash.clone())).await? {
            return Err(AppError::Unknown("the old password is wrong".to_owned()));
        }
        let hash = self.passwords.hash(new, salt(fresh)).await?;
        self.store.set_password(user.id, hash).await?;
        self.note(&user.email, "change_password", &user.email, json!({}), now).await
    }

    /// Opens a session for somebody who just proved who they are; returns the cookie's value.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn open_session(&self, user: &User, fresh: Fresh, now: DateTime<Utc>) -> Result<SecretString, AppError> {
        let token = TokenKind::Session.token(fresh);
        let row = Session {
            token_hash: token_hash(token.expose_secret()),
            user_id: user.id,
            csrf: hex::encode(Sha256::new().chain_update("csrf").chain_update(fresh).finalize()),
            created_at: now,
            seen_at: now,
            expires_at: now + SESSION_MOST,
        };
        self.store.add_session(row).await?;
        Ok(token)
    }

    /// Who a cookie belongs to.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn signed_in(&self, cookie: &str, now: DateTime<Utc>) -> Result<Option<SignedIn>, AppError> {
        let found = self.store.session(&token_hash(cookie), now).await?;
        Ok(found.map(|(session, user)| SignedIn { user, csrf: session.csrf }))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn sign_out(&self, cookie: &str) -> Result<(), AppError> {
        Ok(self.store.end_session(&token_hash(cookie)).await?)
    }

    /// Makes somebody a maintainer, or no longer; nobody can do it to themselves, so one always stays.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::Store`].
    pub async fn set_maintainer(
        &self,
        by: &Maintainer,
        user: Uuid,
        maintainer: bool,
        now: DateTime<Utc>,
    ) -> Result<(), AppError> {
        if by.0.id == user {
            return Err(AppError::Invalid("ask another maintainer to change your own rights".to_owned()));
        }
        self.store.set_maintainer(user, maintainer).await?;
        self.note(&by.0.email, "set_maintainer", user, json!({"maintainer": maintainer}), now).await
    }
}

/// The first half of the randomness is the salt.
fn salt(fresh: Fresh) -> [u8; 16] {
    let mut salt = [0; 16];
    salt.iter_mut().zip(fresh).for_each(|(to, from)| *to = from);
    salt
}

fn address(text: &str) -> Result<String, AppError> {
    let text = text.trim().to_lowercase();
    let well_formed = text.len() <= 254
        && !text.chars().any(|letter| letter.is_whitespace() || letter.is_control())
        && text
            .split_once('@')
            .is_some_and(|(local, host)| !local.is_empty() && !host.is_empty() && !host.contains('@'));
    if well_formed { Ok(text) } else { Err(AppError::Invalid("the e-mail address is not one".to_owned())) }
}
