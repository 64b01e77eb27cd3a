//! `longboard` without arguments: the site with a worker, the baselines and the reference model in the same process.

use std::io::IsTerminal;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use chrono::Utc;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use longboard_app::account::SignUp;
use longboard_app::quickstart::{Builtin, BuiltinRun};
use longboard_app::{AllowRule, EndpointKind, Fresh, Length, Longboard};
use longboard_worker::baseline::Baseline;
use longboard_worker::run::Fleet;
use longboard_worker::serve::{ModelServer, Reference, Served, serve};
use secrecy::SecretString;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Address of the first maintainer.
const ADMIN: &str = "admin@localhost";

/// Requests a built-in contestant takes at a time: it computes on the cores we run on.
const AT_ONCE: u32 = 8;

/// Shards of the in-process worker at a time.
const SLOTS: usize = 2;

/// How long the worker may take to give its shards back.
const FAREWELL: Duration = Duration::from_secs(5);

/// How often the bars move.
const FRAME: Duration = Duration::from_millis(250);

/// Lengths in thousands of tokens and samples per cell of the reference model: what two cores can do in the first minutes.
const REFERENCE_LENGTHS: [u32; 2] = [1, 2];
const REFERENCE_SAMPLES: u32 = 2;

/// Longest prompt of the reference model in tokens: its probe would take minutes otherwise.
const REFERENCE_LIMIT: u32 = 4 * 1024;

/// Policies of the reference model on the first board, with budgets that make a difference at these lengths.
const POLICIES: [(&str, &[(&str, f64)]); 7] = [
    ("dense", &[]),
    ("streaming-llm", &[("sinks", 4.0), ("window", 508.0)]),
    ("snapkv", &[("capacity", 512.0), ("window", 32.0)]),
    ("quest", &[("budget", 512.0), ("dense-layers", 0.0)]),
    ("lserve", &[("budget", 512.0), ("sinks", 64.0), ("local", 256.0), ("prefill-local", 512.0)]),
    ("duo-attention", &[("sinks", 64.0), ("window", 256.0)]),
    ("minference-block-sparse", &[("blocks", 8.0)]),
];

/// The baselines and the reference model, listening on loopback.
pub(crate) struct Builtins(Vec<(Builtin, ModelServer)>);

impl Builtins {
    /// Starts all of them on free ports.
    pub fn serve() -> anyhow::Result<Self> {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut served = Vec::new();
        for baseline in Baseline::ALL {
            let server = serve(Served::Baseline(baseline, Duration::ZERO), free).context(NO_LOOPBACK)?;
            served.push((baseline_contestant(baseline, &server), server));
        }
        for (policy, settings) in POLICIES {
            let given: Vec<(String, f64)> = settings.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
            let reference = Arc::new(Reference::start(policy, &given, None)?);
            let server = serve(Served::Reference(reference), free).context(NO_LOOPBACK)?;
            served.push((reference_contestant(policy, settings, &server), server));
        }
        Ok(Self(served))
    }

    /// Exactly their addresses, although they are local.
    pub fn allow(&self) -> Vec<AllowRule> {
        self.0.iter().map(|(_, server)| AllowRule::exactly(server.address.ip(), server.address.port())).collect()
    }

    fn contestants(&self) -> Vec<Builtin> {
        self.0.iter().map(|(contestant, _)| contestant.clone()).collect()
    }
}

const NO_LOOPBACK: &str = "cannot serve the built-in contestants on loopback";

fn baseline_contestant(baseline: Baseline, server: &ModelServer) -> Builtin {
    Builtin {
        kind: EndpointKind::Baseline,
        slug: baseline.slug().to_owned(),
        description: description(baseline).to_owned(),
        base_url: format!("http://{}/v1", server.address),
        max_concurrency: AT_ONCE,
        context_limit_tokens: None,
        lengths: None,
        samples: None,
    }
}

