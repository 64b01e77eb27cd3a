//! Made-up families for reasoning needles: names, relations with their generations, and chains of sentences.

use crate::card::Language;
use crate::rng::Rng;

const GIVEN: [&str; 64] = [
    "Alma", "Anton", "Beata", "Boris", "Carla", "Cedric", "Dagmar", "Darius", "Edda", "Emil", "Flora", "Felix",
    "Greta", "Gustav", "Hanna", "Hugo", "Ida", "Ivan", "Jana", "Jonas", "Karin", "Konrad", "Lena", "Lukas", "Marta",
    "Milan", "Nadia", "Nils", "Olga", "Oskar", "Petra", "Pavel", "Ronja", "Rufus", "Selma", "Stefan", "Tilda",
    "Tobias", "Ulla", "Urban", "Vera", "Viktor", "Wanda", "Walter", "Xenia", "Yngve", "Zora", "Zeno", "Astrid",
    "Bruno", "Clara", "Dimitri", "Elsa", "Fabian", "Gisela", "Henrik", "Ilse", "Jasper", "Kira", "Leopold", "Mira",
    "Norbert", "Paula", "Roland",
];

const FAMILY: [&str; 64] = [
    "Abel", "Adler", "Baum", "Berg", "Brandt", "Busch", "Dahl", "Decker", "Eder", "Engel", "Falk", "Fink", "Forster",
    "Frost", "Gerber", "Graf", "Haas", "Hagen", "Hahn", "Holm", "Huber", "Jansen", "Kaiser", "Keller", "Kern", "Klein",
    "Koch", "Kraus", "Lang", "Linde", "Lorenz", "Maier", "Marx", "Moser", "Nagel", "Neumann", "Nord", "Ott", "Paulsen",
    "Peters", "Pohl", "Quist", "Reich", "Richter", "Ritter", "Roth", "Sander", "Schuster", "Seidel", "Sommer", "Stahl",
    "Stein", "Sturm", "Thiel", "Ulrich", "Unger", "Vogel", "Voss", "Wagner", "Weber", "Winter", "Wolf", "Zander",
    "Ziegler",
];

const SURNAMES: [&str; 40] = [
    "赵", "钱", "孙", "李", "周", "吴", "郑", "王", "冯", "陈", "褚", "卫", "蒋", "沈", "韩", "杨", "朱", "秦", "尤",
    "许", "何", "吕", "施", "张", "孔", "曹", "严", "华", "金", "魏", "陶", "姜", "戚", "谢", "邹", "喻", "柏", "窦",
    "章", "苏",
];

const SYLLABLES: [&str; 56] = [
    "安", "柏", "宝", "彬", "博", "辰", "承", "春", "德", "冬", "恩", "芳", "枫", "福", "刚", "光", "海", "浩", "和",
    "恒", "宏", "华", "慧", "佳", "嘉", "建", "健", "江", "杰", "静", "俊", "凯", "兰", "乐", "立", "良", "林", "玲",
    "明", "宁", "平", "琪", "清", "庆", "荣", "瑞", "山", "书", "松", "涛", "文", "晓", "欣", "雪", "阳", "云",
];

/// `count` different full names.
pub fn names(language: Language, rng: &mut Rng, count: usize) -> Vec<String> {
    let pick = |list: &[&'static str], index: usize| list.get(index % list.len()).copied().unwrap_or_default();
    match language {
        Language::English | Language::Persian => {
            let pairs = GIVEN.len() * FAMILY.len();
            let space = if count * 2 <= pairs { pairs } else { pairs * 26 };
            let middle = |index: usize| char::from(b'A' + (index / pairs % 26) as u8);
            rng.distinct(space, count)
                .into_iter()
                .map(|index| match (pick(&GIVEN, index), pick(&FAMILY, index / GIVEN.len())) {
                    (given, family) if space == pairs => format!("{given} {family}"),
                    (given, family) => format!("{given} {}. {family}", middle(index)),
                })
                .collect()
        }
        Language::Chinese => {
            let (first, second) = (SURNAMES.len(), SURNAMES.len() * SYLLABLES.len());
            rng.distinct(second * SYLLABLES.len(), count)
                .into_iter()
                .map(|index| {
                    [pick(&SURNAMES, index), pick(&SYLLABLES, index / first), pick(&SYLLABLES, index / second)].concat()
                })
                .collect()
        }
    }
}

/// An elder relation: its word and how many generations it spans.
type Relation = (&'static str, u32);

const ENGLISH: [Relation; 8] = [
    ("father", 1),
    ("mother", 1),
    ("dad", 1),
    ("mum", 1),
    ("grandfather", 2),
    ("grandmother", 2),
    ("paternal grandfather", 2),
    ("maternal grandmother", 2),
];

const CHINESE: [Relation; 8] =
    [("父亲", 1), ("母亲", 1), ("爸爸", 1), ("妈妈", 1), ("祖父", 2), ("祖母", 2), ("外祖父", 2), ("外祖母", 2)];

/// A chain of elders: `names[i]` is an elder of `names[i + 1]`.
pub struct Chain {
    /// Names, eldest first.
    pub names: Vec<String>,
    /// One sentence per link, in order.
    pub sentences: Vec<String>,
    /// Generations that each link spans.
    spans: Vec<u32>,
}

impl Chain {
    /// Links `names` with random relations and wordings.
    pub fn new(language: Language, names: Vec<String>, rng: &mut Rng) -> Self {
        let relations = if language == Language::English { &ENGLISH } else { &CHINESE };
        let mut chain =
            Self { sentences: Vec::with_capacity(names.len()), spans: Vec::with_capacity(names.len()), names };
        for (elder, younger) in chain.names.iter().zip(chain.names.iter().skip(1)) {
            let (relation, span) = rng.choose(relations).copied().unwrap_or(("father", 1));
            chain.spans.push(span);
            chain.sentences.push(sentence(language, rng.index(4), elder, younger, relation));
        }
        chain
    }

    /// The chain cut after `links` links.
    pub fn truncate(&mut self, links: usize) {
        self.names.truncate(links + 1);
        self.sentences.truncate(links);
        self.spans.truncate(links);
    }

    /// Generations from the first to the last.
    pub fn generations(&self) -> u32 {
        self.spans.iter().sum()
    }

    /// The eldest.
    pub fn eldest(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// The youngest.
    pub fn youngest(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }
}

fn sentence(language: Language, wording: usize, elder: &str, younger: &str, relation: &str) -> String {
    match (language, wording) {
        (Language::English | Language::Persian, 0) => format!("{elder} is the {relation} of {younger}."),
        (Language::English | Language::Persian, 1) => format!("The {relation} of {younger} is called {elder}."),
        (Language::English | Language::Persian, 2) => format!("{younger} calls {elder} {relation}."),
        (Language::English | Language::Persian, _) => {
            format!("For {younger}, {elder} is nobody less than the {relation}.")
        }
        (Language::Chinese, 0) => format!("{elder}是{younger}的{relation}。"),
        (Language::Chinese, 1) => format!("{younger}的{relation}名叫{elder}。"),
        (Language::Chinese, 2) => format!("{younger}称{elder}为{relation}。"),
        (Language::Chinese, _) => format!("大家都知道，{younger}的{relation}就是{elder}。"),
    }
}
