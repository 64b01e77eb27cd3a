//! An item as a request to a chat endpoint, and whether that endpoint reads the pictures in it.

use longboard_endpoint::client::OpenAiClient;
use longboard_endpoint::model::{CallError, ChatMessage, ChatRequest, ShownPicture};
use longboard_endpoint::picture::{Sight, sight};
use longboard_suites::item::{Item, Message, Role};
use longboard_suites::task::Task;
use tokio::sync::OnceCell;

/// The pictures of an item, drawn. CPU-bound.
pub(crate) fn pictures(task: &Task, item: &Item) -> Vec<ShownPicture> {
    let shown = item.pages.iter().filter_map(|page| {
        let (message, byte) = place(&item.messages, page.picture.as_ref()?.byte);
        Some(ShownPicture { message, byte, png: task.picture(item, page.number)?.into() })
    });
    shown.collect()
}

/// The message in which a byte of the joined contents stands, and its place there.
fn place(messages: &[Message], byte: usize) -> (usize, usize) {
    let mut before = 0;
    for (number, message) in messages.iter().enumerate() {
        let end = before + message.content.len();
        if byte <= end {
            return (number, byte - before);
        }
        before = end;
    }
    (messages.len(), 0)
}

/// The request; takes the prompt's text out of the item, so that it is held once.
pub(crate) fn request(item: &mut Item, pictures: Vec<ShownPicture>) -> ChatRequest {
    let messages = chat_messages(std::mem::take(&mut item.messages));
    ChatRequest { messages, pictures, max_tokens: item.output_tokens, temperature: 0.0 }
}

/// Messages in the words of the protocol.
pub(crate) fn chat_messages(messages: Vec<Message>) -> Vec<ChatMessage> {
    let named = messages.into_iter().map(|message| {
        let role = match message.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        ChatMessage { role: role.to_owned(), content: message.content }
    });
    named.collect()
}

/// What an endpoint makes of pictures, found out before the first one is sent.
#[derive(Default)]
pub(crate) struct Eyes {
    seen: OnceCell<Sight>,
}

impl Eyes {
    /// Cause and detail of every sample with pictures; `None` where they are read.
    ///
    /// # Errors
    /// [`CallError`] where the endpoint does not answer for another reason.
    pub async fn failure(&self, client: &OpenAiClient, seed: u64) -> Result<Option<(&'static str, String)>, CallError> {
        Ok(self.seen.get_or_try_init(|| sight(client, seed)).await?.failure())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use longboard_suites::length::Length;
    use longboard_suites::task::ItemRequest;

    #[test]
    fn every_picture_of_an_item_is_drawn_at_its_place() {
        let task = Task::find("m_longdoc_figure").unwrap();
        let mut item = task.item(&ItemRequest::new(1, 0, Length::new(4096).unwrap())).unwrap();
        let drawn = pictures(task, &item);
        let wanted: Vec<(usize, usize)> = item.pictures().map(|picture| (picture.byte, picture.size)).collect();
        let found: Vec<(usize, usize)> = drawn.iter().map(|picture| (picture.byte, picture.png.len())).collect();
        assert!(found == wanted && !found.is_empty() && drawn.iter().all(|picture| picture.message == 0));
        let sent = request(&mut item, drawn);
        assert!(item.messages.is_empty() && sent.messages.len() == 1 && sent.pictures.len() == wanted.len());
    }

    #[test]
    fn bytes_are_counted_over_messages() {
        let message = |content: &str| Message { role: Role::User, content: content.to_owned() };
        let messages = [message("ab"), message("cde")];
        assert_eq!([0, 2, 3, 5].map(|byte| place(&messages, byte)), [(0, 0), (0, 2), (1, 1), (1, 3)]);
        assert_eq!(place(&messages, 6), (2, 0));
    }
}
