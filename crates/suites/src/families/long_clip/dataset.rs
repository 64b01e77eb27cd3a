//! Urban-1k as published with Long-CLIP: a folder with a picture `image/{name}.jpg` beside each caption `caption/{name}.txt`.
//!
//! The benchmark finds pictures by captions and captions by pictures, which takes an endpoint that embeds both. For those that
//! embed text alone there is a control that is not the benchmark's: the last sentence of a caption asks for the caption.

use serde_json::{Value, json};

use crate::collection::{self, ASIDES, Collection, Entry};
use crate::dataset::{self, Dataset, Folder, Record, RecordError, Subset};
use crate::families::{official_search, searched};
use crate::item::Item;
use crate::retrieval::{Content, Document, picture_type};
use crate::task::{GenerateError, ItemRequest, Task};

/// Most bytes of a picture.
const PICTURE_BYTES: usize = 8 * 1024 * 1024;

/// Where captions stand; their names are the lines of the data set.
const CAPTIONS: &str = "caption";

/// Reader of the pictures with their captions.
pub(super) struct Pictures;

/// Reader of the captions alone.
pub(super) struct Captions;

static PICTURES: [Subset; 2] = [
    Subset { name: "urban1k_caption_to_picture", title: "Urban-1k pictures by caption" },
    Subset { name: "urban1k_picture_to_caption", title: "Urban-1k captions by picture" },
];

static LATE: [Subset; 1] =
    [Subset { name: "urban1k_last_sentence", title: "Urban-1k captions by their last sentence" }];

/// A caption and its name.
struct Caption {
    name: String,
    text: String,
}

impl Caption {
    /// The first line of the caption's file, which `line` names, or an object that holds `name` and `caption` itself.
    fn read(line: &str, folder: &dyn Folder) -> Result<Self, RecordError> {
        let (name, text) = if line.starts_with('{') {
            let fields = dataset::object(line)?;
            (collection::name(&fields, "name")?, dataset::text(&fields, "caption")?)
        } else {
            let name = line.strip_suffix(".txt").filter(|name| !name.is_empty() && !name.contains(['/', '\\', '"']));
            let name =
                name.ok_or_else(|| RecordError::new("line", "expected the name of a file that ends with .txt"))?;
            let name = collection::named(&json!(name)).ok_or_else(|| RecordError::new("line", "no usable name"))?;
            let text = folder.text(&format!("{CAPTIONS}/{line}"))?;
            (name, text.lines().next().unwrap_or_default().to_owned())
        };
        if text.trim().is_empty() {
            return Err(RecordError::new("caption", format!("the caption of {name} is empty")));
        }
        Ok(Self { name, text })
    }

    fn picture(&self, folder: &dyn Folder) -> Result<Content, RecordError> {
        let path = |kind: &str| format!("image/{}.{kind}", self.name);
        let found = ["png", "jpeg"].into_iter().find_map(|kind| folder.bytes(&path(kind)).ok());
        let bytes = found.map_or_else(|| folder.bytes(&path("jpg")), Ok)?;
        let refused = |reason: &str| Err(RecordError::new("image", format!("the picture of {} {reason}", self.name)));
        if bytes.len() > PICTURE_BYTES {
            return refused(&format!("is longer than {} MiB", PICTURE_BYTES >> 20));
        }
        if picture_type(&bytes).is_none() {
            return refused("is neither PNG nor JPEG");
        }
        Ok(Content::Picture(bytes))
    }

    /// What stands for the picture in an item.
    fn stand_in(name: &str) -> String {
        format!("The picture {name}.")
    }

    /// Name of the picture where it is a query.
    fn aside(&self) -> String {
        format!("picture {}", self.name)
    }

    fn last_sentence(&self) -> &str {
        let text = self.text.trim();
        let inner = text.trim_end_matches(['.', '!', '?']);
        let start = inner.rfind(['.', '!', '?']).map_or(0, |at| at + 1);
        text.get(start..).unwrap_or(text).trim()
    }

    fn record(&self, subset: &Subset, query: String) -> Result<Record, RecordError> {
        let gold = official_search::gold(vec![official_search::relevant([self.name.clone()])]);
        official_search::record(subset, self.name.clone(), query, gold)
    }
}

impl Dataset for Pictures {
    fn subsets(&self) -> &'static [Subset] {
        &PICTURES
    }

    fn listing(&self) -> Option<&'static str> {
        Some(CAPTIONS)
    }

    fn read_beside(
        &self,
        subset: &Subset,
        _: usize,
        line: &str,
        folder: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let caption = Caption::read(line, folder)?;
        if !by_picture(subset) {
            return Ok(vec![caption.record(subset, caption.text.clone())?]);
        }
        let mut record = caption.record(subset, Caption::stand_in(&caption.name))?;
        searched::add(&mut record.gold, &[(ASIDES, json!([caption.aside()]))]);
        Ok(vec![record])
    }

    fn collection(&self) -> Option<&'static dyn Collection> {
        Some(&Self)
    }

    fn params(&self, subset: &Subset) -> Value {
        json!({ "source": "official", "query": if by_picture(subset) { "picture" } else { "caption" } })
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        if super::by_picture(task) {
            return official_search::item(task, request, record);
        }
        // A picture is no part of a prompt; the digest of the data set covers it.
        let told = Record { document: Caption::stand_in(&record.id), ..record.clone() };
        official_search::item(task, request, &told)
    }
}

fn by_picture(subset: &Subset) -> bool {
    subset.name == "urban1k_picture_to_caption"
}

impl Collection for Pictures {
    fn files(&self, _: &Subset, _: &dyn Folder) -> Result<Vec<String>, RecordError> {
        Ok(Vec::new())
    }

    fn read(&self, subset: &Subset, line: &str, folder: &dyn Folder) -> Result<Vec<Entry>, RecordError> {
        let caption = Caption::read(line, folder)?;
        let picture = caption.picture(folder)?;
        Ok(if by_picture(subset) {
            let aside = Entry::Aside(Document { id: caption.aside(), content: picture });
            vec![Entry::text(caption.name, Some(caption.text)), aside]
        } else {
            vec![Entry::Document(Document { id: caption.name, content: picture })]
        })
    }
}

impl Dataset for Captions {
    fn subsets(&self) -> &'static [Subset] {
        &LATE
    }

    fn listing(&self) -> Option<&'static str> {
        Some(CAPTIONS)
    }

    fn read_beside(
        &self,
        subset: &Subset,
        _: usize,
        line: &str,
        folder: &dyn Folder,
    ) -> Result<Vec<Record>, RecordError> {
        let caption = Caption::read(line, folder)?;
        Ok(vec![caption.record(subset, caption.last_sentence().to_owned())?])
    }

    fn collection(&self) -> Option<&'static dyn Collection> {
        Some(&Self)
    }

    fn params(&self, _: &Subset) -> Value {
        json!({ "source": "official" })
    }

    fn item(&self, task: &Task, request: &ItemRequest<'_>, record: &Record) -> Result<Item, GenerateError> {
        official_search::item(task, request, record)
    }
}

impl Collection for Captions {
    fn files(&self, _: &Subset, _: &dyn Folder) -> Result<Vec<String>, RecordError> {
        Ok(Vec::new())
    }

    fn read(&self, _: &Subset, line: &str, folder: &dyn Folder) -> Result<Vec<Entry>, RecordError> {
        let caption = Caption::read(line, folder)?;
        Ok(vec![Entry::text(caption.name, Some(caption.text))])
    }
}
