//! A scenario file, key by key.

use std::path::{Path, PathBuf};

use engine::EngineError;
use engine::factor::FACTORS;
use engine::pipeline::{Hire, Shift};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::value::{number, values};
use super::{Knob, Located, Scenario, What};
use crate::config::nearest;

const KEYS: [&str; 13] = [
    "name",
    "market_heat",
    "season",
    "factor",
    "plan",
    "tau",
    "floor_share",
    "ceiling_share",
    "daily_move_max",
    "rules",
    "hires",
    "leavers",
    "moves",
];
/// The one that is told apart, so that the list above stays one of changes to quotas.
const COMPLAINTS: &str = "complaints";
const HIRE_KEYS: [&str; 3] = ["rep", "region", "tenure_months"];
/// Not what a scenario can move: it is part of the base.
const IN_BASE: &str = "tenure_ramp";
/// Months of tenure of a rep that comes, where the file says nothing: one new to the job.
const TENURE_MONTHS: f64 = 0.0;

type Result<T> = std::result::Result<T, EngineError>;
type Value<'a> = Spanned<DeValue<'a>>;

/// Reads a scenario file; `path` is where its rules files are looked for, and its name in messages.
///
/// # Errors
/// [`EngineError::Input`] with file, line and key.
pub(crate) fn read(path: &Path, text: &str) -> Result<Vec<Scenario>> {
    let file = File { path, text };
    let table = DeTable::parse(text)
        .map_err(|error| file.wrong(error.span().map_or(0, |span| span.start), error.message().to_owned()))?;
    let mut scenarios = Vec::new();
    for (key, value) in table.get_ref() {
        let (word, start): (&str, usize) = (key.get_ref(), key.span().start);
        match (word, value.get_ref()) {
            ("scenario", DeValue::Array(list)) => {
                for value in list {
                    let n = scenarios.len() + 1;
                    scenarios.push(file.scenario(value, n)?);
                }
            }
            ("scenario", DeValue::Table(_)) => scenarios.push(file.scenario(value, 1)?),
            ("scenario", _) => return Err(file.wrong(start, "scenario is a table: [[scenario]]".to_owned())),
            _ => {
                let message = format!("unknown key {word}; scenarios begin with [[scenario]]");
                return Err(file.wrong(start, message));
            }
        }
    }
    if scenarios.is_empty() {
        return Err(EngineError::Input(format!("{} holds no [[scenario]]", path.display())));
    }
    Ok(scenarios)
}

/// The file, for messages.
#[derive(Debug, Clone, Copy)]
struct File<'a> {
    path: &'a Path,
    text: &'a str,
}

