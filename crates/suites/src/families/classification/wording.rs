//! What documents, questions and labels say, in English and in Chinese.

use crate::card::Language;

/// The words of one language.
pub struct Wording {
    /// Language of documents and questions.
    pub language: Language,
    /// Verdicts of a review: for the inns, about even, against them.
    pub verdicts: [&'static str; 3],
    /// What a review speaks of, well and badly.
    pub aspects: [(&'static str, &'static str); 10],
    /// Matters of a case.
    pub matters: [&'static str; 5],
    /// What witnesses say of each matter.
    pub testimony: [[&'static str; 4]; 5],
    /// Before a review and before a case, ending with an empty line.
    pub heads: [&'static str; 2],
    /// What is asked of a review and of a case.
    pub questions: [&'static str; 2],
}

/// The words of `language`; English where there are none of its own.
pub fn of(language: Language) -> &'static Wording {
    match language {
        Language::Chinese => &CHINESE,
        Language::English | Language::Persian => &ENGLISH,
    }
}

impl Wording {
    /// A remark of a review.
    pub fn remark(&self, night: u32, remark: &str) -> String {
        match self.language {
            Language::Chinese => format!("旅途第{night}夜，{remark}。"),
            Language::English | Language::Persian => format!("On night {night} of our journey {remark}."),
        }
    }

    /// A witness's words.
    pub fn said(&self, name: &str, what: &str) -> String {
        match self.language {
            Language::Chinese => format!("证人{name}说，{what}。"),
            Language::English | Language::Persian => format!("The witness {name} said that {what}."),
        }
    }

    /// The question after a document, beginning with an empty line.
    pub fn tail(&self, question: &str, labels: &[&str]) -> String {
        match self.language {
            Language::Chinese => {
                format!("\n\n{question}请从{}中选一个作答，不要写别的。\n答案：", labels.join("、"))
            }
            Language::English | Language::Persian => {
                format!("\n\n{question} Write one of {} and nothing else.\nAnswer:", labels.join(", "))
            }
        }
    }
}

static ENGLISH: Wording = Wording {
    language: Language::English,
    verdicts: ["favourable", "divided", "unfavourable"],
    aspects: [
        ("the soup was hot and rich", "the soup was thin and cold"),
        ("the bed was dry and soft", "the bed was damp and hard"),
        ("the host greeted us like old friends", "the host barked at us from the stairs"),
        ("the stable boy rubbed the horses down", "nobody watered the horses"),
        ("the stove drew well and warmed the room", "the stove smoked until our eyes ran"),
        ("the bill was fair to the last penny", "the bill held three things we never had"),
        ("the fiddler played until midnight to our delight", "the noise below kept us from sleep"),
        ("the bread came fresh from the oven", "the bread had gone green at the edges"),
        ("the yard was swept and bright", "the yard stank of old fish"),
        ("the window looked over the whole valley", "the window would not shut against the rain"),
    ],
    matters: ["theft", "boundary", "debt", "inheritance", "damage"],
    testimony: [
        [
            "the silver cups were in the chest at dusk and gone at dawn",
            "a sack was seen on the accused's back as he climbed out of the cellar",
            "the cups were later offered for sale at the fair under another name",
            "the lock of the chest had been picked with a bent nail",
        ],
        [
            "the old stone between the two meadows had been moved twelve paces",
            "both families have mown the strip by the ditch as long as they can remember",
            "the surveyor's chain gave another line than the hedge",
            "the map in the parish chest shows the brook on the other side",
        ],
        [
            "the sum was handed over before Michaelmas with a promise to bring it back by Easter",
            "two instalments came and then no more",
            "the paper with both names lies with the notary",
            "the ox that stood as a pledge was sold behind the lender's back",
        ],
        [
            "the dying man spoke of the mill and of his younger daughter in one breath",
            "the brothers cannot agree who shall have the house of their mother",
            "the last will bears a seal that the eldest calls false",
            "the widow was to live in the upper rooms until her own end",
        ],
        [
            "the cart ran down the hill and broke through the wall of the glasshouse",
            "no log had been laid behind its wheels",
            "forty panes and the whole vine were ruined",
            "the carter says that the slope is to blame and not he",
        ],
    ],
    heads: [
        "Below is a traveller's review of the inns on a journey.\n\n",
        "Below is the file of a case, with all that was read out in court.\n\n",
    ],
    questions: [
        "On the whole, is the review favourable to the inns (at least four remarks in five are kind), unfavourable (at most one in five) or divided (about half)?",
        "What is the case about?",
    ],
};

static CHINESE: Wording = Wording {
    language: Language::Chinese,
    verdicts: ["好评", "中评", "差评"],
    aspects: [
        ("汤又热又浓", "汤又稀又凉"),
        ("床铺干爽松软", "床铺又潮又硬"),
        ("掌柜待我们如故交", "掌柜站在楼梯上冲我们吼叫"),
        ("马夫把马刷洗得干干净净", "没有人给马饮水"),
        ("炉火旺盛，满屋暖和", "炉子冒烟，熏得人直流泪"),
        ("账目分文不差", "账单上多出三样我们没要过的东西"),
        ("琴师弹到半夜，听得人舍不得睡", "楼下吵闹，整夜合不上眼"),
        ("饼子刚刚出炉，香气扑鼻", "饼子边上已经发了霉"),
        ("院子扫得亮亮堂堂", "院子里一股臭鱼味"),
        ("推窗便望见整条山谷", "窗户关不严，雨直往里灌"),
    ],
    matters: ["盗窃", "地界", "债务", "继承", "毁损"],
    testimony: [
        [
            "银杯傍晚还锁在箱里，天亮就不见了",
            "有人瞧见被告背着口袋从地窖里爬出来",
            "那些杯子后来在集市上换了个名目出售",
            "箱锁是用弯钉子拨开的",
        ],
        [
            "两块草场之间的老石桩被人挪了十二步",
            "沟边那一长条草，两家自记事起都在割",
            "丈量时绳子拉出来的线和树篱对不上",
            "村里旧图上的小溪画在另一边",
        ],
        [
            "那笔钱是入冬以前交到手上的，说好来年开春还清",
            "先还了两回，此后再没有下文",
            "写着双方姓名的字据存在中人那里",
            "押在那里的耕牛被背着出借人卖掉了",
        ],
        [
            "老人临终时把磨坊和小女儿放在一句话里说",
            "兄弟几个谈不拢母亲的房子归谁",
            "最后那份遗嘱上的印，长子说是假的",
            "寡妇本该在楼上住到终老",
        ],
        [
            "大车顺坡溜下来，撞穿了暖房的墙",
            "车轮后面没有垫木头",
            "四十块玻璃和整株葡萄都完了",
            "车夫说怪坡太陡，不怪他",
        ],
    ],
    heads: ["以下是一位旅人对沿途客栈的评述。\n\n", "以下是一桩案子的卷宗，当庭宣读的内容都在其中。\n\n"],
    questions: [
        "总的来看，这份评述对沿途客栈是好评（五句评语里至少四句是夸奖）、差评（五句里至多一句是夸奖），还是中评（褒贬大约各半）？",
        "这桩案子所为何事？",
    ],
};
