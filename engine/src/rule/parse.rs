//! The grammar of a sentence and of its conditions; both languages share it, as they share their tokens.
//!
//! ```text
//! sentence   = (when any then | always) action {and action} [beyond plan]
//! any        = all {or all}
//! all        = one {and one}
//! one        = not one | ( any ) | subject comparison
//! ```

use super::cursor::{Cursor, Parse};
use super::near::nearest;
use super::passage::Passage;
use super::token::{Lexeme, Token};
use super::word::Word;
use super::{Action, Condition, Fault, Kind, Language, Op, Subject, subjects};

/// The deepest nesting of parentheses and negations.
const DEPTH_MAX: usize = 64;
/// The most words of which a misspelt name is made.
const NAME_WORDS_MAX: usize = 4;

/// A sentence without its properties.
#[derive(Debug)]
pub(super) struct Sentence {
    pub(super) condition: Condition,
    pub(super) actions: Vec<Action>,
    pub(super) beyond_plan: bool,
}

/// Reads a passage that begins with a word of [`opens`].
pub(super) fn sentence(passage: &Passage, language: Language) -> Parse<Sentence> {
    let mut cursor = Cursor::new(passage, 0, language);
    let condition = if cursor.eat(Word::Always) {
        cursor.skip(&Lexeme::Colon);
        cursor.skip(&Lexeme::Comma);
        Condition::Always
    } else {
        cursor.advance();
        let condition = cursor.any()?;
        cursor.then()?;
        condition
    };
    let (actions, beyond_plan) = cursor.actions()?;
    cursor.skip(&Lexeme::Stop);
    cursor.end(if beyond_plan { &[] } else { &[Word::And, Word::BeyondPlan] })?;
    Ok(Sentence { condition, actions, beyond_plan })
}

/// The language of the sentence that begins at the start of a passage, if one does.
pub(super) fn opens(passage: &Passage) -> Option<Language> {
    let token = passage.token(0);
    let opens = matches!(token.lexeme, Lexeme::Word(Word::When | Word::Always));
    let english = passage.written(token.start..token.end).is_ascii();
    opens.then_some(if english { Language::English } else { Language::Chinese })
}

