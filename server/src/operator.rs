//! Commands of the operator.

use std::io::Read;

use anyhow::Context;
use chrono::Utc;
use clap::{Args, Subcommand};
use longboard_app::account::SignUp;
use longboard_app::endpoint::Registration;
use longboard_app::judging::{JudgingRequest, judged_slug};
use longboard_app::run::{REFERENCE_SUITE, RunRequest};
use longboard_app::store::EndpointCall;
use longboard_app::{Fresh, Length, Longboard};
use secrecy::{ExposeSecret, SecretString};

/// Letters of generated passwords: none that look alike.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

#[derive(Debug, Subcommand)]
pub(crate) enum Admin {
    /// Makes an account. Prints a new password unless one is given.
    CreateUser(CreateUser),
    /// Makes a worker token and prints it once.
    CreateWorkerToken {
        /// Name shown on the fleet page.
        #[arg(long)]
        name: String,
    },
    /// Queues a run of a built-in contestant, e.g. bm25-reader over the suite smoke.
    Run(Run),
    /// Queues a run of the reference suite for every method of the reference model that has none open. Workers with the
    /// label reference carry them out.
    RunMethods(RunMethods),
    /// Enrols a model as judge. Its secret, if it needs one, comes from the environment variable LONGBOARD_JUDGE_SECRET.
    EnrolJudge(EnrolJudge),
    /// Has the answers to a suite's open-ended tasks compared by the enrolled judges.
    Judge(Judge),
}

