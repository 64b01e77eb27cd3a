//! Signing up, in and out, and the account page.

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::web::{Data, Query, ServiceConfig, get, post};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::Utc;
use longboard_app::account::{SignUp, SignedIn};
use longboard_app::{AppError, Longboard};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::caller::{COOKIE, Guest, Person, Posted, Visitor};
use crate::pages::{page, see};
use crate::refusal::{PageError, complaint};
use crate::site::Outside;

type Reply = Result<HttpResponse, PageError>;

/// As long as a session lasts at most.
const COOKIE_DAYS: i64 = 30;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/sign-up", get().to(sign_up_form))
        .route("/sign-up", post().to(sign_up))
        .route("/sign-in", get().to(sign_in_form))
        .route("/sign-in", post().to(sign_in))
        .route("/sign-out", post().to(sign_out))
        .route("/account", get().to(account))
        .route("/account/teams", post().to(create_team))
        .route("/account/password", post().to(change_password));
}

#[derive(Template, Default)]
#[template(path = "account/sign_up.html")]
struct SignUpPage {
    complaint: Option<String>,
    email: String,
    name: String,
    team: String,
}

#[derive(Template, Default)]
#[template(path = "account/sign_in.html")]
struct SignInPage {
    complaint: Option<String>,
    email: String,
    then: String,
}

#[derive(Template)]
#[template(path = "account/account.html")]
struct AccountPage {
    complaint: Option<String>,
    email: String,
    name: String,
    maintainer: bool,
    teams: Vec<(String, String, &'static str)>,
    csrf: String,
}

#[derive(Deserialize)]
struct Then {
    #[serde(default)]
    then: String,
}

async fn sign_up_form(visitor: Visitor) -> Reply {
    if visitor.0.is_some() { Ok(see("/account")) } else { page(&SignUpPage::default()) }
}

async fn sign_up(request: HttpRequest, form: Guest, longboard: Data<Longboard>, outside: Data<Outside>) -> Reply {
    let text = |name: &str| form.0.text(name).to_owned();
    let wanted =
        SignUp { email: text("email"), name: text("name"), password: SecretString::from(form.0.raw("password")) };
    let from = outside.caller(&request);
    let made = async {
        let user = longboard.sign_up(wanted, &from, rand::random(), Utc::now()).await?;
        if !text("team").is_empty() {
            longboard.create_team(&user, &text("team"), Utc::now()).await?;
        }
        longboard.open_session(&user, rand::random(), Utc::now()).await
    };
    match made.await {
        Ok(token) => Ok(signed_in(&token, "/account", &outside)),
        Err(error) => {
            let complaint = Some(complaint(error)?);
            page(&SignUpPage { complaint, email: text("email"), name: text("name"), team: text("team") })
        }
    }
}

async fn sign_in_form(visitor: Visitor, query: Query<Then>) -> Reply {
    let then = own_path(&query.then);
    if visitor.0.is_some() { Ok(see(&then)) } else { page(&SignInPage { then, ..SignInPage::default() }) }
}

async fn sign_in(form: Guest, longboard: Data<Longboard>, outside: Data<Outside>) -> Reply {
    let (email, then) = (form.0.text("email").to_owned(), own_path(form.0.text("then")));
    let password = SecretString::from(form.0.raw("password"));
    match longboard.sign_in(&email, password, rand::random(), Utc::now()).await {
        Ok(token) => Ok(signed_in(&token, &then, &outside)),
        Err(error) => page(&SignInPage { complaint: Some(complaint(error)?), email, then }),
    }
}

/// A path of ours; anything else is not followed.
fn own_path(path: &str) -> String {
    let own = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n']);
    if own { path.to_owned() } else { "/account".to_owned() }
}

fn signed_in(token: &SecretString, then: &str, outside: &Outside) -> HttpResponse {
    let cookie = session_cookie(token.expose_secret().to_owned(), outside);
    let mut response = see(then);
    // A cookie of our own letters always fits into a header.
    let _ = response.add_cookie(&cookie);
    response
}

fn session_cookie(value: String, outside: &Outside) -> Cookie<'static> {
    Cookie::build(COOKIE, value)
        .path("/")
        .http_only(true)
        .secure(outside.secure())
        .same_site(SameSite::Lax)
        .max_age(CookieDuration::days(COOKIE_DAYS))
        .finish()
}

async fn sign_out(request: HttpRequest, _form: Posted, longboard: Data<Longboard>, outside: Data<Outside>) -> Reply {
    let mut response = see("/");
    if let Some(cookie) = request.cookie(COOKIE) {
        longboard.sign_out(cookie.value()).await?;
        let _ = response.add_removal_cookie(&session_cookie(String::new(), &outside));
    }
    Ok(response)
}

async fn account(person: Person, longboard: Data<Longboard>) -> Reply {
    page(&account_page(&longboard, person.0, None).await?)
}

async fn account_page(
    longboard: &Longboard,
    person: SignedIn,
    complaint: Option<String>,
) -> Result<AccountPage, AppError> {
    let teams = longboard.store().teams_of(person.user.id).await?;
    Ok(AccountPage {
        complaint,
        email: person.user.email,
        name: person.user.name,
        maintainer: person.user.maintainer,
        teams: teams.into_iter().map(|(team, role)| (team.slug, team.name, role.slug())).collect(),
        csrf: person.csrf,
    })
}

async fn change_password(form: Posted, longboard: Data<Longboard>, outside: Data<Outside>) -> Reply {
    let Posted { person, fields } = form;
    let (old, new) = (SecretString::from(fields.raw("old")), SecretString::from(fields.raw("new")));
    let changed = longboard.change_password(&person.user, old, new, rand::random(), Utc::now()).await;
    match changed {
        Ok(()) => {
            let token = longboard.open_session(&person.user, rand::random(), Utc::now()).await?;
            Ok(signed_in(&token, "/account", &outside))
        }
        Err(error) => page(&account_page(&longboard, person, Some(complaint(error)?)).await?),
    }
}

async fn create_team(form: Posted, longboard: Data<Longboard>) -> Reply {
    let team = longboard.create_team(&form.person.user, form.fields.text("name"), Utc::now()).await?;
    Ok(see(&format!("/teams/{}", team.slug)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_paths_are_followed() {
        assert_eq!(own_path("/submit?a=1"), "/submit?a=1");
        for foreign in ["//evil.example", "https://evil.example", "/\\evil.example", "", "javascript:alert(1)"] {
            assert_eq!(own_path(foreign), "/account", "{foreign}");
        }
    }
}
