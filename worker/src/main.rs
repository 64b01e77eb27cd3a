//! `longboard-worker`: the tools of a model team, and the baselines as a server.

use clap::Parser;
use longboard_worker::cli::Cli;
use mimalloc::MiMalloc;
use tracing_subscriber::EnvFilter;

/// Tensors of a training step come and go; this allocator keeps their pages instead of giving them back each time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> anyhow::Result<std::process::ExitCode> {
    // SAFETY: there is no other thread yet.
    #[expect(unsafe_code, reason = "candle's threads are set by the environment")]
    unsafe {
        longboard_worker::threads::settle();
    }
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn")))
        .with_writer(std::io::stderr)
        .init();
    Ok(Cli::parse().run()?)
}