impl File<'_> {
    fn line(&self, at: usize) -> usize {
        self.text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
    }

    fn wrong(&self, at: usize, message: impl std::fmt::Display) -> EngineError {
        EngineError::Input(format!("{}, line {}: {message}", self.path.display(), self.line(at)))
    }

    fn scenario(&self, value: &Value<'_>, n: usize) -> Result<Scenario> {
        let DeValue::Table(table) = value.get_ref() else {
            return Err(self.wrong(value.span().start, "a scenario is a table: [[scenario]]".to_owned()));
        };
        let mut scenario = Scenario {
            name: format!("scenario {n}"),
            line: self.line(value.span().start),
            knobs: Vec::new(),
            rules: None,
            hires: Vec::new(),
            leavers: Vec::new(),
            moves: Vec::new(),
        };
        for (key, value) in table {
            let (word, start): (&str, usize) = (key.get_ref(), key.span().start);
            self.key(&mut scenario, word, start, value)?;
        }
        // In the order of the file.
        scenario.knobs.sort_by_key(|knob| knob.line);
        Ok(scenario)
    }

    fn key(&self, scenario: &mut Scenario, word: &str, start: usize, value: &Value<'_>) -> Result<()> {
        let line = self.line(start);
        match word {
            "name" => scenario.name = self.string(word, value)?,
            "market_heat" => self.by_region(scenario, word, 0, value)?,
            "season" => self.turn(scenario, word, What::Factor(4, None), start, value)?,
            "factor" => self.table(word, value, |key, start, value| {
                let factor = self.factor(key, start)?;
                self.by_region(scenario, &format!("factor.{key}"), factor, value)
            })?,
            "plan" => self.table(word, value, |key, start, value| {
                let knob = self.knob(format!("plan.{key}"), What::Plan(key.to_owned()), start, value)?;
                scenario.knobs.push(knob);
                Ok(())
            })?,
            COMPLAINTS => self.table(word, value, |key, start, value| {
                let knob =
                    self.knob(format!("{COMPLAINTS}.{key}"), What::Complaints(key.to_owned()), start, value)?;
                scenario.knobs.push(knob);
                Ok(())
            })?,
            "tau" => self.turn(scenario, word, What::Tau, start, value)?,
            "floor_share" => self.turn(scenario, word, What::FloorShare, start, value)?,
            "ceiling_share" => self.turn(scenario, word, What::CeilingShare, start, value)?,
            "daily_move_max" => self.turn(scenario, word, What::DailyMoveMax, start, value)?,
            "rules" => {
                let beside = self.path.parent().unwrap_or(Path::new("."));
                let of: PathBuf = beside.join(self.string(word, value)?);
                scenario.rules = Some(Located { line, of });
            }
            "leavers" => {
                for value in self.list(word, value)? {
                    let of = self.string(word, value)?;
                    scenario.leavers.push(Located { line: self.line(value.span().start), of });
                }
            }
            "moves" => self.table(word, value, |key, start, value| {
                let of = (key.to_owned(), self.string("moves", value)?);
                scenario.moves.push(Located { line: self.line(start), of });
                Ok(())
            })?,
            "hires" => {
                for (place, value) in self.list(word, value)?.iter().enumerate() {
                    let of = self.hire(value, place + 1)?;
                    scenario.hires.push(Located { line: self.line(value.span().start), of });
                }
            }
            _ => {
                let near = nearest(word, KEYS.into_iter().chain([COMPLAINTS]));
                let hint = near.map_or_else(
                    || format!("the keys are {}, {COMPLAINTS}", KEYS.join(", ")),
                    |near| format!("did you mean {near}?"),
                );
                return Err(self.wrong(start, format!("unknown key {word}; {hint}")));
            }
        }
        Ok(())
    }

    fn turn(
        &self,
        scenario: &mut Scenario,
        word: &str,
        what: What,
        start: usize,
        value: &Value<'_>,
    ) -> Result<()> {
        scenario.knobs.push(self.knob(word.to_owned(), what, start, value)?);
        Ok(())
    }

    /// A factor for all, or a table of regions.
    fn by_region(&self, scenario: &mut Scenario, key: &str, factor: usize, value: &Value<'_>) -> Result<()> {
        if !matches!(value.get_ref(), DeValue::Table(_)) {
            let knob = self.knob(key.to_owned(), What::Factor(factor, None), value.span().start, value)?;
            scenario.knobs.push(knob);
            return Ok(());
        }
        self.table(key, value, |region, start, value| {
            let what = What::Factor(factor, Some(region.to_owned()));
            scenario.knobs.push(self.knob(format!("{key}.{region}"), what, start, value)?);
            Ok(())
        })
    }

    fn factor(&self, name: &str, start: usize) -> Result<usize> {
        if name == IN_BASE {
            let message =
                format!("{IN_BASE} is part of a rep's base; a rep that comes has its tenure_months");
            return Err(self.wrong(start, message));
        }
        FACTORS.iter().position(|known| *known == name).ok_or_else(|| {
            let hint = nearest(name, FACTORS.into_iter()).map_or_else(
                || format!("the factors are {}", FACTORS.join(", ")),
                |near| format!("did you mean {near}?"),
            );
            self.wrong(start, format!("there is no factor {name}; {hint}"))
        })
    }

    fn knob(&self, key: String, what: What, start: usize, value: &Value<'_>) -> Result<Knob> {
        let read = values(value).map_err(|message| self.wrong(start, format!("{key}: {message}")))?;
        let values =
            read.into_iter().map(|shift| checked(&what, shift)).collect::<std::result::Result<_, _>>();
        let values = values.map_err(|message: String| self.wrong(start, format!("{key}: {message}")))?;
        Ok(Knob { line: self.line(start), key, what, values })
    }

    fn hire(&self, value: &Value<'_>, n: usize) -> Result<Hire> {
        let start = value.span().start;
        let mut hire =
            Hire { rep_id: format!("new-{n}"), region_id: String::new(), tenure_months: TENURE_MONTHS };
        self.table("hires", value, |key, start, value| {
            match key {
                "rep" => hire.rep_id = self.string("rep", value)?,
                "region" => hire.region_id = self.string("region", value)?,
                "tenure_months" => {
                    hire.tenure_months =
                        number(value).ok().filter(|months| (0.0..=600.0).contains(months)).ok_or_else(
                            || self.wrong(start, "tenure_months must be between 0 and 600".to_owned()),
                        )?;
                }
                _ => {
                    let message = format!("unknown key {key}; a hire has {}", HIRE_KEYS.join(", "));
                    return Err(self.wrong(start, message));
                }
            }
            Ok(())
        })?;
        if hire.region_id.is_empty() {
            return Err(self.wrong(start, "a hire needs its region: { region = \"R1\" }".to_owned()));
        }
        Ok(hire)
    }

    fn table(
        &self,
        word: &str,
        value: &Value<'_>,
        mut each: impl FnMut(&str, usize, &Value<'_>) -> Result<()>,
    ) -> Result<()> {
        let DeValue::Table(table) = value.get_ref() else {
            return Err(self.wrong(value.span().start, format!("{word} is a table")));
        };
        for (key, value) in table {
            each(key.get_ref(), key.span().start, value)?;
        }
        Ok(())
    }

    fn list<'v, 'a>(&self, word: &str, value: &'v Value<'a>) -> Result<&'v [Value<'a>]> {
        match value.get_ref() {
            DeValue::Array(list) => Ok(list),
            _ => Err(self.wrong(value.span().start, format!("{word} is a list: [ … ]"))),
        }
    }

    fn string(&self, word: &str, value: &Value<'_>) -> Result<String> {
        match value.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
            _ => Err(self.wrong(value.span().start, format!("{word} is a text between quotes"))),
        }
    }
}

