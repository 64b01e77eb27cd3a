//! A theft: three traces, four suspects, and the sentences that tell of them.

use crate::card::Language;
use crate::families::kinship;
use crate::rng::Rng;

/// A kind of trace: what the thief left, what a suspect wears or does, each for the values of the trait.
struct Trait {
    /// Values in English and Chinese.
    values: [(&'static str, &'static str); 3],
    /// The trace with `{v}` for the value.
    trace: (&'static str, &'static str),
    /// The suspect's trait with `{n}` for the name.
    has: (&'static str, &'static str),
    /// A word of the trace that a step must name beside the value.
    sign: (&'static str, &'static str),
}

const TRAITS: [Trait; 3] = [
    Trait {
        values: [("grey", "灰色"), ("green", "绿色"), ("purple", "紫色")],
        trace: (
            "On the latch of the treasure room the watchman found a thread of {v} wool.",
            "守夜人在珍宝室的门闩上发现了一根{v}的毛线。",
        ),
        has: ("All that winter {n} went about in a {v} cloak.", "整个冬天，{n}都披着一件{v}的斗篷。"),
        sign: ("thread", "毛线"),
    },
    Trait {
        values: [("left", "左手"), ("right", "右手"), ("gloved", "戴套的手")],
        trace: (
            "The knot on the rope under the window of the treasure room was tied with the {v} hand.",
            "珍宝室窗下绳子上的结是用{v}打的。",
        ),
        has: ("At table {n} was seen to lift the cup with the {v} hand.", "席间有人看见{n}用{v}举杯。"),
        sign: ("knot", "结"),
    },
    Trait {
        values: [("nailed", "钉靴"), ("felt", "毡靴"), ("wooden", "木屐")],
        trace: (
            "In the snow before the treasure room stood the print of a {v} shoe.",
            "珍宝室门前的雪地上留着{v}的脚印。",
        ),
        has: ("The cobbler swore that {n} owned no other pair than {v} shoes.", "鞋匠发誓说，{n}只有{v}这一双鞋。"),
        sign: ("print", "脚印"),
    },
];

const TREASURES: [(&str, &str); 4] = [
    ("silver seal", "银印"),
    ("chart of the shoals", "浅滩海图"),
    ("founder's ring", "建城者的戒指"),
    ("old crown", "古冠"),
];

/// A case.
pub struct Case {
    language: Language,
    treasure: (&'static str, &'static str),
    suspects: Vec<String>,
    /// Letter of the thief.
    pub letter: char,
    /// Sentences of the story in the order in which they are told.
    pub clues: Vec<String>,
    /// Words of each reasoning step.
    pub steps: Vec<Vec<String>>,
    told: Vec<String>,
}

impl Case {
    /// Draws a case.
    pub fn new(language: Language, rng: &mut Rng) -> Self {
        let of = |pair: (&'static str, &'static str)| if language == Language::Chinese { pair.1 } else { pair.0 };
        let suspects = kinship::names(language, rng, 4);
        let thief = rng.index(suspects.len());
        let treasure = rng.choose(&TREASURES).copied().unwrap_or_default();
        let (mut clues, mut steps, mut told) = (Vec::new(), Vec::new(), Vec::new());
        // Each innocent suspect lacks another trait.
        let mut lacking: Vec<usize> = (0..TRAITS.len()).collect();
        rng.shuffle(&mut lacking);
        let lacks = |suspect: usize, kind: usize| {
            let innocent = (0..4).filter(|other| *other != thief).position(|other| other == suspect);
            innocent.and_then(|place| lacking.get(place)) == Some(&kind)
        };
        let name = suspects.get(thief).map_or("", String::as_str);
        for (kind, the) in TRAITS.iter().enumerate() {
            let mut values = the.values;
            rng.shuffle(&mut values);
            let [left, other, _] = values.map(of);
            let trace = of(the.trace).replace("{v}", left);
            steps.push(vec![of(the.sign).to_owned(), left.to_owned()]);
            steps.push(vec![name.to_owned(), left.to_owned()]);
            for (suspect, name) in suspects.iter().enumerate() {
                let value = if lacks(suspect, kind) { other } else { left };
                let sentence = of(the.has).replace("{n}", name).replace("{v}", value);
                if suspect == thief {
                    told.extend([trace.clone(), sentence.clone()]);
                }
                clues.push(sentence);
            }
            clues.push(trace);
        }
        rng.shuffle(&mut clues);
        let letter = char::from(b'A' + thief as u8);
        Self { language, treasure, suspects, letter, clues, steps, told }
    }

    /// What stands before the story.
    pub fn head(&self) -> String {
        if self.language == Language::Chinese {
            return format!(
                "下面是一部长篇记事。其中某个冬夜，{}从珍宝室里失窃，线索散落在全文各处。\n\n",
                self.treasure.1
            );
        }
        format!(
            "A long story follows. One winter night in it the {} is stolen from the treasure room; what bears on the theft is strewn over the whole text.\n\n",
            self.treasure.0
        )
    }

    /// The question with its options.
    pub fn tail(&self) -> String {
        let options: Vec<String> =
            self.suspects.iter().zip('A'..).map(|(name, letter)| format!("{letter}. {name}")).collect();
        let options = options.join("\n");
        if self.language == Language::Chinese {
            return format!(
                "\n\n问题：是谁偷走了{}？小偷只有一人，并且与所有痕迹都相符。\n{options}\n请逐步写出推理，说明每处痕迹以及此人与它相符之处，最后写：答案是X。\n",
                self.treasure.1
            );
        }
        format!(
            "\n\nQuestion: who stole the {}? There was one thief, and the thief fits every trace.\n{options}\nTell your reasoning step by step: each trace, and how the thief fits it. End with a sentence of the form: The answer is X.\n",
            self.treasure.0
        )
    }

    /// The steps in sentences, before the choice.
    pub fn reasoning(&self) -> String {
        let joint = if self.language == Language::Chinese { "" } else { " " };
        self.told.iter().map(|sentence| format!("{sentence}{joint}")).collect()
    }
}
