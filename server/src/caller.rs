//! Who calls, as extractors: a handler that takes one cannot be reached without the right.

use std::pin::Pin;
use std::time::Duration;

use actix_multipart::Multipart;
use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HOST, HeaderName, ORIGIN};
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpRequest};
use chrono::Utc;
use longboard_app::account::{Maintainer, SignedIn};
use longboard_app::fleet::FleetMember;
use longboard_app::team::Member;
use longboard_app::{AppError, Longboard};

use crate::form::Fields;
use crate::refusal::{ApiError, PageError};
use crate::upload::{self, Upload};

/// Name of the session cookie.
pub(crate) const COOKIE: &str = "longboard_session";

/// API calls of one team in a minute.
const API_CALLS: u32 = 600;
const MINUTE: Duration = Duration::from_secs(60);

type Extracted<T, E> = Pin<Box<dyn Future<Output = Result<T, E>>>>;

/// Anybody, signed in or not.
pub(crate) struct Visitor(pub Option<SignedIn>);

/// Somebody who is signed in; others are sent to sign in and come back.
pub(crate) struct Person(pub SignedIn);

/// A maintainer.
pub(crate) struct Keeper {
    pub proof: Maintainer,
    pub csrf: String,
}

/// A form of a signed-in person that came from our own page.
pub(crate) struct Posted {
    pub person: SignedIn,
    pub fields: Fields,
}

/// A form of a maintainer that came from our own page.
pub(crate) struct KeeperPosted {
    pub proof: Maintainer,
    pub fields: Fields,
}

/// A form with files of a signed-in person that came from our own page.
pub(crate) struct Uploaded {
    pub person: SignedIn,
    pub upload: Upload,
}

/// A form of somebody without an account that came from our own page.
pub(crate) struct Guest(pub Fields);

/// A program with a team's API token.
pub(crate) struct ApiCaller(pub Member);

/// A worker with its token.
pub(crate) struct WorkerCaller(pub FleetMember);

fn longboard(request: &HttpRequest) -> Result<Longboard, AppError> {
    let data = request.app_data::<Data<Longboard>>();
    data.map(|data| data.as_ref().clone()).ok_or_else(|| AppError::NotFound("leaderboard here".to_owned()))
}

async fn visitor(request: HttpRequest) -> Result<Option<SignedIn>, PageError> {
    match request.cookie(COOKIE) {
        Some(cookie) => Ok(longboard(&request)?.signed_in(cookie.value(), Utc::now()).await?),
        None => Ok(None),
    }
}

async fn person(request: HttpRequest) -> Result<SignedIn, PageError> {
    let back = if request.method().is_safe() { request.uri().to_string() } else { "/".to_owned() };
    visitor(request).await?.ok_or(PageError::SignIn(back))
}

async fn keeper(request: HttpRequest) -> Result<(Maintainer, String), PageError> {
    let person = person(request).await?;
    let refused = || AppError::Forbidden("only maintainers see this page".to_owned());
    let proof = person.maintainer().ok_or_else(refused)?;
    Ok((proof, person.csrf))
}

/// The form's fields, once the form is known to come from our own page.
fn fields(request: HttpRequest, body: Result<Bytes, actix_web::Error>) -> Result<Fields, PageError> {
    if !same_origin(&request) {
        return Err(PageError::Foreign);
    }
    let body = body.map_err(|_| PageError::Unreadable("the form is too large or was cut off; send it again"))?;
    Ok(Fields::parse(&body))
}

/// Browsers say where a request comes from. One that says nothing is no cross-site request of a browser.
fn same_origin(request: &HttpRequest) -> bool {
    let header = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = header(HeaderName::from_static("sec-fetch-site")) {
        return matches!(site, "same-origin" | "none");
    }
    match (header(ORIGIN), header(HOST)) {
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, from)| from == host),
        (Some(_), None) => false,
        (None, _) => true,
    }
}

fn with_token(fields: Fields, csrf: &str) -> Result<Fields, PageError> {
    if fields.text("csrf") == csrf { Ok(fields) } else { Err(PageError::Foreign) }
}

/// An extractor that needs the request only, or the request with a part of its body.
macro_rules! extract {
    ($name:ty, $error:ty, |$request:ident| $body:expr) => {
        impl FromRequest for $name {
            type Error = $error;
            type Future = Extracted<Self, $error>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let $request = request.clone();
                Box::pin(async move { $body })
            }
        }
    };
    ($name:ty, $error:ty, $from:ty, |$request:ident, $read:ident| $body:expr) => {
        impl FromRequest for $name {
            type Error = $error;
            type Future = Extracted<Self, $error>;

            fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
                let ($request, reading) = (request.clone(), <$from>::from_request(request, payload));
                Box::pin(async move {
                    let $read = reading.await;
                    $body
                })
            }
        }
    };
}

extract!(Visitor, PageError, |request| visitor(request).await.map(Self));
extract!(Person, PageError, |request| person(request).await.map(Self));
extract!(Keeper, PageError, |request| keeper(request).await.map(|(proof, csrf)| Self { proof, csrf }));
extract!(Guest, PageError, Bytes, |request, body| fields(request, body).map(Self));
extract!(Posted, PageError, Bytes, |request, body| {
    let person = person(request.clone()).await?;
    let fields = with_token(fields(request, body)?, &person.csrf)?;
    Ok(Self { person, fields })
});
extract!(KeeperPosted, PageError, Bytes, |request, body| {
    let (proof, csrf) = keeper(request.clone()).await?;
    let fields = with_token(fields(request, body)?, &csrf)?;
    Ok(Self { proof, fields })
});
extract!(Uploaded, PageError, Multipart, |request, form| {
    if !same_origin(&request) {
        return Err(PageError::Foreign);
    }
    let person = person(request).await?;
    let form = form.map_err(|_| PageError::Unreadable("this is no form with files; send it again"))?;
    let upload = upload::read(form).await?;
    let fields = with_token(upload.fields, &person.csrf)?;
    Ok(Self { person, upload: Upload { fields, ..upload } })
});
extract!(ApiCaller, ApiError, |request| {
    let longboard = longboard(&request)?;
    let member = longboard.api_caller(&bearer(&request)?, Utc::now()).await?;
    longboard.admit(&format!("api:{}", member.team().id), API_CALLS, MINUTE, Utc::now()).await?;
    Ok(Self(member))
});
extract!(WorkerCaller, ApiError, |request| Ok(Self(longboard(&request)?.fleet_member(&bearer(&request)?).await?)));

/// The bearer token of a program.
fn bearer(request: &HttpRequest) -> Result<String, AppError> {
    let value = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| value.strip_prefix("Bearer ")).map(str::trim).filter(|token| !token.is_empty());
    let missing = || AppError::Unknown("send the token as Authorization: Bearer …".to_owned());
    token.map(ToOwned::to_owned).ok_or_else(missing)
}
