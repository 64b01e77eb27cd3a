//! Chat templates of other models: Jinja from their files, rendered within bounds.

use std::fmt;
use std::path::{Path, PathBuf};

use longboard_suites::item::{Message, Role};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, context};
use minijinja_contrib::pycompat::unknown_method_callback;
use serde_json::Value;

use crate::error::ModelError;

const CONFIG: &str = "tokenizer_config.json";
const TEMPLATE: &str = "chat_template.jinja";

/// What a template may spend beside a unit per byte of its messages: an instruction costs 1, 64 bytes of text cost 1.
const FUEL: u64 = 1_000_000;

/// Largest template in bytes; published ones have up to 20 KB.
const MOST_BYTES: usize = 1 << 18;

/// How a model's conversations and their ends are written.
#[derive(Debug, Default)]
pub struct Frame {
    /// Template, if the model has one.
    pub template: Option<Template>,
    /// Tokens after which an answer is over.
    pub ends: Vec<u32>,
    /// The text of such a token.
    pub end: Option<String>,
}

/// A chat template.
pub struct Template {
    path: PathBuf,
    environment: Environment<'static>,
    start: String,
    end: String,
}

impl fmt::Debug for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Template").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Frame {
    /// Reads `chat_template.jinja` or `tokenizer_config.json`, and the end tokens of `generation_config.json` and
    /// `config.json`. All of them may be missing.
    ///
    /// # Errors
    /// [`ModelError`] names the file.
    pub fn open(folder: &Path) -> Result<Self, ModelError> {
        let config = folder.join(CONFIG);
        let object = json(&config)?;
        let special = |name: &str| special(object.as_ref()?.get(name)?);
        let (start, end) = (special("bos_token"), special("eos_token"));
        let alone = folder.join(TEMPLATE);
        let (path, source) = if alone.exists() {
            let text = std::fs::read_to_string(&alone).map_err(|error| ModelError::unreadable(&alone, error))?;
            (alone, Some(text))
        } else {
            (config, object.as_ref().and_then(|object| source(object.get("chat_template")?)))
        };
        let template = source.map(|source| Template::new(&path, source, start.clone(), end.clone())).transpose()?;
        let mut ends = Vec::new();
        for name in ["generation_config.json", "config.json"] {
            ends.extend(
                json(&folder.join(name))?.and_then(|object| object.get("eos_token_id").map(tokens)).unwrap_or_default(),
            );
        }
        Ok(Self { template, ends, end })
    }
}

/// The object of a file; nothing when there is no such file.
fn json(path: &Path) -> Result<Option<Value>, ModelError> {
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path).map_err(|error| ModelError::unreadable(path, error))?;
    serde_json::from_str(&text).map(Some).map_err(|error| ModelError::corrupt(path, error))
}

/// A special token, written as its text or as an object with it.
fn special(value: &Value) -> Option<String> {
    value.as_str().or_else(|| value.get("content").and_then(Value::as_str)).map(str::to_owned)
}

/// One template, or the default one of a list with names.
fn source(value: &Value) -> Option<String> {
    let named = |name: &str| {
        let list = value.as_array()?;
        let found = list.iter().find(|entry| entry.get("name").and_then(Value::as_str) == Some(name))?;
        found.get("template").and_then(Value::as_str)
    };
    value.as_str().or_else(|| named("default")).map(str::to_owned)
}

/// One token or a list.
fn tokens(value: &Value) -> Vec<u32> {
    let token = |value: &Value| value.as_u64().and_then(|token| u32::try_from(token).ok());
    value.as_array().map_or_else(|| token(value).into_iter().collect(), |list| list.iter().filter_map(token).collect())
}

impl Template {
    /// A template from `path` with the texts of its special tokens.
    ///
    /// # Errors
    /// [`ModelError::Corrupt`] when it is none or too large.
    pub fn new(path: &Path, source: String, start: Option<String>, end: Option<String>) -> Result<Self, ModelError> {
        if source.len() > MOST_BYTES {
            return Err(ModelError::corrupt(path, format!("its chat template has more than {MOST_BYTES} bytes")));
        }
        let wrong = |error: Error| ModelError::corrupt(path, format!("its chat template cannot be read: {error:#}"));
        let mut environment = Environment::new();
        environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().map_err(wrong)?);
        environment.set_unknown_method_callback(unknown_method_callback);
        environment.add_function("raise_exception", |message: String| -> Result<String, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, message))
        });
        environment.add_template_owned("chat", source).map_err(wrong)?;
        let (start, end) = (start.unwrap_or_default(), end.unwrap_or_default());
        Ok(Self { path: path.to_owned(), environment, start, end })
    }

    /// The text of a conversation up to where the model speaks.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when the template refuses it or spends too much.
    pub fn render(&self, messages: &[Message]) -> Result<String, ModelError> {
        let failed = |error: Error| {
            let path = self.path.display();
            ModelError::Invalid(format!("{path}: its chat template does not take this conversation: {error:#}"))
        };
        let bytes: usize = messages.iter().map(|message| message.content.len()).sum();
        let mut environment = self.environment.clone();
        environment.set_fuel(Some(FUEL + bytes as u64));
        let messages: Vec<_> = messages.iter().map(entry).collect();
        let values = context! {
            messages, bos_token => &self.start, eos_token => &self.end, add_generation_prompt => true,
        };
        environment.get_template("chat").and_then(|template| template.render(values)).map_err(failed)
    }
}

