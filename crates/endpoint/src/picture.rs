//! Pictures in chat messages, as OpenAI's protocol writes them, and whether a model reads them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use longboard_suites::picture::line;
use serde::Serialize;

use crate::client::failed;
use crate::model::{CallError, ChatModel, ChatRequest, ShownPicture};

/// Cause: the endpoint says that it takes no pictures, or not these.
pub const REFUSED: &str = "pictures_refused";
/// Cause: the endpoint answers, and does not say what a picture shows.
pub const IGNORED: &str = "pictures_ignored";
/// Cause: there is no way to send pictures to this contestant.
pub const UNSENT: &str = "pictures_unsent";

/// Most bytes of all pictures of a request.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// A message as it is sent.
#[derive(Serialize)]
pub(crate) struct Sent<'a> {
    role: &'a str,
    content: Vec<Part<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part<'a> {
    Text { text: &'a str },
    ImageUrl { image_url: Address },
}

#[derive(Serialize)]
struct Address {
    url: String,
}

/// Messages whose text is divided where pictures stand. Messages without a picture are one part.
pub(crate) fn parts(request: &ChatRequest) -> Result<Vec<Sent<'_>>, CallError> {
    let bytes: usize = request.pictures.iter().map(|picture| picture.png.len()).sum();
    if bytes > MOST_BYTES {
        return Err(failed(UNSENT, &format!("{bytes} bytes of pictures are more than {MOST_BYTES}")));
    }
    let mut messages = Vec::with_capacity(request.messages.len());
    for (place, message) in request.messages.iter().enumerate() {
        let (mut content, mut rest, mut before) = (Vec::new(), message.content.as_str(), 0);
        for ShownPicture { byte, png, .. } in request.pictures.iter().filter(|picture| picture.message == place) {
            let divided = byte.checked_sub(before).and_then(|at| rest.split_at_checked(at));
            let (text, after) = divided.ok_or_else(|| failed(UNSENT, "a picture stands at no place of its message"))?;
            if !text.is_empty() {
                content.push(Part::Text { text });
            }
            let url = format!("data:image/png;base64,{}", STANDARD.encode(png));
            content.push(Part::ImageUrl { image_url: Address { url } });
            (rest, before) = (after, *byte);
        }
        if !rest.is_empty() || content.is_empty() {
            content.push(Part::Text { text: rest });
        }
        messages.push(Sent { role: &message.role, content });
    }
    Ok(messages)
}

/// Names what an endpoint says against the pictures of a request.
pub(crate) fn named(error: CallError) -> CallError {
    match error {
        CallError::Failed { cause, detail, attempts } if cause.starts_with("http_") && speaks_of_pictures(&detail) => {
            CallError::Failed { cause: REFUSED.to_owned(), detail, attempts }
        }
        other => other,
    }
}

fn speaks_of_pictures(detail: &str) -> bool {
    let lower = detail.to_lowercase();
    ["image", "picture", "multimodal", "multi-modal", "vision"].iter().any(|word| lower.contains(word))
}

/// What a model makes of pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// It says what one shows.
    Reads,
    /// It refuses messages with one, in these words.
    Refuses(String),
    /// It answers, in these words, and not with what the picture shows.
    Ignores(String),
}

impl Sight {
    /// Cause and detail of every sample with pictures, where they are not read.
    #[must_use]
    pub fn failure(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Reads => None,
            Self::Refuses(detail) => Some((REFUSED, detail.clone())),
            Self::Ignores(said) => {
                Some((IGNORED, format!("asked for four digits on a picture, the endpoint said: {said}")))
            }
        }
    }
}

/// Asks for four digits that stand on a picture and nowhere else.
///
/// # Errors
/// [`CallError`] where there is no answer for another reason than the picture.
pub async fn sight(model: &impl ChatModel, seed: u64) -> Result<Sight, CallError> {
    const QUESTION: &str = "Which four digits does the picture show? Answer with the digits and nothing else.";
    let digits = (1000 + seed % 9000).to_string();
    let mut request = ChatRequest::user(QUESTION, 64);
    let png = Bytes::from(line(&digits));
    request.pictures.push(ShownPicture { message: 0, byte: QUESTION.len(), png });
    match model.complete(request).await {
        Ok(reply) if only_digits(&reply.text).contains(&digits) => Ok(Sight::Reads),
        Ok(reply) => Ok(Sight::Ignores(crate::model::cleaned(&reply.text).chars().take(100).collect())),
        // The request is short and plain but for its picture: what is wrong with it is the picture.
        Err(CallError::Failed { cause, detail, .. })
            if matches!(cause.as_str(), REFUSED | UNSENT | "http_400" | "http_415" | "http_422" | "http_501") =>
        {
            Ok(Sight::Refuses(detail))
        }
        Err(error) => Err(error),
    }
}

fn only_digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(byte: usize) -> ShownPicture {
        ShownPicture { message: 0, byte, png: Bytes::from_static(b"abc") }
    }

    #[test]
    fn text_is_divided_where_pictures_stand() {
        let mut request = ChatRequest::user("one two", 5);
        request.pictures = vec![shown(3), shown(3), shown(7)];
        let sent = serde_json::to_value(parts(&request).unwrap()).unwrap();
        let url = "data:image/png;base64,YWJj";
        let picture = serde_json::json!({"type": "image_url", "image_url": {"url": url}});
        let text = |text: &str| serde_json::json!({"type": "text", "text": text});
        let content = [text("one"), picture.clone(), picture.clone(), text(" two"), picture];
        assert_eq!(sent, serde_json::json!([{"role": "user", "content": content}]));
    }

    #[test]
    fn what_cannot_be_sent_is_named() {
        let mut request = ChatRequest::user("é", 5);
        for pictures in [vec![shown(1)], vec![shown(9)], vec![shown(2), shown(0)]] {
            request.pictures = pictures;
            assert_eq!(parts(&request).err().unwrap().cause(), UNSENT);
        }
        let huge = Bytes::from(vec![0; MOST_BYTES + 1]);
        request.pictures = vec![ShownPicture { message: 0, byte: 0, png: huge }];
        assert_eq!(parts(&request).err().unwrap().cause(), UNSENT);
    }

    #[test]
    fn a_refusal_of_pictures_has_a_name_of_its_own() {
        let named = |cause: &str, detail: &str| named(failed(cause, detail)).cause().to_owned();
        assert_eq!(named("http_400", "This model does not support image input"), REFUSED);
        assert_eq!(named("http_400", "bad temperature"), "http_400");
        assert_eq!(named("context_exceeded", "too long with its images"), "context_exceeded");
    }
}
