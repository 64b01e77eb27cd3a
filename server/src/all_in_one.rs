//! `longboard` without arguments: the site with a worker and the baselines in the same process.

use std::io::IsTerminal;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use chrono::Utc;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use longboard_app::account::SignUp;
use longboard_app::quickstart::{Baseline, BaselineRun};
use longboard_app::{AllowRule, Fresh, Longboard};
use longboard_worker::baseline::{self, BaselineServer};
use longboard_worker::run::Fleet;
use secrecy::SecretString;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Address of the first maintainer.
const ADMIN: &str = "admin@localhost";

/// Requests a baseline takes at a time: it computes on the cores we run on.
const AT_ONCE: u32 = 8;

/// Shards of the in-process worker at a time.
const SLOTS: usize = 2;

/// How long the worker may take to give its shards back.
const FAREWELL: Duration = Duration::from_secs(5);

/// How often the bars move.
const FRAME: Duration = Duration::from_millis(250);

/// The baselines, listening on loopback.
pub(crate) struct Baselines(Vec<(baseline::Baseline, BaselineServer)>);

impl Baselines {
    /// Starts all of them on free ports.
    pub fn serve() -> anyhow::Result<Self> {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let serve = |kind: baseline::Baseline| Ok((kind, baseline::serve(kind, Duration::ZERO, free)?));
        let served: std::io::Result<Vec<_>> = baseline::Baseline::ALL.into_iter().map(serve).collect();
        Ok(Self(served.context("cannot serve the baselines on loopback")?))
    }

    /// Exactly their addresses, although they are local.
    pub fn allow(&self) -> Vec<AllowRule> {
        self.0.iter().map(|(_, server)| AllowRule::exactly(server.address.ip(), server.address.port())).collect()
    }

    fn contestants(&self) -> Vec<Baseline> {
        let contestant = |(kind, server): &(baseline::Baseline, BaselineServer)| Baseline {
            slug: kind.slug().to_owned(),
            description: description(*kind).to_owned(),
            base_url: format!("http://{}/v1", server.address),
            max_concurrency: AT_ONCE,
        };
        self.0.iter().map(contestant).collect()
    }
}

const fn description(kind: baseline::Baseline) -> &'static str {
    match kind {
        baseline::Baseline::RandomGuess => "Baseline: draws an answer of the right shape without reading the prompt.",
        baseline::Baseline::Last8k => {
            "Baseline: a keyword reader that sees only the last 8k tokens, whatever it is sent. It must be flagged as truncating."
        }
        baseline::Baseline::Bm25Reader => {
            "Baseline: a keyword reader over the whole prompt, without any model of language."
        }
    }
}

/// The in-process worker.
pub(crate) struct Crew {
    stop: CancellationToken,
    worker: JoinHandle<anyhow::Result<()>>,
    bars: JoinHandle<()>,
}

impl Crew {
    /// Queues what is new, starts the worker against our own address and shows how far the baselines are.
    pub async fn start(
        longboard: &Longboard,
        baselines: &Baselines,
        site: SocketAddr,
        key: Fresh,
        allow: Vec<AllowRule>,
    ) -> anyhow::Result<Self> {
        let token = longboard.in_process_worker(key, Utc::now()).await;
        let token =
            token.context("the in-process worker's token was revoked; use longboard serve and other workers")?;
        longboard.welcome_baselines(&baselines.contestants(), Utc::now()).await?;
        let ip = if site.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { site.ip() };
        let own = SocketAddr::new(ip, site.port());
        let stop = CancellationToken::new();
        let fleet = Fleet { server: format!("http://{own}"), token, labels: Vec::new(), slots: SLOTS, allow };
        let worker = tokio::spawn(fleet.serve(stop.clone()));
        let slugs = baselines.contestants().into_iter().map(|baseline| baseline.slug).collect();
        let board = format!("http://{own}/boards/quickstart");
        let bars = tokio::spawn(show(longboard.clone(), slugs, board));
        Ok(Self { stop, worker, bars })
    }

    /// Lets the worker give its shards back while the site still takes them.
    pub async fn leave(self) {
        self.bars.abort();
        self.stop.cancel();
        match tokio::time::timeout(FAREWELL, self.worker).await {
            Ok(Ok(Err(error))) => tracing::warn!(%error, "the worker ended"),
            Ok(_) => {}
            Err(_) => tracing::warn!("the worker did not end in time; its shards are continued at the next start"),
        }
    }
}

/// The first start makes a maintainer and says the password once.
pub(crate) async fn first_maintainer(longboard: &Longboard) -> anyhow::Result<()> {
    if longboard.store().user_by_email(ADMIN).await?.is_some() {
        return Ok(());
    }
    let password = crate::operator::password(rand::random());
    let form =
        SignUp { email: ADMIN.to_owned(), name: "Admin".to_owned(), password: SecretString::from(password.clone()) };
    longboard.create_user(form, true, rand::random(), Utc::now()).await?;
    println!("Sign in as {ADMIN} with the password {password} (shown only now)");
    Ok(())
}

/// One bar per baseline until all are over; plain lines where nobody watches a terminal.
async fn show(longboard: Longboard, slugs: Vec<String>, board: String) {
    let bars = MultiProgress::new();
    let style = ProgressStyle::with_template("{prefix:>14} {bar:32} {pos:>4}/{len} samples {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let lines: Vec<ProgressBar> =
        slugs.iter().map(|_| bars.add(ProgressBar::new(0).with_style(style.clone()))).collect();
    let mut ticks = tokio::time::interval(FRAME);
    loop {
        ticks.tick().await;
        let Ok(runs) = longboard.baseline_runs(&slugs).await else { continue };
        for (bar, state) in lines.iter().zip(&runs) {
            draw(bar, state);
        }
        if runs.len() == slugs.len() && runs.iter().all(BaselineRun::is_over) {
            break;
        }
    }
    lines.iter().for_each(ProgressBar::abandon);
    let done = format!("The baselines are evaluated: {board}");
    if std::io::stderr().is_terminal() { bars.println(&done).unwrap_or_default() } else { eprintln!("{done}") }
}

fn draw(bar: &ProgressBar, state: &BaselineRun) {
    bar.set_prefix(state.slug.clone());
    bar.set_length(state.progress.total.unsigned_abs());
    bar.set_position(state.progress.done.unsigned_abs());
    bar.set_message(if state.is_over() { state.run.state.slug() } else { "" });
}
