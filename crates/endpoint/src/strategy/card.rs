//! What is known about the strategies, and which there are.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::{alr2, cook, parallel_windows, plain, quote_and_carry, rag, stream_memory, structurized};

/// A number that a strategy can be given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Name.
    pub name: &'static str,
    /// What it is, with its unit.
    pub help: &'static str,
    /// The published value where there is one.
    pub default: f64,
    /// Smallest allowed.
    pub least: f64,
    /// Largest allowed.
    pub most: f64,
}

/// Which strategy a card is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Rag,
    Alr2,
    Structurized,
    Cook,
    StreamMemory,
    ParallelWindows,
    QuoteAndCarry,
}

/// What is known about a strategy.
#[derive(Debug, PartialEq)]
pub struct Card {
    /// Name.
    pub slug: &'static str,
    /// Title.
    pub title: &'static str,
    /// Paper, and code where it was read.
    pub citation: &'static str,
    /// What it does, in a sentence.
    pub what: &'static str,
    /// Where this differs from the paper or its code.
    pub differs: &'static str,
    /// Calls and tokens of an answer, by the document's canonical tokens N.
    pub cost: &'static str,
    /// Numbers it can be given.
    pub parameters: &'static [Parameter],
    /// Names of what it reports in [`super::Metered::reports`], with what they say.
    pub reports: &'static [(&'static str, &'static str)],
    pub(super) kind: Kind,
}

/// Values of a strategy's parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings(BTreeMap<&'static str, f64>);

impl Settings {
    /// Every parameter with its value, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.0.iter().map(|(name, value)| (*name, *value))
    }

    /// A count of tokens or things.
    pub(super) fn count(&self, name: &str) -> u32 {
        self.0.get(name).map_or(0, |value| *value as u32)
    }

    /// A switch: on where it is not 0.
    pub(super) fn on(&self, name: &str) -> bool {
        self.count(name) > 0
    }
}

/// Why a strategy cannot be chosen.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StrategyError {
    /// There is none of that name.
    #[error("there is no strategy `{slug}`; the strategies are {known}")]
    Unknown {
        /// The name.
        slug: String,
        /// All names.
        known: String,
    },
    /// It has no such parameter.
    #[error("{slug} has no parameter `{name}`; it has {known}")]
    NoParameter {
        /// The strategy.
        slug: &'static str,
        /// The parameter.
        name: String,
        /// Its parameters.
        known: String,
    },
    /// The value is not allowed.
    #[error("{name} of {slug} must be a whole number from {least} to {most}, not {value}")]
    Value {
        /// The strategy.
        slug: &'static str,
        /// The parameter.
        name: &'static str,
        /// Smallest allowed.
        least: f64,
        /// Largest allowed.
        most: f64,
        /// What was given.
        value: f64,
    },
}

/// A strategy with its settings, as chosen for a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Strategy {
    card: &'static Card,
    settings: Settings,
}

impl Strategy {
    /// A strategy by name, with the defaults but for the values `given`.
    ///
    /// # Errors
    /// [`StrategyError`] names what there is and what is allowed.
    pub fn new(slug: &str, given: &[(String, f64)]) -> Result<Self, StrategyError> {
        let card = Card::find(slug)?;
        Ok(Self { card, settings: card.settings(given)? })
    }

    /// The prompt as it is.
    #[must_use]
    pub fn plain() -> Self {
        Self { card: &plain::CARD, settings: Settings(BTreeMap::new()) }
    }

    /// What is known about it.
    #[must_use]
    pub fn card(&self) -> &'static Card {
        self.card
    }

    /// Its settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Name and the settings that are not the defaults, e.g. `rag budget=2048`: equal labels are equal strategies.
    #[must_use]
    pub fn label(&self) -> String {
        let changed = self.card.parameters.iter().filter_map(|known| {
            let value = self.settings.0.get(known.name).copied()?;
            (value != known.default).then(|| format!(" {}={value}", known.name))
        });
        std::iter::once(self.card.slug.to_owned()).chain(changed).collect()
    }
}

impl FromStr for Strategy {
    type Err = StrategyError;

    /// Reads what [`Strategy::label`] writes.
    fn from_str(label: &str) -> Result<Self, StrategyError> {
        let mut parts = label.split_whitespace();
        let slug = parts.next().unwrap_or_default();
        let given = parts.map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (name.to_owned(), value.parse().unwrap_or(f64::NAN))
        });
        Self::new(slug, &given.collect::<Vec<_>>())
    }
}

impl Card {
    /// All strategies, in the order of lists.
    #[must_use]
    pub fn all() -> &'static [&'static Card] {
        &[
            &plain::CARD,
            &rag::CARD,
            &alr2::CARD,
            &structurized::CARD,
            &cook::CARD,
            &stream_memory::CARD,
            &parallel_windows::CARD,
            &quote_and_carry::CARD,
        ]
    }

    /// A strategy by name.
    ///
    /// # Errors
    /// [`StrategyError::Unknown`] names all of them.
    pub fn find(slug: &str) -> Result<&'static Self, StrategyError> {
        Self::all().iter().find(|card| card.slug == slug).copied().ok_or_else(|| StrategyError::Unknown {
            slug: slug.to_owned(),
            known: Self::all().iter().map(|card| card.slug).collect::<Vec<_>>().join(", "),
        })
    }

    /// Checked values: the defaults, but for those in `given`.
    ///
    /// # Errors
    /// [`StrategyError`] names the parameter and what is allowed.
    pub fn settings(&self, given: &[(String, f64)]) -> Result<Settings, StrategyError> {
        let mut settings: BTreeMap<_, _> = self.parameters.iter().map(|known| (known.name, known.default)).collect();
        for (name, value) in given {
            let Some(known) = self.parameters.iter().find(|known| known.name == name) else {
                let names: Vec<&str> = self.parameters.iter().map(|known| known.name).collect();
                let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                return Err(StrategyError::NoParameter { slug: self.slug, name: name.clone(), known });
            };
            if !(known.least..=known.most).contains(value) || value.fract() != 0.0 {
                let Parameter { name, least, most, .. } = *known;
                return Err(StrategyError::Value { slug: self.slug, name, least, most, value: *value });
            }
            settings.insert(known.name, *value);
        }
        Ok(Settings(settings))
    }
}
