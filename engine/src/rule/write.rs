//! Rules written back as the sentences and properties that [`super::read`] reads.

use super::date::{chinese, iso};
use super::token::QUOTES;
use super::word::Word;
use super::{Action, Amount, Condition, Day, Kind, Language, Op, PRIORITY_DEFAULT, Rule, Scope, Subject};

impl Rule {
    /// The rule with its properties in English, which reads as the same rule (in another line).
    pub fn english(&self) -> String {
        self.entry(Language::English)
    }

    /// The rule with its properties in Chinese, which reads as the same rule (in another line).
    pub fn chinese(&self) -> String {
        self.entry(Language::Chinese)
    }

    /// The sentence alone.
    pub fn sentence(&self, language: Language) -> String {
        let writer = Writer(language);
        let actions: Vec<String> = self.actions.iter().map(|action| writer.action(action)).collect();
        let (when, then, and, beyond) =
            writer.pick(("when ", " then ", " and ", " beyond plan"), ("当", "时，", "，并", "，不计入计划"));
        let opening = match &self.condition {
            Condition::Always => writer.pick("always ", "无条件：").to_owned(),
            condition => format!("{when}{}{then}", writer.condition(condition)),
        };
        opening + &actions.join(and) + if self.beyond_plan { beyond } else { "" }
    }

    fn entry(&self, language: Language) -> String {
        let writer = Writer(language);
        let colon = writer.pick(": ", "：");
        let property =
            |english, chinese, value: String| format!("{}{colon}{value}\n", writer.pick(english, chinese));
        let mut text = property("name", "名称", self.name.clone());
        if let Some(owner) = &self.owner {
            text += &property("owner", "负责人", owner.clone());
        }
        if let Some(valid) = writer.valid(self.from, self.to) {
            text += &property("valid", "有效期", valid);
        }
        if self.priority != PRIORITY_DEFAULT {
            text += &property("priority", "优先级", self.priority.to_string());
        }
        if self.scope != Scope::Company {
            text += &property("scope", "范围", writer.scope(&self.scope));
        }
        text + &self.sentence(language) + "\n"
    }
}

impl Condition {
    /// The condition as a sentence says it.
    pub fn written(&self, language: Language) -> String {
        Writer(language).condition(self)
    }
}

impl Action {
    /// What it does, as a sentence says it.
    pub fn phrase(&self, language: Language) -> String {
        Writer(language).action(self)
    }
}

/// Writes in one language.
#[derive(Debug, Clone, Copy)]
struct Writer(Language);

impl Writer {
    fn pick<T>(self, english: T, chinese: T) -> T {
        match self.0 {
            Language::English => english,
            Language::Chinese => chinese,
        }
    }

    fn valid(self, from: Option<Day>, to: Option<Day>) -> Option<String> {
        Some(match (from.map(iso), to.map(iso)) {
            (None, None) => return None,
            (Some(from), None) => format!("{} {from}", self.pick("from", "自")),
            (None, Some(to)) => format!("{} {to}", self.pick("until", "至")),
            (Some(from), Some(to)) => format!("{from} {} {to}", self.pick("to", "至")),
        })
    }

    fn scope(self, scope: &Scope) -> String {
        let (kind, names) = match scope {
            Scope::Company => return self.pick("company", "公司").to_owned(),
            Scope::Region(names) => (self.pick("region", "区域"), names),
            Scope::Manager(names) => (self.pick("manager", "经理"), names),
            Scope::Rep(names) => (self.pick("rep", "代表"), names),
        };
        format!("{kind} {}", self.list(names))
    }

    fn list(self, texts: &[String]) -> String {
        let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
        texts.join(self.pick(", ", "、"))
    }

    fn condition(self, condition: &Condition) -> String {
        match condition {
            Condition::Always => String::new(),
            Condition::All(parts) => {
                self.parts(parts, Word::And, |part| matches!(part, Condition::All(_) | Condition::Any(_)))
            }
            Condition::Any(parts) => self.parts(parts, Word::Or, |part| matches!(part, Condition::Any(_))),
            Condition::Not(inner) => match inner.as_ref() {
                Condition::Between { subject, low, high } => {
                    self.between(Word::NotBetween, *subject, *low, *high)
                }
                Condition::Text { subject, among } => self.text(*subject, among, true),
                Condition::Known(subject) => self.join(*subject, Word::Unknown, ""),
                other => {
                    let (open, close) = self.pick((" (", ")"), ("（", "）"));
                    format!("{}{open}{}{close}", Word::Not.written(self.0), self.condition(other))
                }
            },
            Condition::Number { subject, op, value } => {
                self.join(*subject, Word::Compare(*op), &self.value(*subject, *value))
            }
            Condition::Between { subject, low, high } => self.between(Word::Between, *subject, *low, *high),
            Condition::Text { subject, among } => self.text(*subject, among, false),
            Condition::Known(subject) => self.join(*subject, Word::Known, ""),
        }
    }

