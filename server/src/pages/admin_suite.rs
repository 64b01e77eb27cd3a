//! Suites and corpora.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, ServiceConfig, get, post};
use askama::Template;
use chrono::Utc;
use longboard_app::account::Maintainer;
use longboard_app::suites::card::Language;
use longboard_app::suites::length::Length;
use longboard_app::suites::suite::Suite;
use longboard_app::task::Upload;
use longboard_app::{AppError, Longboard};

use crate::caller::{Keeper, KeeperPosted, Uploaded};
use crate::form::Fields;
use crate::pages::{page, see};
use crate::refusal::{PageError, complaint};

type Reply = Result<HttpResponse, PageError>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/admin/suites", get().to(suites))
        .route("/admin/suites", post().to(add_suite))
        .route("/admin/suites/{slug}/tasks", post().to(set_tasks))
        .route("/admin/corpora", get().to(corpora))
        .route("/admin/corpora", post().to(upload));
}

#[derive(Template)]
#[template(path = "admin/suites.html")]
struct SuitesPage {
    complaint: Option<String>,
    suites: Vec<(String, String, String, String, bool)>,
    tasks: Vec<String>,
    filled: Fields,
    csrf: String,
}

impl SuitesPage {
    fn filled(&self, name: &str) -> &str {
        self.filled.text(name)
    }
}

async fn suites(keeper: Keeper, longboard: Data<Longboard>) -> Reply {
    page(&suites_page(&longboard, None, Fields::default(), keeper.csrf).await?)
}

async fn suites_page(
    longboard: &Longboard,
    complaint: Option<String>,
    filled: Fields,
    csrf: String,
) -> Result<SuitesPage, AppError> {
    let suites = longboard.store().suites().await?.into_iter().map(|suite| {
        let lengths = suite.lengths.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        (suite.slug, suite.title, suite.tasks.0.join(" "), lengths, suite.imported)
    });
    let tasks = longboard.store().tasks().await?.into_iter().filter(|row| !row.imported()).map(|row| row.slug);
    Ok(SuitesPage { complaint, suites: suites.collect(), tasks: tasks.collect(), filled, csrf })
}

async fn add_suite(form: KeeperPosted, longboard: Data<Longboard>) -> Reply {
    let KeeperPosted { proof, fields } = form;
    match added(&longboard, &proof, &fields).await {
        Ok(slug) => Ok(see(&format!("/boards/{slug}"))),
        Err(error) => {
            let csrf = fields.text("csrf").to_owned();
            page(&suites_page(&longboard, Some(complaint(error)?), fields, csrf).await?)
        }
    }
}

async fn added(longboard: &Longboard, proof: &Maintainer, fields: &Fields) -> Result<String, AppError> {
    let lengths: Result<Vec<Length>, _> = words(fields.text("lengths")).map(|word| word.parse::<Length>()).collect();
    let mut lengths = lengths.map_err(|error| AppError::Invalid(error.to_string()))?;
    lengths.sort();
    lengths.dedup();
    let suite = Suite {
        slug: String::new(),
        title: fields.text("title").to_owned(),
        description: fields.text("description").to_owned(),
        tasks: words(fields.text("tasks")).map(ToOwned::to_owned).collect(),
        lengths,
        samples: fields.required("samples", "samples per cell")?,
        imported: false,
    };
    longboard.add_suite(proof, suite, Utc::now()).await
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',', '\n', '\r', '\t']).filter(|word| !word.is_empty())
}

async fn set_tasks(form: KeeperPosted, slug: Path<String>, longboard: Data<Longboard>) -> Reply {
    let KeeperPosted { proof, fields } = form;
    let tasks = words(fields.text("tasks")).map(ToOwned::to_owned).collect();
    match longboard.set_suite_tasks(&proof, &slug, tasks, Utc::now()).await {
        Ok(()) => Ok(see("/admin/suites")),
        Err(error) => {
            let csrf = fields.text("csrf").to_owned();
            page(&suites_page(&longboard, Some(complaint(error)?), Fields::default(), csrf).await?)
        }
    }
}

#[derive(Template)]
#[template(path = "admin/corpora.html")]
struct CorporaPage {
    complaint: Option<String>,
    corpora: Vec<(String, String, String, String)>,
    csrf: String,
}

async fn corpora(keeper: Keeper, longboard: Data<Longboard>) -> Reply {
    page(&corpora_page(&longboard, None, keeper.csrf).await?)
}

async fn corpora_page(longboard: &Longboard, complaint: Option<String>, csrf: String) -> Result<CorporaPage, AppError> {
    let corpora = longboard.store().corpora().await?.into_iter();
    let corpora = corpora.map(|corpus| (corpus.slug, corpus.title, corpus.language, corpus.digest)).collect();
    Ok(CorporaPage { complaint, corpora, csrf })
}

async fn upload(form: Uploaded, longboard: Data<Longboard>) -> Reply {
    let Uploaded { person, upload } = form;
    let refused = || AppError::Forbidden("only maintainers may do this".to_owned());
    let proof = person.maintainer().ok_or_else(refused)?;
    let language = if upload.fields.text("language") == "zh" { Language::Chinese } else { Language::English };
    let stored = async {
        let file = upload.files.into_iter().next();
        let (_, text) = file.ok_or_else(|| AppError::Invalid("choose a text file".to_owned()))?;
        let corpus = Upload { title: upload.fields.text("title").to_owned(), language, text };
        longboard.upload_corpus(&proof, corpus, Utc::now()).await
    };
    match stored.await {
        Ok(_) => Ok(see("/admin/corpora")),
        Err(error) => page(&corpora_page(&longboard, Some(complaint(error)?), person.csrf).await?),
    }
}
