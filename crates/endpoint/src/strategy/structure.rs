//! Structured passages: a scope, aspects, and what is said about each (StruXGPT, read in alibaba/struxgpt @ 982ad0b,
//! src/models/struxgpt_v1.py, MIT).

use std::fmt;

/// Spaces of one level.
const INDENT: usize = 4;

/// A passage in three layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    /// What the passage is about.
    pub scope: String,
    /// Its aspects, in order.
    pub aspects: Vec<Aspect>,
}

/// One aspect of a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aspect {
    /// What it is called.
    pub name: String,
    /// What the passage says of it; never empty.
    pub descriptions: Vec<String>,
}

/// Why a reply is no structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Fewer than two fenced blocks.
    #[error("scope and hierarchy do not stand in two fenced blocks")]
    Fences,
    /// The first block is empty.
    #[error("the scope is empty")]
    Scope,
    /// The second block has no line.
    #[error("there is no aspect")]
    Empty,
    /// A line deeper than the second level.
    #[error("a line stands below the second level")]
    TooDeep,
    /// A line of the first level does not begin with `n.`.
    #[error("an aspect has no number")]
    AspectNumber,
    /// A line of the second level does not begin with `n.m.`, with m counting from 1.
    #[error("a description has a wrong number")]
    DescriptionNumber,
    /// A description before the first aspect.
    #[error("a description stands before the first aspect")]
    Orphan,
    /// An aspect without any description.
    #[error("an aspect has no description")]
    Undescribed,
    /// A number without text.
    #[error("a line has no text")]
    NoText,
}

impl Structure {
    /// Reads a reply: the last two fenced blocks are the scope and the hierarchy.
    ///
    /// # Errors
    /// [`Invalid`] names the rule that is broken.
    pub fn parse(reply: &str) -> Result<Self, Invalid> {
        let parts: Vec<&str> = reply.split("```").collect();
        let part = |from_end: usize| parts.len().checked_sub(from_end).and_then(|place| parts.get(place));
        let (Some(scope), Some(hierarchy)) = (part(4), part(2)) else { return Err(Invalid::Fences) };
        let scope = scope.trim().to_owned();
        if scope.is_empty() {
            return Err(Invalid::Scope);
        }
        Ok(Self { scope, aspects: aspects(hierarchy)? })
    }

    /// The structures of passages that follow each other as one: scopes joined, aspects one after another.
    #[must_use]
    pub fn merged(structures: &[Self]) -> Option<Self> {
        let mut scopes: Vec<&str> = structures.iter().map(|structure| structure.scope.as_str()).collect();
        scopes.dedup();
        let aspects: Vec<Aspect> = structures.iter().flat_map(|structure| structure.aspects.iter().cloned()).collect();
        (!structures.is_empty()).then(|| Self { scope: scopes.join("; "), aspects })
    }

    /// Every description, in order.
    pub fn descriptions(&self) -> impl Iterator<Item = &str> {
        self.aspects.iter().flat_map(|aspect| aspect.descriptions.iter().map(String::as_str))
    }

    /// The hierarchy in lines, as it is parsed.
    #[must_use]
    pub fn hierarchy(&self) -> String {
        let mut lines = Vec::new();
        for (n, aspect) in (1..).zip(&self.aspects) {
            lines.push(format!("{n}. {}", aspect.name));
            let described = (1..).zip(&aspect.descriptions);
            lines.extend(described.map(|(m, description)| format!("{:INDENT$}{n}.{m}. {description}", "")));
        }
        lines.join("\n")
    }
}

impl fmt::Display for Structure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}\n{}", self.scope, self.hierarchy())
    }
}

fn aspects(hierarchy: &str) -> Result<Vec<Aspect>, Invalid> {
    let mut aspects: Vec<Aspect> = Vec::new();
    for line in hierarchy.lines().filter(|line| !line.trim().is_empty()) {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let text = line.trim();
        match indent / INDENT {
            0 => aspects.push(aspect(text, aspects.last())?),
            1 => {
                let aspect = aspects.last_mut().ok_or(Invalid::Orphan)?;
                let description = described(text, aspect.descriptions.len() + 1)?;
                aspect.descriptions.push(description);
            }
            _ => return Err(Invalid::TooDeep),
        }
    }
    let last = aspects.last().ok_or(Invalid::Empty)?;
    if last.descriptions.is_empty() { Err(Invalid::Undescribed) } else { Ok(aspects) }
}

/// `n. name`, after an aspect that has been described.
fn aspect(text: &str, before: Option<&Aspect>) -> Result<Aspect, Invalid> {
    if before.is_some_and(|before| before.descriptions.is_empty()) {
        return Err(Invalid::Undescribed);
    }
    let (_, name) = numbered(text).ok_or(Invalid::AspectNumber)?;
    // `1.1. text` at the first level is a description that lost its indent.
    if numbered(name).is_some() {
        return Err(Invalid::AspectNumber);
    }
    let name = name.trim();
    if name.is_empty() { Err(Invalid::NoText) } else { Ok(Aspect { name: name.to_owned(), descriptions: Vec::new() }) }
}

/// The text of `n.m. text` where `m` is `place`.
fn described(text: &str, place: usize) -> Result<String, Invalid> {
    let (_, rest) = numbered(text).ok_or(Invalid::DescriptionNumber)?;
    let (m, description) = numbered(rest).ok_or(Invalid::DescriptionNumber)?;
    if m != place {
        return Err(Invalid::DescriptionNumber);
    }
    let description = description.trim();
    if description.is_empty() { Err(Invalid::NoText) } else { Ok(description.to_owned()) }
}

/// A number and what follows its full stop.
fn numbered(text: &str) -> Option<(usize, &str)> {
    let digits = text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let (number, rest) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, rest.strip_prefix('.')?))
}
