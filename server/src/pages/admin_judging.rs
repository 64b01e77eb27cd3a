//! Maintainers enrol judges, start judgings and label battles.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query, ServiceConfig, get, post};
use askama::Template;
use chrono::Utc;
use longboard_app::battle::Blinded;
use longboard_app::judge::health_report;
use longboard_app::judging::{JudgingRequest, judged_slug};
use longboard_app::report::moment;
use longboard_app::store::JudgeKind;
use longboard_app::store::judge::Judge;
use longboard_app::store::judging::Judging;
use longboard_app::suites::judging::{Label, PROMPT_VERSION};
use longboard_app::suites::task::Task;
use longboard_app::{AppError, Longboard};
use serde::Deserialize;

use crate::caller::{Keeper, KeeperPosted};
use crate::form::Fields;
use crate::pages::submit::registration;
use crate::pages::{page, see};
use crate::refusal::{PageError, complaint};

type Reply = Result<HttpResponse, PageError>;

/// Judgings of the list.
const LINES: u64 = 50;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/admin/judging", get().to(judging))
        .route("/admin/judges", post().to(enrol))
        .route("/admin/judges/{slug}/check", post().to(check))
        .route("/admin/judges/{slug}/retire", post().to(retire))
        .route("/admin/judgings", post().to(start))
        .route("/admin/label", get().to(label_form))
        .route("/admin/label", post().to(label));
}

#[derive(Template)]
#[template(path = "admin/judging.html")]
struct JudgingPage {
    complaint: Option<String>,
    judges: Vec<JudgeLine>,
    enrolling: bool,
    suites: Vec<(String, String)>,
    judgings: Vec<JudgingLine>,
    prompt_version: &'static str,
    filled: Fields,
    csrf: String,
}

struct JudgeLine {
    slug: String,
    name: String,
    kind: &'static str,
    family: String,
    probe: &'static str,
    health: String,
    live: bool,
    retired: bool,
}

struct JudgingLine {
    /// Where its outcome stands, and what that is called.
    path: String,
    board: String,
    suite: String,
    state: String,
    decided: u64,
    planned: u64,
    rounds: i32,
    budget: i32,
    judges: String,
    begun: String,
}

impl JudgingPage {
    fn filled(&self, name: &str) -> &str {
        self.filled.text(name)
    }
}

async fn judging(keeper: Keeper, longboard: Data<Longboard>) -> Reply {
    page(&judging_page(&longboard, keeper.csrf, None, Fields::default()).await?)
}

async fn judging_page(
    longboard: &Longboard,
    csrf: String,
    complaint: Option<String>,
    filled: Fields,
) -> Result<JudgingPage, AppError> {
    let store = longboard.store();
    let mut judges = Vec::new();
    for judge in store.judges().await? {
        let endpoint = match judge.endpoint_id {
            Some(id) => store.endpoint(id).await?,
            None => None,
        };
        judges.push(judge_line(judge, endpoint.map_or("not needed", |endpoint| endpoint.probe_state.title())));
    }
    let mut judgings = Vec::new();
    for judging in store.judgings(None, LINES).await? {
        let progress = store.judging_progress(judging.id).await?;
        judgings.push(judging_line(judging, progress));
    }
    let enrolling = complaint.is_some() && !filled.text("base_url").is_empty();
    Ok(JudgingPage {
        complaint,
        judges,
        enrolling,
        suites: open_ended(longboard).await?,
        judgings,
        prompt_version: PROMPT_VERSION,
        filled,
        csrf,
    })
}

/// Suites that judges have something to compare in.
async fn open_ended(longboard: &Longboard) -> Result<Vec<(String, String)>, AppError> {
    let tasks = longboard.store().tasks().await?;
    let judged: Vec<String> = tasks
        .into_iter()
        .filter(|row| !row.imported() && Task::new(row.definition()).is_ok_and(|task| task.card().open_ended))
        .map(|row| row.slug)
        .collect();
    let suites = longboard.store().suites().await?.into_iter();
    let suites = suites.filter(|suite| suite.tasks.0.iter().any(|task| judged.contains(task)));
    Ok(suites.map(|suite| (suite.slug, suite.title)).collect())
}

