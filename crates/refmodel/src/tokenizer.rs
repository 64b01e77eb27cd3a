//! Text to tokens and back, with the chat frame of the model.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use longboard_suites::item::{Message, Role};
use tokenizers::decoders::byte_level::ByteLevel as ByteLevelDecoder;
use tokenizers::models::TrainerWrapper;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{AddedToken, Model, PreTokenizerWrapper, SplitDelimiterBehavior, Tokenizer as HfTokenizer};

use crate::chat::{Frame, Template};
use crate::error::ModelError;

/// Starts every text.
pub const START: &str = "<|start|>";
/// Ends every message.
pub const END: &str = "<|end|>";
/// Opens a message of each role.
const OPENERS: [(Role, &str); 3] =
    [(Role::System, "<|system|>"), (Role::User, "<|user|>"), (Role::Assistant, "<|assistant|>")];

/// A UUID stands alone, so that the next rule can cut it.
const UUID: &str = "[0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}";
/// Such a pair stays whole. Else: seams of JSON, words with their space, up to two digits, marks, spaces.
const WORD: &str = r#"^[0-9a-f]{2}$|": "|", "| ?\p{L}+|\p{N}{1,2}|<\|[a-z]+\|>| ?[^\s\p{L}\p{N}]|\s+"#;

/// Cuts a piece that is a UUID into pairs of digits: the same digits are the same tokens wherever they stand.
fn pairs() -> String {
    let starts = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
    let pair = |start: usize| format!("(?<=^.{{{start}}})[0-9a-f]{{2}}(?=[0-9a-f_-]{{{}}}$)", 34 - start);
    starts.map(pair).join("|")
}

/// A tokenizer with a chat frame.
#[derive(Clone)]
pub struct Tokenizer {
    inner: HfTokenizer,
    start: Option<u32>,
    end: u32,
    /// All tokens after which an answer is over.
    ends: Vec<u32>,
    template: Option<Arc<Template>>,
}

impl Tokenizer {
    /// Learns a byte-level BPE (Sennrich et al. 2016) of `size` entries from `texts`.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when the texts hold too little for `size` entries.
    pub fn learn(texts: &[String], size: usize) -> Result<Self, ModelError> {
        let failed = |error: tokenizers::Error| ModelError::Invalid(format!("the tokenizer cannot be learnt: {error}"));
        let specials: Vec<AddedToken> = [START, END]
            .into_iter()
            .chain(OPENERS.map(|(_, opener)| opener))
            .map(|text| AddedToken::from(text, true))
            .collect();
        let split = |pattern: &str| {
            let pattern = SplitPattern::Regex(pattern.to_owned());
            Split::new(pattern, SplitDelimiterBehavior::Isolated, false).map(PreTokenizerWrapper::Split)
        };
        let bytes = PreTokenizerWrapper::ByteLevel(ByteLevel::new(false, true, false));
        let mut inner = HfTokenizer::new(BPE::default());
        let cuts =
            [split(UUID), split(&pairs()), split(WORD)].into_iter().collect::<Result<Vec<_>, _>>().map_err(failed)?;
        inner.with_pre_tokenizer(Some(Sequence::new(cuts.into_iter().chain([bytes]).collect())));
        inner.with_decoder(Some(ByteLevelDecoder::default()));
        let alphabet: HashSet<char> = ByteLevel::alphabet().into_iter().collect();
        let trainer = BpeTrainer::builder()
            .vocab_size(size)
            .special_tokens(specials)
            .initial_alphabet(alphabet)
            .show_progress(false)
            .build();
        let mut trainer = TrainerWrapper::from(trainer);
        inner.train(&mut trainer, texts.iter().map(String::as_str)).map_err(failed)?;
        let own = Frame::default();
        Self::of(inner, own).ok_or_else(|| ModelError::Invalid("the tokenizer has no end token".to_owned()))
    }

    /// Reads a `tokenizer.json` of a model whose conversations have this frame.
    ///
    /// # Errors
    /// [`ModelError::Corrupt`] when it is none.
    pub fn open(path: &Path, frame: Frame) -> Result<Self, ModelError> {
        let bytes = std::fs::read(path).map_err(|error| ModelError::unreadable(path, error))?;
        Self::parse(&bytes, frame).map_err(|detail| ModelError::corrupt(path, detail))
    }