/// Refuses what can't be.
fn checked(what: &What, shift: Shift) -> std::result::Result<Shift, String> {
    let within = |low: f64, high: f64, say: &str| match shift {
        Shift::To(value) if !(low..=high).contains(&value) => Err(format!("{value} is not {say}")),
        Shift::Share(share) if share <= -1.0 => Err("less than nothing can't be left".to_owned()),
        _ => Ok(shift),
    };
    match what {
        What::Factor(0, _) => within(1.0, 1_000.0, "a market heat between 1 and 1,000 (100 is normal)"),
        What::Factor(4, _) => within(0.01, 100.0, "a season index between 0.01 and 100 (1 is normal)"),
        What::Factor(..) => match shift {
            Shift::Share(_) => Err("a factor moves in standard deviations: \"+1\"".to_owned()),
            _ => within(-3.0, 3.0, "between -3 and 3 standard deviations"),
        },
        What::Plan(_) => within(0.0, 9.0e13, "a plan of 0 or more"),
        What::Complaints(_) => match shift {
            Shift::To(n) | Shift::By(n) if n >= 0.0 => Ok(Shift::To(n)),
            _ => Err("complaints are a number of 0 or more".to_owned()),
        },
        What::Tau => within(0.001, 0.999, "a chance between 0 and 1"),
        What::FloorShare | What::CeilingShare | What::DailyMoveMax => within(0.0, 1_000.0, "0 or more"),
    }
}
