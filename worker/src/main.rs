//! `longboard-worker`: the tools of a model team, and the baselines as a server.

use clap::Parser;
use longboard_worker::cli::Cli;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    Cli::parse().run().await
}
