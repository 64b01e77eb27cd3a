//! Forms with files.

use actix_multipart::{Field, Multipart};
use futures_util::{StreamExt, TryStreamExt};
use longboard_app::AppError;

use crate::form::Fields;
use crate::refusal::PageError;

/// Bytes of a whole form.
const MOST: usize = 96 * 1024 * 1024;

/// Files of one form.
const FILES: usize = 64;

/// A form that was read to its end.
pub(crate) struct Upload {
    pub fields: Fields,
    /// Names as the browser gave them, with their text.
    pub files: Vec<(String, String)>,
}

/// Reads a form of fields and UTF-8 files.
pub(crate) async fn read(mut form: Multipart) -> Result<Upload, PageError> {
    let (mut fields, mut files, mut left) = (Vec::new(), Vec::new(), MOST);
    while let Some(field) = form.next().await {
        let mut field = field.map_err(|_| PageError::Unreadable("the upload was cut off; send it again"))?;
        let disposition = field.content_disposition();
        let name = disposition.and_then(|found| found.get_name()).unwrap_or_default().to_owned();
        let file = disposition.and_then(|found| found.get_filename()).map(ToOwned::to_owned);
        let bytes = body(&mut field, &mut left).await?;
        match file {
            Some(file) if file.is_empty() => {}
            Some(file) => {
                let text = String::from_utf8(bytes)
                    .map_err(|_| AppError::Invalid(format!("`{file}` is not UTF-8 text; convert it first")))?;
                files.push((file, text));
            }
            None => fields.push((name, String::from_utf8_lossy(&bytes).into_owned())),
        }
        if files.len() > FILES || fields.len() > FILES {
            return Err(AppError::Invalid(format!("a form holds at most {FILES} files; send several forms")).into());
        }
    }
    Ok(Upload { fields: Fields::of(fields), files })
}

async fn body(field: &mut Field, left: &mut usize) -> Result<Vec<u8>, PageError> {
    let mut bytes = Vec::new();
    let cut = |_| PageError::Unreadable("the upload was cut off; send it again");
    while let Some(chunk) = field.try_next().await.map_err(cut)? {
        *left = left.checked_sub(chunk.len()).ok_or_else(|| {
            AppError::Invalid(format!("the files are larger than {} MiB together; send fewer", MOST >> 20))
        })?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
