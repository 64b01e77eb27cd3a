//! `serve-model`: a baseline or the reference model as an OpenAI-compatible server.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::{ArgGroup, Args};

use crate::baseline::Baseline;
use crate::serve::{Reference, Served, serve};
use crate::signal::Signals;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["baseline", "policy"])))]
pub struct ServeModel {
    /// random-guess, last-8k or bm25-reader.
    #[arg(long)]
    baseline: Option<Baseline>,
    /// A policy of the reference model; `longboard-worker policies` lists them.
    #[arg(long)]
    policy: Option<String>,
    /// A parameter of the policy, as name=value; may be given several times.
    #[arg(long = "set", value_parser = setting, requires = "policy")]
    settings: Vec<(String, f64)>,
    /// A folder with config.json, tokenizer.json and safetensors, instead of the built-in checkpoint.
    #[arg(long, requires = "policy")]
    checkpoint: Option<PathBuf>,
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8000")]
    bind: SocketAddr,
    /// Milliseconds before each answer of a baseline, as a real model would take.
    #[arg(long, default_value_t = 0, conflicts_with = "policy")]
    delay_ms: u64,
}

fn setting(text: &str) -> Result<(String, f64), String> {
    let (name, value) = text.split_once('=').ok_or("write name=value")?;
    let value = value.trim().parse().map_err(|_| format!("`{value}` is no number"))?;
    Ok((name.trim().to_owned(), value))
}

impl ServeModel {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let served = match (self.baseline, &self.policy) {
            (Some(baseline), _) => Served::Baseline(baseline, Duration::from_millis(self.delay_ms)),
            (None, policy) => {
                let policy = policy.as_deref().unwrap_or_default();
                let reference = Reference::start(policy, &self.settings, self.checkpoint.as_deref())?;
                Served::Reference(Arc::new(reference))
            }
        };
        let slug = served.slug();
        let server = serve(served, self.bind)
            .with_context(|| format!("cannot listen on {}; choose another --bind", self.bind))?;
        println!("serving {slug} at http://{}/v1", server.address);
        std::io::stdout().flush()?;
        Signals::new()?.next().await;
        server.handle.stop(true).await;
        Ok(ExitCode::SUCCESS)
    }
}
