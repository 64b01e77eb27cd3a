//! Teams, their members and their API tokens.

use chrono::{DateTime, Utc};
use longboard_store::Role;
use longboard_store::account::{ApiToken, Team, User};
use longboard_store::token::{TokenKind, token_hash};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use uuid::Uuid;

use crate::slug::{line, slug};
use crate::{AppError, Fresh, Longboard};

/// Teams one person may make.
const TEAMS: usize = 10;

/// Proof that somebody may act for a team.
#[derive(Debug, Clone)]
pub struct Member {
    team: Team,
    user: User,
    role: Role,
}

impl Member {
    /// The team.
    #[must_use]
    pub fn team(&self) -> &Team {
        &self.team
    }

    /// Who acts.
    #[must_use]
    pub fn user(&self) -> &User {
        &self.user
    }

    /// Whether they may change members.
    #[must_use]
    pub fn is_owner(&self) -> bool {
        self.role == Role::Owner
    }

    fn owner(&self) -> Result<(), AppError> {
        if self.is_owner() {
            return Ok(());
        }
        Err(AppError::Forbidden("only an owner of the team may do this; ask one".to_owned()))
    }
}

impl Longboard {
    /// The proof, when the user belongs to the team; otherwise as if there were no such team.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn member(&self, user: &User, team: &str) -> Result<Member, AppError> {
        let none = || AppError::no("team of yours named", team);
        let team = self.store.team_by_slug(team).await?.ok_or_else(none)?;
        let role = self.store.role(team.id, user.id).await?.ok_or_else(none)?;
        Ok(Member { team, user: user.clone(), role })
    }

    /// The proof for a team by id, as [`Longboard::member`].
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn member_of(&self, user: &User, team: Uuid) -> Result<Member, AppError> {
        let none = || AppError::NotFound("such team of yours".to_owned());
        let team = self.store.team(team).await?.ok_or_else(none)?;
        let role = self.store.role(team.id, user.id).await?.ok_or_else(none)?;
        Ok(Member { team, user: user.clone(), role })
    }

    /// Who an API token acts for. It ends with its maker's membership.
    ///
    /// # Errors
    /// [`AppError::Unknown`].
    pub async fn api_caller(&self, token: &str, now: DateTime<Utc>) -> Result<Member, AppError> {
        let refused = || AppError::Unknown("the API token is not valid; make one on your team's page".to_owned());
        let (row, user) = self.store.api_token(&token_hash(token), now).await?.ok_or_else(refused)?;
        let team = self.store.team(row.team_id).await?.ok_or_else(refused)?;
        let role = self.store.role(team.id, user.id).await?.ok_or_else(refused)?;
        Ok(Member { team, user, role })
    }

    /// Makes a team with its first owner.
    ///
    /// # Errors
    /// [`AppError::Invalid`], or [`AppError::Store`] when the name is taken.
    pub async fn create_team(&self, user: &User, name: &str, now: DateTime<Utc>) -> Result<Team, AppError> {
        let name = line("the team name", name, 80)?;
        if self.store.teams_of(user.id).await?.len() >= TEAMS {
            return Err(AppError::Invalid(format!("you belong to {TEAMS} teams already; leave one first")));
        }
        let team = self.store.add_team(&slug(&name)?, &name, user.id, now).await?;
        self.note(&user.email, "create_team", &team.slug, json!({}), now).await?;
        Ok(team)
    }

    /// Adds somebody who has an account.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without an account of this address.
    pub async fn add_member(&self, by: &Member, email: &str, owner: bool, now: DateTime<Utc>) -> Result<(), AppError> {
        by.owner()?;
        let missing = || AppError::NotFound("account with this address; they need to sign up first".to_owned());
        let user = self.store.user_by_email(email).await?.ok_or_else(missing)?;
        let role = if owner { Role::Owner } else { Role::Member };
        self.store.add_member(by.team.id, user.id, role, now).await?;
        let detail = json!({"member": user.email, "role": role.slug()});
        self.note(&by.user.email, "add_member", &by.team.slug, detail, now).await
    }

    /// Takes a member out; their API tokens end with it.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for the last owner.
    pub async fn remove_member(&self, by: &Member, user: Uuid, now: DateTime<Utc>) -> Result<(), AppError> {
        if by.user.id != user {
            by.owner()?;
        }
        let owners = self.store.members(by.team.id).await?;
        if !owners.iter().any(|(member, _)| member.role == Role::Owner && member.user_id != user) {
            return Err(AppError::Invalid("a team needs an owner; make somebody else owner first".to_owned()));
        }
        self.store.remove_member(by.team.id, user).await?;
        self.note(&by.user.email, "remove_member", &by.team.slug, json!({"member": user}), now).await
    }

    /// Makes an API token. It is shown once: only its hash is kept.
    ///
    /// # Errors
    /// [`AppError::Invalid`].
    pub async fn create_api_token(
        &self,
        by: &Member,
        name: &str,
        fresh: Fresh,
        now: DateTime<Utc>,
    ) -> Result<SecretString, AppError> {
        let name = line("the token's name", name, 80)?;
        let token = TokenKind::Api.token(fresh);
        let row = ApiToken {
            id: Uuid::now_v7(),
            team_id: by.team.id,
            user_id: by.user.id,
            name,
            prefix: token.expose_secret().chars().take(8).collect(),
            token_hash: token_hash(token.expose_secret()),
            created_at: now,
            used_at: None,
            revoked_at: None,
        };
        let detail = json!({"token": row.id, "name": row.name});
        self.store.add_api_token(row).await?;
        self.note(&by.user.email, "create_api_token", &by.team.slug, detail, now).await?;
        Ok(token)
    }

    /// Ends an API token.
    ///
    /// # Errors
    /// [`AppError::Store`] when the team has no such token.
    pub async fn revoke_api_token(&self, by: &Member, id: Uuid, now: DateTime<Utc>) -> Result<(), AppError> {
        self.store.revoke_api_token(by.team.id, id, now).await?;
        self.note(&by.user.email, "revoke_api_token", &by.team.slug, json!({"token": id}), now).await
    }
}
