//! Headers that every response carries.

use actix_web::middleware::DefaultHeaders;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A year of https only, where the site is reached by https.
const TRANSPORT: (&str, &str) = ("Strict-Transport-Security", "max-age=31536000");

/// Content policy, no sniffing, no referrer, no framing.
pub(crate) fn security(secure: bool) -> DefaultHeaders {
    let headers = DefaultHeaders::new();
    let headers = if secure { headers.add(TRANSPORT) } else { headers };
    headers
        .add(("Content-Security-Policy", POLICY))
        .add(("X-Content-Type-Options", "nosniff"))
        .add(("Referrer-Policy", "same-origin"))
        .add(("Cross-Origin-Opener-Policy", "same-origin"))
}
