//! A proposal becomes a rule: appended to a file, with whoever accepted it as its owner.

use std::io::Write;
use std::path::Path;

use engine::EngineError;
use engine::rule::{self, Rule};
use engine::suggest::{Approval, Proposal};
use engine::time::{Day, date};

use crate::context::read_rules;
use crate::negotiate::{self, Refusal};
use crate::output;
use crate::report::suggest as report;

/// Days for which an accepted rule is valid: then somebody looks at it again.
const VALID_DAYS: Day = 365;

/// Appends the proposal to a file of rules, valid from a day on, once the whole file is read as it should be.
///
/// # Errors
/// [`EngineError::Input`] without a file or a name, and where the file holds faults; nothing is written then.
pub(super) fn accept(
    proposal: &Proposal,
    approvals: &[Approval],
    (to, by): (Option<&Path>, &str),
    from: Day,
) -> anyhow::Result<()> {
    let Some(path) = to else {
        let message =
            "name a file of rules with --to, or set rules = \"FILE\" in the configuration".to_owned();
        return Err(EngineError::Input(message).into());
    };
    let owner = negotiate::said("by", by).map_err(Refusal::of_command)?;
    if owner.contains(char::is_control) {
        return Err(EngineError::Input("--by is a name, on one line".to_owned()).into());
    }
    let (text, names) = if path.exists() {
        let book = read_rules(path)?;
        (std::fs::read_to_string(path)?, book.rules.into_iter().map(|rule| rule.name).collect())
    } else {
        (String::new(), Vec::new())
    };
    let rule = Rule {
        name: free(&proposal.rule.name, &names),
        owner: Some(owner.clone()),
        from: Some(from),
        to: Some(from + VALID_DAYS - 1),
        ..proposal.rule.clone()
    };
    let gap = if text.is_empty() {
        ""
    } else if text.ends_with('\n') {
        "\n"
    } else {
        "\n\n"
    };
    let comment = report::came_from(proposal, approvals);
    let entry = format!("{gap}# Accepted by {owner}, from approvals:\n{comment}{}", rule.english());
    let whole = text + &entry;
    let wrong = || EngineError::Input(format!("{}: the rule would not be read as proposed", path.display()));
    let book = rule::read(&whole).map_err(|_| wrong())?;
    let same = |read: &Rule| Rule { line: rule.line, ..read.clone() } == rule;
    if book.rules.len() != names.len() + 1 || !book.rules.iter().any(same) {
        return Err(wrong().into());
    }
    let mut file = output::AtomicFile::create(path)?;
    file.write_all(whole.as_bytes())?;
    file.publish()?;
    output::print(&format!(
        "appended to {}: {}, in force from {} to {}\n{}",
        path.display(),
        rule.name,
        date(from),
        date(from + VALID_DAYS - 1),
        rule.sentence(rule::Language::English)
    ))
}

/// The name, with a number where it is taken.
fn free(name: &str, names: &[String]) -> String {
    let numbered = (2..).map(|number: u32| format!("{name}-{number}"));
    let mut all = std::iter::once(name.to_owned()).chain(numbered);
    all.find(|name| !names.contains(name)).unwrap_or_default()
}
