//! `longboard` without arguments: the site with a worker that runs the reference model, and the baselines, in the same
//! process.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use chrono::Utc;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use longboard_app::account::SignUp;
use longboard_app::quickstart::{Builtin, BuiltinRun, FirstRun, Place};
use longboard_app::store::EndpointCall;
use longboard_app::{AllowRule, Fresh, Length, Longboard};
use longboard_protocol::method::{Method, MethodCard, MethodSpec};
use longboard_protocol::worker::REFERENCE_LABEL;
use longboard_worker::baseline::{Baseline, Ranker};
use longboard_worker::device::Device;
use longboard_worker::method;
use longboard_worker::run::Fleet;
use longboard_worker::serve::{ModelServer, Served, serve};
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

/// Lengths in thousands of tokens and samples per cell of the reference model at first start: what two cores can do in
/// the first minutes.
const FIRST_LENGTHS: [u32; 2] = [1, 2];
const FIRST_SAMPLES: u32 = 2;

/// Policies of the reference model on the first board.
const FIRST_POLICIES: [&str; 7] =
    ["dense", "streaming-llm", "snapkv", "quest", "lserve", "duo-attention", "minference-block-sparse"];

/// Budgets that make a difference at the lengths of our suites; policies that are not listed have none, or take the
/// paper's.
const BUDGETS: [(&str, &[(&str, f64)]); 16] = [
    ("streaming-llm", &[("sinks", 4.0), ("window", 508.0)]),
    ("snapkv", &[("capacity", 512.0), ("window", 32.0)]),
    ("h2o", &[("heavy", 256.0), ("recent", 256.0)]),
    ("quest", &[("budget", 512.0), ("dense-layers", 0.0)]),
    ("minference-a-shape", &[("sinks", 64.0), ("window", 448.0)]),
    ("minference-vertical-slash", &[("vertical", 256.0), ("slash", 256.0)]),
    ("minference-block-sparse", &[("blocks", 8.0)]),
    ("duo-attention", &[("sinks", 64.0), ("window", 256.0)]),
    ("moba", &[("block", 128.0), ("top", 4.0)]),
    ("lserve", &[("budget", 512.0), ("sinks", 64.0), ("local", 256.0), ("prefill-local", 512.0)]),
    ("longheads", &[("chunk", 64.0), ("length", 512.0)]),
    ("sirllm", &[("sinks", 4.0), ("entropy", 444.0), ("recent", 64.0)]),
    ("squeezed", &[("iterations", 10.0)]),
    ("retrolm", &[("budget", 512.0)]),
    ("longmem", &[("window", 448.0), ("retrieved", 64.0)]),
    ("infiniretri", &[("window", 512.0), ("tokens", 64.0)]),
];

/// What ranks without a model. The encoder is not among them: to probe it at 32k takes minutes, which the first board
/// would wait for.
const RANKERS: [(Ranker, &str); 2] = [
    (Ranker::Bm25, "Baseline: Okapi BM25, which scores documents by the words they share with a query."),
    (Ranker::HashedNgrams, "Baseline: an embedder of hashed words and pairs of words, without any model of language."),
];

/// The built-in contestants; baselines listen on loopback.
pub(crate) struct Builtins(Vec<(Builtin, ModelServer)>);

impl Builtins {
    /// Starts the baselines on free ports.
    pub fn serve() -> anyhow::Result<Self> {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let start = |served| serve(served, free).context("cannot serve the baselines on loopback");
        let mut served = Vec::new();
        for baseline in Baseline::ALL {
            let server = start(Served::Baseline(baseline, Duration::ZERO))?;
            served.push((baseline_contestant(baseline, &server), server));
        }
        for (ranker, description) in RANKERS {
            let server = start(Served::Ranker(ranker, Duration::ZERO))?;
            served.push((ranker_contestant(ranker, description, &server), server));
        }
        Ok(Self(served))
    }

    /// Exactly their addresses, although they are local.
    pub fn allow(&self) -> Vec<AllowRule> {
        self.0.iter().map(|(_, server)| AllowRule::exactly(server.address.ip(), server.address.port())).collect()
    }

    fn contestants(&self) -> Vec<Builtin> {
        self.0.iter().map(|(contestant, _)| contestant.clone()).chain(methods(true)).collect()
    }
}

fn baseline_contestant(baseline: Baseline, server: &ModelServer) -> Builtin {
    Builtin {
        slug: baseline.slug().to_owned(),
        description: description(baseline).to_owned(),
        place: Place::Address(format!("http://{}/v1", server.address)),
        api: EndpointCall::Chat,
        max_concurrency: AT_ONCE,
        first_run: Some(FirstRun::default()),
    }
}

/// Without a first run: the longest documents of `embedding` are 3 million tokens.
fn ranker_contestant(ranker: Ranker, description: &str, server: &ModelServer) -> Builtin {
    Builtin {
        slug: ranker.slug().to_owned(),
        description: description.to_owned(),
        place: Place::Address(format!("http://{}/v1", server.address)),
        api: if ranker.reranks() { EndpointCall::Rerank } else { EndpointCall::Embeddings },
        max_concurrency: AT_ONCE,
        first_run: None,
    }
}

/// The reference model under every policy, some with a first run where they are to have one.
pub(crate) fn methods(first_runs: bool) -> Vec<Builtin> {
    method::cards().into_iter().map(|card| method_contestant(card, first_runs)).collect()
}

fn method_contestant(card: MethodCard, first_runs: bool) -> Builtin {
    let policy = card.slug.clone();
    let budget = BUDGETS.iter().find(|(known, _)| *known == policy).map_or(&[][..], |(_, settings)| *settings);
    let settings: BTreeMap<String, f64> = budget.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    let numbers: Vec<String> = budget.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let numbers = if numbers.is_empty() { String::new() } else { format!(" ({})", numbers.join(", ")) };
    let first_run = FirstRun {
        lengths: Some(FIRST_LENGTHS.iter().filter_map(|kilo| Length::new(kilo * 1024).ok()).collect()),
        samples: Some(FIRST_SAMPLES),
    };
    Builtin {
        slug: format!("reference-{policy}"),
        description: format!(
            "Longboard's reference model under the policy {policy}{numbers}. A very small model, trained on needles and \
             threads only and not meant for anything else."
        ),
        api: EndpointCall::Chat,
        max_concurrency: AT_ONCE,
        first_run: (first_runs && FIRST_POLICIES.contains(&policy.as_str())).then_some(first_run),
        place: Place::Worker(Box::new(Method { spec: MethodSpec { policy, settings }, card })),
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
        let contestants = builtins.contestants();
        longboard.welcome(&contestants, Utc::now()).await?;
        let ip = if site.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { site.ip() };
        let own = SocketAddr::new(ip, site.port());
        let stop = CancellationToken::new();
        let labels = vec![REFERENCE_LABEL.to_owned()];
        let fleet = Fleet {
            server: format!("http://{own}"),
            token,
            labels,
            slots: SLOTS,
            allow,
            sandbox: None,
            device: Device::Cpu,
        };
        let worker = tokio::spawn(fleet.serve(stop.clone()));
        let watched = contestants.into_iter().filter(|builtin| builtin.first_run.is_some());
        let slugs = watched.map(|builtin| builtin.slug).collect();
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
