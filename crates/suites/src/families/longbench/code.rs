//! The next line of a function that carries out a plan: the plan is a list elsewhere in the file (LCC) or in another
//! file of the repository (RepoBench-P).

use crate::families::infinitebench::code::sound;
use crate::families::words;
use crate::item::Item;
use crate::prompt::{Answer, Prompt};
use crate::rng::Rng;
use crate::task::{ItemRequest, Task};

/// Functions that plans are made of.
const STEPS: usize = 12;
/// Steps of one plan.
const PLAN: usize = 5;
/// Plans that are carried out in full, as examples of how it is done.
const WORKED: usize = 2;
/// Plans that nothing carries out.
const IDLE: usize = 3;

/// A piece of the text.
struct Block {
    name: String,
    text: String,
    evidence: bool,
}

/// A plan: its name and its steps in order.
struct Plan {
    name: String,
    steps: Vec<String>,
}

impl Plan {
    fn draw(name: &str, steps: &[String], rng: &mut Rng) -> Self {
        let steps = rng.distinct(steps.len(), PLAN).into_iter().filter_map(|index| steps.get(index).cloned());
        Self { name: name.to_owned(), steps: steps.collect() }
    }

    fn list(&self) -> String {
        format!("PLAN_{} = [\"{}\"]", self.name.to_uppercase(), self.steps.join("\", \""))
    }

    /// The function that carries the first `done` steps out.
    fn function(&self, done: usize) -> String {
        let lines: String = self.steps.iter().take(done).map(|step| format!("\n{}", line(step))).collect();
        format!("def carry_out_{}(value):{lines}", self.name)
    }
}

fn line(step: &str) -> String {
    format!("    value = {step}(value)")
}

/// The item of a code data set; `repository` puts every piece into a file of its own.
pub fn item(task: &Task, request: &ItemRequest<'_>, repository: bool, mut rng: Rng) -> Item {
    let most = request.length.tokens() as usize / 24 + STEPS + 16;
    let names = words::made_up(&mut rng, most);
    let (steps, rest) = names.split_at_checked(STEPS).unwrap_or((&names, &[]));
    let (plans, rest) = rest.split_at_checked(1 + WORKED + IDLE).unwrap_or((rest, &[]));
    let plans: Vec<Plan> = plans.iter().map(|name| Plan::draw(name, steps, &mut rng)).collect();
    let done = 1 + rng.index(PLAN - 1);
    let (tail, reference) = ending(plans.first(), done, repository);
    let mut blocks: Vec<Block> =
        steps.iter().map(|name| Block { name: name.clone(), text: sound(name, &mut rng), evidence: false }).collect();
    for (place, plan) in plans.iter().enumerate() {
        blocks.push(Block { name: format!("plan_{}", plan.name), text: plan.list(), evidence: place == 0 });
        if (1..=WORKED).contains(&place) {
            let text = format!("{}\n    return value", plan.function(PLAN));
            blocks.push(Block { name: format!("carry_out_{}", plan.name), text, evidence: false });
        }
    }
    let head = "Go on with the code below.\n\n";
    let mut prompt = Prompt::default();
    prompt.push(head);
    prompt.begin_document();
    let limit = request.length.tokens().saturating_sub(task.card().output_tokens);
    let mut left = limit.saturating_sub(prompt.tokens() + prompt.count(&tail) + 4);
    for block in &blocks {
        left = left.saturating_sub(cost(&mut prompt, block, repository));
    }
    for name in rest {
        let block = Block { name: name.clone(), text: sound(name, &mut rng), evidence: false };
        let tokens = cost(&mut prompt, &block, repository);
        if tokens > left {
            break;
        }
        left -= tokens;
        blocks.push(block);
    }
    rng.shuffle(&mut blocks);
    for block in &blocks {
        write(&mut prompt, block, repository);
    }
    constants(&mut prompt, left, &mut rng);
    prompt.end_document();
    prompt.push(&tail);
    prompt.finish(task, request, Answer { references: vec![reference], ..Answer::default() })
}

/// The file that is open, up to the line that is asked for, and that line.
fn ending(plan: Option<&Plan>, done: usize, repository: bool) -> (String, String) {
    let Some(plan) = plan else { return Default::default() };
    let import = if repository {
        let name = &plan.name;
        format!("# path: main.py\nfrom plan_{name} import PLAN_{}\n\n\n", name.to_uppercase())
    } else {
        String::new()
    };
    let next = plan.steps.get(done).map(|step| line(step)).unwrap_or_default();
    (format!("\n{import}{}\nNext line of code:\n", plan.function(done)), next)
}

fn before(block: &Block, repository: bool) -> String {
    if repository { format!("# path: {}.py\n", block.name) } else { String::new() }
}

fn cost(prompt: &mut Prompt, block: &Block, repository: bool) -> u32 {
    prompt.count(&format!("{}{}\n\n", before(block, repository), block.text))
}

fn write(prompt: &mut Prompt, block: &Block, repository: bool) {
    prompt.push(&before(block, repository));
    if block.evidence {
        prompt.push_needle(&block.text);
    } else {
        prompt.push(&block.text);
    }
    prompt.push("\n\n");
}

/// Constants that fill what is left.
fn constants(prompt: &mut Prompt, mut left: u32, rng: &mut Rng) {
    for number in 1.. {
        let text = format!("LIMIT_{number} = {}\n", rng.between(2, 90));
        let tokens = prompt.count(&text);
        if tokens > left {
            return;
        }
        left -= tokens;
        prompt.push(&text);
    }
}

/// What one writes who has not read the code.
pub const BLIND: &str = "    return value";
