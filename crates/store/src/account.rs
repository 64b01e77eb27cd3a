//! People, teams, sessions, API tokens and workers.

use chrono::{DateTime, Duration, Utc};
use sea_orm::ActiveValue::Unchanged;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use uuid::Uuid;

use crate::Store;
use crate::connection::micros;
pub use crate::entity::api_token::Model as ApiToken;
use crate::entity::kind::Role;
pub use crate::entity::membership::Model as Membership;
pub use crate::entity::session::Model as Session;
pub use crate::entity::team::Model as Team;
pub use crate::entity::user::Model as User;
pub use crate::entity::worker::Model as Worker;
use crate::entity::{api_token, membership, session, team, user, worker};
use crate::error::StoreError;

/// A session ends after this long without use.
pub const SESSION_IDLE: Duration = Duration::days(7);

impl Store {
    /// Adds a user.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when the address has an account.
    pub async fn add_user(&self, mut row: User) -> Result<User, StoreError> {
        row.email = row.email.trim().to_lowercase();
        row.created_at = micros(row.created_at);
        let active = user::ActiveModel::from(row);
        user::Entity::insert(active)
            .exec_with_returning(&self.db)
            .await
            .map_err(|error| StoreError::taken(error, "this address"))
    }

    /// The user with this address.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        let email = email.trim().to_lowercase();
        Ok(user::Entity::find().filter(user::Column::Email.eq(email)).one(&self.db).await?)
    }

    /// A user by id.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn user(&self, id: Uuid) -> Result<Option<User>, StoreError> {
        Ok(user::Entity::find_by_id(id).one(&self.db).await?)
    }

    /// All users by address.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        Ok(user::Entity::find().order_by_asc(user::Column::Email).all(&self.db).await?)
    }

    /// Makes a user a maintainer, or no longer.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn set_maintainer(&self, id: Uuid, maintainer: bool) -> Result<(), StoreError> {
        let row = user::ActiveModel { id: Unchanged(id), maintainer: Set(maintainer), ..Default::default() };
        row.update(&self.db).await.map(drop).map_err(|error| not_found(error, "such user"))
    }

    /// Replaces a password hash and ends the user's sessions.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn set_password(&self, id: Uuid, password_hash: String) -> Result<(), StoreError> {
        let row = user::ActiveModel { id: Unchanged(id), password_hash: Set(password_hash), ..Default::default() };
        row.update(&self.db).await.map_err(|error| not_found(error, "such user"))?;
        session::Entity::delete_many().filter(session::Column::UserId.eq(id)).exec(&self.db).await?;
        Ok(())
    }

    /// Adds a session.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn add_session(&self, mut row: Session) -> Result<(), StoreError> {
        for time in [&mut row.created_at, &mut row.seen_at, &mut row.expires_at] {
            *time = micros(*time);
        }
        session::Entity::insert(session::ActiveModel::from(row)).exec_without_returning(&self.db).await?;
        Ok(())
    }

    /// A live session with its user, noting the use at most once a minute.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn session(&self, hash: &str, now: DateTime<Utc>) -> Result<Option<(Session, User)>, StoreError> {
        let now = micros(now);
        let Some(found) = session::Entity::find_by_id(hash).one(&self.db).await? else { return Ok(None) };
        if found.expires_at <= now || found.seen_at + SESSION_IDLE <= now {
            self.end_session(hash).await?;
            return Ok(None);
        }
        if found.seen_at + Duration::minutes(1) <= now {
            session::Entity::update_many()
                .col_expr(session::Column::SeenAt, Expr::value(now))
                .filter(session::Column::TokenHash.eq(hash))
                .exec(&self.db)
                .await?;
        }
        Ok(self.user(found.user_id).await?.map(|user| (found, user)))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn end_session(&self, hash: &str) -> Result<(), StoreError> {
        session::Entity::delete_by_id(hash).exec(&self.db).await?;
        Ok(())
    }

    /// Adds a team with its first owner.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when the slug is in use.
    pub async fn add_team(&self, slug: &str, name: &str, owner: Uuid, now: DateTime<Utc>) -> Result<Team, StoreError> {
        let now = micros(now);
        let row = team::ActiveModel {
            id: Set(Uuid::now_v7()),
            slug: Set(slug.to_owned()),
            name: Set(name.to_owned()),
            created_at: Set(now),
            touched_at: Set(now),
        };
        let team = team::Entity::insert(row)
            .exec_with_returning(&self.db)
            .await
            .map_err(|error| StoreError::taken(error, "this team name"))?;
        self.add_member(team.id, owner, Role::Owner, now).await?;
        Ok(team)
    }

    /// Adds a member to a team.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when they belong to it already.
    pub async fn add_member(&self, team: Uuid, user: Uuid, role: Role, now: DateTime<Utc>) -> Result<(), StoreError> {
        let row = membership::ActiveModel {
            team_id: Set(team),
            user_id: Set(user),
            role: Set(role),
            created_at: Set(micros(now)),
        };
        membership::Entity::insert(row)
            .exec_without_returning(&self.db)
            .await
            .map_err(|error| StoreError::taken(error, "this membership"))?;
        Ok(())
    }

    /// Takes a member out of a team.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn remove_member(&self, team: Uuid, user: Uuid) -> Result<(), StoreError> {
        membership::Entity::delete_by_id((team, user)).exec(&self.db).await?;
        Ok(())
    }

    /// Members of a team with their accounts, by address.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn members(&self, team: Uuid) -> Result<Vec<(Membership, User)>, StoreError> {
        let rows = membership::Entity::find().filter(membership::Column::TeamId.eq(team)).all(&self.db).await?;
        let ids = rows.iter().map(|row| row.user_id);
        let users = user::Entity::find()
            .filter(user::Column::Id.is_in(ids))
            .order_by_asc(user::Column::Email)
            .all(&self.db)
            .await?;
        let member = |user: User| rows.iter().find(|row| row.user_id == user.id).cloned().map(|row| (row, user));
        Ok(users.into_iter().filter_map(member).collect())
    }

    /// Teams a user belongs to, by slug.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn teams_of(&self, user: Uuid) -> Result<Vec<(Team, Role)>, StoreError> {
        let rows = membership::Entity::find().filter(membership::Column::UserId.eq(user)).all(&self.db).await?;
        let ids = rows.iter().map(|row| row.team_id);
        let teams = team::Entity::find()
            .filter(team::Column::Id.is_in(ids))
            .order_by_asc(team::Column::Slug)
            .all(&self.db)
            .await?;
        let own = |team: Team| rows.iter().find(|row| row.team_id == team.id).map(|row| (team, row.role));
        Ok(teams.into_iter().filter_map(own).collect())
    }

    /// What a user may do in a team.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn role(&self, team: Uuid, user: Uuid) -> Result<Option<Role>, StoreError> {
        Ok(membership::Entity::find_by_id((team, user)).one(&self.db).await?.map(|row| row.role))
    }

    /// All teams by slug.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn teams(&self) -> Result<Vec<Team>, StoreError> {
        Ok(team::Entity::find().order_by_asc(team::Column::Slug).all(&self.db).await?)
    }

    /// A team by slug.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn team_by_slug(&self, slug: &str) -> Result<Option<Team>, StoreError> {
        Ok(team::Entity::find().filter(team::Column::Slug.eq(slug)).one(&self.db).await?)
    }

    /// A team by id.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn team(&self, id: Uuid) -> Result<Option<Team>, StoreError> {
        Ok(team::Entity::find_by_id(id).one(&self.db).await?)
    }

    /// Adds an API token.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn add_api_token(&self, mut row: ApiToken) -> Result<(), StoreError> {
        row.created_at = micros(row.created_at);
        api_token::Entity::insert(api_token::ActiveModel::from(row)).exec_without_returning(&self.db).await?;
        Ok(())
    }

    /// Tokens of a team, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn api_tokens(&self, team: Uuid) -> Result<Vec<ApiToken>, StoreError> {
        let rows = api_token::Entity::find().filter(api_token::Column::TeamId.eq(team));
        Ok(rows.order_by_desc(api_token::Column::CreatedAt).all(&self.db).await?)
    }

    /// A live API token with its user, noting the use at most once a minute.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn api_token(&self, hash: &str, now: DateTime<Utc>) -> Result<Option<(ApiToken, User)>, StoreError> {
        let now = micros(now);
        let live = api_token::Entity::find()
            .filter(api_token::Column::TokenHash.eq(hash))
            .filter(api_token::Column::RevokedAt.is_null());
        let Some(found) = live.one(&self.db).await? else { return Ok(None) };
        if found.used_at.is_none_or(|used| used + Duration::minutes(1) <= now) {
            api_token::Entity::update_many()
                .col_expr(api_token::Column::UsedAt, Expr::value(now))
                .filter(api_token::Column::Id.eq(found.id))
                .exec(&self.db)
                .await?;
        }
        Ok(self.user(found.user_id).await?.map(|user| (found, user)))
    }

    /// Revokes a token of a team.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the team has no such live token.
    pub async fn revoke_api_token(&self, team: Uuid, id: Uuid, now: DateTime<Utc>) -> Result<(), StoreError> {
        let done = api_token::Entity::update_many()
            .col_expr(api_token::Column::RevokedAt, Expr::value(micros(now)))
            .filter(api_token::Column::Id.eq(id))
            .filter(api_token::Column::TeamId.eq(team))
            .filter(api_token::Column::RevokedAt.is_null())
            .exec(&self.db)
            .await?;
        if done.rows_affected == 0 { Err(StoreError::NotFound("such token")) } else { Ok(()) }
    }

    /// Adds a worker.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when the name is in use.
    pub async fn add_worker(&self, name: &str, token_hash: String, now: DateTime<Utc>) -> Result<Worker, StoreError> {
        let row = worker::ActiveModel {
            id: Set(Uuid::now_v7()),
            name: Set(name.to_owned()),
            token_hash: Set(token_hash),
            labels: Set(String::new()),
            version: Set(None),
            created_at: Set(micros(now)),
            seen_at: Set(None),
            revoked_at: Set(None),
        };
        worker::Entity::insert(row)
            .exec_with_returning(&self.db)
            .await
            .map_err(|error| StoreError::taken(error, "this worker name"))
    }

    /// The worker with this live token.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn worker_by_token(&self, hash: &str) -> Result<Option<Worker>, StoreError> {
        let live = worker::Entity::find()
            .filter(worker::Column::TokenHash.eq(hash))
            .filter(worker::Column::RevokedAt.is_null());
        Ok(live.one(&self.db).await?)
    }

    /// Notes a worker's call.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn see_worker(
        &self,
        id: Uuid,
        labels: &[String],
        version: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        worker::Entity::update_many()
            .col_expr(worker::Column::Labels, Expr::value(labels.join(",")))
            .col_expr(worker::Column::Version, Expr::value(version))
            .col_expr(worker::Column::SeenAt, Expr::value(micros(now)))
            .filter(worker::Column::Id.eq(id))
            .exec(&self.db)
            .await?;
        Ok(())
    }

    /// All workers by name.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn workers(&self) -> Result<Vec<Worker>, StoreError> {
        Ok(worker::Entity::find().order_by_asc(worker::Column::Name).all(&self.db).await?)
    }

    /// Ends a worker's token.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn revoke_worker(&self, id: Uuid, now: DateTime<Utc>) -> Result<(), StoreError> {
        let row = worker::ActiveModel { id: Unchanged(id), revoked_at: Set(Some(micros(now))), ..Default::default() };
        row.update(&self.db).await.map(drop).map_err(|error| not_found(error, "such worker"))
    }

    /// Number of users.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn count_users(&self) -> Result<u64, StoreError> {
        Ok(user::Entity::find().select_only().column(user::Column::Id).count(&self.db).await?)
    }
}

fn not_found(error: sea_orm::DbErr, what: &'static str) -> StoreError {
    match error {
        sea_orm::DbErr::RecordNotUpdated => StoreError::NotFound(what),
        other => StoreError::Database(other),
    }
}
