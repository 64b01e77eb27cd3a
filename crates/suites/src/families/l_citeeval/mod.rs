//! L-CiteEval (arXiv 2410.02115): answers that cite the numbered passages on which they stand.
//!
//! The official code asks an entailment model whether passages support a sentence. A generated task knows: a sentence is
//! supported when it states a fact of the item and cites all passages that the fact takes.

mod dataset;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::card::{Card, Diffusion, Language, LengthUnit, Protocol, Scope};
use crate::dataset::Dataset;
use crate::families::book::{self, Book, Place, Volume, plain};
use crate::families::book_question::{self, Asker, Question};
use crate::families::{kinship, prose};
use crate::item::{Item, Scored};
use crate::metrics::l_citeeval::{self, Prf};
use crate::metrics::token_f1::normalise;
use crate::prompt::Answer;
use crate::rng::Rng;
use crate::safe;
use crate::task::{Family, GenerateError, ItemRequest, Parameter, ParameterKind, Params, Task, TaskDefinition, choice};
use crate::world::World;

/// An answer with citations.
pub struct LCiteEval;

const PARAMETERS: [Parameter; 1] = [Parameter {
    name: "task",
    help: "What is asked for",
    kind: ParameterKind::Choice { options: &["qa", "multihop", "summary", "niah", "counting"], default: "qa" },
}];

const HEAD: &str = "Work with the numbered passages below. End every sentence of your answer with the numbers of the one to three passages that support it, each in its own brackets.\nFor example, with other passages: The ferry was sold in 911 [4][12].\n\n";
const LIST_HEAD: &str =
    "Work with the numbered passages below. What you list from them, list with the numbers of the passages.\n\n";
const TAIL_TOKENS: u32 = 160;
const WALKS: usize = 16;
/// Counts in a counting task.
const COUNTS: usize = 4;

fn heading(number: usize) -> String {
    format!("Passage [{number}]: ")
}

/// What decides about citations.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Gold {
    /// Passages in the prompt.
    passages: usize,
    /// Facts that an answer may state.
    facts: Vec<CitedFact>,
}

/// A fact and where it stands.
#[derive(Debug, Serialize, Deserialize)]
struct CitedFact {
    /// What a sentence must say to state it.
    says: String,
    /// Passages by index: of each group one is needed.
    stands: Vec<Vec<usize>>,
}

impl Gold {
    fn of(item: &Item) -> Self {
        serde_json::from_value(item.gold.clone()).unwrap_or_default()
    }

    /// The built-in decision: the claim states a fact and the passages hold it.
    fn entails(&self, passages: &[usize], claim: &str) -> bool {
        let claim = normalise(claim);
        let cited = |group: &Vec<usize>| group.iter().any(|place| passages.contains(place));
        self.facts.iter().any(|fact| states(&claim, fact) && fact.stands.iter().all(cited))
    }

    /// Share of the facts that an answer states.
    fn told(&self, answer: &str) -> f64 {
        let answer = normalise(&l_citeeval::without_citations(answer));
        let told = self.facts.iter().filter(|fact| states(&answer, fact)).count();
        if self.facts.is_empty() { 0.0 } else { told as f64 / self.facts.len() as f64 }
    }
}

/// Whether a normalised text holds the words of a fact.
fn states(text: &str, fact: &CitedFact) -> bool {
    format!(" {text} ").contains(&format!(" {} ", normalise(&fact.says)))
}

