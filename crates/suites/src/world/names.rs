//! Names of people and places, in every language.

use crate::card::Language;
use crate::rng::Rng;

/// A name in every language, kept as its syllables: most names are made to be compared or written once.
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
        let [first, second, last] = self.parts.map(|part| match language {
            Language::English => part.0,
            Language::Chinese => part.1,
            Language::Persian => part.2,
        });
        match (self.form, language) {
            (Form::Person, Language::English | Language::Persian) => [first, second, " ", last].concat(),
            (Form::Person, Language::Chinese) => [first, second, "·", last].concat(),
            (Form::River, Language::English) => ["the river ", first, second].concat(),
            (Form::River, Language::Persian) => ["رود ", first, second].concat(),
            (Form::River, Language::Chinese) => [first, second, "河"].concat(),
            (Form::Place, _) => [first, second, last].concat(),
        }
    }
}

/// A syllable as English, Chinese and Persian write it.
type Syllable = (&'static str, &'static str, &'static str);

const FIRST: [Syllable; 40] = [
    ("Ar", "阿", "آر"),
    ("Bel", "贝", "بهر"),
    ("Cor", "科", "کور"),
    ("Dan", "丹", "دان"),
    ("El", "艾", "ال"),
    ("Fen", "芬", "فر"),
    ("Gar", "加", "گر"),
    ("Hal", "哈", "هیر"),
    ("Is", "伊", "ایز"),
    ("Jor", "约", "جو"),
    ("Kel", "凯", "کیا"),
    ("Lor", "洛", "لاد"),
    ("Mar", "玛", "مهر"),
    ("Nor", "诺", "نور"),
    ("Or", "奥", "اور"),
    ("Pel", "佩", "پر"),
    ("Quin", "昆", "قاد"),
    ("Ros", "罗", "روش"),
    ("Sel", "塞", "سل"),
    ("Tam", "塔", "تام"),
    ("Ul", "乌", "اول"),
    ("Val", "瓦", "وال"),
    ("Wen", "温", "ون"),
    ("Yor", "尤", "یار"),
    ("Zan", "赞", "زر"),
    ("Bram", "布", "برم"),
    ("Cal", "卡", "کال"),
    ("Dor", "多", "دار"),
    ("Er", "埃", "ار"),
    ("Fal", "法", "فال"),
    ("Gil", "吉", "گیل"),
    ("Her", "赫", "هور"),
    ("Il", "伊", "ایل"),
    ("Jas", "贾", "جاس"),
    ("Kor", "柯", "کار"),
    ("Lin", "林", "لین"),
    ("Mel", "梅", "مل"),
    ("Nel", "内", "نیل"),
    ("Os", "奥", "اوش"),
    ("Per", "珀", "پار"),
];

const SECOND: [Syllable; 24] = [
    ("a", "娅", "ا"),
    ("an", "安", "ان"),
    ("ara", "阿拉", "ارا"),
    ("as", "斯", "اس"),
    ("ek", "克", "اک"),
    ("el", "尔", "ال"),
    ("en", "恩", "ند"),
    ("eth", "思", "اد"),
    ("ia", "雅", "یا"),
    ("ian", "言", "یان"),
    ("ik", "可", "یک"),
    ("in", "因", "ین"),
    ("ira", "伊拉", "یرا"),
    ("is", "丝", "یس"),
    ("o", "欧", "و"),
    ("on", "昂", "ون"),
    ("or", "奥尔", "ور"),
    ("os", "斯", "وش"),
    ("ra", "拉", "را"),
    ("ric", "里克", "ریک"),
    ("una", "乌娜", "ونا"),
    ("us", "乌斯", "وس"),
    ("wyn", "温", "وین"),
    ("ya", "亚", "یه"),
];

const FAMILY: [Syllable; 40] = [
    ("Ashdown", "阿什当", "آذرکوه"),
    ("Barrow", "巴罗", "بلوطی"),
    ("Calder", "考尔德", "چنارگل"),
    ("Dray", "德雷", "درخشنده"),
    ("Elder", "埃尔德", "افراسنگ"),
    ("Farrow", "法罗", "فراخ\u{200c}دشت"),
    ("Gale", "盖尔", "گردباد"),
    ("Harper", "哈珀", "هفت\u{200c}چشمه"),
    ("Ingram", "英格拉姆", "ارغوان\u{200c}زاد"),
    ("Jessop", "杰索普", "جویباری"),
    ("Kettle", "凯特尔", "کندوان"),
    ("Lorimer", "洛里默", "لاله\u{200c}دشت"),
    ("Marsh", "马什", "ماندابی"),
    ("Nettle", "内特尔", "نی\u{200c}زارپور"),
    ("Orchard", "奥查德", "باغستانی"),
    ("Pike", "派克", "پیکان\u{200c}تراش"),
    ("Quill", "奎尔", "قلم\u{200c}زن"),
    ("Rowan", "罗恩", "رودباره"),
    ("Sexton", "塞克斯顿", "سپیدکوه"),
    ("Tanner", "坦纳", "صنوبرپور"),
    ("Underhill", "安德希尔", "زیرکوهی"),
    ("Vane", "韦恩", "ونگارد"),
    ("Weaver", "韦弗", "یخچالی"),
    ("Yarrow", "亚罗", "یاس\u{200c}آور"),
    ("Abbot", "阿博特", "آب\u{200c}دره"),
    ("Birch", "伯奇", "بیدسنگ"),
    ("Cooper", "库珀", "کوزه\u{200c}ساز"),
    ("Dale", "戴尔", "دره\u{200c}نشین"),
    ("Ember", "恩伯", "اخگرپور"),
    ("Fletcher", "弗莱彻", "فلاخنی"),
    ("Grove", "格罗夫", "گلستانک"),
    ("Heath", "希思", "هیمه\u{200c}دار"),
    ("Ives", "艾夫斯", "ایوان\u{200c}ساز"),
    ("Joiner", "乔伊纳", "جامه\u{200c}دوز"),
    ("Knoll", "诺尔", "کوهسارک"),
    ("Lark", "拉克", "لک\u{200c}لک\u{200c}پور"),
    ("Mason", "梅森", "مرجان\u{200c}کوه"),
    ("Noble", "诺布尔", "نیک\u{200c}تراش"),
    ("Oakes", "奥克斯", "عنابی"),
    ("Penn", "佩恩", "پرسیاوش"),
];

const PLACE: [Syllable; 20] = [
    ("bridge", "桥镇", "\u{200c}پل"),
    ("brook", "溪镇", "\u{200c}جوی"),
    ("burn", "泉镇", "\u{200c}چشمه"),
    ("bury", "堡", "\u{200c}دژ"),
    ("combe", "谷", "\u{200c}دره"),
    ("dale", "川", "\u{200c}دشت"),
    ("fell", "岭", "\u{200c}کوه"),
    ("field", "原", "\u{200c}زار"),
    ("ford", "渡", "\u{200c}گذر"),
    ("gate", "关", "\u{200c}در"),
    ("ham", "庄", "\u{200c}ده"),
    ("haven", "港", "\u{200c}بندر"),
    ("holm", "洲", "\u{200c}کرانه"),
    ("ley", "林", "\u{200c}باغ"),
    ("mere", "湖", "\u{200c}آب"),
    ("moor", "野", "\u{200c}سنگ"),
    ("stead", "屯", "\u{200c}سرا"),
    ("stow", "集", "\u{200c}بازار"),
    ("wick", "坊", "\u{200c}آباد"),
    ("worth", "寨", "\u{200c}گرد"),
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
    Name { form: Form::Place, parts: [first, if short { ("", "", "") } else { second }, last] }
}

/// A river.
pub(super) fn river(rng: &mut Rng) -> Name {
    Name { form: Form::River, parts: [pick(rng, &FIRST), pick(rng, &SECOND), ("", "", "")] }
}
