//! Official data files: whole or not at all, each text once.

use std::collections::BTreeMap;

use longboard_suites::dataset::{Record, Records};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, TransactionTrait,
};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::Store;
use crate::connection::micros;
pub use crate::entity::dataset::{Beside, BesideFile, Model as Dataset};
use crate::entity::{dataset, dataset_record, document};
use crate::error::StoreError;

/// Records that one query fetches.
const PART: usize = 500;

/// A data file being stored. Dropped before [`DatasetWriter::commit`] it leaves nothing behind.
pub struct DatasetWriter {
    pub(crate) transaction: DatabaseTransaction,
    pub(crate) sha256: String,
    next: i32,
    last_document: Option<(String, String)>,
}

impl DatasetWriter {
    /// Appends a record. Neighbours that share a document store it once.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn push(&mut self, record: &Record) -> Result<(), StoreError> {
        let document_sha256 = match &self.last_document {
            Some((text, digest)) if *text == record.document => digest.clone(),
            _ => self.add_document(&record.document).await?,
        };
        self.push_about(record, document_sha256).await
    }

    /// Appends a record that stands on the document of this name in the collection.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a document.
    pub async fn push_query(&mut self, record: &Record, document: &str) -> Result<(), StoreError> {
        let document_sha256 = self.document_called(document).await?;
        self.push_about(record, document_sha256).await
    }

    async fn push_about(&mut self, record: &Record, document_sha256: String) -> Result<(), StoreError> {
        let row = dataset_record::Model {
            dataset_sha256: self.sha256.clone(),
            ordinal: self.next,
            document_sha256,
            body: without_document(record)?,
        };
        self.next += 1;
        dataset_record::Entity::insert(row.into_active_model()).exec_without_returning(&self.transaction).await?;
        Ok(())
    }

    pub(crate) async fn add_document(&mut self, text: &str) -> Result<String, StoreError> {
        let row = document::Model { sha256: hex::encode(Sha256::digest(text)), body: storable(text) };
        let digest = row.sha256.clone();
        document::Entity::insert(row.into_active_model())
            .on_conflict(OnConflict::column(document::Column::Sha256).do_nothing().to_owned())
            .try_insert()
            .exec_without_returning(&self.transaction)
            .await?;
        self.last_document = Some((text.to_owned(), digest.clone()));
        Ok(digest)
    }

    /// Keeps what was appended.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.transaction.commit().await?)
    }
}

/// PostgreSQL has no text with U+0000.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn without_document(record: &Record) -> Result<Value, StoreError> {
    let bare = Record { document: String::new(), ..record.clone() };
    let value = serde_json::to_value(bare).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(storable_value(value))
}

fn storable_value(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(storable(&text)),
        Value::Array(values) => values.into_iter().map(storable_value).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (storable(&name), storable_value(value))).collect()
        }
        other => other,
    }
}

impl Store {
    /// Begins to store a data file whose facts are known.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when a data set of these bytes is stored already.
    pub async fn begin_dataset(&self, mut row: Dataset) -> Result<DatasetWriter, StoreError> {
        row.imported_at = micros(row.imported_at);
        let sha256 = row.sha256.clone();
        let transaction = self.db.begin().await?;
        row.into_active_model()
            .insert(&transaction)
            .await
            .map_err(|error| StoreError::taken(error, "a data set of these bytes"))?;
        Ok(DatasetWriter { transaction, sha256, next: 0, last_document: None })
    }

    /// A data set by its digest.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn dataset(&self, sha256: &str) -> Result<Option<Dataset>, StoreError> {
        Ok(dataset::Entity::find_by_id(sha256).one(&self.db).await?)
    }

    /// All data files, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn datasets(&self) -> Result<Vec<Dataset>, StoreError> {
        Ok(dataset::Entity::find().order_by_desc(dataset::Column::ImportedAt).all(&self.db).await?)
    }

    /// Official lengths of a data set's records by place in the file.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn official_lengths(&self, sha256: &str) -> Result<BTreeMap<i32, Option<u64>>, StoreError> {
        let rows: Vec<(i32, Value)> = dataset_record::Entity::find()
            .select_only()
            .columns([dataset_record::Column::Ordinal, dataset_record::Column::Body])
            .filter(dataset_record::Column::DatasetSha256.eq(sha256))
            .into_tuple()
            .all(&self.db)
            .await?;
        let length = |body: &Value| body.get("official_length").and_then(Value::as_u64);
        Ok(rows.iter().map(|(ordinal, body)| (*ordinal, length(body))).collect())
    }

    /// Records of a data set by item index, `places` being pairs of index and place in the file. Each document is
    /// fetched once.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the set has no such place; [`StoreError::Corrupt`] when one cannot be read back.
    pub async fn dataset_records(&self, sha256: &str, places: &[(u32, i32)]) -> Result<Records, StoreError> {
        let mut found = Records::default();
        let mut documents = BTreeMap::new();
        for part in places.chunks(PART) {
            let ordinals = part.iter().map(|(_, ordinal)| *ordinal);
            let rows = dataset_record::Entity::find()
                .filter(dataset_record::Column::DatasetSha256.eq(sha256))
                .filter(dataset_record::Column::Ordinal.is_in(ordinals))
                .all(&self.db)
                .await?;
            let rows: BTreeMap<i32, dataset_record::Model> = rows.into_iter().map(|row| (row.ordinal, row)).collect();
            for (index, ordinal) in part {
                let row = rows.get(ordinal).ok_or(StoreError::NotFound("such record"))?;
                let next = documents.len();
                let place = *documents.entry(row.document_sha256.clone()).or_insert(next);
                let record = Record::deserialize(&row.body).map_err(|error| StoreError::Corrupt(error.to_string()))?;
                found.by_index.insert(*index, (place, record));
            }
        }
        let mut digests: Vec<(String, usize)> = documents.into_iter().collect();
        digests.sort_by_key(|(_, place)| *place);
        for (digest, _) in digests {
            let document = document::Entity::find_by_id(digest).one(&self.db).await?;
            found.documents.push(document.ok_or(StoreError::NotFound("document of this record"))?.body);
        }
        Ok(found)
    }
}
