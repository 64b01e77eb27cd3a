//! Closed-ended shapes: options, sums, programs, topics and statements.

use super::Draft;
use crate::families::book::{self, Book, Place, Section, plain};
use crate::families::book_question::{self, Asker, Question};
use crate::families::{kinship, words};
use crate::prompt::Prompt;
use crate::rng::Rng;
use crate::task::ItemRequest;
use crate::world::World;

const CHRONICLE: &str =
    "A long chronicle follows. Use nothing but the chronicle to answer the question at its end.\n\n";

fn gather(request: &ItemRequest<'_>, room: u32, head: &str, rng: &mut Rng) -> Book {
    let room = room.saturating_sub(crate::tokens::count(head));
    Book::gather(World::new(request.seed), rng.next_u64(), room, book::unnumbered)
}

fn chosen(book: Book, question: &Question, rng: &mut Rng) -> Draft {
    let (options, letter) = book_question::options(question, rng);
    Draft {
        head: CHRONICLE.to_owned(),
        heading: book::unnumbered,
        sections: book.sections,
        marks: question.evidence.clone(),
        tail: format!(
            "\n\nQuestion: {}\n{}\nReply with the letter of the one right option.\nAnswer:",
            question.text,
            book_question::option_lines(&options)
        ),
        reference: letter.to_string(),
    }
}

/// Four options, one sentence.
pub fn single(request: &ItemRequest<'_>, room: u32, rng: &mut Rng) -> Option<Draft> {
    let book = gather(request, room, CHRONICLE, rng);
    let question = Asker::new(&book).lookup(rng)?;
    Some(chosen(book, &question, rng))
}

/// Four options, two sentences.
pub fn two_hop(request: &ItemRequest<'_>, room: u32, rng: &mut Rng) -> Option<Draft> {
    let book = gather(request, room, CHRONICLE, rng);
    let question = Asker::new(&book).two_hop(rng)?;
    Some(chosen(book, &question, rng))
}

/// Four options, one or several of them right.
pub fn several(request: &ItemRequest<'_>, room: u32, rng: &mut Rng) -> Option<Draft> {
    let book = gather(request, room, CHRONICLE, rng);
    let choice = Asker::new(&book).reeves(rng)?;
    let letters = choice.options.iter().zip('A'..).filter(|((_, right), _)| *right).map(|(_, letter)| letter);
    let names: Vec<String> = choice.options.iter().map(|(name, _)| name.clone()).collect();
    Some(Draft {
        head: CHRONICLE.to_owned(),
        heading: book::unnumbered,
        marks: choice.evidence,
        tail: format!(
            "\n\nQuestion: {}\n{}\nOne option or several may be right. Reply with their letters in alphabetical order and nothing else, such as BD.\nAnswer:",
            choice.text,
            book_question::option_lines(&names)
        ),
        reference: letters.collect(),
        sections: book.sections,
    })
}

const GOODS: [&str; 10] = [
    "candles",
    "loaves",
    "jars of honey",
    "combs",
    "ropes",
    "baskets",
    "nails by the dozen",
    "wheels of cheese",
    "woollen caps",
    "clay cups",
];

/// What somebody buys: amounts and goods by index.
fn basket(rng: &mut Rng) -> Vec<(u64, usize)> {
    rng.distinct(GOODS.len(), 3).into_iter().map(|good| (rng.between(2, 9), good)).collect()
}