impl Family for LCiteEval {
    fn slug(&self) -> &'static str {
        "l_citeeval"
    }

    fn title(&self) -> &'static str {
        "L-CiteEval"
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn card(&self, params: &Params) -> Card {
        let kind = choice(params, "task");
        let (metric, strict) = match kind {
            "niah" => ("l_citeeval.citation_prf_niah", "l_citeeval.citation_prf_niah.strict"),
            "counting" => ("l_citeeval.citation_prf_counting_stars", "l_citeeval.citation_prf_counting_stars.strict"),
            _ => ("l_citeeval.citation_prf", "l_citeeval.citation_prf.strict"),
        };
        Card {
            benchmark: "L-CiteEval",
            what: "Answer and cite the passages that support each sentence. The score is citation F1; the strict one \
                   is multiplied by the share of the asked facts that the answer states, on official records by their \
                   official correctness, and the sample shows both."
                .to_owned(),
            citation: "Tang et al. 2024, L-CiteEval, arXiv 2410.02115; code ZetangForward/L-CITEEVAL @ 6e493267 (no licence). Who supports whom is decided by Longboard's rules, on official records by its lexical evaluator, version 1, not by an entailment model",
            licence: "passages and questions here are Longboard's own",
            language: Language::English,
            length_unit: LengthUnit::LlamaTokens,
            tokenizer: "Llama-3.1",
            abilities: match kind {
                "multihop" => &["retrieval", "attribution", "reasoning"],
                "summary" => &["aggregation", "attribution", "summarization"],
                "counting" => &["aggregation", "attribution"],
                _ => &["retrieval", "attribution"],
            },
            diffusion: Diffusion::Medium,
            scope: if matches!(kind, "qa" | "niah") { Scope::Narrow } else { Scope::Several },
            random_guess: 0.0,
            output_tokens: if kind == "summary" { 640 } else { 128 },
            metric,
            strict_metric: Some(strict),
            min_tokens: if matches!(kind, "multihop" | "summary") { 4096 } else { 1024 },
            open_ended: false,
            protocol: Protocol {
                stop: if kind == "summary" { &[] } else { &["\n"] },
                post_processing: "sentences by Longboard's splitter, version 1; at most three citations of each count",
                ..Protocol::GENERATED
            },
            importable: Some("no licence stated; texts of third parties"),
        }
    }

    fn generate(&self, task: &Task, request: &ItemRequest<'_>) -> Result<Item, GenerateError> {
        let mut rng = prose::stream(task, request);
        let room = book::room(task, request, HEAD, TAIL_TOKENS);
        let kind = choice(&task.definition().params, "task");
        let draft = (0..WALKS).find_map(|_| {
            let mut book = Book::gather(World::new(request.seed), rng.next_u64(), room, heading);
            book.shuffle(&mut rng);
            match kind {
                "niah" => niah(book, &mut rng),
                "counting" => counting(book, &mut rng),
                "summary" => summary(book, &mut rng),
                "multihop" => asked(book, &mut rng, |asker, rng| asker.two_hop(rng)),
                _ => asked(book, &mut rng, |asker, rng| asker.lookup(rng)),
            }
        });
        let reason = "the passages tell too little for a question";
        let draft = draft.ok_or_else(|| prose::unsatisfiable(task, request, reason))?;
        let passages = draft.book.sections.len();
        let gold = json!(Gold { passages, facts: draft.facts });
        book::bind(
            task,
            request,
            Volume {
                // Counts are listed, not told in sentences.
                head: if kind == "counting" { LIST_HEAD } else { HEAD }.to_owned(),
                heading,
                sections: draft.book.sections,
                marks: draft.marks,
                tail: draft.tail,
                answer: Answer { references: draft.references, gold, ..Answer::default() },
            },
        )
    }

    fn tasks(&self) -> Vec<TaskDefinition> {
        let task = |kind: &str, title: &str| {
            TaskDefinition::generated(self.slug(), &format!("l_citeeval_{kind}"), title, json!({ "task": kind }))
        };
        vec![
            task("qa", "An answer with its passage"),
            task("multihop", "An answer with its two passages"),
            task("summary", "A summary with passages"),
            task("niah", "A needle with its passage"),
            task("counting", "Counts with their passages"),
        ]
    }

    fn score(&self, params: &Params, item: &Item, answer: &str) -> Scored {
        let kind = choice(params, "task");
        if let Some(scored) = dataset::score(kind, item, answer) {
            return scored;
        }
        let gold = Gold::of(item);
        let (found, told, citations) = match kind {
            "niah" => {
                let needle = gold.facts.first().and_then(|fact| fact.stands.first()?.first().copied());
                let (prf, cited) = l_citeeval::niah(answer, needle.unwrap_or(usize::MAX));
                (prf, gold.told(answer), cited)
            }
            "counting" => {
                let right: BTreeSet<usize> = gold.facts.iter().flat_map(|fact| fact.stands.concat()).collect();
                let numbers: BTreeSet<usize> = right.iter().map(|place| place + 1).collect();
                let counts: Vec<u64> = gold.facts.iter().filter_map(|fact| fact.says.parse().ok()).collect();
                let (prf, cited) = l_citeeval::counting_stars(answer, &numbers);
                (prf, l_citeeval::count_accuracy(answer, &counts), cited.unwrap_or_default())
            }
            _ => {
                let sentences = sentences(answer);
                let mut rule = |passages: &[usize], claim: &str| gold.entails(passages, claim);
                let (prf, cited) = l_citeeval::citation_prf(&sentences, gold.passages, &mut rule).unwrap_or_default();
                (prf, gold.told(answer), cited)
            }
        };
        let strict = if matches!(kind, "niah" | "counting") {
            found
        } else {
            let mut rule = |passages: &[usize], claim: &str| gold.entails(passages, claim);
            let found = l_citeeval::citation_prf_strict(&sentences(answer), gold.passages, &mut rule);
            found.map(|(prf, _)| prf).unwrap_or_default()
        };
        let Prf { recall, precision, .. } = found;
        Scored {
            score: found.f1,
            strict: Some(strict.f1 * told),
            extracted: format!(
                "citation recall {recall:.2}, precision {precision:.2}, {citations} citations; {told:.2} of the facts told"
            ),
            well_formed: citations > 0,
        }
    }

    fn oracle(&self, task: &Task, item: &Item) -> String {
        if let Some(right) = dataset::oracle(choice(&task.definition().params, "task"), item) {
            return right;
        }
        let gold = Gold::of(item);
        let first = |fact: &CitedFact| -> Vec<usize> {
            fact.stands.iter().filter_map(|group| Some(group.first()? + 1)).collect()
        };
        let numbers = |fact: &CitedFact| first(fact).iter().map(|number| format!("[{number}]")).collect::<String>();
        if choice(&task.definition().params, "task") == "counting" {
            let counts: Vec<&str> = gold.facts.iter().map(|fact| fact.says.as_str()).collect();
            let passages: Vec<String> = gold.facts.iter().flat_map(first).map(|number| number.to_string()).collect();
            return format!("{{\"counts\": [{}], \"passage_id\": [{}]}}", counts.join(", "), passages.join(", "));
        }
        let sentence = |fact: &CitedFact| format!("The answer is {} {}.", fact.says, numbers(fact));
        gold.facts.iter().map(sentence).collect::<Vec<_>>().join(" ")
    }

    fn guess(&self, task: &Task, item: &Item, rng: &mut Rng) -> String {
        let gold = Gold::of(item);
        let kind = choice(&task.definition().params, "task");
        let mut passage = || rng.index(gold.passages.max(1)) + 1;
        match kind {
            "counting" => {
                let chosen = rng.distinct(gold.passages, COUNTS.min(gold.passages));
                let passages: Vec<String> = chosen.into_iter().map(|place| (place + 1).to_string()).collect();
                let counts: Vec<String> = passages.iter().map(|_| rng.between(11, 99).to_string()).collect();
                format!("{{\"counts\": [{}], \"passage_id\": [{}]}}", counts.join(", "), passages.join(", "))
            }
            "niah" => format!("Something that nobody read [{}].", passage()),
            _ => {
                let place = passage();
                let says = gold.facts.first().map_or("", |fact| fact.says.as_str());
                format!("The answer is {} [{place}].", book_question::blind(says, rng))
            }
        }
    }

    fn chance(&self, task: &Task, item: &Item) -> f64 {
        let gold = Gold::of(item);
        let one = 1.0 / gold.passages.max(1) as f64;
        match choice(&task.definition().params, "task") {
            "counting" => COUNTS as f64 * one,
            "niah" => one,
            "qa" => one * gold.facts.first().map_or(0.0, |fact| book_question::blind_chance(&fact.says)),
            _ => 0.0,
        }
    }

    fn dataset(&self) -> Option<&'static dyn Dataset> {
        Some(&dataset::Files)
    }

    fn quotes_answers(&self, _: &Params) -> bool {
        false
    }
}

