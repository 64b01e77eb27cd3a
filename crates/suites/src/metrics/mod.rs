//! Official metrics, one file per benchmark, and the golden rows that prove them.

pub mod ada_leval;
mod catalogue;
pub mod detectiveqa;
pub mod golden;
pub mod helmet;
pub mod holobench;
pub mod infinitebench;
pub mod jieba;
pub mod l_citeeval;
pub mod lcs;
pub mod leval;
mod long_span_qa;
pub mod long_tail;
pub mod longfact;
pub mod longgenbench;
pub mod longgenbench_sgt;
pub mod longiclbench;
pub mod longins;
pub mod longmemeval;
pub mod longproc;
pub mod loogle;
pub mod needle_threading;
pub mod needlebench;
mod option_letter;
mod planted_writing;
pub mod python_literal;
pub mod python_random;
pub mod python_text;
pub mod rouge;
pub mod ruler;
pub mod sequence_matcher;
pub mod token_f1;

pub use catalogue::{Form, Metric, catalogue};
