//! What is answered when a use case did not happen: a page for people, problem+json for programs.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use askama::Template;
use longboard_app::{AppError, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::pages::error::ErrorPage;

/// An [`AppError`] as HTTP sees it.
fn status(error: &AppError) -> StatusCode {
    match error {
        AppError::NotFound(_) | AppError::Store(StoreError::NotFound(_)) => StatusCode::NOT_FOUND,
        AppError::Invalid(_) | AppError::Store(StoreError::BadUrl(_)) => StatusCode::UNPROCESSABLE_ENTITY,
        AppError::Forbidden(_) => StatusCode::FORBIDDEN,
        AppError::Unknown(_) => StatusCode::UNAUTHORIZED,
        AppError::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        AppError::Store(
            StoreError::Taken(_) | StoreError::LeaseLost | StoreError::AnswersMissing { .. } | StoreError::OverQuota(_),
        ) => StatusCode::CONFLICT,
        AppError::Store(StoreError::Sealed | StoreError::Corrupt(_) | StoreError::Database(_)) => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

/// What may be said about it outside; the rest goes to the log.
fn words(error: &AppError) -> String {
    if status(error) == StatusCode::INTERNAL_SERVER_ERROR {
        tracing::error!(%error, "a request failed");
        return "the database does not answer; try again in a minute".to_owned();
    }
    error.to_string()
}

fn builder(error: &AppError) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status(error));
    if let AppError::TooMany(left) = error {
        response.insert_header((RETRY_AFTER, left.as_secs().max(1).to_string()));
    }
    response
}

/// What somebody who filled in a form can mend, to be shown above the form.
pub(crate) fn complaint(error: AppError) -> Result<String, PageError> {
    if status(&error).is_client_error() && !matches!(error, AppError::NotFound(_) | AppError::Forbidden(_)) {
        return Ok(error.to_string());
    }
    Err(PageError::Refused(error))
}

/// A page that cannot be shown.
#[derive(Debug)]
pub(crate) enum PageError {
    /// The use case did not happen.
    Refused(AppError),
    /// Somebody has to sign in first; then they come back to this path.
    SignIn(String),
    /// A form that did not come from our own page.
    Foreign,
    /// The form cannot be read.
    Unreadable(&'static str),
    /// The template failed.
    Template(askama::Error),
}

impl<E: Into<AppError>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl fmt::Display for PageError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(out),
            Self::SignIn(_) => out.write_str("sign in first"),
            Self::Foreign => {
                out.write_str("this form was not sent from our page; go back, reload it and send it again")
            }
            Self::Unreadable(what) => out.write_str(what),
            Self::Template(error) => error.fmt(out),
        }
    }
}

impl ResponseError for PageError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Refused(error) => status(error),
            Self::SignIn(_) => StatusCode::SEE_OTHER,
            Self::Foreign => StatusCode::FORBIDDEN,
            Self::Unreadable(_) => StatusCode::BAD_REQUEST,
            Self::Template(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let (mut response, what) = match self {
            Self::SignIn(back) => {
                let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("then", back).finish();
                return HttpResponse::SeeOther().insert_header((LOCATION, format!("/sign-in?{query}"))).finish();
            }
            Self::Refused(error) => (builder(error), words(error)),
            Self::Template(error) => {
                tracing::error!(%error, "a template failed");
                (HttpResponse::InternalServerError(), "the page cannot be rendered".to_owned())
            }
            Self::Foreign | Self::Unreadable(_) => (HttpResponse::build(self.status_code()), self.to_string()),
        };
        let title = self.status_code().canonical_reason().unwrap_or("Error");
        let what = sentence(&what);
        let page = ErrorPage { title, what: &what, todo: "Go to the list of boards.", back: "/" };
        response.content_type("text/html; charset=utf-8").body(page.render().unwrap_or(what.clone()))
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

/// An API call that did not happen, as RFC 9457 writes it.
#[derive(Debug)]
pub(crate) struct ApiError(pub AppError);

/// `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Always `about:blank`: the title says it all.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// HTTP status.
    status: u16,
    /// What happened and what to do.
    detail: String,
}

impl<E: Into<AppError>> From<E> for ApiError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        status(&self.0)
    }

    fn error_response(&self) -> HttpResponse {
        problem(builder(&self.0), self.status_code(), words(&self.0))
    }
}

/// A problem document of this status.
pub(crate) fn problem(mut response: HttpResponseBuilder, status: StatusCode, detail: String) -> HttpResponse {
    let title = status.canonical_reason().unwrap_or("Error");
    let body = Problem { kind: "about:blank", title, status: status.as_u16(), detail };
    response.insert_header((CONTENT_TYPE, "application/problem+json")).json(body)
}
