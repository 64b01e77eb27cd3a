//! Enumerations and lists that columns hold.

use std::collections::BTreeMap;

use longboard_protocol::method::Method;
use longboard_suites::length::Length;
use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
        #[sea_orm(rs_type = "String", db_type = "String(StringLen::None)")]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* #[sea_orm(string_value = $text)] $variant),+
        }

        impl $name {
            /// Name in the database, JSON and pages.
            #[must_use]
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str(self.slug())
            }
        }
    };
}

text_enum! {
    /// What a member of a team may do.
    Role {
        /// Everything, members included.
        Owner = "owner",
        /// Register endpoints and submit runs.
        Member = "member",
    }
}

text_enum! {
    /// Kind of a contestant.
    EndpointKind {
        /// A served model.
        Endpoint = "endpoint",
        /// One of Longboard's own baselines.
        Baseline = "baseline",
        /// Longboard's own model under a policy.
        Reference = "reference",
        /// Prediction files.
        Predictions = "predictions",
        /// Compares answers; never a contestant.
        Judge = "judge",
    }
}

text_enum! {
    /// What an endpoint does, and by which call.
    EndpointCall {
        /// `chat/completions`
        Chat = "chat",
        /// `completions`
        Completions = "completions",
        /// `embeddings`
        Embeddings = "embeddings",
        /// `rerank`
        Rerank = "rerank",
        /// `chat/completions`, asked for `true` or `false` about each document
        TrueFalse = "true_false",
    }
}

impl EndpointCall {
    /// Whether its answers are rankings and not text.
    #[must_use]
    pub const fn ranks(self) -> bool {
        matches!(self, Self::Embeddings | Self::Rerank | Self::TrueFalse)
    }

    /// What it is, for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Chat => "chat model",
            Self::Completions => "text model",
            Self::Embeddings => "embedder",
            Self::Rerank => "reranker",
            Self::TrueFalse => "chat model as reranker",
        }
    }
}

text_enum! {
    /// Where an endpoint's probe stands. Shards of runs wait while it is pending.
    ProbeState {
        /// Never probed, and not to be: prediction files and methods, which have no address.
        None = "none",
        /// Queued or in work.
        Pending = "pending",
        /// Runs may start.
        Passed = "passed",
        /// Runs would fail.
        Failed = "failed",
    }
}

impl ProbeState {
    /// Words for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::None => "not needed",
            other => other.slug(),
        }
    }
}

text_enum! {
    /// State of a run.
    RunState {
        /// Shards are queued or in work.
        Open = "open",
        /// Every sample has ended.
        Done = "done",
        /// Ended with dead shards; can be resumed.
        Incomplete = "incomplete",
        /// Stopped by its team; can be resumed.
        Cancelled = "cancelled",
    }
}

text_enum! {
    /// Kind of a shard.
    ShardKind {
        /// A slice of items.
        Run = "run",
        /// A check of an endpoint.
        Probe = "probe",
        /// Comparisons for one judge.
        Judge = "judge",
        /// A check of a judge with planted instructions.
        Health = "health",
    }
}

text_enum! {
    /// State of a shard.
    ShardState {
        /// Waits for a worker.
        Queued = "queued",
        /// A worker has it.
        Leased = "leased",
        /// All answers are stored.
        Done = "done",
        /// Gave up; `last_cause` says why.
        Dead = "dead",
        /// Its run was cancelled.
        Cancelled = "cancelled",
    }
}

text_enum! {
    /// Who judges.
    JudgeKind {
        /// A function of Longboard's own.
        Builtin = "builtin",
        /// A model behind an endpoint.
        Model = "model",
        /// Maintainers, blinded.
        Humans = "humans",
    }
}

text_enum! {
    /// State of a judging.
    JudgingState {
        /// Comparisons are queued, in work or still to be chosen.
        Open = "open",
        /// Ended; `ended_by` says why.
        Done = "done",
    }
}

text_enum! {
    /// Where a board of ratings takes its votes from.
    RatingSource {
        /// Verdicts of judges on answers of a suite.
        Judging = "judging",
        /// A file of votes from elsewhere.
        Votes = "votes",
    }
}

/// Slugs or remarks in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Names(pub Vec<String>);

/// Task slugs in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct TaskSlugs(pub Vec<String>);

/// Length buckets, short to long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct LengthList(pub Vec<Length>);

/// A task version by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskVersion {
    /// Slug.
    pub slug: String,
    /// Version, from 1.
    pub version: i32,
}

/// Task versions in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct TaskVersions(pub Vec<TaskVersion>);

/// The method of a reference endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct MethodColumn(pub Method);

/// Numbers by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Reports(pub BTreeMap<String, f64>);

/// Named causes in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Causes(pub Vec<String>);