fn judge_line(judge: Judge, probe: &'static str) -> JudgeLine {
    let health = health_report(&judge).map_or("not checked".to_owned(), |report| {
        let (moved, all) = report.turned();
        format!("{} of {} right, {moved} of {all} turned by instructions", report.right, report.plain)
    });
    JudgeLine {
        kind: judge.kind.slug(),
        health: if judge.kind == JudgeKind::Humans { String::new() } else { health },
        live: judge.kind != JudgeKind::Humans && judge.retired_at.is_none(),
        retired: judge.retired_at.is_some(),
        slug: judge.slug,
        name: judge.name,
        family: judge.family,
        probe,
    }
}

fn judging_line(judging: Judging, (decided, planned): (u64, u64)) -> JudgingLine {
    let state = match &judging.ended_by {
        Some(why) => format!("{}: {why}", judging.state),
        None => judging.state.slug().to_owned(),
    };
    let scores = judging.samples > 0;
    let board = if scores { format!("{}, scores", judging.suite_slug) } else { judged_slug(&judging.suite_slug) };
    JudgingLine {
        path: if scores { format!("/suites/{}/scores", judging.suite_slug) } else { format!("/boards/{board}") },
        board,
        suite: judging.suite_slug,
        state,
        decided,
        planned,
        rounds: judging.rounds,
        budget: judging.budget,
        judges: judging.judges.0.join(", "),
        begun: moment(judging.created_at),
    }
}

/// Back to the page, with what to mend if it did not work.
async fn settled<T>(longboard: &Longboard, done: Result<T, AppError>, fields: Fields) -> Reply {
    match done {
        Ok(_) => Ok(see("/admin/judging")),
        Err(error) => {
            let csrf = fields.text("csrf").to_owned();
            page(&judging_page(longboard, csrf, Some(complaint(error)?), fields).await?)
        }
    }
}

async fn enrol(form: KeeperPosted, longboard: Data<Longboard>) -> Reply {
    let enrolled = async {
        let registration = registration(&form.fields)?;
        let by = form.proof.user().email.as_str();
        longboard.enrol_judge(by, registration, form.fields.text("family"), rand::random(), Utc::now()).await
    };
    let enrolled = enrolled.await;
    settled(&longboard, enrolled, form.fields).await
}

async fn check(form: KeeperPosted, slug: Path<String>, longboard: Data<Longboard>) -> Reply {
    let checked = longboard.check_judge(&form.proof, &slug, Utc::now()).await;
    settled(&longboard, checked, form.fields).await
}

async fn retire(form: KeeperPosted, slug: Path<String>, longboard: Data<Longboard>) -> Reply {
    let retired = longboard.retire_judge(&form.proof, &slug, Utc::now()).await;
    settled(&longboard, retired, form.fields).await
}

async fn start(form: KeeperPosted, longboard: Data<Longboard>) -> Reply {
    let started = async {
        let judges: Vec<String> = form.fields.all("judges").map(ToOwned::to_owned).collect();
        if judges.is_empty() {
            return Err(AppError::Invalid("choose at least one judge".to_owned()));
        }
        let request = JudgingRequest {
            suite: form.fields.text("suite").to_owned(),
            judges,
            budget: form.fields.required("budget", "the most questions")?,
            samples: form.fields.required("samples", "the number of scores")?,
        };
        longboard.request_judging(&form.proof.user().email, request, rand::random(), Utc::now()).await
    };
    let started = started.await;
    settled(&longboard, started, form.fields).await
}

#[derive(Deserialize)]
struct Labelling {
    suite: String,
}

#[derive(Template)]
#[template(path = "admin/label.html")]
struct LabelPage {
    blinded: Option<Blinded>,
    csrf: String,
}

async fn label_form(keeper: Keeper, choice: Query<Labelling>, longboard: Data<Longboard>) -> Reply {
    page(&LabelPage { blinded: longboard.next_blinded(&keeper.proof, &choice.suite).await?, csrf: keeper.csrf })
}

async fn label(form: KeeperPosted, longboard: Data<Longboard>) -> Reply {
    let label = Label::parse(form.fields.text("label")).filter(|label| *label != Label::Invalid);
    let label = label.ok_or_else(|| AppError::Invalid("choose one of the three".to_owned()))?;
    let (battle, turn) = (form.fields.required("battle", "the battle")?, form.fields.required("turn", "the order")?);
    let suite = longboard.label_battle(&form.proof, battle, turn, label, Utc::now()).await?;
    Ok(see(&format!("/admin/label?suite={suite}")))
}
