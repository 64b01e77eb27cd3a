//! The page for what went wrong.

use askama::Template;

/// An error with the way out.
#[derive(Template)]
#[template(path = "errors/error.html")]
pub struct ErrorPage<'a> {
    /// Heading.
    pub title: &'a str,
    /// What happened.
    pub what: &'a str,
    /// What to do.
    pub todo: &'a str,
    /// Where that is.
    pub back: &'a str,
}
