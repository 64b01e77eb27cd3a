//! Fields of a form or a query, hostile until read.

use std::str::FromStr;

use longboard_app::AppError;

/// Names with values, in the order they came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `application/x-www-form-urlencoded`; what is not UTF-8 is replaced.
    pub fn parse(body: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(body).into_owned().collect())
    }

    /// Fields that were read otherwise.
    pub fn of(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    /// The first value, trimmed; empty when there is none.
    pub fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.trim())
    }

    /// The first value as it came, e.g. of a password.
    pub fn raw(&self, name: &str) -> String {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// All values of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.trim())
    }

    /// Values whose names begin with `prefix`, without it.
    pub fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.trim())))
    }

    /// A value that may be left out.
    pub fn optional<T: FromStr>(&self, name: &str, what: &str) -> Result<Option<T>, AppError> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| AppError::Invalid(format!("{what}: `{text}` cannot be read")))
    }

    /// A value that must be there.
    pub fn required<T: FromStr>(&self, name: &str, what: &str) -> Result<T, AppError> {
        self.optional(name, what)?.ok_or_else(|| AppError::Invalid(format!("{what} is missing")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_by_name() {
        let fields = Fields::parse(b"a=1&lengths=1k&lengths=2k&param.x=%FF&b=+t+");
        assert_eq!(fields.all("lengths").collect::<Vec<_>>(), ["1k", "2k"]);
        assert_eq!(fields.under("param.").collect::<Vec<_>>(), [("x", "\u{fffd}")]);
        assert_eq!(fields.text("b"), "t");
        assert_eq!(fields.required::<u32>("a", "a").unwrap(), 1);
        assert!(fields.required::<u32>("b", "b").is_err() && fields.required::<u32>("c", "c").is_err());
    }
}
