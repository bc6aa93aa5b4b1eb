//! The fixed words of the two languages and the units of numbers; each means the same in both.

use super::{Language, Op, Severity};

/// What a fixed word means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Word {
    When,
    Always,
    /// The 时 that closes a Chinese condition.
    Moment,
    Then,
    And,
    Or,
    Not,
    Compare(Op),
    Between,
    NotBetween,
    /// The 之间 that closes a Chinese interval.
    Within,
    Among,
    NotAmong,
    Known,
    Unknown,
    Quota,
    Raise,
    Lower,
    Cap,
    Floor,
    Freeze,
    Set,
    Weight,
    Alert(Severity),
    By,
    At,
    From,
    To,
    OfBase,
    BeyondPlan,
}

impl Word {
    /// How it is written back in `language`; empty where that language has no such word.
    pub(super) fn written(self, language: Language) -> &'static str {
        let row = WORDS.iter().find(|row| row.0 == self);
        row.map_or("", |row| spellings(row, language).split('|').next().unwrap_or_default())
    }

    /// Every way to write it, in both languages.
    pub(super) fn all(self) -> impl Iterator<Item = &'static str> {
        words().filter(move |(word, _)| *word == self).map(|(_, spelling)| spelling)
    }
}

/// Every word with every way to write it.
pub(super) fn words() -> impl Iterator<Item = (Word, &'static str)> {
    WORDS.iter().flat_map(|row| {
        let both = [Language::English, Language::Chinese].map(|language| spellings(row, language));
        both.into_iter().flat_map(|all| all.split('|')).filter(|one| !one.is_empty()).map(|one| (row.0, one))
    })
}

fn spellings(row: &Row, language: Language) -> &'static str {
    match language {
        Language::English => row.1,
        Language::Chinese => row.2,
    }
}

/// Meaning, English and Chinese spellings with `|` between them; the first is the one written back.
type Row = (Word, &'static str, &'static str);

use Word::{
    Alert, Always, Among, And, At, Between, BeyondPlan, By, Cap, Compare, Floor, Freeze, From, Known, Lower,
    Moment, Not, NotAmong, NotBetween, OfBase, Or, Quota, Raise, Set, Then, To, Unknown, Weight, When,
    Within,
};

const WORDS: &[Row] = &[
    (When, "when", "当|如果"),
    (Always, "always", "无条件"),
    (Moment, "", "时"),
    (Then, "then", "则|那么"),
    (And, "and", "且|并且|和|与|并"),
    (Or, "or", "或|或者"),
    (Not, "not", "非|不满足"),
    (Compare(Op::Less), "is below|is under|is less than|below|under|less than|<", "低于|小于|少于"),
    (Compare(Op::AtMost), "is at most|at most|<=|≤", "不超过|不高于|至多|小于等于|小于或等于|不大于|不多于"),
    (Compare(Op::More), "is above|is over|is more than|above|over|more than|>", "高于|大于|超过|多于"),
    (Compare(Op::AtLeast), "is at least|at least|>=|≥", "不低于|至少|大于等于|大于或等于|不小于|不少于"),
    (Compare(Op::Equal), "is|=|==", "等于|是|为"),
    (Compare(Op::Unequal), "is not|!=|<>|≠", "不等于|不是|不为"),
    (Between, "is between|between", "介于|在"),
    (NotBetween, "is not between|not between", "不介于|不在"),
    (Within, "", "之间"),
    (Among, "is one of|is in|one of|in", "属于"),
    (NotAmong, "is not one of|is not in|not one of|not in", "不属于"),
    (Known, "is known", "已知"),
    (Unknown, "is unknown|is not known", "未知"),
    (Quota, "quota|the quota", "下次目标|目标|下次配额|配额"),
    (Raise, "raise|increase", "提升|提高|上调|增加"),
    (Lower, "lower|decrease|reduce", "降低|下调|减少"),
    (Cap, "cap", "上限"),
    (Floor, "floor", "下限"),
    (Freeze, "freeze", "冻结|保持不变"),
    (Set, "set", "设"),
    (Weight, "attainment weight|the attainment weight", "达成权重"),
    (
        Alert(Severity::Amber),
        "alert|amber alert|alert amber|raise an alert|raise an amber alert",
        "预警|黄色预警",
    ),
    (Alert(Severity::Red), "red alert|alert red|raise a red alert", "红色预警"),
    (Alert(Severity::Info), "info alert|alert info|raise an info alert", "提示"),
    (By, "by", ""),
    (At, "at", ""),
    (From, "from", "自|从"),
    (To, "to|until", "至|到"),
    (OfBase, "of base|of the base", "基准的"),
    (BeyondPlan, "beyond plan|beyond the plan", "不计入计划"),
];

/// What a number counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Share,
    Days,
    Months,
    Money,
    Points,
    Pieces,
}

/// What may follow a number: its spelling, the power of ten it multiplies by, and the unit it states.
pub(super) const UNITS: &[(&str, i32, Option<Unit>)] = &[
    ("%", -2, Some(Unit::Share)),
    ("percent", -2, Some(Unit::Share)),
    ("days", 0, Some(Unit::Days)),
    ("day", 0, Some(Unit::Days)),
    ("天", 0, Some(Unit::Days)),
    ("日", 0, Some(Unit::Days)),
    ("months", 0, Some(Unit::Months)),
    ("month", 0, Some(Unit::Months)),
    ("个月", 0, Some(Unit::Months)),
    ("月", 0, Some(Unit::Months)),
    ("yuan", 0, Some(Unit::Money)),
    ("cny", 0, Some(Unit::Money)),
    ("rmb", 0, Some(Unit::Money)),
    ("元", 0, Some(Unit::Money)),
    ("万", 4, None),
    ("万元", 4, Some(Unit::Money)),
    ("亿", 8, None),
    ("亿元", 8, Some(Unit::Money)),
    ("points", 0, Some(Unit::Points)),
    ("point", 0, Some(Unit::Points)),
    ("分", 0, Some(Unit::Points)),
    ("个", 0, Some(Unit::Pieces)),
];
