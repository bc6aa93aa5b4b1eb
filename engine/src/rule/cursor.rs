//! A walk over the tokens of a passage, and the faults of what was met on the way.

use super::near::nearest;
use super::passage::Passage;
use super::token::{Lexeme, Token};
use super::word::Word;
use super::{Fault, Language};

pub(super) type Parse<T> = Result<T, Fault>;

/// A place in a passage.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    pub(super) passage: &'a Passage,
    pub(super) language: Language,
    pub(super) token: Token,
    /// Where what was passed last ends.
    pub(super) passed: usize,
    /// How many parentheses and negations are open.
    pub(super) depth: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(passage: &'a Passage, at: usize, language: Language) -> Self {
        Self { passage, language, token: passage.token(at), passed: at, depth: 0 }
    }

    pub(super) fn is(&self, word: Word) -> bool {
        self.token.lexeme == Lexeme::Word(word)
    }

    pub(super) fn is_chinese(&self) -> bool {
        self.language == Language::Chinese
    }

    /// The token, which is left behind.
    pub(super) fn advance(&mut self) -> Token {
        let token = self.token.clone();
        self.pass(token.end);
        token
    }

    /// Goes on at `end`.
    pub(super) fn pass(&mut self, end: usize) {
        self.passed = end;
        self.token = self.passage.token(end);
    }

    /// The token after this one.
    pub(super) fn next(&self) -> Lexeme {
        self.passage.token(self.token.end).lexeme
    }

    /// Passes `lexeme` if it stands here.
    pub(super) fn skip(&mut self, lexeme: &Lexeme) -> bool {
        let here = self.token.lexeme == *lexeme;
        if here {
            self.advance();
        }
        here
    }

    /// Passes `word` if it stands here.
    pub(super) fn eat(&mut self, word: Word) -> bool {
        self.skip(&Lexeme::Word(word))
    }

    pub(super) fn require(&mut self, word: Word) -> Parse<()> {
        if self.eat(word) { Ok(()) } else { Err(self.unexpected(&[word])) }
    }

    /// Nothing follows; otherwise `words` could.
    pub(super) fn end(&self, words: &[Word]) -> Parse<()> {
        if self.token.lexeme == Lexeme::End { Ok(()) } else { Err(self.unexpected(words)) }
    }

    /// A fault at the token.
    pub(super) fn fault(&self, message: impl Into<String>) -> Fault {
        self.passage.fault(self.token.start..self.token.end, message)
    }

    /// The token as written.
    pub(super) fn shown(&self) -> String {
        self.passage.shown(self.token.start..self.token.end)
    }

    /// The fault that the token isn't one of `words`.
    pub(super) fn unexpected(&self, words: &[Word]) -> Fault {
        let expected = words.iter().map(|word| word.written(self.language)).filter(|word| !word.is_empty());
        let fault = match &self.token.lexeme {
            Lexeme::End => self.fault("the sentence ends too early"),
            Lexeme::Wrong(why, meant) => return self.fault(*why).suggesting(meant.clone()),
            Lexeme::Unknown => {
                let meant = nearest(&self.shown(), words.iter().flat_map(|word| word.all()));
                self.fault(format!("`{}` isn't understood here", self.shown())).suggesting(meant)
            }
            Lexeme::Word(Word::When | Word::Always) => {
                self.fault("a sentence begins within another; begin it at the start of a line")
            }
            _ => self.fault(format!("`{}` can't stand here", self.shown())),
        };
        fault.expecting(expected)
    }
}
