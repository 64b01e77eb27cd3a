//! `serve-model`: a baseline, or later the reference model, as an OpenAI-compatible server.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{ArgGroup, Args};

use crate::baseline::{Baseline, serve};
use crate::signal::Signals;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["baseline", "policy"])))]
pub struct ServeModel {
    /// random-guess, last-8k or bm25-reader.
    #[arg(long)]
    baseline: Option<Baseline>,
    /// A policy of the reference model.
    #[arg(long)]
    policy: Option<String>,
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8000")]
    bind: SocketAddr,
    /// Milliseconds before each answer, as a real model would take.
    #[arg(long, default_value_t = 0)]
    delay_ms: u64,
}

impl ServeModel {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let Some(baseline) = self.baseline else {
            let policy = self.policy.unwrap_or_default();
            bail!("no policy `{policy}`: this build has no reference model yet; serve a baseline with --baseline");
        };
        let server = serve(baseline, Duration::from_millis(self.delay_ms), self.bind)
            .with_context(|| format!("cannot listen on {}; choose another --bind", self.bind))?;
        println!("serving {} at http://{}/v1", baseline.slug(), server.address);
        std::io::stdout().flush()?;
        Signals::new()?.next().await;
        server.handle.stop(true).await;
        Ok(ExitCode::SUCCESS)
    }
}
