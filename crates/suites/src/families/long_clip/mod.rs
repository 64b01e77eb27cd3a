//! Long-CLIP (arXiv 2403.15378, section 4): pictures and their long captions, found by each other, and a control in
//! text alone whose captions differ only behind CLIP's 77 tokens.

mod dataset;
mod scene;

use serde_json::json;
use sha2::{Digest, Sha256};

use self::scene::{SCENES, Scene};
use crate::card::{Card, Diffusion, Protocol, Scope};
use crate::dataset::Dataset;
use crate::families::{official_search, prose, searched};
use crate::haystack::Planted;
use crate::item::{Item, Scored};
use crate::prompt::{Answer, Prompt};
use crate::retrieval::{self, Content, Document, Measured, Pool, Retrieval, document_id};
use crate::rng::Rng;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice};
use crate::tokens;

/// Scenes that differ in one late cell each.
pub struct LongClip;

/// The same with pictures. Apart, because only some endpoints embed them.
pub struct LongClipPictures;

/// Places within which the one relevant document is looked for, beside the first.
const WIDER: [usize; 2] = [5, 10];

const PICTURES: [Parameter; 2] = [
    official_search::SOURCE,
    Parameter {
        name: "query",
        help: "What is searched with; the other is searched",
        kind: ParameterKind::Choice { options: &["caption", "picture"], default: "caption" },
    },
];

fn card(params: &Params) -> Card {
    let official = official_search::is_official(params);
    let protocol = Protocol {
        post_processing: "ranked by cosine, ties by document name descending, where the official code takes the first index; recall at 1",
        ..searched::card().protocol
    };
    Card {
        benchmark: "Long-CLIP",
        citation: "Zhang et al. 2024, Long-CLIP, arXiv 2403.15378; code beichenzbc/Long-CLIP @ 3966af9a (Apache-2.0)",
        licence: "official code Apache-2.0; scenes, captions and pictures here are Longboard's own",
        tokenizer: "CLIP's, 77 or 248 tokens",
        diffusion: Diffusion::Medium,
        scope: Scope::Narrow,
        random_guess: if official { 0.0 } else { 1.0 / f64::from(SCENES) },
        metric: "long_clip.recall_at_k",
        min_tokens: 256,
        protocol: official_search::protocol(params, protocol),
        importable: Some("Urban-1k, published with Long-CLIP (Apache-2.0); its pictures have terms of their own"),
        ..searched::card()
    }
}

/// The scene of a document.
fn scene(task: &Task, request: &ItemRequest<'_>, block: u32, number: u32) -> Scene {
    let stream = |what: &str| searched::stream(task, request, block, what);
    let length = request.length.tokens();
    Scene::draw(&stream, number, length, length.saturating_sub(around(task)))
}

/// Canonical tokens of an item beside the caption: those of a detail, which are the same for all, or what stands for a
/// picture at most.
fn around(task: &Task) -> u32 {
    const DETAIL: &str = "The scene in which a small red circle stands at place 1 of row 1.";
    const PICTURE: u32 = 80;
    if task.shows_pictures() { PICTURE } else { tokens::count(DETAIL) + 1 }
}

fn pool(request: &ItemRequest<'_>) -> Pool {
    searched::shared_pool(SCENES, request)
}

fn caption(task: &Task, request: &ItemRequest<'_>, scene: &Scene) -> scene::Caption {
    scene.caption(request.length.tokens().saturating_sub(around(task)))
}

/// A caption with its late cell marked.
fn marked(caption: &scene::Caption) -> Planted {
    let bytes = caption.late_byte..caption.late_byte + caption.late.len();
    Planted {
        text: caption.passage.text.clone(),
        tokens: caption.passage.tokens,
        needles: vec![crate::haystack::PlantedSentence { bytes, token_start: caption.late_token }],
    }
}

/// What stands in an item for a picture, so that its digest covers it.
fn digest(picture: &[u8]) -> String {
    format!("SHA-256 of the picture: {}.", hex::encode(Sha256::digest(picture)))
}

/// Dots up to `room` canonical tokens: what stands for a picture is never sent, and makes up the length.
fn dots(room: u32) -> String {
    " .".repeat(room as usize)
}

fn score(item: &Item, answer: &str) -> Scored {
    retrieval::scored(item, answer, |rankings, judged| {
        let within = |cut| searched::measures(rankings, judged, 0, cut).recall;
        let (one, [five, ten]) = (within(1), WIDER.map(within));
        Measured { remark: format!("R@1 {one}; R@5 {five}; R@10 {ten}"), ..one.into() }
    })
}

impl Family for LongClip {
    fn slug(&self) -> &'static str {
        "long_clip"
    }

    fn title(&self) -> &'static str {
        "Late details of captions"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[official_search::SOURCE]
    }

    fn card(&self, params: &Params) -> Card {
        let made = format!(
            "Find, among {SCENES} captions that are the same but for one late detail each, the one that has a given detail."
        );
        let official = "Find a long caption by its last sentence. A control in text alone, no task of the benchmark.";
        Card { what: if official_search::is_official(params) { official.to_owned() } else { made }, ..card(params) }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        official_search::made(task, request)?;
        let pool = pool(request);
        let number = searched::asked(task, request, pool);
        let scene = scene(task, request, pool.block, number);
        let caption = caption(task, request, &scene);
        let query = scene.detail();
        let mut prompt = Prompt::default();
        prompt.push(&query);
        prompt.push_planted(&marked(&caption));
        let mut item = finish(task, request, prompt)?;
        searched::split(&mut item, vec![query]);
        searched::seek(&mut item, SCENES, number);
        Ok(item)
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        vec![TaskDefinition::generated(self.slug(), "late_detail", "Late details of captions", json!({}))]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        score(item, answer)
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        retrieval::oracle(item)
    }

    fn guess(&self, _: &Task, item: &Item, rng: &mut Rng) -> String {
        retrieval::guess(item, rng)
    }

    fn chance(&self, _: &Task, item: &Item) -> f64 {
        let (relevant, documents) = official_search::pool_of(item);
        (relevant.len() as f64 / f64::from(documents)).min(1.0)
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Captions)
    }

    fn retrieval(&self) -> Option<&'static dyn Retrieval> {
        Some(&Self)
    }
}

