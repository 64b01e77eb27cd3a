//! Names in paths.

use crate::AppError;

/// Lower-case letters and digits of `name`, joined by dashes.
pub(crate) fn slug(name: &str) -> Result<String, AppError> {
    let mapped: String =
        name.to_lowercase().chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
    let slug = mapped.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    if (1..=64).contains(&slug.len()) {
        return Ok(slug);
    }
    Err(AppError::Invalid(format!("`{name}` cannot be a name: use latin letters and digits, at most 64")))
}

/// A line that people read: trimmed, without control characters, within `most` characters.
pub(crate) fn line(what: &str, text: &str, most: usize) -> Result<String, AppError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(AppError::Invalid(format!("{what} needs 1 to {most} characters on one line")));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_path() {
        assert_eq!(slug("  GPT-4.1 (mini) ").unwrap(), "gpt-4-1-mini");
        assert!(slug("模型").is_err() && slug("--").is_err() && slug(&"a".repeat(65)).is_err());
    }
}
