//! Rules as lists and sentences, and what they would have done.

use std::collections::BTreeSet;

use engine::rule::{Book, Language, Rule, Ruled, Scope, Subject};
use engine::time::{Day, date};

use super::words::{columns, money, signed};

/// Reps named as examples.
const EXAMPLES: usize = 5;

/// What the rules would have done on one day.
#[derive(Debug)]
pub(crate) struct Tried {
    /// The day.
    pub(crate) day: Day,
    /// Ids of the reps on duty.
    pub(crate) reps: Vec<String>,
    /// By rule: which reps it touches; `None` where it is not in force.
    pub(crate) touches: Vec<Option<Vec<bool>>>,
    /// By rep: what all rules do.
    pub(crate) ruled: Vec<Ruled>,
}

/// That a file is right.
pub(crate) fn checked(name: &str, book: &Book) -> String {
    let n = book.rules.len();
    let noun = if n == 1 { "rule" } else { "rules" };
    format!("{name}: {n} {noun}, nothing wrong")
}

/// The rules in their order, a line each.
pub(crate) fn list(book: &Book) -> String {
    let head = ["", "rule", "priority", "valid", "scope", "owner", "says"].map(str::to_owned).to_vec();
    let rows = book.rules.iter().zip(1..).map(|(rule, place)| {
        vec![
            place.to_string(),
            rule.name.clone(),
            rule.priority.to_string(),
            validity(rule),
            scope(&rule.scope),
            rule.owner.clone().unwrap_or_default(),
            rule.sentence(Language::English),
        ]
    });
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    columns(&[true, false, true, false, false, false, false], &rows)
}

/// Every rule in both languages.
pub(crate) fn read_back(book: &Book) -> String {
    let one = |rule: &Rule| {
        format!(
            "{} (line {})\n  {}\n  {}",
            rule.name,
            rule.line,
            rule.sentence(Language::English),
            rule.sentence(Language::Chinese)
        )
    };
    book.rules.iter().map(one).collect::<Vec<_>>().join("\n\n")
}

/// What rules can ask about.
pub(crate) fn words(subjects: impl Iterator<Item = Subject>) -> String {
    let head = ["word", "in Chinese", "meaning"].map(str::to_owned).to_vec();
    let row = |subject: Subject| {
        vec![subject.key().to_owned(), subject.chinese().to_owned(), subject.meaning().to_owned()]
    };
    columns(&[false; 3], &std::iter::once(head).chain(subjects.map(row)).collect::<Vec<_>>())
}

/// Per rule and month: days, reps, and what it would have moved on the last of those days.
pub(crate) fn tried(book: &Book, days: &[Tried]) -> String {
    let of_rule = |(position, rule): (usize, &Rule)| {
        format!("{}: {}\n{}", rule.name, rule.sentence(Language::English), months(position, days))
    };
    book.rules.iter().enumerate().map(of_rule).collect::<Vec<_>>().join("\n\n")
}

/// The same of the rule in that position alone, without what it says.
pub(crate) fn months(position: usize, days: &[Tried]) -> String {
    let head = [
        "month",
        "days in force",
        "reps touched",
        "of",
        "on the last day",
        "proposals move by",
        "for example",
    ];
    let month = |day: &Tried| date(day.day).format("%Y-%m").to_string();
    let months = days.chunk_by(|a, b| month(a) == month(b)).map(|days| month_row(position, days));
    let rows: Vec<Vec<String>> = std::iter::once(head.map(str::to_owned).to_vec()).chain(months).collect();
    columns(&[false, true, true, true, true, true, false], &rows)
}

fn month_row(rule: usize, month: &[Tried]) -> Vec<String> {
    let in_force: Vec<(&Tried, &Vec<bool>)> =
        (month.iter()).filter_map(|day| Some((day, day.touches.get(rule)?.as_ref()?))).collect();
    let mut reps: BTreeSet<&str> = BTreeSet::new();
    for (day, touched) in &in_force {
        reps.extend(
            day.reps.iter().zip(*touched).filter(|(_, touched)| **touched).map(|(rep, _)| rep.as_str()),
        );
    }
    let all: BTreeSet<&str> = month.iter().flat_map(|day| day.reps.iter().map(String::as_str)).collect();
    let name = month.first().map(|day| date(day.day).format("%Y-%m").to_string()).unwrap_or_default();
    let last = in_force.last();
    let on_last = last.map_or(0, |(_, touched)| touched.iter().filter(|touched| **touched).count());
    let steps = last.iter().flat_map(|(day, _)| day.ruled.iter().flat_map(|ruled| &ruled.steps));
    let moved: i64 = steps
        .filter(|step| usize::try_from(step.rule) == Ok(rule))
        .map(|step| step.after - step.before)
        .sum();
    let examples: Vec<&str> = reps.iter().copied().take(EXAMPLES).collect();
    let more = if reps.len() > EXAMPLES { ", …" } else { "" };
    vec![
        name,
        format!("{} of {}", in_force.len(), month.len()),
        reps.len().to_string(),
        all.len().to_string(),
        on_last.to_string(),
        if moved == 0 { "–".to_owned() } else { signed(&money(moved)) },
        format!("{}{more}", examples.join(", ")),
    ]
}

fn validity(rule: &Rule) -> String {
    match (rule.from, rule.to) {
        (None, None) => "always".to_owned(),
        (Some(from), None) => format!("from {}", date(from)),
        (None, Some(to)) => format!("until {}", date(to)),
        (Some(from), Some(to)) => format!("{} to {}", date(from), date(to)),
    }
}

fn scope(scope: &Scope) -> String {
    match scope {
        Scope::Company => "company".to_owned(),
        Scope::Region(names) => format!("region {}", names.join(", ")),
        Scope::Manager(names) => format!("manager {}", names.join(", ")),
        Scope::Rep(names) => format!("rep {}", names.join(", ")),
    }
}