    fn parts(self, parts: &[Condition], joint: Word, enclosed: impl Fn(&Condition) -> bool) -> String {
        let (open, close) = self.pick(("(", ")"), ("（", "）"));
        let parts: Vec<String> = parts
            .iter()
            .map(|part| {
                let text = self.condition(part);
                if enclosed(part) { format!("{open}{text}{close}") } else { text }
            })
            .collect();
        let gap = self.pick(" ", "");
        parts.join(&format!("{gap}{}{gap}", joint.written(self.0)))
    }

    fn between(self, word: Word, subject: Subject, low: f64, high: f64) -> String {
        let (low, high) = (self.value(subject, low), self.value(subject, high));
        self.join(subject, word, &self.pick(format!("{low} and {high}"), format!("{low}和{high}之间")))
    }

    fn text(self, subject: Subject, among: &[String], negated: bool) -> String {
        if let [only] = among {
            let op = if negated { Op::Unequal } else { Op::Equal };
            return self.join(subject, Word::Compare(op), &quoted(only));
        }
        let list = self.list(among);
        let word = if negated { Word::NotAmong } else { Word::Among };
        self.join(subject, word, &self.pick(list.clone(), format!("（{list}）")))
    }

    fn join(self, subject: Subject, word: Word, value: &str) -> String {
        let name = self.pick(subject.key().replace('_', " "), subject.chinese().to_owned());
        let gap = if value.is_empty() { "" } else { self.pick(" ", "") };
        format!("{name}{}{}{gap}{value}", self.pick(" ", ""), word.written(self.0))
    }

    fn value(self, subject: Subject, value: f64) -> String {
        let number = value.to_string();
        let one = number == "1";
        match subject.kind() {
            Kind::Money => self.money(&number),
            Kind::Days => number + self.pick(if one { " day" } else { " days" }, "天"),
            Kind::Months => number + self.pick(if one { " month" } else { " months" }, "个月"),
            Kind::Score => number + self.pick(if one { " point" } else { " points" }, "分"),
            Kind::Share => percent(value) + "%",
            Kind::Date => day(value).map_or(number, |day| self.pick(iso(day), chinese(day))),
            Kind::Index | Kind::Count | Kind::Ratio | Kind::Number | Kind::Text => number,
        }
    }

    fn action(self, action: &Action) -> String {
        let limit = |amount: &Amount| match amount {
            Amount::Share(share) => {
                self.pick(format!("{}% of base", percent(*share)), format!("基准的{}%", percent(*share)))
            }
            Amount::Money(minor) => self.money(&major(*minor)),
        };
        let change = |amount: &Amount| match amount {
            Amount::Share(share) => percent(*share) + "%",
            Amount::Money(minor) => self.money(&major(*minor)),
        };
        match action {
            Action::Raise(amount) => {
                self.pick("raise quota by ", "下次目标提升").to_owned() + &change(amount)
            }
            Action::Lower(amount) => {
                self.pick("lower quota by ", "下次目标降低").to_owned() + &change(amount)
            }
            Action::Cap(amount) => self.pick("cap quota at ", "目标上限为").to_owned() + &limit(amount),
            Action::Floor(amount) => self.pick("floor quota at ", "目标下限为").to_owned() + &limit(amount),
            Action::Freeze => self.pick("freeze quota", "冻结目标").to_owned(),
            Action::Weight(weight) => {
                format!("{}{weight}", self.pick("set attainment weight to ", "达成权重设为"))
            }
            Action::Alert { severity, message } => {
                let alert = Word::Alert(*severity).written(self.0);
                let message = message.as_deref().map(quoted).unwrap_or_default();
                let gap = if message.is_empty() { "" } else { self.pick(" ", "") };
                format!("{alert}{gap}{message}")
            }
        }
    }

    /// Money from its major units: `5,000 yuan`, `5000元`, `12万元`.
    fn money(self, number: &str) -> String {
        let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
        let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
        if self.0 == Language::Chinese {
            return match whole.strip_suffix("0000").filter(|tens| !tens.is_empty() && fraction.is_empty()) {
                Some(tens_of_thousands) => format!("{sign}{tens_of_thousands}万元"),
                None => format!("{number}元"),
            };
        }
        let mut grouped = String::new();
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        format!("{sign}{grouped}{fraction} yuan")
    }
}

/// A share as a percentage without its sign, exact in its digits: 0.3 is `30`.
pub(super) fn percent(share: f64) -> String {
    let number = share.to_string();
    let (sign, digits) = number.strip_prefix('-').map_or(("", number.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = format!("{fraction:0<2}");
    let (shifted, fraction) = fraction.split_at(2);
    let whole = format!("{whole}{shifted}");
    let whole = whole.trim_start_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", if whole.is_empty() { "0" } else { whole })
}

/// Minor units as major ones.
fn major(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let (whole, cents) = (minor.unsigned_abs() / 100, minor.unsigned_abs() % 100);
    if cents == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{cents:02}") }
}

/// A text in the first quotes that it doesn't contain itself.
fn quoted(text: &str) -> String {
    let fits =
        QUOTES.iter().find(|(_, close)| !text.contains(*close) && (*close != '"' || !text.contains('＂')));
    let (open, close) = fits.unwrap_or(&QUOTES[0]);
    format!("{open}{text}{close}")
}

/// The day number of the value of a date.
fn day(value: f64) -> Option<Day> {
    value.to_string().parse().ok()
}
