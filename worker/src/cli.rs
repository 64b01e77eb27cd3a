//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{eval, generate, lists, rate, run, score, serve_model, train};

/// Tools for measuring long-context language models.
#[derive(Debug, Parser)]
#[command(name = "longboard-worker", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Claims work from a Longboard server until it is stopped.
    Run(run::Run),
    /// Prints samples of a task as JSON lines.
    Generate(generate::Generate),
    /// Scores golden rows against their expected values (exit 1 on a mismatch), or prediction files against their labels.
    Score(score::Score),
    /// Rates models from pairwise votes (Bradley-Terry), with rank sets and intervals.
    Rate(rate::Rate),
    /// Evaluates an endpoint without a server. Can be stopped and started again.
    Eval(eval::Eval),
    /// Serves a baseline or the reference model over the OpenAI-compatible protocol.
    ServeModel(serve_model::ServeModel),
    /// Trains the reference model from a seed.
    Train(train::Train),
    /// What the sandbox starts: gives up rights and becomes another program.
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    Confined(crate::sandbox::confine::Confined),
    /// Lists the tasks.
    Tasks,
    /// Lists the metrics.
    Metrics,
    /// Lists the sparse-attention policies of the reference model.
    Policies,
}

impl Cli {
    /// Runs the command. Exit code 0: fine, 1: a check failed, 2: the input is wrong.
    ///
    /// # Errors
    /// When no threads can be started.
    pub fn run(self) -> std::io::Result<ExitCode> {
        // Limits of memory and kernel calls hold for threads too, so a confined process has none.
        #[cfg(target_os = "linux")]
        if let Command::Confined(command) = self.command {
            return Ok(ended(command.run()));
        }
        Ok(tokio::runtime::Runtime::new()?.block_on(self.carry_out()))
    }

    async fn carry_out(self) -> ExitCode {
        ended(match self.command {
            Command::Run(command) => command.run().await,
            Command::Generate(command) => command.run(),
            Command::Score(command) => command.run().await,
            Command::Rate(command) => command.run(),
            Command::Eval(command) => command.run().await,
            Command::ServeModel(command) => command.run().await,
            Command::Train(command) => command.run(),
            #[cfg(target_os = "linux")]
            Command::Confined(command) => command.run(),
            Command::Tasks => lists::tasks(),
            Command::Metrics => lists::metrics(),
            Command::Policies => lists::policies(),
        })
    }
}

/// The exit code of an outcome; says what went wrong.
fn ended(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        if is_broken_pipe(&error) {
            return ExitCode::SUCCESS;
        }
        eprintln!("error: {error:#}");
        ExitCode::from(2)
    })
}

/// A reader that closed our output has seen enough.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
