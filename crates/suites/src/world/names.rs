//! Names of people and places, in both languages.

use crate::card::Language;
use crate::rng::Rng;

/// A name in both languages, kept as its syllables: most names are made to be compared or written once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    form: Form,
    parts: [Syllable; 3],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Person,
    Place,
    River,
}

impl Name {
    /// The name as `language` writes it.
    #[must_use]
    pub fn of(&self, language: Language) -> String {
        let [first, second, last] = self.parts.map(|part| if language == Language::Chinese { part.1 } else { part.0 });
        match (self.form, language) {
            (Form::Person, Language::English | Language::Persian) => [first, second, " ", last].concat(),
            (Form::Person, Language::Chinese) => [first, second, "·", last].concat(),
            (Form::River, Language::English | Language::Persian) => ["the river ", first, second].concat(),
            (Form::River, Language::Chinese) => [first, second, "河"].concat(),
            (Form::Place, _) => [first, second, last].concat(),
        }
    }
}

/// A syllable as both languages write it.
type Syllable = (&'static str, &'static str);

const FIRST: [Syllable; 40] = [
    ("Ar", "阿"),
    ("Bel", "贝"),
    ("Cor", "科"),
    ("Dan", "丹"),
    ("El", "艾"),
    ("Fen", "芬"),
    ("Gar", "加"),
    ("Hal", "哈"),
    ("Is", "伊"),
    ("Jor", "约"),
    ("Kel", "凯"),
    ("Lor", "洛"),
    ("Mar", "玛"),
    ("Nor", "诺"),
    ("Or", "奥"),
    ("Pel", "佩"),
    ("Quin", "昆"),
    ("Ros", "罗"),
    ("Sel", "塞"),
    ("Tam", "塔"),
    ("Ul", "乌"),
    ("Val", "瓦"),
    ("Wen", "温"),
    ("Yor", "尤"),
    ("Zan", "赞"),
    ("Bram", "布"),
    ("Cal", "卡"),
    ("Dor", "多"),
    ("Er", "埃"),
    ("Fal", "法"),
    ("Gil", "吉"),
    ("Her", "赫"),
    ("Il", "伊"),
    ("Jas", "贾"),
    ("Kor", "柯"),
    ("Lin", "林"),
    ("Mel", "梅"),
    ("Nel", "内"),
    ("Os", "奥"),
    ("Per", "珀"),
];

const SECOND: [Syllable; 24] = [
    ("a", "娅"),
    ("an", "安"),
    ("ara", "阿拉"),
    ("as", "斯"),
    ("ek", "克"),
    ("el", "尔"),
    ("en", "恩"),
    ("eth", "思"),
    ("ia", "雅"),
    ("ian", "言"),
    ("ik", "可"),
    ("in", "因"),
    ("ira", "伊拉"),
    ("is", "丝"),
    ("o", "欧"),
    ("on", "昂"),
    ("or", "奥尔"),
    ("os", "斯"),
    ("ra", "拉"),
    ("ric", "里克"),
    ("una", "乌娜"),
    ("us", "乌斯"),
    ("wyn", "温"),
    ("ya", "亚"),
];

const FAMILY: [Syllable; 40] = [
    ("Ashdown", "阿什当"),
    ("Barrow", "巴罗"),
    ("Calder", "考尔德"),
    ("Dray", "德雷"),
    ("Elder", "埃尔德"),
    ("Farrow", "法罗"),
    ("Gale", "盖尔"),
    ("Harper", "哈珀"),
    ("Ingram", "英格拉姆"),
    ("Jessop", "杰索普"),
    ("Kettle", "凯特尔"),
    ("Lorimer", "洛里默"),
    ("Marsh", "马什"),
    ("Nettle", "内特尔"),
    ("Orchard", "奥查德"),
    ("Pike", "派克"),
    ("Quill", "奎尔"),
    ("Rowan", "罗恩"),
    ("Sexton", "塞克斯顿"),
    ("Tanner", "坦纳"),
    ("Underhill", "安德希尔"),
    ("Vane", "韦恩"),
    ("Weaver", "韦弗"),
    ("Yarrow", "亚罗"),
    ("Abbot", "阿博特"),
    ("Birch", "伯奇"),
    ("Cooper", "库珀"),
    ("Dale", "戴尔"),
    ("Ember", "恩伯"),
    ("Fletcher", "弗莱彻"),
    ("Grove", "格罗夫"),
    ("Heath", "希思"),
    ("Ives", "艾夫斯"),
    ("Joiner", "乔伊纳"),
    ("Knoll", "诺尔"),
    ("Lark", "拉克"),
    ("Mason", "梅森"),
    ("Noble", "诺布尔"),
    ("Oakes", "奥克斯"),
    ("Penn", "佩恩"),
];

const PLACE: [Syllable; 20] = [
    ("bridge", "桥镇"),
    ("brook", "溪镇"),
    ("burn", "泉镇"),
    ("bury", "堡"),
    ("combe", "谷"),
    ("dale", "川"),
    ("fell", "岭"),
    ("field", "原"),
    ("ford", "渡"),
    ("gate", "关"),
    ("ham", "庄"),
    ("haven", "港"),
    ("holm", "洲"),
    ("ley", "林"),
    ("mere", "湖"),
    ("moor", "野"),
    ("stead", "屯"),
    ("stow", "集"),
    ("wick", "坊"),
    ("worth", "寨"),
];

fn pick(rng: &mut Rng, list: &[Syllable]) -> Syllable {
    rng.choose(list).copied().unwrap_or_default()
}

/// A given name and a family name.
pub(super) fn person(given: &mut Rng, family: &mut Rng) -> Name {
    Name { form: Form::Person, parts: [pick(given, &FIRST), pick(given, &SECOND), pick(family, &FAMILY)] }
}

/// A place.
pub(super) fn place(rng: &mut Rng) -> Name {
    let (first, last) = (pick(rng, &FIRST), pick(rng, &PLACE));
    let (second, short) = (pick(rng, &SECOND), rng.index(2) == 0);
    Name { form: Form::Place, parts: [first, if short { ("", "") } else { second }, last] }
}

/// A river.
pub(super) fn river(rng: &mut Rng) -> Name {
    Name { form: Form::River, parts: [pick(rng, &FIRST), pick(rng, &SECOND), ("", "")] }
}
