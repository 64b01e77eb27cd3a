//! `longboard`: the site.

use clap::Parser;
use longboard_server::cli::Cli;
use mimalloc::MiMalloc;
use tracing_subscriber::EnvFilter;

/// Prompts of megabytes come and go; this allocator keeps their pages instead of giving them back each time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> std::process::ExitCode {
    // SAFETY: there is no other thread yet.
    #[cfg(feature = "all-in-one")]
    #[expect(unsafe_code, reason = "candle's threads are set by the environment")]
    unsafe {
        longboard_worker::threads::settle();
    }
    actix_web::rt::System::new().block_on(run())
}

async fn run() -> std::process::ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn")))
        .with_writer(std::io::stderr)
        .init();
    Cli::parse().run().await
}