impl Cursor<'_> {
    /// Passes what closes a condition. In Chinese a comma will do.
    fn then(&mut self) -> Parse<()> {
        let moment = self.eat(Word::Moment);
        let comma = self.skip(&Lexeme::Comma);
        let then = self.eat(Word::Then);
        if then || (self.is_chinese() && (moment || comma)) {
            self.skip(&Lexeme::Comma);
            return Ok(());
        }
        let close = if self.is_chinese() { Word::Moment } else { Word::Then };
        let mut fault = self.unexpected(&[Word::And, Word::Or, close]);
        if self.acts() {
            fault.message =
                format!("`{}` is missing before `{}`", close.written(self.language), self.shown());
        }
        Err(fault)
    }

    fn any(&mut self) -> Parse<Condition> {
        let mut parts = vec![self.all()?];
        while self.joined(Word::Or) {
            let meant = self.another_text(parts.last());
            parts.push(self.all().map_err(|fault| match meant {
                Some(meant) => fault.suggesting(meant),
                None => fault,
            })?);
        }
        Ok(one_or(parts, Condition::Any))
    }

    /// What was meant where a text stands after `or`: `region_id is EAST or WEST`.
    fn another_text(&self, before: Option<&Condition>) -> Option<String> {
        let Some(Condition::Text { subject, among }) = before else { return None };
        let text = match &self.token.lexeme {
            Lexeme::Text(text) => text.clone(),
            Lexeme::Unknown => self.shown(),
            _ => return None,
        };
        let among = among.iter().cloned().chain([text]).collect();
        Some(Condition::Text { subject: *subject, among }.written(self.language))
    }

    fn all(&mut self) -> Parse<Condition> {
        let mut parts = vec![self.one()?];
        while self.joined(Word::And) {
            parts.push(self.one()?);
        }
        Ok(one_or(parts, Condition::All))
    }

    /// Passes `word` if it stands here, or after a comma.
    fn joined(&mut self, word: Word) -> bool {
        if self.token.lexeme == Lexeme::Comma && self.next() == Lexeme::Word(word) {
            self.advance();
        }
        self.eat(word)
    }

    fn one(&mut self) -> Parse<Condition> {
        match self.token.lexeme {
            Lexeme::Word(Word::Not) => {
                let not = self.advance();
                // A parenthesis counts itself.
                let enclosed = self.token.lexeme == Lexeme::Open;
                let inner = if enclosed { self.one()? } else { self.nested(&not, Self::one)? };
                Ok(Condition::Not(Box::new(inner)))
            }
            Lexeme::Open => {
                let open = self.advance();
                let inner = self.nested(&open, Self::any)?;
                let joints = [Word::And, Word::Or].map(|word| word.written(self.language));
                self.close(&open, &joints)?;
                Ok(inner)
            }
            Lexeme::Subject(subject) => {
                let name = self.advance();
                self.comparison(subject, &name)
            }
            _ => Err(self.no_subject()),
        }
    }

    /// What stands within `outer`.
    fn nested(&mut self, outer: &Token, parse: impl Fn(&mut Self) -> Parse<Condition>) -> Parse<Condition> {
        if self.depth == DEPTH_MAX {
            let message = format!("more than {DEPTH_MAX} parentheses or negations within each other");
            return Err(self.passage.fault(outer.start..outer.end, message));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// Passes the parenthesis that closes `open`; `others` could stand there too.
    pub(super) fn close(&mut self, open: &Token, others: &[&str]) -> Parse<()> {
        if self.skip(&Lexeme::Close) {
            return Ok(());
        }
        let ends = matches!(
            self.token.lexeme,
            Lexeme::End | Lexeme::Comma | Lexeme::Stop | Lexeme::Word(Word::Then | Word::Moment)
        );
        let fault = if ends || self.acts() {
            self.passage.fault(open.start..open.end, "this parenthesis isn't closed")
        } else {
            self.unexpected(&[])
        };
        Err(fault.expecting(others.iter().copied().chain([")"])))
    }

    /// What is said of a subject.
    fn comparison(&mut self, subject: Subject, name_token: &Token) -> Parse<Condition> {
        let text = subject.kind() == Kind::Text;
        let Lexeme::Word(word) = self.token.lexeme else {
            return Err(self.no_comparison(subject, name_token));
        };
        let fits = match word {
            Word::Known | Word::Unknown | Word::Compare(Op::Equal | Op::Unequal) => true,
            Word::Compare(_) | Word::Between | Word::NotBetween => !text,
            Word::Among | Word::NotAmong => text,
            _ => return Err(self.no_comparison(subject, name_token)),
        };
        if !fits {
            let (name, shown) = (self.name(subject), self.shown());
            let message = if text {
                format!("`{shown}` doesn't compare texts, and {name} is one")
            } else {
                format!("`{shown}` compares texts, and {name} isn't one")
            };
            return Err(Fault { message, ..self.no_comparison(subject, name_token) });
        }
        self.advance();
        let condition = match word {
            Word::Known | Word::Unknown => Condition::Known(subject),
            Word::Between | Word::NotBetween => {
                let (low, high) = self.interval(subject)?;
                Condition::Between { subject, low, high }
            }
            Word::Among | Word::NotAmong => Condition::Text { subject, among: self.texts()? },
            Word::Compare(_) if text => Condition::Text { subject, among: vec![self.text()?] },
            Word::Compare(op) => return Ok(Condition::Number { subject, op, value: self.value(subject)? }),
            _ => return Err(self.no_comparison(subject, name_token)),
        };
        let negated =
            matches!(word, Word::Unknown | Word::NotBetween | Word::NotAmong | Word::Compare(Op::Unequal));
        Ok(if negated { Condition::Not(Box::new(condition)) } else { condition })
    }

    /// The subject as the language of the sentence names it.
    pub(super) fn name(&self, subject: Subject) -> &'static str {
        if self.is_chinese() { subject.chinese() } else { subject.key() }
    }

    fn no_comparison(&self, subject: Subject, name: &Token) -> Fault {
        // A misspelt Chinese name may begin with a name.
        if self.is_chinese() && self.token.lexeme == Lexeme::Unknown && self.token.start == name.end {
            return self.unknown_name(name.start);
        }
        self.unexpected(if subject.kind() == Kind::Text {
            &[Word::Compare(Op::Equal), Word::Compare(Op::Unequal), Word::Among, Word::Known]
        } else {
            &[Word::Compare(Op::Less), Word::Compare(Op::More), Word::Between, Word::Known]
        })
    }

    fn no_subject(&self) -> Fault {
        let shown = self.shown();
        let fault = match self.token.lexeme {
            Lexeme::Unknown => return self.unknown_name(self.token.start),
            Lexeme::Wrong(..) => return self.unexpected(&[]),
            Lexeme::Number(_) | Lexeme::Date(_) | Lexeme::Text(_) => {
                self.fault(format!("a comparison begins with a name, not with the value `{shown}`"))
            }
            Lexeme::End => self.fault("a condition is missing here"),
            _ => self.fault(format!("a condition is missing before `{shown}`")),
        };
        let name = if self.is_chinese() { "客单价" } else { "average_order_value" };
        fault.expecting([name, Word::Not.written(self.language), "("])
    }

    /// The fault that no name begins at `start`: at the most words that resemble one, else at the first.
    fn unknown_name(&self, start: usize) -> Fault {
        let mut ends = vec![self.token.end];
        while let Some(&end) = ends.last().filter(|_| ends.len() < NAME_WORDS_MAX) {
            let token = self.passage.token(end);
            if token.lexeme != Lexeme::Unknown {
                break;
            }
            ends.push(token.end);
        }
        let meant = |end: usize| {
            let words = self.passage.shown(start..end).replace(' ', "_");
            nearest(&words, subjects().flat_map(Subject::names))
        };
        let found = ends.iter().rev().find_map(|end| Some((*end, Some(meant(*end)?))));
        let (end, meant) = found.unwrap_or((self.token.end, None));
        let message = format!("there is nothing called `{}`", self.passage.shown(start..end));
        self.passage.fault(start..end, message).suggesting(meant)
    }
}

fn one_or(mut parts: Vec<Condition>, all: impl Fn(Vec<Condition>) -> Condition) -> Condition {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            all(parts)
        }
    }
}
