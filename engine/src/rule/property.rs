//! The lines before a sentence that give its properties.

use std::collections::BTreeMap;

use super::cursor::{Cursor, Parse};
use super::near::nearest;
use super::passage::Passage;
use super::token::Lexeme;
use super::word::Word;
use super::{Day, Fault, Language, Scope};

/// The longest name of a rule, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// The properties of one sentence, as far as they are given.
#[derive(Debug, Default)]
pub(super) struct Properties {
    pub(super) name: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) from: Option<Day>,
    pub(super) to: Option<Day>,
    pub(super) priority: Option<i32>,
    pub(super) scope: Option<Scope>,
    given: Vec<Key>,
    /// What is wrong with them if no sentence follows.
    pub(super) orphan: Option<Fault>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Name,
    Owner,
    Valid,
    Priority,
    Scope,
}

const KEYS: [(Key, [&str; 2]); 5] = [
    (Key::Name, ["name", "名称"]),
    (Key::Owner, ["owner", "负责人"]),
    (Key::Valid, ["valid", "有效期"]),
    (Key::Priority, ["priority", "优先级"]),
    (Key::Scope, ["scope", "范围"]),
];

/// A kind of scope, ready for its names.
type Named = fn(Vec<String>) -> Scope;

const SCOPES: [(&str, Option<Named>); 12] = [
    ("company", None),
    ("公司", None),
    ("region", Some(Scope::Region)),
    ("regions", Some(Scope::Region)),
    ("区域", Some(Scope::Region)),
    ("大区", Some(Scope::Region)),
    ("manager", Some(Scope::Manager)),
    ("managers", Some(Scope::Manager)),
    ("经理", Some(Scope::Manager)),
    ("rep", Some(Scope::Rep)),
    ("reps", Some(Scope::Rep)),
    ("代表", Some(Scope::Rep)),
];

/// The names of all properties.
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().flat_map(|(_, names)| *names)
}

/// Whether a line begins as a property does: a word and a colon.
pub(super) fn opens(passage: &Passage) -> bool {
    let (key, _) = passage.bare(0, false);
    !key.is_empty() && passage.token(key.end).lexeme == Lexeme::Colon
}

impl Properties {
    /// Takes in a line for which [`opens`] holds; `taken` are the names of rules and their lines.
    pub(super) fn read(
        &mut self,
        passage: &Passage,
        line: usize,
        taken: &mut BTreeMap<String, usize>,
    ) -> Parse<()> {
        let (range, word) = passage.bare(0, false);
        let colon = passage.token(range.end);
        let Some((key, _)) = KEYS.iter().find(|(_, names)| names.contains(&word.to_lowercase().as_str()))
        else {
            let others = [Word::When, Word::Always].into_iter().flat_map(Word::all);
            let meant = nearest(&word, keys().chain(others));
            let message = format!("there is no property `{}`", passage.shown(range.clone()));
            return Err(passage.fault(range, message).suggesting(meant));
        };
        let language = if word.is_ascii() { Language::English } else { Language::Chinese };
        self.orphan.get_or_insert_with(|| passage.fault(range.clone(), "no sentence follows this property"));
        if self.given.contains(key) {
            return Err(passage.fault(range, format!("`{word}` is given twice")));
        }
        self.given.push(*key);
        let mut cursor = Cursor::new(passage, colon.end, language);
        if cursor.token.lexeme == Lexeme::End {
            return Err(cursor.fault(format!("`{word}` has no value")));
        }
        let start = cursor.token.start;
        let value = passage.written(start..passage.chars());
        let fault = |message: &str| passage.fault(start..passage.chars(), message);
        match key {
            Key::Owner => self.owner = Some(value),
            Key::Name => {
                check_name(&value, taken).map_err(|message| fault(&message))?;
                taken.insert(value.clone(), line);
                self.name = Some(value);
            }
            Key::Priority => {
                let priority = value.parse().map_err(|_| fault("a priority is a whole number"))?;
                self.priority = Some(priority);
            }
            Key::Valid => (self.from, self.to) = cursor.validity()?,
            Key::Scope => self.scope = Some(cursor.scope()?),
        }
        Ok(())
    }
}

fn check_name(name: &str, taken: &BTreeMap<String, usize>) -> Result<(), String> {
    if name.len() > NAME_BYTES_MAX {
        return Err(format!("a name has {NAME_BYTES_MAX} bytes at most, and this has {}", name.len()));
    }
    if !name.chars().all(|letter| letter.is_alphanumeric() || "-_.".contains(letter)) {
        return Err("a name is made of letters, digits, `-`, `_` and `.`".to_owned());
    }
    match taken.get(name) {
        Some(line) => Err(format!("the rule of line {line} is already called {name}")),
        None => Ok(()),
    }
}

impl Cursor<'_> {
    /// `2026-01-01 to 2026-12-31`, `from 2026-01-01` or `until 2026-12-31`.
    fn validity(&mut self) -> Parse<(Option<Day>, Option<Day>)> {
        let open = self.eat(Word::From);
        let from = if self.is(Word::To) { None } else { Some(self.day()?) };
        if open && self.token.lexeme == Lexeme::End {
            return Ok((from, None));
        }
        self.require(Word::To)?;
        let last = self.token.clone();
        let to = self.day()?;
        self.end(&[])?;
        if from.is_some_and(|from| to < from) {
            let message = "the last day is before the first";
            return Err(self.passage.fault(last.start..last.end, message));
        }
        Ok((from, Some(to)))
    }

    fn day(&mut self) -> Parse<Day> {
        let Lexeme::Date(day) = self.token.lexeme else { return Err(self.missing("a date", "2026-12-31")) };
        self.advance();
        Ok(day)
    }

    /// `company`, or `region`, `manager` or `rep` and ids.
    fn scope(&mut self) -> Parse<Scope> {
        let start = self.token.start;
        let found = SCOPES.iter().filter_map(|(word, make)| Some((self.passage.matches(start, word)?, make)));
        let Some((end, make)) = found.max_by_key(|(end, _)| *end) else {
            let (range, word) = self.passage.bare(start, false);
            let meant = nearest(&word, SCOPES.iter().map(|scope| scope.0));
            let expected = if self.is_chinese() {
                ["区域", "经理", "代表", "公司"]
            } else {
                ["region", "manager", "rep", "company"]
            };
            let range = start..range.end.max(start + 1);
            let message = format!("there is no scope `{}`", self.passage.shown(range.clone()));
            return Err(self.passage.fault(range, message).expecting(expected).suggesting(meant));
        };
        self.pass(end);
        let Some(make) = make else {
            self.end(&[])?;
            return Ok(Scope::Company);
        };
        let mut names = Vec::new();
        loop {
            names.push(self.text_or_bare(false).ok_or_else(|| self.missing("an id", "EAST"))?);
            if !self.skip(&Lexeme::Comma) {
                break;
            }
        }
        self.end(&[]).map_err(|fault| fault.expecting([","]))?;
        Ok(make(names))
    }
}