fn listed(basket: &[(u64, usize)]) -> String {
    let goods: Vec<String> = basket
        .iter()
        .map(|(count, good)| format!("{count} {}", GOODS.get(*good).copied().unwrap_or_default()))
        .collect();
    super::super::listed(&goods.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Worked sums over one price list, and one more sum.
pub fn sums(room: u32, rng: &mut Rng) -> Option<Draft> {
    let prices: Vec<u64> = GOODS.iter().map(|_| rng.between(3, 48)).collect();
    let price = |good: usize| prices.get(good).copied().unwrap_or_default();
    let total = |basket: &[(u64, usize)]| basket.iter().map(|(count, good)| count * price(*good)).sum::<u64>();
    let list: Vec<String> = GOODS.iter().zip(&prices).map(|(good, price)| format!("{good}: {price}")).collect();
    let rules = format!("Prices at the market in pence for one piece of each kind are {}.", list.join(", "));
    let mut counter = Prompt::default();
    let head = "Worked sums follow, all with the prices of one market. Work out the last one in the same way and end with its result.\n\n".to_owned();
    let mut used = counter.count(&head) + counter.count(&rules);
    let mut sections: Vec<Section> = Vec::new();
    loop {
        let bought = basket(rng);
        let name = kinship::names(crate::card::Language::English, rng, 1).concat();
        let steps: Vec<String> = bought
            .iter()
            .map(|(count, good)| format!("{count} times {} is {}", price(*good), count * price(*good)))
            .collect();
        let text = format!(
            "Question: {name} buys {}. What is to be paid, in pence?\nWorked out: {}. Together that is {}.\nThe answer is {}.",
            listed(&bought),
            steps.join(", "),
            total(&bought),
            total(&bought)
        );
        used += counter.count(&text) + 2;
        if used > room {
            break;
        }
        sections.push(vec![plain(text)]);
    }
    let place = Place { section: rng.index(sections.len() + 1), sentence: 0 };
    sections.insert(place.section, vec![plain(rules)]);
    let bought = basket(rng);
    let name = kinship::names(crate::card::Language::English, rng, 1).concat();
    Some(Draft {
        head,
        heading: book::unnumbered,
        sections,
        marks: vec![place],
        tail: format!(
            "\n\nQuestion: {name} buys {}. What is to be paid, in pence?\nEnd with the words: The answer is, and the number.\nAnswer:",
            listed(&bought)
        ),
        reference: total(&bought).to_string(),
    })
}

/// What a function does to a list.
#[derive(Clone, Copy)]
enum Step {
    Add(i64),
    Times(i64),
    Reverse,
    Rotate,
    Drop,
    SwapEnds,
}

impl Step {
    fn draw(rng: &mut Rng) -> Self {
        match rng.index(6) {
            0 => Self::Add(rng.between(2, 9) as i64),
            1 => Self::Times(rng.between(2, 4) as i64),
            2 => Self::Reverse,
            3 => Self::Rotate,
            4 => Self::Drop,
            _ => Self::SwapEnds,
        }
    }

    fn apply(self, mut items: Vec<i64>) -> Vec<i64> {
        match self {
            Self::Add(number) => items.iter_mut().for_each(|item| *item += number),
            Self::Times(number) => items.iter_mut().for_each(|item| *item *= number),
            Self::Reverse => items.reverse(),
            Self::Rotate => {
                let by = items.len().min(1);
                items.rotate_left(by);
            }
            Self::Drop => {
                let _ = items.pop();
            }
            Self::SwapEnds => {
                if let [first, .., last] = items.as_mut_slice() {
                    std::mem::swap(first, last);
                }
            }
        }
        items
    }

    fn body(self) -> String {
        match self {
            Self::Add(number) => format!("    return [item + {number} for item in items]"),
            Self::Times(number) => format!("    return [item * {number} for item in items]"),
            Self::Reverse => "    return list(reversed(items))".to_owned(),
            Self::Rotate => "    return items[1:] + items[:1]".to_owned(),
            Self::Drop => "    return items[:-1]".to_owned(),
            Self::SwapEnds => "    return [items[-1]] + items[1:-1] + [items[0]]".to_owned(),
        }
    }
}

/// A library of small functions and a call of four of them.
pub fn program(room: u32, rng: &mut Rng) -> Option<Draft> {
    const CALLS: usize = 4;
    let head = "Below is a library of functions in Python. At the end some of them are called.\n\n".to_owned();
    let names = words::made_up(rng, (room / 24) as usize + CALLS);
    let mut counter = Prompt::default();
    let (mut used, mut sections, mut steps) = (counter.count(&head) + 12, Vec::new(), Vec::new());
    for name in &names {
        let step = Step::draw(rng);
        let text = format!("def {name}(items):\n{}", step.body());
        used += counter.count(&text) + 1;
        if used > room {
            break;
        }
        sections.push(vec![plain(text)]);
        steps.push(step);
    }
    let called = rng.distinct(steps.len(), CALLS.min(steps.len()));
    sections.push(vec![plain("# The library ends here.")]);
    let mut items: Vec<i64> = (0..7).map(|_| rng.between(1, 20) as i64).collect();
    let mut call = format!("{items:?}");
    for index in &called {
        items = steps.get(*index)?.apply(items);
        call = format!("{}({call})", names.get(*index)?);
    }
    Some(Draft {
        head,
        heading: book::unnumbered,
        sections,
        marks: called.into_iter().map(|section| Place { section, sentence: 0 }).collect(),
        tail: format!("\n\nprint({call})\n\nWhat is the final output? Give the list alone.\nAnswer:"),
        reference: format!("{items:?}"),
    })
}

const DOINGS: [&str; 12] = [
    "the care of",
    "the history of",
    "the price of",
    "the colours of",
    "the trade in",
    "the making of",
    "the smell of",
    "the naming of",
    "the safe storage of",
    "old songs about",
    "the law of",
    "the weight of",
];
const THINGS: [&str; 12] = [
    "wooden bridges",
    "winter apples",
    "church bells",
    "river barges",
    "sheepdogs",
    "paper lanterns",
    "salt",
    "beehives",
    "hunting horns",
    "wedding rings",
    "copper kettles",
    "chimneys",
];

/// A dialogue that goes from topic to topic.
pub fn topics(request: &ItemRequest<'_>, room: u32, rng: &mut Rng) -> Option<Draft> {
    const TOPICS: usize = 12;
    const SENTENCE_TOKENS: u32 = 24;
    let head = "A long dialogue follows. Remember the topics that the user brings up, and their order.\n\n";
    let mut book = gather(request, room.saturating_sub(TOPICS as u32 * SENTENCE_TOKENS), head, rng);
    let count = TOPICS.min(book.sections.len() / 2);
    if count < 4 {
        return None;
    }
    let (doings, things) = (rng.distinct(DOINGS.len(), count), rng.distinct(THINGS.len(), count));
    let pick = |list: &[&'static str], index: &usize| list.get(*index).copied().unwrap_or_default();
    let topics: Vec<String> = doings
        .iter()
        .zip(&things)
        .map(|(doing, thing)| format!("{} {}", pick(&DOINGS, doing), pick(&THINGS, thing)))
        .collect();
    let step = book.sections.len() / count;
    for (turn, topic) in topics.iter().enumerate() {
        let section = book.sections.get_mut(turn * step)?;
        section.insert(0, plain(format!("USER: I would like to talk about {topic}. ASSISTANT: with pleasure.")));
    }
    let turn = request.index as usize % 3;
    let which = ["first", "second", "third"].get(turn).copied().unwrap_or_default();
    Some(Draft {
        head: head.to_owned(),
        heading: book::unnumbered,
        sections: book.sections,
        marks: vec![Place { section: turn * step, sentence: 0 }],
        tail: format!(
            "\n\nWhich topic did the user bring up as the {which} one? Reply with the topic in the user's words and nothing else.\nAnswer:"
        ),
        reference: topics.get(turn)?.clone(),
    })
}

/// A statement, its denial, and whether it is true in our world.
const STATEMENTS: [(&str, &str, bool); 12] = [
    ("stones sink in water", "stones swim on water", true),
    ("snow is black", "snow is not black", false),
    ("bees make honey", "bees make no honey", true),
    ("fish breathe on mountain tops", "fish cannot breathe on mountain tops", false),
    ("iron rusts in the rain", "iron never rusts", true),
    ("cows lay eggs", "cows lay no eggs", false),
    ("fire needs air", "fire burns without air", true),
    ("the sun rises in the west", "the sun does not rise in the west", false),
    ("ice is colder than steam", "ice is hotter than steam", true),
    ("horses have six legs", "horses do not have six legs", false),
    ("wood comes from trees", "wood does not come from trees", true),
    ("salt tastes sweet", "salt does not taste sweet", false),
];

/// Statements about another world, of which one is asked for both worlds.
pub fn other_world(request: &ItemRequest<'_>, room: u32, rng: &mut Rng) -> Option<Draft> {
    const TOLD: usize = 6;
    const SENTENCE_TOKENS: u32 = 32;
    let mut book = gather(request, room.saturating_sub(TOLD as u32 * SENTENCE_TOKENS), CHRONICLE, rng);
    if book.sections.len() < TOLD {
        return None;
    }
    let mut asked = None;
    let sections = rng.distinct(book.sections.len(), TOLD);
    for (section, index) in sections.into_iter().zip(rng.distinct(STATEMENTS.len(), TOLD)) {
        let (statement, denial, fact) = STATEMENTS.get(index).copied()?;
        let told = rng.below(2) == 0;
        let sentences = book.sections.get_mut(section)?;
        let place = Place { section, sentence: sentences.len() };
        let words = if told { statement } else { denial };
        sentences.push(plain(format!("It was known to everybody in that land that {words}.")));
        asked = Some((statement, told, fact, place));
    }
    let (statement, told, fact, place) = asked?;
    let word = |truth: bool| if truth { "True" } else { "False" };
    Some(Draft {
        head: CHRONICLE.to_owned(),
        heading: book::unnumbered,
        sections: book.sections,
        marks: vec![place],
        tail: format!(
            "\n\nStatement: {statement}.\nIs it true in the land of the chronicle, whatever you know of our world? And is it a fact in our world? Reply in the form of this example: False [fact: False]\nAnswer:"
        ),
        reference: format!("{} [fact: {}]", word(told), word(fact)),
    })
}
