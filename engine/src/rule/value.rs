//! Values: what may stand on the right of a comparison, in the unit of what stands on the left.

use super::cursor::{Cursor, Parse};
use super::near::nearest;
use super::token::{Lexeme, Numeral, Token};
use super::word::{UNITS, Unit, Word};
use super::write::percent;
use super::{Fault, Kind, Subject};

/// The most money, in minor units; whole numbers up to here are exact as `f64`.
const MINOR_MAX: i64 = 9_000_000_000_000_000;

impl Cursor<'_> {
    /// A value that can be compared with `subject`, which isn't a text.
    pub(super) fn value(&mut self, subject: Subject) -> Parse<f64> {
        let (token, numeral) = match &self.token.lexeme {
            Lexeme::Number(numeral) => (self.token.clone(), numeral.clone()),
            Lexeme::Date(day) if subject.kind() == Kind::Date => {
                let day = f64::from(*day);
                self.advance();
                return Ok(day);
            }
            _ => return Err(self.no_value(subject)),
        };
        let value = self.measured(subject, &numeral)?;
        self.advance();
        self.no_unit(&token, &numeral)?;
        Ok(value)
    }

    /// Two values with `and` or `to` between them, the lower first.
    pub(super) fn interval(&mut self, subject: Subject) -> Parse<(f64, f64)> {
        let first = self.token.clone();
        let low = self.value(subject)?;
        if !self.eat(Word::And) && !self.eat(Word::To) {
            let and = if self.is_chinese() { "和" } else { "and" };
            return Err(self.unexpected(&[Word::And, Word::To]).expecting([and]));
        }
        let second = self.token.clone();
        let high = self.value(subject)?;
        if let (Lexeme::Number(left), Lexeme::Number(right)) = (&first.lexeme, &second.lexeme)
            && left.unit.is_none()
            && left.scale == 0
            && right.scale > 0
        {
            // 介于10和30万之间: 10 or 100,000?
            let message = "it is open whether the unit of the second value holds for the first";
            let written = self.passage.written(second.start..second.end);
            let unit = written.trim_start_matches(|letter: char| !letter.is_alphabetic());
            let fault = self.passage.fault(first.start..first.end, message);
            return Err(fault.expecting([left.digits.clone() + unit]));
        }
        if low > high {
            let message = "the lower value comes first";
            return Err(self.passage.fault(first.start..second.end, message));
        }
        if self.is_chinese() {
            self.require(Word::Within)?;
        }
        Ok((low, high))
    }

    /// A text in quotes, or a word without.
    pub(super) fn text(&mut self) -> Parse<String> {
        let closes = matches!(self.token.lexeme, Lexeme::Word(Word::Then | Word::And | Word::Or));
        let text = if closes { None } else { self.text_or_bare(self.is_chinese()) };
        text.ok_or_else(|| {
            // 和平区 begins with a joint, and only quotes keep it whole.
            let (range, whole) = self.passage.bare(self.token.start, false);
            let meant = (self.is_chinese() && range.end > self.token.end).then(|| format!("\"{whole}\""));
            self.missing("a text", "\"…\"").suggesting(meant)
        })
    }

    /// A text in quotes or a word without, which `stops` before a Chinese joint; `None` if neither is here.
    pub(super) fn text_or_bare(&mut self, stops: bool) -> Option<String> {
        let (range, bare) = self.passage.bare(self.token.start, stops);
        let (end, text) = match &self.token.lexeme {
            Lexeme::Text(text) => (self.token.end, text.clone()),
            _ if bare.is_empty() => return None,
            _ => (range.end, bare),
        };
        self.pass(end);
        Some(text)
    }

    /// Texts with commas between them, in parentheses or not.
    pub(super) fn texts(&mut self) -> Parse<Vec<String>> {
        let open = self.token.clone();
        let enclosed = self.skip(&Lexeme::Open);
        let mut texts = vec![self.text()?];
        while self.token.lexeme == Lexeme::Comma
            && (enclosed || matches!(self.next(), Lexeme::Text(_) | Lexeme::Unknown | Lexeme::Number(_)))
        {
            self.advance();
            texts.push(self.text()?);
        }
        if enclosed {
            self.close(&open, &[","])?;
        }
        Ok(texts)
    }

    /// The fault that the unit of `token` isn't one.
    pub(super) fn no_unit(&self, token: &Token, numeral: &Numeral) -> Parse<()> {
        if numeral.unit.is_some() || self.token.lexeme != Lexeme::Unknown {
            return Ok(());
        }
        let meant = nearest(&self.shown(), UNITS.iter().map(|unit| unit.0));
        if meant.is_none() && self.token.start > token.end {
            return Ok(()); // It isn't meant as a unit.
        }
        let value = self.passage.shown(token.start..token.end);
        Err(self.fault(format!("`{}` isn't a unit of `{value}`", self.shown())).suggesting(meant))
    }

    /// The fault that something is missing before the token.
    pub(super) fn missing(&self, what: &str, expected: &str) -> Fault {
        match self.token.lexeme {
            Lexeme::Wrong(..) => return self.unexpected(&[]),
            Lexeme::End => self.fault(format!("{what} is missing here")),
            _ => self.fault(format!("{what} is missing before `{}`", self.shown())),
        }
        .expecting([expected])
    }

    fn no_value(&self, subject: Subject) -> Fault {
        let (name, example) = (self.name(subject), self.example(subject.kind(), None));
        let message = match self.token.lexeme {
            Lexeme::Date(_) => format!("{name} is {}, not a date", in_words(subject.kind())),
            Lexeme::Text(_) => format!("{name} is {}, not a text", in_words(subject.kind())),
            Lexeme::Subject(_) => {
                "a name can be compared with a value only, not with another name".to_owned()
            }
            Lexeme::Unknown => format!("`{}` isn't a value", self.shown()),
            _ => return self.missing("a value", &example),
        };
        self.fault(message).expecting([example])
    }

    /// The number at the token in the unit of `subject`.
    fn measured(&self, subject: Subject, numeral: &Numeral) -> Parse<f64> {
        let (kind, name) = (subject.kind(), self.name(subject));
        let fits = match numeral.unit {
            None => kind != Kind::Date,
            Some(Unit::Share) => matches!(kind, Kind::Share | Kind::Ratio),
            Some(Unit::Days) => kind == Kind::Days,
            Some(Unit::Months) => kind == Kind::Months || subject.key() == "month",
            Some(Unit::Money) => kind == Kind::Money,
            Some(Unit::Points) => kind == Kind::Score,
            Some(Unit::Pieces) => kind == Kind::Count,
        };
        if !fits {
            let not = match numeral.unit {
                None => "a number",
                Some(Unit::Share) => "a share",
                Some(Unit::Days) => "days",
                Some(Unit::Months) => "months",
                Some(Unit::Money) => "money",
                Some(Unit::Points) => "points",
                Some(Unit::Pieces) => "a count",
            };
            let message = format!("{name} is {}, not {not}", in_words(kind));
            return Err(self.fault(message).expecting([self.example(kind, Some(numeral))]));
        }
        let value = self.number(numeral)?;
        if kind == Kind::Share && numeral.unit.is_none() && value > 1.0 {
            // An attainment of 1.2 is rather 120% than 1.2%.
            let whole = subject.key() == "attainment" && value <= 10.0;
            let meant = if whole { percent(value) + "%" } else { self.example(kind, Some(numeral)) };
            return Err(self.fault(format!("{name} is a share, and 1 is all")).suggesting(meant));
        }
        if kind == Kind::Money {
            self.minor(numeral)?;
        }
        let (low, high) = match (kind, subject.key()) {
            (Kind::Score, _) => (0.0, 100.0),
            (_, "month") => (1.0, 12.0),
            (_, "weekday") => (1.0, 7.0),
            _ => return Ok(value),
        };
        if (low..=high).contains(&value) {
            return Ok(value);
        }
        Err(self.fault(format!("{name} is {low} to {high}")))
    }

    /// The number itself; that of a percentage is a share.
    pub(super) fn number(&self, numeral: &Numeral) -> Parse<f64> {
        let value = format!("{}e{}", numeral.digits, numeral.scale).parse().ok();
        value.filter(|value: &f64| value.is_finite()).ok_or_else(|| self.fault("this number is too large"))
    }

    /// The number as minor units of money.
    pub(super) fn minor(&self, numeral: &Numeral) -> Parse<i64> {
        let (whole, fraction) = numeral.digits.split_once('.').unwrap_or((&numeral.digits, ""));
        let places = usize::try_from(numeral.scale + 2).unwrap_or(2);
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > places {
            return Err(self.fault("money has two decimals at most"));
        }
        format!("{whole}{fraction:0<places$}")
            .parse()
            .ok()
            .filter(|minor| (-MINOR_MAX..=MINOR_MAX).contains(minor))
            .ok_or_else(|| self.fault("this is too much money to count"))
    }

    /// How a value of `kind` is written, if possible with the same digits.
    fn example(&self, kind: Kind, numeral: Option<&Numeral>) -> String {
        let [digits, unit] = match (kind, self.is_chinese()) {
            (Kind::Date, false) => return "2026-11-22".to_owned(),
            (Kind::Date, true) => return "2026年11月22日".to_owned(),
            (Kind::Text, _) => return "\"…\"".to_owned(),
            (Kind::Share, _) => ["30", "%"],
            (Kind::Money, false) => ["5000", " yuan"],
            (Kind::Money, true) => ["5000", "元"],
            (Kind::Days, false) => ["30", " days"],
            (Kind::Days, true) => ["30", "天"],
            (Kind::Months, false) => ["6", " months"],
            (Kind::Months, true) => ["6", "个月"],
            (Kind::Score, false) => ["80", " points"],
            (Kind::Score, true) => ["80", "分"],
            (Kind::Index | Kind::Count | Kind::Ratio | Kind::Number, _) => ["10", ""],
        };
        numeral.map_or(digits.to_owned(), |numeral| numeral.digits.clone()) + unit
    }
}

fn in_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Money => "money",
        Kind::Days => "in days",
        Kind::Months => "in months",
        Kind::Share => "a share",
        Kind::Score => "in points",
        Kind::Index => "an index",
        Kind::Count => "a count",
        Kind::Ratio => "a ratio",
        Kind::Date => "a date",
        Kind::Number => "a plain number",
        Kind::Text => "a text",
    }
}
