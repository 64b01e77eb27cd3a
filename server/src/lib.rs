//! The site: pages, JSON API and worker API over HTTP.
