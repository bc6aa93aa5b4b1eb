//! The lexer of both languages: the token at a place in a passage.
//!
//! Chinese has no spaces, so names and words are found by the longest match of the tables. Nothing fails
//! here: what makes no sense is a token of its own.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use super::passage::Passage;
use super::word::{UNITS, Unit, Word, words};
use super::{Day, Subject, date, subjects};

/// Opening and closing quotes; texts are written back in the first pair that fits.
pub(super) const QUOTES: [(char, char); 3] = [('"', '"'), ('“', '”'), ('「', '」')];
/// All names and fixed words by their first character.
static PHRASES: LazyLock<BTreeMap<char, Vec<(&str, Lexeme)>>> = LazyLock::new(|| {
    let words = words().map(|(word, spelling)| (spelling, Lexeme::Word(word)));
    let names =
        subjects().flat_map(|subject| subject.names().map(move |name| (name, Lexeme::Subject(subject))));
    let mut phrases = BTreeMap::new();
    for phrase in words.chain(names) {
        phrases.entry(phrase.0.chars().next().unwrap_or_default()).or_insert_with(Vec::new).push(phrase);
    }
    phrases
});

/// A piece of a passage and what it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) lexeme: Lexeme,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Lexeme {
    Subject(Subject),
    Word(Word),
    Number(Numeral),
    Date(Day),
    /// A text in quotes.
    Text(String),
    /// A word that is in no table.
    Unknown,
    Open,
    Close,
    Comma,
    Colon,
    Stop,
    /// What can't be read, and what was probably meant.
    Wrong(&'static str, Option<String>),
    End,
}

/// A number as written: its digits without separators, times ten to the power of `scale`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Numeral {
    pub(super) digits: String,
    pub(super) scale: i32,
    pub(super) unit: Option<Unit>,
}

impl Passage {
    /// The token at or after `at`.
    pub(super) fn token(&self, at: usize) -> Token {
        let start = at + self.count(at, char::is_whitespace);
        let Some(&letter) = self.plain.get(start) else {
            return Token { lexeme: Lexeme::End, start: self.plain.len(), end: self.plain.len() };
        };
        let (lexeme, end) = if let Some(found) = self.phrase(start) {
            found
        } else if self.digit(start) || (letter == '-' && self.digit(start + 1)) {
            self.date(start).unwrap_or_else(|| self.number(start))
        } else if let Some((_, close)) = QUOTES.iter().find(|(open, _)| *open == letter) {
            self.quoted(start, *close)
        } else if letter.is_alphanumeric() {
            (Lexeme::Unknown, self.unknown(start))
        } else {
            (punctuation(letter), start + 1)
        };
        Token { lexeme, start, end }
    }

    /// The text without quotes at or after `at`, and where it ends; empty if none is there. With `stops` it
    /// ends before a Chinese joint, for which there is no blank to wait.
    pub(super) fn bare(&self, at: usize, stops: bool) -> (Range<usize>, String) {
        let start = at + self.count(at, char::is_whitespace);
        let mut end = start;
        while self.in_word(end) && !(stops && self.joint(end)) {
            end += 1;
        }
        (start..end, self.written(start..end))
    }

    /// The longest name or fixed word at `at`.
    fn phrase(&self, at: usize) -> Option<(Lexeme, usize)> {
        PHRASES
            .get(self.plain.get(at)?)?
            .iter()
            .filter_map(|(phrase, lexeme)| Some((lexeme, self.matches(at, phrase)?)))
            .max_by_key(|(_, end)| *end)
            .map(|(lexeme, end)| (lexeme.clone(), end))
    }

    /// Whether a text without quotes ends before `at`.
    fn joint(&self, at: usize) -> bool {
        use Word::{And, Moment, Or, Then, Within};
        ideograph(self.plain[at])
            && matches!(self.phrase(at), Some((Lexeme::Word(And | Moment | Or | Then | Within), _)))
    }

