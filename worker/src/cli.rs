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
    /// Lists the tasks.
    Tasks,
    /// Lists the metrics.
    Metrics,
    /// Lists the sparse-attention policies of the reference model.
    Policies,
}

impl Cli {
    /// Runs the command. Exit code 0: fine, 1: a check failed, 2: the input is wrong.
    pub async fn run(self) -> ExitCode {
        let outcome = match self.command {
            Command::Run(command) => command.run().await,
            Command::Generate(command) => command.run(),
            Command::Score(command) => command.run(),
            Command::Rate(command) => command.run(),
            Command::Eval(command) => command.run().await,
            Command::ServeModel(command) => command.run().await,
            Command::Train(command) => command.run(),
            Command::Tasks => lists::tasks(),
            Command::Metrics => lists::metrics(),
            Command::Policies => lists::policies(),
        };
        outcome.unwrap_or_else(|error| {
            if is_broken_pipe(&error) {
                return ExitCode::SUCCESS;
            }
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        })
    }
}

/// A reader that closed our output has seen enough.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
