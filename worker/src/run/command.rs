//! The command line of the fleet loop, and its signals.

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use longboard_endpoint::policy::AllowRule;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use super::{Fleet, Voice};
use crate::device::Device;
use crate::sandbox::Sandbox;
use crate::signal::Signals;

/// Claims work from a Longboard server until it is stopped.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Address of the server, e.g. https://longboard.example
    #[arg(long, env = "LONGBOARD_SERVER")]
    server: String,
    /// Worker token, made with `longboard admin create-worker-token`.
    #[arg(long, env = "LONGBOARD_WORKER_TOKEN", hide_env_values = true)]
    token: SecretString,
    /// What this worker can do, separated by commas: reference to run the reference model itself, or what an operator names.
    #[arg(long, value_delimiter = ',')]
    labels: Vec<String>,
    /// Compiles and runs programs that models write, where a task asks for them: confined to a folder, without network, for
    /// bounded time. Needs Linux and g++; brings the label sandbox.
    #[arg(long)]
    sandbox: bool,
    /// Where attention of the reference model is read: cpu, cuda, or cuda:1 for the second device, which brings the label
    /// gpu. Devices need a build with `--features cuda`.
    #[arg(long, default_value = "cpu")]
    device: Device,
    /// Shards carried out at a time.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
    slots: u16,
    /// Endpoint address that may be reached although it is local, e.g. 127.0.0.1:9001 or 10.0.0.0/8. Can be repeated.
    #[arg(long, value_name = "RULE")]
    allow: Vec<AllowRule>,
}

impl Run {
    /// Works until a signal: the first gives open shards back, the second ends at once.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let sandbox = match self.sandbox {
            true => Some(Sandbox::open(&std::env::current_exe()?).await?),
            false => None,
        };
        let fleet = Fleet {
            server: self.server,
            token: self.token,
            labels: self.labels.into_iter().filter(|label| !label.is_empty()).collect(),
            sandbox,
            slots: usize::from(self.slots),
            allow: self.allow,
            device: self.device,
        };
        let mut signals = Signals::new().context("signals cannot be waited for")?;
        let stop = CancellationToken::new();
        let mut serving = std::pin::pin!(fleet.serve_by(stop.clone(), Voice::Terminal));
        tokio::select! {
            ended = &mut serving => return ended.map(|()| ExitCode::SUCCESS),
            () = signals.next() => {
                eprintln!("stopping: calls in flight get 20 s, then open shards go back; a second signal ends at once");
                stop.cancel();
            }
        }
        tokio::select! {
            ended = serving => ended.map(|()| ExitCode::SUCCESS),
            () = signals.next() => Ok(ExitCode::from(130)),
        }
    }
}
