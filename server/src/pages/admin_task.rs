//! Adding a task: family and parameters by form, a preview at any length, publishing as an immutable version.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query, ServiceConfig, get, post};
use askama::Template;
use chrono::Utc;
use longboard_app::run::SEASON_SEED;
use longboard_app::suites::families;
use longboard_app::suites::length::Length;
use longboard_app::suites::task::{Parameter, ParameterKind};
use longboard_app::task::Draft;
use longboard_app::{AppError, Longboard};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::caller::{Keeper, KeeperPosted};
use crate::form::Fields;
use crate::pages::sample::{PromptPage, prompt_page};
use crate::pages::{page, see};
use crate::refusal::{PageError, complaint};

type Reply = Result<HttpResponse, PageError>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/admin/tasks", get().to(form)).route("/admin/tasks", post().to(preview_or_publish));
}

#[derive(Deserialize)]
struct Choice {
    family: Option<String>,
    /// A task whose newest version fills the form.
    task: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/task.html")]
struct DraftPage {
    complaint: Option<String>,
    families: Vec<(&'static str, &'static str)>,
    tasks: Vec<String>,
    corpora: Vec<String>,
    family: String,
    inputs: Vec<Input>,
    filled: Fields,
    preview: Option<(PromptPage, Vec<String>)>,
    csrf: String,
}

struct Input {
    name: &'static str,
    help: &'static str,
    value: String,
    kind: ParameterKind,
}

impl DraftPage {
    fn filled(&self, name: &str) -> &str {
        self.filled.text(name)
    }
}

async fn form(keeper: Keeper, choice: Query<Choice>, longboard: Data<Longboard>) -> Reply {
    let mut fields = vec![("length".to_owned(), "4k".to_owned())];
    let mut family = choice.family.clone().unwrap_or_else(|| "ruler_niah".to_owned());
    if let Some(slug) = &choice.task {
        let row = longboard.task(slug, None).await?;
        family.clone_from(&row.family);
        fields.extend([("slug".to_owned(), row.slug.clone()), ("title".to_owned(), row.title.clone())]);
        for (name, value) in row.params.as_object().into_iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            fields.push((format!("param.{name}"), text));
        }
    }
    fields.push(("family".to_owned(), family));
    page(&draft_page(&longboard, None, Fields::of(fields), None, keeper.csrf).await?)
}

async fn draft_page(
    longboard: &Longboard,
    complaint: Option<String>,
    filled: Fields,
    preview: Option<(PromptPage, Vec<String>)>,
    csrf: String,
) -> Result<DraftPage, AppError> {
    let family = families::find(filled.text("family")).ok_or_else(|| AppError::NotFound("such family".to_owned()))?;
    let tasks = longboard.store().tasks().await?;
    Ok(DraftPage {
        complaint,
        families: families::all().iter().map(|family| (family.slug(), family.title())).collect(),
        tasks: tasks.into_iter().filter(|row| !row.imported()).map(|row| row.slug).collect(),
        corpora: longboard.store().corpora().await?.into_iter().map(|corpus| corpus.slug).collect(),
        family: family.slug().to_owned(),
        inputs: family.parameters().iter().map(|parameter| input(parameter, &filled)).collect(),
        filled,
        preview,
        csrf,
    })
}

fn input(parameter: &Parameter, filled: &Fields) -> Input {
    let given = filled.text(&format!("param.{}", parameter.name)).to_owned();
    let default = match parameter.kind {
        ParameterKind::Integer { default, .. } => default.to_string(),
        ParameterKind::Choice { default, .. } => default.to_owned(),
    };
    let value = if given.is_empty() { default } else { given };
    Input { name: parameter.name, help: parameter.help, value, kind: parameter.kind }
}

async fn preview_or_publish(form: KeeperPosted, longboard: Data<Longboard>) -> Reply {
    let KeeperPosted { proof, fields } = form;
    let csrf = fields.text("csrf").to_owned();
    let draft = draft(&fields);
    if fields.text("do") == "publish" {
        return match longboard.publish_task(&proof, &draft, Utc::now()).await {
            Ok(row) => Ok(see(&format!("/tasks/{}?version={}", row.slug, row.version))),
            Err(error) => page(&draft_page(&longboard, Some(complaint(error)?), fields, None, csrf).await?),
        };
    }
    let previewed = async {
        let row = longboard.draft(&draft, Utc::now()).await?;
        let length: Length = fields.required("length", "the length of the preview")?;
        let item = longboard.item(&row, length, SEASON_SEED, 0).await?;
        Ok::<_, AppError>((prompt_page(&item, None), item.references))
    };
    let (complaint, preview) = match previewed.await {
        Ok(preview) => (None, Some(preview)),
        Err(error) => (Some(complaint(error)?), None),
    };
    page(&draft_page(&longboard, complaint, fields, preview, csrf).await?)
}

fn draft(fields: &Fields) -> Draft {
    let number = |text: &str| text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from);
    let params: Map<String, Value> =
        fields.under("param.").map(|(name, text)| (name.to_owned(), number(text))).collect();
    Draft {
        slug: fields.text("slug").to_owned(),
        title: fields.text("title").to_owned(),
        family: fields.text("family").to_owned(),
        params,
        corpus: Some(fields.text("corpus").to_owned()).filter(|corpus| !corpus.is_empty()),
    }
}
