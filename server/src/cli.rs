//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use actix_web::{App, HttpServer, web};
use anyhow::Context;
use chrono::Utc;
use clap::{Args, Parser, Subcommand};
use longboard_app::Store;

use crate::shelf::Shelf;
use crate::{data_dir, headers, import, routes};

/// The leaderboard for long-context language models.
#[derive(Debug, Parser)]
#[command(name = "longboard", version)]
pub struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Where Longboard listens and keeps its data.
#[derive(Debug, Args)]
pub struct Options {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, global = true, env = "LONGBOARD_BIND", default_value = "127.0.0.1:8080")]
    bind: SocketAddr,
    /// Folder for the database file and the key.
    #[arg(long, global = true, env = "LONGBOARD_DATA_DIR", default_value = "longboard-data")]
    data_dir: PathBuf,
    /// sqlite:// or postgres:// URL; a SQLite file in the data folder without it.
    #[arg(long, global = true, env = "LONGBOARD_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the site. The default.
    Serve,
    /// Brings the database to this version.
    Migrate,
    /// Brings results in from files.
    Import {
        #[command(subcommand)]
        what: Import,
    },
}

#[derive(Debug, Subcommand)]
enum Import {
    /// Scores prediction files and puts them on the InfiniteBench board.
    Predictions(import::Predictions),
}

impl Cli {
    /// Runs the command. Exit code 0: fine, 2: the input or the surroundings are wrong.
    pub async fn run(self) -> ExitCode {
        let outcome = match self.command.unwrap_or(Command::Serve) {
            Command::Serve => serve(&self.options).await,
            Command::Migrate => open(&self.options).await.map(drop),
            Command::Import { what: Import::Predictions(command) } => match open(&self.options).await {
                Ok(store) => command.run(&store).await,
                Err(error) => Err(error),
            },
        };
        match outcome {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error:#}");
                ExitCode::from(2)
            }
        }
    }
}

/// Opens the database and brings it to this version.
async fn open(options: &Options) -> anyhow::Result<Store> {
    let folder = data_dir::open(&options.data_dir)?;
    let url = options.database_url.clone().unwrap_or_else(|| folder.sqlite_url());
    let store = Store::connect(&url, folder.vault()?).await.context("cannot open the database")?;
    store.migrate(Utc::now()).await.context("cannot bring the database to this version")?;
    Ok(store)
}

async fn serve(options: &Options) -> anyhow::Result<()> {
    let store = open(options).await?;
    let shelf = Arc::new(Shelf::new(store.clone()));
    shelf.refresh(Utc::now()).await.context("cannot read the boards")?;
    let refresher = tokio::spawn(Arc::clone(&shelf).keep_fresh());
    let data = (web::Data::new(store), web::Data::from(shelf));
    let server = HttpServer::new(move || {
        App::new().wrap(headers::security()).app_data(data.0.clone()).app_data(data.1.clone()).configure(routes::routes)
    })
    .shutdown_timeout(10)
    .bind(options.bind)
    .with_context(|| format!("cannot listen on {}; choose another --bind", options.bind))?;
    for address in server.addrs() {
        println!("Longboard at http://{address}");
    }
    let outcome = server.run().await;
    refresher.abort();
    Ok(outcome?)
}