    /// Where a word that is in no table ends: Chinese before the next that is, others where they end.
    fn unknown(&self, start: usize) -> usize {
        let chinese = ideograph(self.plain[start]);
        let mut end = start + 1;
        while self.in_word(end)
            && ideograph(self.plain[end]) == chinese
            && !(chinese && self.phrase(end).is_some())
        {
            end += 1;
        }
        end
    }

    fn quoted(&self, start: usize, close: char) -> (Lexeme, usize) {
        let width = self.count(start + 1, |letter| letter != close && letter != '\n');
        let end = start + 1 + width;
        if self.plain.get(end) != Some(&close) {
            return (Lexeme::Wrong("this quote isn't closed on its line", None), start + 1);
        }
        if width == 0 {
            return (Lexeme::Wrong("there is nothing between these quotes", None), end + 1);
        }
        (Lexeme::Text(self.written(start + 1..end)), end + 1)
    }

    /// A date such as `2026-11-22` or `2026年11月22日`; `None` if none begins at `start`.
    fn date(&self, start: usize) -> Option<(Lexeme, usize)> {
        let year = self.count(start, |letter| letter.is_ascii_digit());
        let marks = match self.plain.get(start + year)? {
            '-' if year == 4 && self.digit(start + 5) => ['-', '-', ' '],
            '年' => ['年', '月', '日'],
            _ => return None,
        };
        let mut parts = [0; 3];
        let mut end = start;
        let mut whole = year == 4;
        for (part, mark) in parts.iter_mut().zip(marks) {
            let width = self.count(end, |letter| letter.is_ascii_digit());
            *part = self.plain[end..end + width].iter().collect::<String>().parse().unwrap_or(-1);
            end += width;
            let marked = mark == ' ' || self.plain.get(end) == Some(&mark);
            whole &= marked;
            end += usize::from(mark != ' ' && marked);
        }
        let day = date::day(parts[0], parts[1], parts[2]).filter(|_| whole);
        Some((day.map_or(Lexeme::Wrong("there is no such date", None), Lexeme::Date), end))
    }

    /// A number with its unit. A comma within belongs to it; groups of three digits follow.
    fn number(&self, start: usize) -> (Lexeme, usize) {
        let from = start + usize::from(self.plain[start] == '-');
        let mut end = from;
        while self.digit(end) || (matches!(self.chars.get(end), Some(',' | '.')) && self.digit(end + 1)) {
            end += 1;
        }
        let written: String = self.plain[from..end].iter().collect();
        let (whole, fraction) = written.split_once('.').unwrap_or((&written, ""));
        let mut groups = whole.split(',');
        let first = groups.next().unwrap_or_default();
        let grouped =
            groups.all(|group| group.len() == 3) && (first.len() <= 3 || first.len() == whole.len());
        let joined = whole.replace(',', "");
        if fraction.contains(['.', ',']) {
            return (Lexeme::Wrong("this isn't a number", None), end);
        }
        if !grouped {
            return (
                Lexeme::Wrong("commas in a number stand before groups of three digits", Some(joined)),
                end,
            );
        }
        let sign = if from > start { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        let digits = format!("{sign}{joined}{point}{fraction}");
        let after = end + self.count(end, char::is_whitespace);
        let unit = UNITS
            .iter()
            .filter_map(|(spelling, scale, unit)| Some((self.matches(after, spelling)?, *scale, *unit)))
            .max_by_key(|(end, ..)| *end);
        let (end, scale, unit) = unit.unwrap_or((end, 0, None));
        (Lexeme::Number(Numeral { digits, scale, unit }), end)
    }
}

fn punctuation(letter: char) -> Lexeme {
    match letter {
        '(' => Lexeme::Open,
        ')' => Lexeme::Close,
        ',' => Lexeme::Comma,
        ':' => Lexeme::Colon,
        '.' => Lexeme::Stop,
        _ => Lexeme::Wrong("this character has no meaning here", None),
    }
}

fn ideograph(letter: char) -> bool {
    letter >= '\u{2e80}'
}
