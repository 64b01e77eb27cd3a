//! One fresh database per test, on SQLite and on PostgreSQL.

use std::process::Command;

use tempfile::TempDir;

/// Names the variable that `tests/services start` exports.
const PG_URL: &str = "LONGBOARD_TEST_PG_URL";

/// An empty database that goes away with this value.
pub struct TestDatabase {
    /// Connection URL, `sqlite:…` or `postgres://…`.
    pub url: String,
    /// `sqlite` or `postgres`, for messages.
    pub kind: &'static str,
    keeper: Keeper,
}

enum Keeper {
    Sqlite(#[expect(dead_code, reason = "held so that the folder outlives the test")] TempDir),
    Postgres { server: String, name: String },
}

impl TestDatabase {
    /// A SQLite file in a folder of its own.
    #[must_use]
    pub fn sqlite() -> Self {
        let folder = TempDir::with_prefix("longboard-test-").expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("longboard.db").display());
        Self { url, kind: "sqlite", keeper: Keeper::Sqlite(folder) }
    }

    /// A database on the private PostgreSQL.
    ///
    /// # Panics
    /// When the server is missing: a test that needs PostgreSQL fails, it does not skip.
    #[must_use]
    pub fn postgres() -> Self {
        let server = std::env::var(PG_URL).unwrap_or_else(|_| {
            panic!("{PG_URL} is not set. Run tests/run, or first: eval \"$(tests/services start)\"")
        });
        let name = format!("t{}_{}", std::process::id(), unique());
        psql(&server, &format!("CREATE DATABASE {name}"));
        let (base, _) = server.rsplit_once('/').expect("a URL with a database");
        Self { url: format!("{base}/{name}"), kind: "postgres", keeper: Keeper::Postgres { server, name } }
    }

    /// One of each: a flow test runs on both.
    #[must_use]
    pub fn each() -> [Self; 2] {
        [Self::sqlite(), Self::postgres()]
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Keeper::Postgres { server, name } = &self.keeper {
            psql(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

/// URL of the private Redis.
///
/// # Panics
/// When it is missing.
#[must_use]
pub fn redis_url() -> String {
    std::env::var("LONGBOARD_TEST_REDIS_URL").unwrap_or_else(|_| {
        panic!("LONGBOARD_TEST_REDIS_URL is not set. Run tests/run, or first: eval \"$(tests/services start)\"")
    })
}

fn psql(server: &str, statement: &str) {
    let output = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", server, "--command", statement])
        .output()
        .expect("psql runs: apt-get install -y postgresql-client");
    assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
}

fn unique() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let nanos =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    format!("{nanos}_{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
