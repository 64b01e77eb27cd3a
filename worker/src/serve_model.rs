//! `serve-model`: a baseline or the reference model as an OpenAI-compatible server.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::{ArgGroup, Args};
use longboard_refmodel::speculative::Decode;

use crate::baseline::{Baseline, Ranker};
use crate::device::Device;
use crate::serve::{Drafting, Reference, Served, serve};
use crate::signal::Signals;

/// What serves something else than the reference model, to which arguments about it say nothing.
const OTHERS: [&str; 2] = ["baseline", "ranker"];

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["baseline", "policy", "ranker"])))]
pub struct ServeModel {
    /// random-guess, last-8k or bm25-reader.
    #[arg(long)]
    baseline: Option<Baseline>,
    /// bm25 (a reranker), hashed-ngrams (an embedder), or our own encoder under a position strategy: encoder-plain, -pcw,
    /// -group, -recurrent, -pi, -ntk or -self-extend.
    #[arg(long)]
    ranker: Option<Ranker>,
    /// A policy of the reference model; `longboard-worker policies` lists them.
    #[arg(long)]
    policy: Option<String>,
    /// A parameter of the policy, as name=value; may be given several times.
    #[arg(long = "set", value_parser = setting, conflicts_with_all = OTHERS)]
    settings: Vec<(String, f64)>,
    /// A folder with config.json, tokenizer.json and safetensors, or a GGUF file with tokenizer.json beside it, instead
    /// of the built-in checkpoint.
    #[arg(long, conflicts_with_all = OTHERS)]
    checkpoint: Option<PathBuf>,
    /// Where attention is read: cpu, cuda, or cuda:1 for the second device. Devices need a build with `--features cuda`.
    #[arg(long, default_value = "cpu", conflicts_with_all = OTHERS)]
    device: Device,
    #[command(flatten)]
    draft: DraftArguments,
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8000")]
    bind: SocketAddr,
    /// Milliseconds before each answer of a baseline, as a real model would take.
    #[arg(long, default_value_t = 0, conflicts_with = "policy")]
    delay_ms: u64,
}

#[derive(Debug, Args)]
struct DraftArguments {
    /// Speculative decoding: plain (lossless), or rapid, whose drafter reads a retrieved short context.
    #[arg(long, conflicts_with_all = OTHERS)]
    decode: Option<String>,
    /// Parameters of the decoding, as name=value: gamma, eta, temperature, seed.
    #[arg(long, value_parser = setting, value_delimiter = ',', requires = "decode")]
    decode_set: Vec<(String, f64)>,
    /// The drafter's policy.
    #[arg(long, default_value = "dense", requires = "decode")]
    draft_policy: String,
    /// A parameter of the drafter's policy.
    #[arg(long, value_parser = setting, value_delimiter = ',', requires = "decode")]
    draft_set: Vec<(String, f64)>,
    /// The drafter's checkpoint, with the tokenizer of the other one.
    #[arg(long, requires = "decode")]
    draft_checkpoint: Option<PathBuf>,
}

impl DraftArguments {
    fn drafting(self) -> anyhow::Result<Option<Drafting>> {
        let Some(decode) = self.decode else { return Ok(None) };
        Ok(Some(Drafting {
            decode: Decode::find(&decode)?,
            settings: self.decode_set,
            policy: self.draft_policy,
            policy_settings: self.draft_set,
            checkpoint: self.draft_checkpoint,
        }))
    }
}

fn setting(text: &str) -> Result<(String, f64), String> {
    let (name, value) = text.split_once('=').ok_or("write name=value")?;
    let value = value.trim().parse().map_err(|_| format!("`{value}` is no number"))?;
    Ok((name.trim().to_owned(), value))
}

impl ServeModel {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let delay = Duration::from_millis(self.delay_ms);
        let served = match (self.baseline, self.ranker, &self.policy) {
            (Some(baseline), ..) => Served::Baseline(baseline, delay),
            (None, Some(ranker), _) => Served::Ranker(ranker, delay),
            (None, None, policy) => {
                let policy = policy.as_deref().unwrap_or_default();
                let (folder, drafting) = (self.checkpoint.as_deref(), self.draft.drafting()?);
                let reference = Reference::drafted(policy, &self.settings, folder, drafting.as_ref(), self.device)?;
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