fn reference_contestant(policy: &str, settings: &[(&str, f64)], server: &ModelServer) -> Builtin {
    let numbers: Vec<String> = settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let numbers = if numbers.is_empty() { String::new() } else { format!(" ({})", numbers.join(", ")) };
    Builtin {
        kind: EndpointKind::Reference,
        slug: format!("reference-{policy}"),
        description: format!(
            "Longboard's reference model under the policy {policy}{numbers}. A very small model, trained on needles and \
             threads only and not meant for anything else."
        ),
        base_url: format!("http://{}/v1", server.address),
        max_concurrency: AT_ONCE,
        context_limit_tokens: Some(REFERENCE_LIMIT),
        lengths: Some(REFERENCE_LENGTHS.iter().filter_map(|kilo| Length::new(kilo * 1024).ok()).collect()),
        samples: Some(REFERENCE_SAMPLES),
    }
}

const fn description(baseline: Baseline) -> &'static str {
    match baseline {
        Baseline::RandomGuess => "Baseline: draws an answer of the right shape without reading the prompt.",
        Baseline::Last8k => {
            "Baseline: a keyword reader that sees only the last 8k tokens, whatever it is sent. It must be flagged as truncating."
        }
        Baseline::Bm25Reader => "Baseline: a keyword reader over the whole prompt, without any model of language.",
    }
}

/// The in-process worker.
pub(crate) struct Crew {
    stop: CancellationToken,
    worker: JoinHandle<anyhow::Result<()>>,
    bars: JoinHandle<()>,
}

impl Crew {
    /// Queues what is new, starts the worker against our own address and shows how far the contestants are.
    pub async fn start(
        longboard: &Longboard,
        builtins: &Builtins,
        site: SocketAddr,
        key: Fresh,
        allow: Vec<AllowRule>,
    ) -> anyhow::Result<Self> {
        let token = longboard.in_process_worker(key, Utc::now()).await;
        let token =
            token.context("the in-process worker's token was revoked; use longboard serve and other workers")?;
        longboard.welcome(&builtins.contestants(), Utc::now()).await?;
        let ip = if site.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { site.ip() };
        let own = SocketAddr::new(ip, site.port());
        let stop = CancellationToken::new();
        let fleet = Fleet { server: format!("http://{own}"), token, labels: Vec::new(), slots: SLOTS, allow };
        let worker = tokio::spawn(fleet.serve(stop.clone()));
        let slugs = builtins.contestants().into_iter().map(|builtin| builtin.slug).collect();
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

/// One bar per contestant until all are over; plain lines where nobody watches a terminal.
async fn show(longboard: Longboard, slugs: Vec<String>, board: String) {
    let bars = MultiProgress::new();
    let style = ProgressStyle::with_template("{prefix:>33} {bar:32} {pos:>4}/{len} samples {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let lines: Vec<ProgressBar> =
        slugs.iter().map(|_| bars.add(ProgressBar::new(0).with_style(style.clone()))).collect();
    let mut ticks = tokio::time::interval(FRAME);
    loop {
        ticks.tick().await;
        let Ok(runs) = longboard.builtin_runs(&slugs).await else { continue };
        for (bar, state) in lines.iter().zip(&runs) {
            draw(bar, state);
        }
        if runs.len() == slugs.len() && runs.iter().all(BuiltinRun::is_over) {
            break;
        }
    }
    lines.iter().for_each(ProgressBar::abandon);
    let done = format!("The baselines and the reference model are evaluated: {board}");
    if std::io::stderr().is_terminal() { bars.println(&done).unwrap_or_default() } else { eprintln!("{done}") }
}

fn draw(bar: &ProgressBar, state: &BuiltinRun) {
    bar.set_prefix(state.slug.clone());
    bar.set_length(state.progress.total.unsigned_abs());
    bar.set_position(state.progress.done.unsigned_abs());
    bar.set_message(if state.is_over() { state.run.state.slug() } else { "" });
}
