//! Rules from a seeded generator: what is written reads as it was, and a slip is no worse than a fault.

use crate::rule::*;

/// A linear congruential generator.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % sides
    }

    fn chance(&mut self) -> bool {
        self.below(2) == 0
    }

    fn whole(&mut self, low: i32, high: i32) -> i32 {
        low + i32::try_from(self.below(usize::try_from(high - low + 1).unwrap_or(1))).unwrap_or(0)
    }

    fn pick<T: Clone>(&mut self, among: &[T]) -> T {
        among[self.below(among.len())].clone()
    }

    fn text(&mut self) -> String {
        const TEXTS: [&str; 10] =
            ["EAST", "华东", "a b", "say “hi”", "和", "#1", "x, y", "「a」\"", "时，则", "then 5%"];
        self.pick(&TEXTS).to_owned()
    }

    fn texts(&mut self) -> Vec<String> {
        (0..=self.below(3)).map(|_| self.text()).collect()
    }

    /// A value that `subject` can be compared with.
    fn value(&mut self, subject: Subject) -> f64 {
        let fine = f64::from(self.whole(0, 1_000_000)) / f64::from(self.whole(1, 1_000_000));
        match (subject.kind(), subject.key()) {
            (_, "month" | "weekday") => f64::from(self.whole(1, 7)),
            (Kind::Date, _) => f64::from(self.whole(-20_000, 60_000)),
            (Kind::Money, _) if self.chance() => f64::from(self.whole(-9, 999)) * 10_000.0,
            (Kind::Money, _) => f64::from(self.whole(-999, i32::MAX - 9999)) / 100.0,
            (Kind::Score, _) => fine.min(100.0),
            (Kind::Share, _) => fine,
            _ if self.chance() => f64::from(self.whole(-40, 2000)),
            _ => -fine,
        }
    }

    fn leaf(&mut self) -> Condition {
        let all: Vec<Subject> = subjects().collect();
        let subject = self.pick(&all);
        match (self.below(5), subject.kind()) {
            (0, _) => Condition::Known(subject),
            (_, Kind::Text) => Condition::Text { subject, among: self.texts() },
            (1, _) => {
                let (left, right) = (self.value(subject), self.value(subject));
                Condition::Between { subject, low: left.min(right), high: left.max(right) }
            }
            _ => {
                use Op::{AtLeast, AtMost, Equal, Less, More, Unequal};
                let op = self.pick(&[Less, AtMost, More, AtLeast, Equal, Unequal]);
                Condition::Number { subject, op, value: self.value(subject) }
            }
        }
    }

    fn condition(&mut self, depth: usize) -> Condition {
        let parts = |dice: &mut Self| (0..2 + dice.below(2)).map(|_| dice.condition(depth - 1)).collect();
        match if depth == 0 { 9 } else { self.below(6) } {
            0 => Condition::All(parts(self)),
            1 => Condition::Any(parts(self)),
            2 => Condition::Not(Box::new(self.condition(depth - 1))),
            _ => self.leaf(),
        }
    }

    fn amount(&mut self) -> Amount {
        if self.chance() {
            Amount::Share(f64::from(self.whole(0, 1000)) / f64::from(self.whole(1000, 1003)))
        } else {
            Amount::Money(i64::from(self.whole(0, i32::MAX - 1)) * 10_i64.pow(self.pick(&[0, 1, 2, 6])))
        }
    }

    fn actions(&mut self) -> Vec<Action> {
        let first = match self.below(3) {
            0 => Action::Freeze,
            1 => Action::Raise(self.amount()),
            _ => Action::Lower(self.amount()),
        };
        let message = self.chance().then(|| self.text());
        let severity = self.pick(&[Severity::Info, Severity::Amber, Severity::Red]);
        let mut actions = vec![
            first,
            Action::Cap(self.amount()),
            Action::Floor(self.amount()),
            Action::Weight(f64::from(self.whole(10, 1000)) / 100.0),
            Action::Alert { severity, message },
        ];
        while actions.len() > 1 && self.below(4) > 0 {
            actions.remove(self.below(actions.len()));
        }
        actions
    }

    fn rule(&mut self, depth: usize) -> Rule {
        let from = self.chance().then(|| self.whole(-1000, 30_000));
        Rule {
            name: self.pick(&["a", "line-7", "岁末-2", "B_2.x"]).to_owned(),
            line: 0,
            owner: self.chance().then(|| "Ann 安: #1".to_owned()),
            from,
            to: self.chance().then(|| from.unwrap_or(0) + self.whole(0, 900)),
            priority: self.pick(&[100, 20, -3, i32::MIN]),
            scope: match self.below(4) {
                0 => Scope::Company,
                1 => Scope::Region(self.texts()),
                2 => Scope::Manager(self.texts()),
                _ => Scope::Rep(self.texts()),
            },
            condition: if self.below(8) == 0 { Condition::Always } else { self.condition(depth) },
            actions: self.actions(),
            beyond_plan: self.chance(),
        }
    }
}

/// `rule` is what its own `text` says.
fn reads_as_written(rule: &Rule, text: &str) {
    let book = read(text).unwrap_or_else(|faults| panic!("{}", faults[0].show("r", text)));
    let [read] = book.rules.as_slice() else { panic!("{text}") };
    assert_eq!(Rule { line: rule.line, ..read.clone() }, *rule, "{text}");
}

#[test]
fn what_is_written_reads_as_it_was() {
    let mut dice = Dice(7);
    for _ in 0..4000 {
        let rule = dice.rule(3);
        reads_as_written(&rule, &rule.english());
        reads_as_written(&rule, &rule.chinese());
    }
}

#[test]
fn no_slip_is_worse_than_a_fault() {
    const PIECES: [&str; 24] = [
        "\"", "“", "」", "（", ")", "，", "、", "时", "当", "when ", " and ", "5,00", "30%", "-", "2026-",
        "年", "万", "。", "\n", "\r\n ", "\u{feff}", "\u{301}", "😀", "目标",
    ];
    let mut dice = Dice(11);
    let mut sound = 0;
    for _ in 0..20_000 {
        let rule = dice.rule(1);
        let text = if dice.chance() { rule.english() } else { rule.chinese() };
        let mut letters: Vec<char> = format!("version 3\n# 注\n{text}").chars().collect();
        for _ in 0..=dice.below(3) {
            let at = dice.below(letters.len());
            let end = (at + dice.below(6)).min(letters.len());
            match dice.below(3) {
                0 => drop(letters.drain(at..end)),
                1 => drop(letters.splice(at..at, dice.pick(&PIECES).chars())),
                _ => {
                    let moved: Vec<char> = letters[at..end].to_vec();
                    let to = dice.below(letters.len());
                    drop(letters.splice(to..to, moved));
                }
            }
        }
        let text: String = letters.into_iter().collect();
        match read(&text) {
            Ok(book) => {
                sound += 1;
                let english = dice.chance();
                for rule in &book.rules {
                    reads_as_written(rule, &if english { rule.english() } else { rule.chinese() });
                }
            }
            Err(faults) => faults.iter().for_each(|fault| stands_in(fault, &text)),
        }
    }
    assert!(sound > 2000, "only {sound} survive");
}

/// `fault` marks characters of `text`, or the place after a line.
fn stands_in(fault: &Fault, text: &str) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let line = text.split('\n').nth(fault.line - 1).expect("a line of the text");
    let end = fault.column + fault.width - 1;
    assert!(fault.column >= 1 && fault.width >= 1 && end <= line.chars().count() + 1, "{fault:?}\n{text}");
    assert!(fault.show("r", text).lines().count() >= 3 && !fault.message.is_empty());
}
