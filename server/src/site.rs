//! The running site: what all requests share, the HTTP server and the sweep behind it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::http::StatusCode;
use actix_web::web::{Data, JsonConfig, PathConfig, PayloadConfig, QueryConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use anyhow::Context;
use chrono::Utc;
use longboard_app::{AppError, Longboard};
use tokio::task::JoinSet;

use crate::shelf::Shelf;
use crate::{headers, refusal, routes};

/// Largest JSON body: a batch of answers.
const JSON_BYTES: usize = 64 * 1024 * 1024;

/// Largest form.
const FORM_BYTES: usize = 256 * 1024;

/// How often expired leases are taken back.
const SWEEP: Duration = Duration::from_secs(2);

/// What pages and cookies need to know about the outside.
#[derive(Debug, Clone)]
pub(crate) struct Outside {
    /// Address people use, without a slash at the end.
    pub public_url: String,
}

impl Outside {
    /// Cookies travel only encrypted where the site does.
    pub fn secure(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// The caller's network address. Longboard speaks no TLS itself, so a site that is reached by https stands behind a
    /// proxy, which writes the address it saw at the end of `X-Forwarded-For`.
    pub fn caller(&self, request: &HttpRequest) -> String {
        let forwarded = request.headers().get("x-forwarded-for").and_then(|value| value.to_str().ok());
        let last = forwarded.and_then(|list| list.rsplit(',').next()?.trim().parse::<IpAddr>().ok());
        let peer = request.peer_addr().map(|peer| peer.ip());
        last.filter(|_| self.secure()).or(peer).map(|address| address.to_string()).unwrap_or_default()
    }
}

/// A bound site that is about to run.
pub(crate) struct Site {
    pub server: Server,
    pub address: SocketAddr,
    behind: JoinSet<()>,
}

impl Site {
    /// Binds the address and starts what runs behind.
    pub async fn open(longboard: Longboard, bind: SocketAddr, public_url: Option<String>) -> anyhow::Result<Self> {
        longboard.install_judges(Utc::now()).await.context("cannot add the built-in judges")?;
        let shelf = Arc::new(Shelf::new(longboard.store().clone()));
        shelf.refresh(Utc::now()).await.context("cannot read the boards")?;
        let listener = std::net::TcpListener::bind(bind)
            .with_context(|| format!("cannot listen on {bind}; choose another --bind"))?;
        let address = listener.local_addr()?;
        let public_url = public_url.unwrap_or_else(|| format!("http://{address}"));
        let outside = Outside { public_url: public_url.trim_end_matches('/').to_owned() };
        let mut behind = JoinSet::new();
        behind.spawn(Arc::clone(&shelf).keep_fresh());
        behind.spawn(sweep(longboard.clone()));
        let secure = outside.secure();
        let shared = (Data::new(longboard), Data::from(shelf), Data::new(outside));
        let server = HttpServer::new(move || {
            App::new()
                .wrap(headers::security(secure))
                .app_data(shared.0.clone())
                .app_data(shared.1.clone())
                .app_data(shared.2.clone())
                .app_data(PayloadConfig::new(FORM_BYTES))
                .app_data(JsonConfig::default().limit(JSON_BYTES).error_handler(|error, _| unreadable(error)))
                .app_data(PathConfig::default().error_handler(|_, request| misspelt(request)))
                .app_data(QueryConfig::default().error_handler(|_, request| misspelt(request)))
                .configure(routes::routes)
        })
        .disable_signals()
        .shutdown_timeout(10)
        // A worker that went away while its claim was held must not be given a shard.
        .h1_allow_half_closed(false)
        .listen(listener)?
        .run();
        Ok(Self { server, address, behind })
    }

    /// For stopping it.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Serves until the handle stops it.
    pub async fn serve(self) -> anyhow::Result<()> {
        let Self { server, behind, .. } = self;
        let ended = server.await;
        drop(behind);
        Ok(ended?)
    }
}

fn unreadable(error: actix_web::error::JsonPayloadError) -> actix_web::Error {
    let detail = format!("the body cannot be read: {error}");
    let response = refusal::problem(HttpResponse::BadRequest(), StatusCode::BAD_REQUEST, detail);
    actix_web::error::InternalError::from_response(error, response).into()
}

/// An id or a query that cannot be one.
fn misspelt(request: &HttpRequest) -> actix_web::Error {
    let error = AppError::NotFound(format!("such page: `{}` cannot be read", request.path()));
    if request.path().starts_with("/api/") {
        refusal::ApiError(error).into()
    } else {
        refusal::PageError::Refused(error).into()
    }
}

/// Every server sweeps: what they do twice changes nothing.
async fn sweep(longboard: Longboard) {
    let mut ticks = tokio::time::interval(SWEEP);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = longboard.sweep(Utc::now()).await {
            tracing::warn!(%error, "expired leases could not be taken back");
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_a_proxy_may_say_who_calls() {
        let request = TestRequest::default()
            .peer_addr("192.0.2.7:5000".parse().unwrap())
            .insert_header(("x-forwarded-for", "10.9.9.9, 198.51.100.4"))
            .to_http_request();
        let caller = |url: &str| Outside { public_url: url.to_owned() }.caller(&request);
        assert_eq!(caller("https://longboard.example"), "198.51.100.4");
        assert_eq!(caller("http://127.0.0.1:8080"), "192.0.2.7");
    }
}
