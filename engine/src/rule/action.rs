//! Actions: what a sentence does to a quota. English puts the verb first, Chinese mostly the quota.

use super::cursor::{Cursor, Parse};
use super::token::{Lexeme, Numeral};
use super::word::{Unit, Word};
use super::write::percent;
use super::{Action, Amount, Fault, Op, Severity};

/// The most by which a quota is raised, and lowered, as a share.
const RAISE_MAX: f64 = 10.0;
const LOWER_MAX: f64 = 1.0;
/// The range of the weight of attainment.
const WEIGHTS: std::ops::RangeInclusive<f64> = 0.1..=10.0;
/// Below this a number without unit is taken for a share whose `%` was forgotten.
const BARE_MONEY_MIN: f64 = 10.0;

impl Cursor<'_> {
    /// The actions up to the end, and whether they are beyond the plan.
    pub(super) fn actions(&mut self) -> Parse<(Vec<Action>, bool)> {
        let mut actions: Vec<Action> = Vec::new();
        loop {
            let start = self.token.start;
            let action = self.action()?;
            if let Some(message) = actions.iter().find_map(|other| clash(other, &action)) {
                return Err(self.passage.fault(start..self.passed, message));
            }
            actions.push(action);
            let joined = self.skip(&Lexeme::Comma) | self.eat(Word::And);
            if self.eat(Word::BeyondPlan) {
                return Ok((actions, true));
            }
            if !joined {
                return Ok((actions, false));
            }
        }
    }

    /// Whether an action begins here.
    pub(super) fn acts(&self) -> bool {
        use Word::{Alert, Cap, Floor, Freeze, Lower, Quota, Raise, Set, Weight};
        let Lexeme::Word(word) = self.token.lexeme else { return false };
        matches!(word, Raise | Lower | Cap | Floor | Freeze | Alert(_) | Quota | Set | Weight)
    }

    fn action(&mut self) -> Parse<Action> {
        let quota = self.eat(Word::Quota);
        let Lexeme::Word(word) = self.token.lexeme else { return Err(self.no_action(quota)) };
        match word {
            Word::Alert(severity) if !quota => Ok(self.alert(severity)),
            Word::Set | Word::Weight if !quota => self.weight(),
            Word::Raise | Word::Lower | Word::Cap | Word::Floor | Word::Freeze => {
                self.advance();
                if !quota {
                    self.require(Word::Quota)?;
                }
                self.change(word)
            }
            // 目标不超过, 目标不低于
            Word::Compare(Op::AtMost) if quota => {
                self.advance();
                self.amount(true, f64::MAX).map(Action::Cap)
            }
            Word::Compare(Op::AtLeast) if quota => {
                self.advance();
                self.amount(true, f64::MAX).map(Action::Floor)
            }
            _ => Err(self.no_action(quota)),
        }
    }

    /// What follows a verb and the quota.
    fn change(&mut self, verb: Word) -> Parse<Action> {
        let limits = matches!(verb, Word::Cap | Word::Floor);
        if verb == Word::Freeze {
            return Ok(Action::Freeze);
        } else if !self.is_chinese() {
            self.require(if limits { Word::At } else { Word::By })?;
        } else if limits {
            self.eat(Word::Set);
            self.eat(Word::Compare(Op::Equal));
        }
        Ok(match verb {
            Word::Raise => Action::Raise(self.amount(false, RAISE_MAX)?),
            Word::Lower => Action::Lower(self.amount(false, LOWER_MAX)?),
            Word::Cap => Action::Cap(self.amount(true, f64::MAX)?),
            _ => Action::Floor(self.amount(true, f64::MAX)?),
        })
    }

    fn alert(&mut self, severity: Severity) -> Action {
        self.advance();
        self.skip(&Lexeme::Colon);
        let message = if let Lexeme::Text(text) = &self.token.lexeme { Some(text.clone()) } else { None };
        if message.is_some() {
            self.advance();
        }
        Action::Alert { severity, message }
    }

    fn weight(&mut self) -> Parse<Action> {
        self.eat(Word::Set);
        self.require(Word::Weight)?;
        self.eat(Word::Set);
        if !self.eat(Word::Compare(Op::Equal)) {
            self.require(Word::To)?;
        }
        let Lexeme::Number(numeral) = self.token.lexeme.clone() else {
            return Err(self.missing("a weight", "1.2"));
        };
        if !matches!(numeral.unit, None | Some(Unit::Share)) {
            return Err(self.fault("a weight has no unit").expecting([numeral.digits.clone()]));
        }
        let weight = self.number(&numeral)?;
        if !WEIGHTS.contains(&weight) {
            return Err(self.fault("a weight is 0.1 to 10"));
        }
        let token = self.advance();
        self.no_unit(&token, &numeral)?;
        Ok(Action::Weight(weight))
    }

    /// An amount: money, or a share of up to `share_max`, which is `of_base` or of the proposal.
    fn amount(&mut self, of_base: bool, share_max: f64) -> Parse<Amount> {
        let mut based = self.is(Word::OfBase).then(|| self.advance());
        let Lexeme::Number(numeral) = self.token.lexeme.clone() else {
            return Err(self.missing("an amount", if of_base { "120000" } else { "15%" }));
        };
        let amount = match numeral.unit {
            Some(Unit::Share) => Amount::Share(self.share(&numeral, share_max)?),
            None | Some(Unit::Money) => Amount::Money(self.money(&numeral, of_base)?),
            Some(_) => {
                let message = format!("`{}` is neither a share nor money", self.shown());
                return Err(self.fault(message));
            }
        };
        let token = self.advance();
        self.no_unit(&token, &numeral)?;
        if based.is_none() && self.is(Word::OfBase) {
            based = Some(self.advance());
        }
        match (based, amount) {
            (None, Amount::Share(_)) if of_base => {
                let meant = self.share_of_base(&numeral.digits);
                let message = "it is open of what this is a share";
                Err(self.passage.fault(token.start..token.end, message).suggesting(meant))
            }
            (Some(base), _) if !of_base || matches!(amount, Amount::Money(_)) => {
                let message = if of_base {
                    "money isn't a part of the base"
                } else {
                    "a quota is raised or lowered by a share of itself, not of the base"
                };
                Err(self.passage.fault(base.start..base.end, message))
            }
            _ => Ok(amount),
        }
    }

    fn share(&self, numeral: &Numeral, share_max: f64) -> Parse<f64> {
        let share = self.number(numeral)?;
        if share < 0.0 {
            return Err(self.fault("this can't be less than nothing"));
        }
        if share > share_max {
            return Err(self.fault(format!("this can't be more than {}%", share_max * 100.0)));
        }
        Ok(share)
    }

    fn money(&self, numeral: &Numeral, of_base: bool) -> Parse<i64> {
        let money = self.minor(numeral)?;
        if money < 0 {
            return Err(self.fault("this can't be less than nothing"));
        }
        let major = self.number(numeral)?;
        if numeral.unit.is_some() || money == 0 || major >= BARE_MONEY_MIN {
            return Ok(money);
        }
        // 0.15 is meant as 15%, and so little money hardly ever.
        let message = format!("it is open whether `{}` is a share or money", self.shown());
        let percent = if of_base || major < 1.0 { percent(major) } else { numeral.digits.clone() };
        let share = if of_base { self.share_of_base(&percent) } else { percent + "%" };
        let yuan = if self.is_chinese() { "元" } else { " yuan" };
        Err(self.fault(message).expecting([share, numeral.digits.clone() + yuan]))
    }

    fn share_of_base(&self, percent: &str) -> String {
        if self.is_chinese() { format!("基准的{percent}%") } else { format!("{percent}% of base") }
    }

    fn no_action(&self, quota: bool) -> Fault {
        use Word::{Alert, Cap, Floor, Freeze, Lower, Raise, Set};
        let verbs = [Raise, Lower, Cap, Floor, Freeze, Set, Alert(Severity::Amber)];
        // The last two say nothing of the quota.
        let fault = self.unexpected(if quota { &verbs[..5] } else { &verbs });
        if self.token.lexeme == Lexeme::End {
            return Fault { message: "an action is missing here".to_owned(), ..fault };
        }
        fault
    }
}

/// Why two actions can't stand in one rule.
fn clash(left: &Action, right: &Action) -> Option<&'static str> {
    let moves = |action: &Action| matches!(action, Action::Raise(_) | Action::Lower(_));
    if std::mem::discriminant(left) == std::mem::discriminant(right) {
        return Some("this rule already has an action of that kind");
    }
    let frozen = (*left == Action::Freeze && moves(right)) || (*right == Action::Freeze && moves(left));
    frozen.then_some("a rule can't both freeze a quota and raise or lower it")
}
