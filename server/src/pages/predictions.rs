//! Uploading prediction files.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig, get, post};
use askama::Template;
use chrono::Utc;
use longboard_app::account::SignedIn;
use longboard_app::predictions::{FileReport, ImportReport, PredictionFile, import_predictions};
use longboard_app::{AppError, Longboard};

use crate::caller::{Person, Uploaded};
use crate::pages::page;
use crate::refusal::{PageError, complaint};

type Reply = Result<HttpResponse, PageError>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/submit/predictions", get().to(form)).route("/submit/predictions", post().to(upload));
}

#[derive(Template)]
#[template(path = "submit/predictions.html")]
struct PredictionsPage {
    complaint: Option<String>,
    teams: Vec<(String, String)>,
    model: String,
    report: Option<Shown>,
    csrf: String,
}

struct Shown {
    model: String,
    run: String,
    files: Vec<(String, String, Vec<String>)>,
}

async fn form(person: Person, longboard: Data<Longboard>) -> Reply {
    page(&predictions_page(&longboard, person.0, None, String::new(), None).await?)
}

async fn predictions_page(
    longboard: &Longboard,
    person: SignedIn,
    complaint: Option<String>,
    model: String,
    report: Option<Shown>,
) -> Result<PredictionsPage, AppError> {
    let teams = longboard.store().teams_of(person.user.id).await?;
    let teams = teams.into_iter().map(|(team, _)| (team.slug, team.name)).collect();
    Ok(PredictionsPage { complaint, teams, model, report, csrf: person.csrf })
}

async fn upload(form: Uploaded, longboard: Data<Longboard>) -> Reply {
    let Uploaded { person, upload } = form;
    let model = upload.fields.text("model").to_owned();
    let files = upload.files.into_iter().map(|(name, text)| PredictionFile { name, text }).collect::<Vec<_>>();
    let imported = async {
        if files.is_empty() {
            return Err(AppError::Invalid("choose at least one file named like preds_passkey.jsonl".to_owned()));
        }
        let member = longboard.member(&person.user, upload.fields.text("team")).await?;
        import_predictions(longboard.store(), member.team(), &model, files, &person.user.name, Utc::now()).await
    };
    let (complaint, report) = match imported.await {
        Ok(report) => (None, Some(shown(report))),
        Err(error) => (Some(complaint(error)?), None),
    };
    page(&predictions_page(&longboard, person, complaint, model, report).await?)
}

fn shown(report: ImportReport) -> Shown {
    let file = |file: FileReport| {
        let words = match &file.outcome {
            Ok((task, score)) => format!("{task}: {score:.2} over {} answers", file.rows),
            Err(reason) => format!("not used: {reason}"),
        };
        let refused = file.refused.iter().map(|line| format!("line {}: {}", line.line, line.reason)).collect();
        (file.name, words, refused)
    };
    Shown { model: report.model, run: report.run.to_string(), files: report.files.into_iter().map(file).collect() }
}