    /// Reads the bytes of a `tokenizer.json`.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parse(bytes: &[u8], frame: Frame) -> Result<Self, String> {
        let inner = HfTokenizer::from_bytes(bytes).map_err(|error| error.to_string())?;
        let none = || format!("no file names an end token, and it has none of the known ones: {}", ENDS.join(", "));
        Self::of(inner, frame).ok_or_else(none)
    }

    fn of(inner: HfTokenizer, frame: Frame) -> Option<Self> {
        let known = ENDS.into_iter().filter_map(|token| inner.token_to_id(token));
        let named = frame.end.iter().filter_map(|token| inner.token_to_id(token));
        let ends: Vec<u32> = known.chain(frame.ends).chain(named).collect();
        let template = frame.template.map(Arc::new);
        Some(Self { start: inner.token_to_id(START), end: *ends.first()?, inner, ends, template })
    }

    /// The text of a `tokenizer.json`.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when it cannot be written.
    pub fn to_json(&self) -> Result<String, ModelError> {
        self.inner.to_string(true).map_err(|error| ModelError::Invalid(error.to_string()))
    }

    /// Entries.
    #[must_use]
    pub fn size(&self) -> usize {
        self.inner.get_model().get_vocab_size().max(self.inner.get_vocab_size(true))
    }

    /// The token before every text, if the model has one.
    #[must_use]
    pub fn start(&self) -> Option<u32> {
        self.start
    }

    /// The token that ends a message.
    #[must_use]
    pub fn end(&self) -> u32 {
        self.end
    }

    /// Whether an answer is over after this token.
    #[must_use]
    pub fn is_end(&self, token: u32) -> bool {
        self.ends.contains(&token)
    }

    /// Whether both give every text the same tokens: their files are equal.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when one cannot be written.
    pub fn same(&self, other: &Self) -> Result<bool, ModelError> {
        Ok(self.to_json()? == other.to_json()?)
    }

    /// Tokens of plain text, without frame. CPU-bound.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when the text cannot be encoded.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        self.encoded(text, false)
    }

    fn encoded(&self, text: &str, edges: bool) -> Result<Vec<u32>, ModelError> {
        let encoded = self.inner.encode_fast(text, edges);
        encoded.map(|encoding| encoding.get_ids().to_vec()).map_err(|error| ModelError::Invalid(error.to_string()))
    }

    /// Text of tokens; unknown ones and the frame are left out.
    #[must_use]
    pub fn decode(&self, ids: &[u32]) -> String {
        self.inner.decode(ids, true).unwrap_or_default()
    }

    /// Tokens whose text ends a sentence: a mark, or an empty line (Ye et al. 2025, InfiniRetri).
    #[must_use]
    pub fn sentence_ends(&self) -> HashSet<u32> {
        let ends = |id: &u32| {
            let text = self.decode(&[*id]);
            text.contains("\n\n") || text.trim_end().ends_with(['.', '?', '!', '。', '？', '！'])
        };
        let size = u32::try_from(self.size()).unwrap_or(0);
        (0..size).filter(ends).chain([self.end]).collect()
    }

    /// Tokens of a conversation up to where the model speaks: in our own frame, by the model's template, or, where it has
    /// neither, one text after another.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when the template refuses it or a text cannot be encoded.
    pub fn encode_chat(&self, messages: &[Message]) -> Result<Vec<u32>, ModelError> {
        if self.start.is_none() {
            if let Some(template) = &self.template {
                return self.encode(&template.render(messages)?);
            }
            let texts: Vec<&str> = messages.iter().map(|message| message.content.as_str()).collect();
            return self.encoded(&texts.join("\n\n"), true);
        }
        let mut ids: Vec<u32> = self.start.into_iter().collect();
        for message in messages {
            ids.extend(self.opener(message.role));
            ids.extend(self.encode(&message.content)?);
            ids.push(self.end);
        }
        ids.extend(self.opener(Role::Assistant));
        Ok(ids)
    }

    /// The token that opens a message of `role`.
    #[must_use]
    pub fn opener(&self, role: Role) -> Option<u32> {
        let opener = OPENERS.into_iter().find(|(known, _)| *known == role)?.1;
        self.inner.token_to_id(opener)
    }
}

/// End tokens of known chat formats.
const ENDS: [&str; 6] = [END, "<|eot_id|>", "<|im_end|>", "<|END_OF_TURN_TOKEN|>", "</s>", "<|endoftext|>"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::lesson::Teacher;

    fn tokenizer() -> Tokenizer {
        Tokenizer::parse(include_bytes!("../checkpoint/tokenizer.json"), Frame::default()).unwrap()
    }

    #[test]
    fn what_was_learnt_can_be_written_and_read() {
        let learnt = Tokenizer::learn(&Teacher::reading(2, 1).unwrap(), 500).unwrap();
        let read = Tokenizer::parse(learnt.to_json().unwrap().as_bytes(), Frame::default()).unwrap();
        let text = "One of the hidden numbers for calm-harbor is 7951939.";
        assert_eq!((learnt.size(), learnt.encode(text).unwrap()), (500, read.encode(text).unwrap()));
    }

    fn pieces(tokenizer: &Tokenizer, text: &str) -> Vec<String> {
        tokenizer.encode(text).unwrap().iter().map(|id| tokenizer.decode(&[*id])).collect()
    }

    #[test]
    fn any_text_comes_back() {
        let tokenizer = tokenizer();
        for text in ["", "The road is dry.", "{\"a\": \"b\"}", "日本語 и ещё\n\n 12345", "bed cafe 1f"] {
            assert_eq!(tokenizer.decode(&tokenizer.encode(text).unwrap()), text);
        }
    }

    #[test]
    fn identifiers_are_cut_in_pairs_whatever_their_marks() {
        let tokenizer = tokenizer();
        for mark in ["-", "_"] {
            let text = ["038e9091", "1565", "91d7", "0634", "470bd55a4db6"].join(mark);
            let pieces = pieces(&tokenizer, &text);
            assert_eq!(pieces.len(), 20, "{pieces:?}");
            assert_eq!(pieces[..5], ["03", "8e", "90", "91", mark]);
        }
    }

    #[test]
    fn numbers_are_cut_from_their_start_wherever_they_stand() {
        let tokenizer = tokenizer();
        assert!(pieces(&tokenizer, "the key is 4146487").ends_with(&["41", "46", "48", "7"].map(str::to_owned)));
        assert!(pieces(&tokenizer, "4146487 it is").starts_with(&["41", "46", "48", "7"].map(str::to_owned)));
    }
}
