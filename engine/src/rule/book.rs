//! The level of the file: which lines are comments, properties and sentences, and which belong together.

use std::collections::BTreeMap;

use super::cursor::Parse;
use super::near::nearest;
use super::parse;
use super::passage::Passage;
use super::property::{self, Properties};
use super::word::Word;
use super::{Book, Fault, Language, PRIORITY_DEFAULT, Rule, Scope};

/// The longest sentence or property, in characters.
const SENTENCE_CHARS_MAX: usize = 4000;

/// Reads a rule file.
///
/// A sentence begins with `when`, `always`, `当`, `如果` or `无条件`, and goes on in the indented lines
/// after it. Lines of properties stand before it. Blank lines and lines that begin with `#` mean nothing.
///
/// # Errors
/// Every fault of the file in its order, at most one for each sentence and each line of properties.
pub fn read(text: &str) -> Result<Book, Vec<Fault>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines =
        (1..).zip(text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line))).peekable();
    let mut reader = Reader::default();
    let mut first = true;
    while let Some((number, line)) = lines.next() {
        if line.trim().is_empty() || is_comment(line) {
            continue;
        }
        let mut piece = vec![(number, line)];
        let alone = Passage::new(&piece);
        if too_long(&alone).is_some() || parse::opens(&alone).is_some() || !property::opens(&alone) {
            while let Some(next) = lines.next_if(|(_, next)| is_comment(next) || is_indented(next)) {
                piece.extend(Some(next).filter(|(_, next)| !is_comment(next)));
            }
        }
        if let Err(fault) = reader.take(&Passage::new(&piece), number, first) {
            reader.faults.push(fault);
        }
        first = false;
    }
    let mut book = reader.end()?;
    if !book.rules.is_empty() {
        text.clone_into(&mut book.source);
    }
    Ok(book)
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

fn is_indented(line: &str) -> bool {
    line.starts_with(char::is_whitespace) && !line.trim().is_empty()
}

/// What was read so far.
#[derive(Debug, Default)]
struct Reader {
    book: Book,
    faults: Vec<Fault>,
    /// Those of the next sentence.
    properties: Properties,
    /// Each name with the line of its rule.
    names: BTreeMap<String, usize>,
}

impl Reader {
    /// Takes in a property, a sentence, or the version, which stands `first`.
    fn take(&mut self, passage: &Passage, line: usize, first: bool) -> Parse<()> {
        if let Some(fault) = too_long(passage) {
            self.properties = Properties::default();
            return Err(fault);
        }
        if let Some(version) = version(passage) {
            let version = version?;
            if !first {
                return Err(passage.fault(0..passage.chars(), "the version stands in the first line"));
            }
            self.book.version = Some(version);
            return Ok(());
        }
        if let Some(language) = parse::opens(passage) {
            let properties = std::mem::take(&mut self.properties);
            return self.sentence(passage, line, language, properties);
        }
        if property::opens(passage) {
            return self.properties.read(passage, line, &mut self.names);
        }
        self.properties = Properties::default();
        let word = passage.token(0);
        let openings = [Word::When, Word::Always].into_iter().flat_map(Word::all);
        let message =
            format!("`{}` begins neither a sentence nor a property", passage.shown(word.start..word.end));
        let meant = nearest(&passage.shown(word.start..word.end), openings.chain(property::keys()));
        let fault = passage.fault(word.start..word.end, message).suggesting(meant);
        Err(fault.expecting(["when", "always", "当", "如果", "无条件"]))
    }

    fn sentence(
        &mut self,
        passage: &Passage,
        line: usize,
        language: Language,
        properties: Properties,
    ) -> Parse<()> {
        let parsed = parse::sentence(passage, language)?;
        let name = properties.name.clone().unwrap_or_else(|| format!("line-{line}"));
        if properties.name.is_none()
            && let Some(other) = self.names.insert(name.clone(), line)
        {
            let word = passage.token(0);
            let message = format!("this rule would be called {name}, as that of line {other} is");
            return Err(passage.fault(word.start..word.end, message));
        }
        self.book.rules.push(Rule {
            name,
            line,
            owner: properties.owner,
            from: properties.from,
            to: properties.to,
            priority: properties.priority.unwrap_or(PRIORITY_DEFAULT),
            scope: properties.scope.unwrap_or(Scope::Company),
            condition: parsed.condition,
            actions: parsed.actions,
            beyond_plan: parsed.beyond_plan,
        });
        Ok(())
    }

    fn end(mut self) -> Result<Book, Vec<Fault>> {
        self.faults.extend(self.properties.orphan);
        self.faults.sort_by_key(|fault| (fault.line, fault.column));
        if !self.faults.is_empty() {
            return Err(self.faults);
        }
        self.book.rules.sort_by_key(|rule| rule.priority);
        Ok(self.book)
    }
}

fn too_long(passage: &Passage) -> Option<Fault> {
    let message = || format!("this has {} characters; {SENTENCE_CHARS_MAX} are the most", passage.chars());
    (passage.chars() > SENTENCE_CHARS_MAX).then(|| passage.fault(0..1, message()))
}

/// The number of a line `version N`; `None` for any other line.
fn version(passage: &Passage) -> Option<Parse<u32>> {
    let start = passage.token(0).start;
    let end = ["version", "版本"].iter().find_map(|word| passage.matches(start, word))?;
    let number = passage.written(end..passage.chars());
    let number = number.trim_start_matches(|letter: char| letter.is_whitespace() || ":：".contains(letter));
    let fault =
        |_| passage.fault(start..passage.chars(), "a version is a whole number").expecting(["version 3"]);
    Some(number.parse().map_err(fault))
}
