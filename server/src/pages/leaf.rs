//! Pages of a sample's document: text and picture side by side.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, ServiceConfig, get};
use longboard_app::suites::item::{Item, Page};
use longboard_app::{AppError, Longboard};
use uuid::Uuid;

use crate::pages::sample::pieces;
use crate::refusal::PageError;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.route("/runs/{id}/samples/{number}/pages/{page}", get().to(picture));
}

/// The pages of a document, one of them open.
pub(super) struct LeavesView {
    /// All of them, in the order of the prompt.
    pub leaves: Vec<LeafLink>,
    /// The open one.
    pub open: LeafView,
    /// Numbers of the pages before and after it in the prompt.
    pub before: Option<u32>,
    pub after: Option<u32>,
}

/// A page in the list.
pub(super) struct LeafLink {
    pub number: u32,
    pub evidence: bool,
    pub pictured: bool,
    pub current: bool,
}

/// A page that is shown.
pub(super) struct LeafView {
    pub number: u32,
    pub evidence: bool,
    /// Text in order; true for evidence.
    pub pieces: Vec<(String, bool)>,
    /// What its picture shows, and bytes of the file.
    pub picture: Option<(String, usize)>,
}

/// The page asked for, or else the one with the answer, among all; `None` where the prompt has no pages.
pub(super) fn leaves(item: &Item, asked: Option<u32>) -> Option<LeavesView> {
    let pages = &item.pages;
    let place = asked.and_then(|number| pages.iter().position(|page| page.number == number));
    let place = place.or_else(|| pages.iter().position(|page| page.evidence)).unwrap_or(0);
    let open = pages.get(place)?;
    let number = |place: Option<usize>| Some(pages.get(place?)?.number);
    let link = |page: &Page| LeafLink {
        number: page.number,
        evidence: page.evidence,
        pictured: page.picture.is_some(),
        current: page.number == open.number,
    };
    Some(LeavesView {
        leaves: pages.iter().map(link).collect(),
        open: LeafView {
            number: open.number,
            evidence: open.evidence,
            pieces: pieces(&item.joined(), open.bytes.start, open.bytes.end, &item.needles),
            picture: open.picture.as_ref().map(|picture| (picture.alt.clone(), picture.size)),
        },
        before: number(place.checked_sub(1)),
        after: number(place.checked_add(1)),
    })
}

/// The picture on a page, drawn again.
async fn picture(path: Path<(Uuid, u32, u32)>, longboard: Data<Longboard>) -> Result<HttpResponse, PageError> {
    let (run, number, page) = path.into_inner();
    let png = longboard.picture(run, number, page).await?;
    let png = png.ok_or_else(|| AppError::NotFound(format!("a picture on page {page} of this sample")))?;
    Ok(HttpResponse::Ok().content_type("image/png").body(png))
}

#[cfg(test)]
mod tests {
    use super::*;
    use longboard_app::suites::length::Length;
    use longboard_app::suites::task::{ItemRequest, Task};

    fn item(slug: &str) -> Item {
        Task::find(slug).unwrap().item(&ItemRequest::new(5, 1, Length::new(4096).unwrap())).unwrap()
    }

    #[test]
    fn the_page_with_the_answer_is_open_until_another_is_asked_for() {
        let item = item("m_longdoc_figure");
        let view = leaves(&item, None).unwrap();
        assert!(view.open.evidence && view.open.picture.is_some());
        assert_eq!(view.open.pieces.iter().filter(|piece| piece.1).count(), 1);
        let view = leaves(&item, Some(1)).unwrap();
        assert_eq!((view.open.number, view.before, view.after), (1, None, Some(2)));
        assert_eq!(leaves(&item, Some(4000)).unwrap().open.number, leaves(&item, None).unwrap().open.number);
    }

    #[test]
    fn a_prompt_without_pages_has_none() {
        assert!(leaves(&item("niah_single_2"), None).is_none());
    }
}