fn entry(message: &Message) -> minijinja::Value {
    let role = match message.role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    context! { role, content => &message.content }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn message(role: Role, content: &str) -> Message {
        Message { role, content: content.to_owned() }
    }

    fn rendered(source: &str, messages: &[Message]) -> Result<String, ModelError> {
        let (start, end) = (Some("<s>".to_owned()), Some("</s>".to_owned()));
        Template::new(Path::new("some/tokenizer_config.json"), source.to_owned(), start, end)?.render(messages)
    }

    const CHATML: &str = "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    const LLAMA: &str = "{{- bos_token }}\n{%- if messages[0]['role'] == 'system' %}\n    {%- set system_message = messages[0]['content']|trim %}\n    {%- set messages = messages[1:] %}\n{%- else %}\n    {%- set system_message = \"\" %}\n{%- endif %}\n{{- \"<|start_header_id|>system<|end_header_id|>\\n\\n\" }}\n{{- system_message }}\n{{- \"<|eot_id|>\" }}\n{%- for message in messages %}\n    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}\n{%- endfor %}\n{%- if add_generation_prompt %}\n    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}\n{%- endif %}\n";

    const MISTRAL: &str = "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'].strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}";

    #[test]
    fn published_templates_give_published_frames() {
        let asked = [message(Role::User, "Where is it? ")];
        assert_eq!(
            rendered(CHATML, &asked).unwrap(),
            "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\nWhere is it? <|im_end|>\n<|im_start|>assistant\n"
        );
        let told = [message(Role::System, "Be short."), message(Role::User, "Where?")];
        assert_eq!(
            rendered(LLAMA, &told).unwrap(),
            "<s><|start_header_id|>system<|end_header_id|>\n\nBe short.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nWhere?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
        );
        let talk = [message(Role::User, " a "), message(Role::Assistant, "b"), message(Role::User, "c")];
        assert_eq!(rendered(MISTRAL, &talk).unwrap(), "<s>[INST] a [/INST]b</s>[INST] c [/INST]");
        let error = rendered(MISTRAL, &told).unwrap_err().to_string();
        assert!(error.contains("tokenizer_config.json") && error.contains("must alternate"), "{error}");
    }

    #[test]
    fn hostile_templates_are_stopped() {
        let asked = [message(Role::User, "x")];
        for source in [
            "{% for a in range(100000) %}{% for b in range(100000) %}{{ a }}{% endfor %}{% endfor %}",
            "{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
            "{{ 'x' * 1000000000 }}",
            "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
            "{{ messages[0].content.nothing.there }}",
        ] {
            let error = rendered(source, &asked).unwrap_err().to_string();
            assert!(error.contains("tokenizer_config.json"), "{error}");
        }
        for source in ["{% for", "{% generation %}", &"x".repeat(MOST_BYTES + 1)] {
            assert!(matches!(rendered(source, &asked), Err(ModelError::Corrupt { .. })), "{}", source.len());
        }
    }

    #[test]
    fn long_conversations_are_not_stopped() {
        let long = message(Role::User, &"a word ".repeat(1 << 20));
        assert!(rendered(LLAMA, std::slice::from_ref(&long)).unwrap().len() > long.content.len());
    }

    #[test]
    fn files_are_found_and_named() {
        let folder = TempDir::new().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let frame = Frame::open(folder.path()).unwrap();
        assert!(frame.template.is_none() && frame.ends.is_empty() && frame.end.is_none());
        write("config.json", r#"{"eos_token_id": 2}"#);
        write("generation_config.json", r#"{"eos_token_id": [7, 9]}"#);
        let list = r#"[{"name": "tool_use", "template": "no"}, {"name": "default", "template": "{{ bos_token }}!"}]"#;
        let object = format!(r#"{{"bos_token": {{"content": "<b>"}}, "eos_token": "</s>", "chat_template": {list}}}"#);
        write(CONFIG, &object);
        let frame = Frame::open(folder.path()).unwrap();
        assert_eq!((frame.ends, frame.end.as_deref()), (vec![7, 9, 2], Some("</s>")));
        assert_eq!(frame.template.unwrap().render(&[]).unwrap(), "<b>!");
        write(TEMPLATE, "alone {{ eos_token }}");
        assert_eq!(Frame::open(folder.path()).unwrap().template.unwrap().render(&[]).unwrap(), "alone </s>");
        write(CONFIG, "{");
        assert!(Frame::open(folder.path()).unwrap_err().to_string().contains(CONFIG));
    }
}
