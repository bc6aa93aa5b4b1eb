//! Names, conditions and values of a mapping, bound to the columns of one table.

use chrono::NaiveTime;

use super::decimal::NumberStyle;
use super::error::did_you_mean;
use super::expr::Expr;
use super::mapping::{Mapping, format_hint};
use super::stamp::{Format, Output, Shift, StampRule};
use super::table::{ColumnId, Source, TableId, Tables};
use super::template::Template;
use super::value::{Origin, Treatment, Value};
use super::value_spec::{MapSpec, Names, Period, ValueTable};

/// Columns shown when one is missing.
const COLUMNS_SHOWN_MAX: usize = 40;

#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) mapping: &'a Mapping,
    pub(super) tables: &'a Tables,
    pub(super) table: TableId,
}

impl Scope<'_> {
    /// The column called `name`: exactly, else without regard to case.
    pub(super) fn column(&self, name: &str) -> Result<ColumnId, String> {
        let table = &self.tables.list[self.table];
        let folded = |known: &&String| known.eq_ignore_ascii_case(name);
        let known = table.by_name.get_key_value(name).or_else(|| {
            let mut alike = table.by_name.keys().filter(folded);
            alike
                .next()
                .filter(|_| alike.next().is_none())
                .and_then(|alike| table.by_name.get_key_value(alike))
        });
        let name = known.map_or(name, |(known, _)| known);
        if let Some(why) = table.lacking.get(name) {
            let listing = self.listing();
            return Err(format!(
                "the column `{name}` of `{}` {why}; {listing} (or list it as `optional`)",
                table.name
            ));
        }
        let Some((_, id)) = known else {
            let hint = did_you_mean(name, table.by_name.keys().map(String::as_str));
            return Err(format!("`{}` has no column `{name}`{hint}; {}", table.name, self.listing()));
        };
        Ok(*id)
    }

    /// The table's files and the columns that they have.
    fn listing(&self) -> String {
        let table = &self.tables.list[self.table];
        let mut names: Vec<&str> = table.column_names.iter().map(String::as_str).collect();
        let more = names.len().saturating_sub(COLUMNS_SHOWN_MAX);
        names.truncate(COLUMNS_SHOWN_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let mut files: Vec<String> = Vec::new();
        if let Source::Rows(stored) = &table.source {
            for (file, _) in &stored.origins {
                let name = self.tables.files[*file].display().to_string();
                if files.last() != Some(&name) {
                    files.push(name);
                }
            }
        }
        let files = if files.is_empty() { table.name.clone() } else { files.join(", ") };
        format!("{files} has: {}{more}", names.join(", "))
    }

    pub(super) fn columns(&self, names: &[String]) -> Result<Vec<ColumnId>, String> {
        names.iter().map(|name| self.column(name)).collect()
    }

    pub(super) fn expr(&self, text: &str) -> Result<Expr<ColumnId>, String> {
        let expr = Expr::parse(text).map_err(|problem| format!("in the condition \"{text}\": {problem}"))?;
        expr.bind(&mut |name: &String| self.column(name))
    }

    pub(super) fn value(&self, spec: &ValueTable) -> Result<Value, String> {
        let (origin, label) = self.origin(spec)?;
        let map = match &spec.map {
            None => None,
            Some(MapSpec::Inline(map)) => Some(map.clone()),
            Some(MapSpec::Named(name)) => {
                Some(self.mapping.spec.maps.get(name).cloned().ok_or_else(|| {
                    let known = self.mapping.spec.maps.keys().map(String::as_str);
                    format!("there is no [maps.{name}]{}", did_you_mean(name, known))
                })?)
            }
        };
        Ok(Value {
            origin,
            letters: spec.letters,
            map: map.map(|map| (map, spec.unmapped)),
            default: spec.default.clone().filter(|text| !text.is_empty()),
            treatment: self.treatment(spec)?,
            required: spec.required,
            label,
        })
    }

    fn origin(&self, spec: &ValueTable) -> Result<(Origin, String), String> {
        Ok(match (&spec.column, &spec.first_of, &spec.text, &spec.cases) {
            (Some(name), None, None, None) => (Origin::Column(self.column(name)?), name.clone()),
            (None, Some(names), None, None) => (Origin::FirstOf(self.columns(names)?), names.join(", ")),
            (None, None, Some(text), None) => {
                let template = Template::parse(text)?;
                (Origin::Text(template.bind(|name| self.column(name))?), text.clone())
            }
            (None, None, None, Some(cases)) => {
                let bound = cases.iter().map(|case| {
                    let when = case.when.as_deref().map(|when| self.expr(when)).transpose()?;
                    Ok((when, self.value(&case.value.0)?))
                });
                (Origin::Cases(bound.collect::<Result<_, String>>()?), "cases".to_owned())
            }
            _ => return Err("a value needs exactly one of column, first_of, text, cases".to_owned()),
        })
    }

    fn treatment(&self, spec: &ValueTable) -> Result<Treatment, String> {
        let stamped = spec.time.is_some() || spec.date.is_some();
        if !stamped && (spec.at.is_some() || spec.shift.is_some() || spec.period.is_some()) {
            return Err("`at`, `shift` and `period` need a `time` or `date` with its formats".to_owned());
        }
        let numeric = spec.amount.is_some() || spec.number;
        let styled = spec.decimal_point.is_some() || spec.thousands.is_some() || spec.strip.is_some();
        if styled && !numeric {
            return Err("`decimal_point`, `thousands` and `strip` need `amount` or `number`".to_owned());
        }
        let style = NumberStyle {
            decimal_point: spec.decimal_point.unwrap_or('.'),
            thousands: spec.thousands,
            strip: spec.strip.clone().unwrap_or_default().0,
        };
        match (&spec.time, &spec.date, spec.amount, spec.number) {
            (None, None, None, false) => Ok(Treatment::None),
            (Some(formats), None, None, false) => self.stamp(spec, formats, Output::Instant),
            (None, Some(formats), None, false) => self.stamp(spec, formats, Output::Day),
            (None, None, Some(rounding), false) => Ok(Treatment::Amount(rounding, style)),
            (None, None, None, true) => Ok(Treatment::Number(style)),
            _ => Err("a value is at most one of time, date, amount, number".to_owned()),
        }
    }

    fn stamp(&self, spec: &ValueTable, names: &Names, output: Output) -> Result<Treatment, String> {
        let mut texts: Vec<&str> = Vec::new();
        for name in &names.0 {
            match self.mapping.spec.formats.get(name) {
                Some(list) => texts.extend(list.0.iter().map(String::as_str)),
                None => texts.push(name),
            }
        }
        let formats: Vec<Format> = texts
            .iter()
            .map(|text| {
                Format::new(text)
                    .ok_or_else(|| format!("{}, or the name of a list under [formats]", format_hint(text)))
            })
            .collect::<Result<_, _>>()?;
        if formats.is_empty() {
            return Err("no date format is given".to_owned());
        }
        let at = match &spec.at {
            None => NaiveTime::MIN,
            Some(text) => ["%H:%M:%S", "%H:%M"]
                .iter()
                .find_map(|format| NaiveTime::parse_from_str(text, format).ok())
                .ok_or_else(|| format!("`{text}` is no time of day; write it as 09:00 or 23:59:59"))?,
        };
        let shift = match &spec.shift {
            None => None,
            Some(text) => Some(
                Shift::parse(text)
                    .ok_or_else(|| format!("`{text}` is no shift; write it as +5d, -3h, +30m or -1s"))?,
            ),
        };
        let output = match (spec.period, output) {
            (None, output) => output,
            (Some(Period::Quarter), Output::Day) => Output::Quarter,
            (Some(Period::Month), Output::Day) => Output::Month,
            (Some(_), _) => return Err("`period` goes with `date`, not with `time`".to_owned()),
        };
        let rule = StampRule { formats, at, shift, zone: self.mapping.zone, output };
        Ok(Treatment::Stamp(rule, texts.join(" or ")))
    }
}