impl Retrieval for LongClip {
    fn pool(&self, _: &Task, request: &ItemRequest<'_>) -> Pool {
        pool(request)
    }

    fn document(
        &self,
        task: &Task,
        request: &ItemRequest<'_>,
        block: u32,
        number: u32,
    ) -> Result<Document, GenerateError> {
        let text = caption(task, request, &scene(task, request, block, number)).passage.text;
        Ok(Document { id: document_id(number), content: Content::Text(text) })
    }
}

/// An item that is not longer than its length.
fn finish(task: &Task, request: &ItemRequest<'_>, mut prompt: Prompt) -> Result<Item, GenerateError> {
    if prompt.tokens() > request.length.tokens() {
        return Err(prose::unsatisfiable(task, request, "query and caption do not fit"));
    }
    Ok(prompt.finish(task, request, Answer::default()))
}

/// Whether queries are pictures.
fn by_picture(task: &Task) -> bool {
    choice(&task.definition().params, "query") == "picture"
}

impl Family for LongClipPictures {
    fn slug(&self) -> &'static str {
        "long_clip_pictures"
    }

    fn title(&self) -> &'static str {
        "Pictures and long captions"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PICTURES
    }

    fn card(&self, params: &Params) -> Card {
        let (query, document) =
            if choice(params, "query") == "picture" { ("picture", "captions") } else { ("caption", "pictures") };
        let made = format!(
            "Find, among {SCENES} {document} of scenes that are the same but for one late cell each, the one that belongs to a {query}."
        );
        let official = format!("Find, among all {document}, the one that belongs to a {query}.");
        Card {
            what: if official_search::is_official(params) { official } else { made },
            abilities: &["embedding", "pictures"],
            ..card(params)
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        official_search::made(task, request)?;
        let pool = pool(request);
        let number = searched::asked(task, request, pool);
        let scene = scene(task, request, pool.block, number);
        let caption = caption(task, request, &scene);
        let length = request.length.tokens();
        let mut digest = digest(&scene.picture());
        // One token may come or go where both meet.
        digest.push_str(&dots(length.saturating_sub(caption.passage.tokens + tokens::count(&digest) + 1)));
        let mut prompt = Prompt::default();
        let first = if by_picture(task) {
            prompt.push(&digest);
            prompt.push_planted(&marked(&caption));
            digest
        } else {
            prompt.push_planted(&marked(&caption));
            prompt.push(&digest);
            caption.passage.text
        };
        let mut item = finish(task, request, prompt)?;
        searched::split(&mut item, vec![first]);
        searched::seek(&mut item, SCENES, number);
        Ok(item)
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let task = |slug, title, query| TaskDefinition::generated(self.slug(), slug, title, json!({ "query": query }));
        vec![
            task("caption_to_picture", "Pictures by caption", "caption"),
            task("picture_to_caption", "Captions by picture", "picture"),
        ]
    }

    fn score(&self, _: &Params, item: &Item, answer: &str) -> Scored {
        score(item, answer)
    }

    fn oracle(&self, _: &Task, item: &Item) -> String {
        retrieval::oracle(item)
    }

    fn guess(&self, _: &Task, item: &Item, rng: &mut Rng) -> String {
        retrieval::guess(item, rng)
    }

    fn chance(&self, _: &Task, item: &Item) -> f64 {
        let (relevant, documents) = official_search::pool_of(item);
        (relevant.len() as f64 / f64::from(documents)).min(1.0)
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Pictures)
    }

    fn retrieval(&self) -> Option<&'static dyn Retrieval> {
        Some(&Self)
    }
}

impl Retrieval for LongClipPictures {
    fn pool(&self, _: &Task, request: &ItemRequest<'_>) -> Pool {
        pool(request)
    }

    fn document(
        &self,
        task: &Task,
        request: &ItemRequest<'_>,
        block: u32,
        number: u32,
    ) -> Result<Document, GenerateError> {
        let scene = scene(task, request, block, number);
        let content = if by_picture(task) {
            Content::Text(caption(task, request, &scene).passage.text)
        } else {
            Content::Picture(scene.picture())
        };
        Ok(Document { id: document_id(number), content })
    }

    fn query(&self, task: &Task, item: &Item, number: usize) -> Option<Content> {
        let text = retrieval::queries(item).nth(number)?;
        if !by_picture(task) {
            return Some(Content::Text(text.to_owned()));
        }
        let request = ItemRequest::new(item.seed, item.index, item.length);
        let pool = pool(&request);
        let number = searched::asked(task, &request, pool);
        Some(Content::Picture(scene(task, &request, pool.block, number).picture()))
    }
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test may panic")]
mod tests;
