//! Named values of the instance.

use sea_orm::sea_query::OnConflict;
use sea_orm::{EntityTrait, Set};

use crate::Store;
use crate::entity::setting;
use crate::error::StoreError;

impl Store {
    /// Reads a value.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(setting::Entity::find_by_id(name).one(&self.db).await?.map(|row| row.value))
    }

    /// Writes a value.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn set_setting(&self, name: &str, value: &str) -> Result<(), StoreError> {
        let row = setting::ActiveModel { name: Set(name.to_owned()), value: Set(value.to_owned()) };
        setting::Entity::insert(row)
            .on_conflict(OnConflict::column(setting::Column::Name).update_column(setting::Column::Value).to_owned())
            .exec_without_returning(&self.db)
            .await?;
        Ok(())
    }
}
