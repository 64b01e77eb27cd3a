//! Collections of documents that official queries search.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use longboard_suites::retrieval::{Content, Document};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

use crate::Store;
use crate::dataset::DatasetWriter;
use crate::entity::{dataset_document, document};
use crate::error::StoreError;

/// Which documents of a collection are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// So many from this number on.
    From(u32, u32),
    /// These, in this order.
    Named(Vec<String>),
}

impl DatasetWriter {
    /// Stores a document of the collection under its number.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn push_document(&mut self, number: i32, document: &Document) -> Result<(), StoreError> {
        let (text, picture) = match &document.content {
            Content::Text(text) => (text.clone(), false),
            Content::Picture(bytes) => (STANDARD.encode(bytes), true),
        };
        let row = dataset_document::Model {
            dataset_sha256: self.sha256.clone(),
            number,
            name: document.id.clone(),
            document_sha256: self.add_document(&text).await?,
            picture,
        };
        dataset_document::Entity::insert(row.into_active_model()).exec_without_returning(&self.transaction).await?;
        Ok(())
    }

    /// Digest of the text under a name.
    pub(crate) async fn document_called(&self, name: &str) -> Result<String, StoreError> {
        let found = dataset_document::Entity::find()
            .filter(dataset_document::Column::DatasetSha256.eq(&self.sha256))
            .filter(dataset_document::Column::Name.eq(name))
            .one(&self.transaction)
            .await?;
        found.map(|row| row.document_sha256).ok_or(StoreError::NotFound("document of this name"))
    }
}

impl Store {
    /// The first of the wanted documents of a data set, at least one where there is any, and no more than `most_bytes` of
    /// content beyond it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] about a name that the set does not hold; [`StoreError::Corrupt`] about a picture that cannot
    /// be read back.
    pub async fn collected(
        &self,
        sha256: &str,
        wanted: &Wanted,
        most_bytes: usize,
    ) -> Result<Vec<Document>, StoreError> {
        let mut found = Vec::new();
        let mut bytes = 0;
        for row in self.collected_rows(sha256, wanted).await? {
            let body = document::Entity::find_by_id(row.document_sha256).one(&self.db).await?;
            let body = body.ok_or(StoreError::NotFound("document of this collection"))?.body;
            bytes += body.len();
            if bytes > most_bytes && !found.is_empty() {
                break;
            }
            let unreadable = |error: base64::DecodeError| StoreError::Corrupt(error.to_string());
            let content = match row.picture {
                true => Content::Picture(STANDARD.decode(body).map_err(unreadable)?),
                false => Content::Text(body),
            };
            found.push(Document { id: row.name, content });
        }
        Ok(found)
    }

    async fn collected_rows(&self, sha256: &str, wanted: &Wanted) -> Result<Vec<dataset_document::Model>, StoreError> {
        let of_set = dataset_document::Entity::find().filter(dataset_document::Column::DatasetSha256.eq(sha256));
        match wanted {
            Wanted::From(first, count) => Ok(of_set
                .filter(dataset_document::Column::Number.gte(first.cast_signed()))
                .order_by_asc(dataset_document::Column::Number)
                .limit(u64::from(*count))
                .all(&self.db)
                .await?),
            Wanted::Named(names) => {
                let mut rows = of_set
                    .filter(dataset_document::Column::Name.is_in(names.iter().map(String::as_str)))
                    .all(&self.db)
                    .await?;
                let place = |name: &str| names.iter().position(|wanted| wanted == name);
                rows.sort_by_key(|row| place(&row.name));
                if rows.len() < names.len() { Err(StoreError::NotFound("document of this name")) } else { Ok(rows) }
            }
        }
    }
}
