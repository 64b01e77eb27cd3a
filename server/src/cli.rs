//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use chrono::{TimeDelta, Utc};
use clap::{Args, Parser, Subcommand};
use longboard_app::{AddressPolicy, AllowRule, Bus, Longboard, Store};

use crate::data_dir::DataDir;
use crate::operator::Admin;
use crate::site::Site;
use crate::{data_dir, import, signal};

const MIGRATION_ATTEMPTS: u32 = 5;
const MIGRATION_PAUSE: Duration = Duration::from_millis(500);

/// The public leaderboard for long-context language models. Without a command: the site with its own worker, which
/// evaluates the built-in baselines at first start.
#[derive(Debug, Parser)]
#[command(name = "longboard", version)]
pub struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Options of all commands.
#[derive(Debug, Args)]
pub struct Options {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, global = true, env = "LONGBOARD_BIND", default_value = "127.0.0.1:8080")]
    bind: SocketAddr,
    /// Folder of the database file and the key that seals secrets.
    #[arg(long, global = true, env = "LONGBOARD_DATA_DIR", default_value = "longboard-data")]
    data_dir: PathBuf,
    /// Database instead of the file in the data folder, e.g. postgres://longboard@localhost/longboard
    #[arg(long, global = true, env = "LONGBOARD_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// Redis between several servers, e.g. redis://localhost:6379
    #[arg(long, global = true, env = "LONGBOARD_REDIS_URL", hide_env_values = true)]
    redis_url: Option<String>,
    /// Address under which people reach the site, e.g. https://longboard.example
    #[arg(long, global = true, env = "LONGBOARD_PUBLIC_URL")]
    public_url: Option<String>,
    /// Seconds after which the shard of a silent worker goes to another.
    #[arg(long, global = true, env = "LONGBOARD_LEASE_SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u16).range(2..=3600))]
    lease_seconds: u16,
    /// Endpoint address that may be registered although it is local, e.g. 127.0.0.1:9001 or 10.0.0.0/8. Can be repeated.
    #[arg(long, global = true, value_name = "RULE", env = "LONGBOARD_ALLOW", value_delimiter = ',')]
    allow: Vec<AllowRule>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the site; workers run elsewhere.
    Serve,
    /// Brings the database to this version and ends.
    Migrate,
    /// Accounts and worker tokens.
    Admin {
        #[command(subcommand)]
        what: Admin,
    },
    /// Imports results that were produced elsewhere.
    Import {
        #[command(subcommand)]
        what: Import,
    },
}

#[derive(Debug, Subcommand)]
enum Import {
    /// Prediction files of InfiniteBench, one folder or some files per model.
    Predictions(import::Predictions),
    /// Answers of several models to the same questions become a suite for judges.
    Answers(import::Answers),
    /// A file of votes between models becomes a board of ratings.
    Votes(import::Votes),
    /// Official data files of a benchmark become tasks that the fleet can run.
    Dataset(import::Dataset),
}

impl Cli {
    /// Runs the command. Exit code 0: fine, 2: it could not be done.
    pub async fn run(self) -> ExitCode {
        match self.carry_out().await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error:#}");
                ExitCode::from(2)
            }
        }
    }

    async fn carry_out(self) -> anyhow::Result<()> {
        let folder = data_dir::open(&self.options.data_dir)?;
        match self.command {
            None => everything(&self.options, &folder).await,
            Some(Command::Serve) => {
                let longboard = self.options.longboard(&folder, Vec::new()).await?;
                serve(Site::open(longboard, self.options.bind, self.options.public_url).await?, async {}).await
            }
            Some(Command::Migrate) => self.options.store(&folder).await.map(drop),
            Some(Command::Admin { what }) => what.run(&self.options.longboard(&folder, Vec::new()).await?).await,
            Some(Command::Import { what: Import::Predictions(command) }) => {
                command.run(&self.options.store(&folder).await?).await
            }
            Some(Command::Import { what: Import::Answers(command) }) => {
                command.run(&self.options.longboard(&folder, Vec::new()).await?).await
            }
            Some(Command::Import { what: Import::Votes(command) }) => {
                command.run(&self.options.longboard(&folder, Vec::new()).await?).await
            }
            Some(Command::Import { what: Import::Dataset(command) }) => {
                command.run(&self.options.longboard(&folder, Vec::new()).await?).await
            }
        }
    }
}

impl Options {
    async fn store(&self, folder: &DataDir) -> anyhow::Result<Store> {
        let url = self.database_url.clone().unwrap_or_else(|| folder.sqlite_url());
        let store = Store::connect(&url, folder.vault()?).await.context("cannot open the database")?;
        migrate(&store).await.context("cannot bring the database to this version")?;
        Ok(store)
    }

    async fn longboard(&self, folder: &DataDir, own: Vec<AllowRule>) -> anyhow::Result<Longboard> {
        let bus = match &self.redis_url {
            Some(url) => Bus::over_redis(url).await?,
            None => Bus::local(),
        };
        let policy = AddressPolicy::new(self.allow.iter().copied().chain(own).collect());
        let lease = TimeDelta::seconds(i64::from(self.lease_seconds));
        Ok(Longboard::new(self.store(folder).await?, bus, policy, lease))
    }
}

/// Several servers may start on one empty database: whoever comes second fails, waits, and finds it done.
async fn migrate(store: &Store) -> anyhow::Result<()> {
    for _ in 0..MIGRATION_ATTEMPTS {
        match store.migrate(Utc::now()).await {
            Ok(()) => return Ok(()),
            Err(error) => tracing::debug!(%error, "another program may be migrating; trying again"),
        }
        tokio::time::sleep(MIGRATION_PAUSE).await;
    }
    Ok(store.migrate(Utc::now()).await?)
}

/// Serves until a signal, then does what comes before the end, then answers what is under way.
async fn serve(site: Site, before_end: impl Future<Output = ()>) -> anyhow::Result<()> {
    println!("Longboard at http://{}", site.address);
    let handle = site.handle();
    let ending = async {
        signal::end().await;
        before_end.await;
        handle.stop(true).await;
        std::future::pending().await
    };
    tokio::select! {
        ended = site.serve() => ended,
        ended = ending => ended,
    }
}

#[cfg(feature = "all-in-one")]
async fn everything(options: &Options, folder: &DataDir) -> anyhow::Result<()> {
    use crate::all_in_one::{Builtins, Crew, first_maintainer};
    let builtins = Builtins::serve()?;
    let longboard = options.longboard(folder, builtins.allow()).await?;
    let site = Site::open(longboard.clone(), options.bind, options.public_url.clone()).await?;
    first_maintainer(&longboard).await?;
    let allow = options.allow.iter().copied().chain(builtins.allow()).collect();
    let crew = Crew::start(&longboard, &builtins, site.address, folder.worker_key()?, allow).await?;
    serve(site, crew.leave()).await
}

#[cfg(not(feature = "all-in-one"))]
async fn everything(_: &Options, _: &DataDir) -> anyhow::Result<()> {
    anyhow::bail!("this build has no worker of its own; use longboard serve and longboard-worker run")
}