/// Sentences of an answer. A citation after a full stop belongs to the sentence before it.
fn sentences(answer: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for sentence in safe::sentences(answer) {
        match found.last_mut() {
            Some(last) if l_citeeval::without_citations(&sentence).trim().is_empty() => {
                last.push(' ');
                last.push_str(&sentence);
            }
            _ => found.push(sentence),
        }
    }
    found
}

/// An item before it is written.
struct Draft {
    book: Book,
    facts: Vec<CitedFact>,
    references: Vec<String>,
    marks: Vec<Place>,
    tail: String,
}

fn question_tail(question: &str) -> String {
    format!(
        "\n\nQuestion: {question}\nAnswer in one sentence that ends with the numbers of the passages that support it.\nAnswer:"
    )
}

fn asked(book: Book, rng: &mut Rng, ask: impl Fn(&Asker<'_>, &mut Rng) -> Option<Question>) -> Option<Draft> {
    let question = ask(&Asker::new(&book), rng)?;
    let stands = question.evidence.iter().map(|place| book.restated(*place)).collect();
    Some(Draft {
        facts: vec![CitedFact { says: question.answer.clone(), stands }],
        references: vec![question.answer],
        marks: question.evidence,
        tail: question_tail(&question.text),
        book,
    })
}

/// A sentence put into one passage.
fn niah(mut book: Book, rng: &mut Rng) -> Option<Draft> {
    let [finder, keeper] = <[String; 2]>::try_from(kinship::names(Language::English, rng, 2)).ok()?;
    let section = rng.index(book.sections.len());
    let place = Place { section, sentence: book.sections.get(section)?.len() };
    let needle = format!("By an old custom the spare key of {finder} is kept by {keeper}.");
    book.sections.get_mut(section)?.push(plain(needle));
    Some(Draft {
        book,
        facts: vec![CitedFact { says: keeper.clone(), stands: vec![vec![section]] }],
        references: vec![keeper],
        marks: vec![place],
        tail: question_tail(&format!("By whom is the spare key of {finder} kept?")),
    })
}

/// Counts put into passages in order.
fn counting(mut book: Book, rng: &mut Rng) -> Option<Draft> {
    if book.sections.len() < COUNTS {
        return None;
    }
    let mut sections = rng.distinct(book.sections.len(), COUNTS);
    sections.sort_unstable();
    let counts: Vec<usize> = rng.distinct(89, COUNTS).into_iter().map(|count| count + 11).collect();
    let (mut facts, mut marks) = (Vec::new(), Vec::new());
    for (section, count) in sections.into_iter().zip(counts) {
        let sentences = book.sections.get_mut(section)?;
        marks.push(Place { section, sentence: sentences.len() });
        sentences.push(plain(format!("That night the lamplighter counted {count} lanterns.")));
        facts.push(CitedFact { says: count.to_string(), stands: vec![vec![section]] });
    }
    Some(Draft {
        book,
        references: facts.iter().map(|fact| fact.says.clone()).collect(),
        facts,
        marks,
        tail: "\n\nIn some passages a lamplighter counts lanterns. List all counts in the order of the passages, and the numbers of these passages, as a JSON object and nothing else, in this form: {\"counts\": [3, 5], \"passage_id\": [2, 9]}\nAnswer:".to_owned(),
    })
}

/// The reeves of one town, each with the passage that tells of the term.
fn summary(book: Book, rng: &mut Rng) -> Option<Draft> {
    let (town, reeves) = Asker::new(&book).terms_of_a_town(2, rng)?;
    let stands = |place: &Place| vec![book.restated(*place)];
    let facts: Vec<CitedFact> =
        reeves.iter().map(|(name, _, place)| CitedFact { says: name.clone(), stands: stands(place) }).collect();
    Some(Draft {
        facts,
        references: reeves.iter().map(|(name, ..)| name.clone()).collect(),
        marks: reeves.iter().map(|(_, _, place)| *place).collect(),
        tail: format!(
            "\n\nSummarise who held the office of reeve at {town}: one sentence for each reeve of whom the passages tell, ending with the number of the passage.\nSummary:"
        ),
        book,
    })
}