#[derive(Debug, Args)]
pub(crate) struct EnrolJudge {
    /// Name as others see it.
    #[arg(long)]
    name: String,
    /// Family of models; it does not judge contestants of the same.
    #[arg(long)]
    family: String,
    /// Base URL with the version prefix.
    #[arg(long)]
    base_url: String,
    /// Model name sent in requests.
    #[arg(long)]
    model: String,
    /// Most requests in flight.
    #[arg(long, default_value_t = 8)]
    max_concurrency: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Judge {
    /// Suite whose answers are compared.
    #[arg(long)]
    suite: String,
    /// Judges by slug; all that are enrolled without it.
    #[arg(long, value_delimiter = ',')]
    judges: Vec<String>,
    /// Most questions to judges.
    #[arg(long, default_value_t = 2000)]
    budget: u32,
    /// Scores from 1 to 5 of each answer by each judge; 0 compares answers instead.
    #[arg(long, default_value_t = 0)]
    samples: u32,
}

#[derive(Debug, Args)]
pub(crate) struct CreateUser {
    /// E-mail address.
    #[arg(long)]
    email: String,
    /// Name as others see it.
    #[arg(long)]
    name: String,
    /// May shape tasks and suites, and see the fleet.
    #[arg(long)]
    maintainer: bool,
    /// Reads the password from standard input.
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunMethods {
    /// Some of the suite's lengths, e.g. 4k,8k; all take hours on two cores.
    #[arg(long, value_delimiter = ',')]
    lengths: Vec<Length>,
    /// Samples per task and length, instead of the suite's.
    #[arg(long)]
    samples: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Contestant by slug: a baseline or a method of the reference model.
    #[arg(long)]
    model: String,
    /// Suite by slug.
    #[arg(long)]
    suite: String,
    /// Some of the suite's lengths, e.g. 4k,8k.
    #[arg(long, value_delimiter = ',')]
    lengths: Vec<Length>,
    /// Samples per task and length, instead of the suite's.
    #[arg(long)]
    samples: Option<u32>,
    /// What is done around the contestant, e.g. rag; /strategies lists them.
    #[arg(long)]
    strategy: Option<String>,
}

impl Admin {
    pub async fn run(self, longboard: &Longboard) -> anyhow::Result<()> {
        match self {
            Self::CreateUser(command) => command.run(longboard).await,
            Self::CreateWorkerToken { name } => {
                let token = longboard.create_worker("operator", &name, rand::random(), Utc::now()).await?;
                println!("{}", token.expose_secret());
                Ok(())
            }
            Self::Run(command) => command.run(longboard).await,
            Self::RunMethods(command) => command.run(longboard).await,
            Self::EnrolJudge(command) => command.run(longboard).await,
            Self::Judge(command) => command.run(longboard).await,
        }
    }
}

impl EnrolJudge {
    async fn run(self, longboard: &Longboard) -> anyhow::Result<()> {
        let form = Registration {
            name: self.name,
            description: String::new(),
            base_url: self.base_url,
            model: self.model,
            api: EndpointCall::Chat,
            query_prefix: String::new(),
            document_prefix: String::new(),
            secret: std::env::var("LONGBOARD_JUDGE_SECRET").ok().map(SecretString::from),
            max_concurrency: self.max_concurrency,
            context_limit_tokens: None,
            first_byte_timeout_s: 300,
            family: self.family.clone(),
        };
        let judge = longboard.enrol_judge("operator", form, &self.family, rand::random(), Utc::now()).await?;
        println!("judge {} is enrolled; a worker checks it now", judge.slug);
        Ok(())
    }
}

impl Judge {
    async fn run(self, longboard: &Longboard) -> anyhow::Result<()> {
        longboard.install_judges(Utc::now()).await?;
        let request =
            JudgingRequest { suite: self.suite, judges: self.judges, budget: self.budget, samples: self.samples };
        let judging = longboard.request_judging("operator", request, rand::random(), Utc::now()).await?;
        println!("judging {} by {}", judging.suite_slug, judging.judges.0.join(", "));
        if judging.samples > 0 {
            println!("its scores are /suites/{}/scores", judging.suite_slug);
        } else {
            println!("its board is /boards/{}", judged_slug(&judging.suite_slug));
        }
        Ok(())
    }
}

impl Run {
    async fn run(self, longboard: &Longboard) -> anyhow::Result<()> {
        #[cfg(feature = "all-in-one")]
        longboard.welcome(&crate::all_in_one::methods(false), Utc::now()).await?;
        let lengths = (!self.lengths.is_empty()).then_some(self.lengths);
        let request = RunRequest {
            endpoint: self.model,
            suite: self.suite,
            lengths,
            samples: self.samples,
            strategy: self.strategy,
            ..RunRequest::default()
        };
        let run = longboard.run_builtin("operator", request, Utc::now()).await?;
        println!("{} samples are queued; the run is /runs/{}", run.total, run.id);
        Ok(())
    }
}

impl RunMethods {
    async fn run(self, longboard: &Longboard) -> anyhow::Result<()> {
        #[cfg(feature = "all-in-one")]
        longboard.welcome(&crate::all_in_one::methods(false), Utc::now()).await?;
        let lengths = (!self.lengths.is_empty()).then_some(self.lengths);
        let scope = RunRequest { lengths, samples: self.samples, ..RunRequest::default() };
        let queued = longboard.run_methods("operator", "operator", &scope, Utc::now()).await?;
        println!("{} runs of the suite {REFERENCE_SUITE} are queued", queued.len());
        Ok(())
    }
}

impl CreateUser {
    async fn run(self, longboard: &Longboard) -> anyhow::Result<()> {
        let mut given = String::new();
        if self.password_stdin {
            std::io::stdin().take(1000).read_to_string(&mut given).context("cannot read the password")?;
        }
        let given = given.trim_end_matches(['\r', '\n']).to_owned();
        let made = (!self.password_stdin).then(|| password(rand::random()));
        let password = SecretString::from(made.clone().unwrap_or(given));
        let form = SignUp { email: self.email, name: self.name, password };
        let user = longboard.create_user(form, self.maintainer, rand::random(), Utc::now()).await?;
        match made {
            Some(password) => println!("{} may sign in with the password {password}", user.email),
            None => println!("{} may sign in", user.email),
        }
        Ok(())
    }
}

/// Four groups of five letters: 100 bits.
pub(crate) fn password(random: Fresh) -> String {
    let letters: Vec<char> = random
        .iter()
        .take(20)
        .filter_map(|byte| LETTERS.get(usize::from(byte % 32)).map(|letter| char::from(*letter)))
        .collect();
    letters.chunks(5).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}
