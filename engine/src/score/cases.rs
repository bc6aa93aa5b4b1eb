//! Columns of numbers and texts, as they grow row by row.

use rustc_hash::FxHashMap;

/// The code of a missing text.
pub const MISSING: u32 = u32::MAX;

/// Columns of equal length, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cases {
    columns: Vec<(String, Cells)>,
    rows: usize,
}

/// A column's values, one per row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// Numbers; NaN is missing.
    Number(Vec<f64>),
    /// Positions in `levels`; [`MISSING`] is missing.
    Text {
        /// One code per row.
        codes: Vec<u32>,
        /// The distinct texts, in the order in which they were met.
        levels: Vec<String>,
    },
}

impl Cases {
    /// Names and values, in a fixed order.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &Cells)> {
        self.columns.iter().map(|(name, cells)| (name.as_str(), cells))
    }

    /// The values of a column.
    pub fn column(&self, name: &str) -> Option<&Cells> {
        self.columns.iter().find(|(known, _)| known == name).map(|(_, cells)| cells)
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The value of a cell as text; none where it is missing.
    pub fn text(&self, column: &str, row: usize) -> Option<String> {
        match self.column(column)? {
            Cells::Number(values) => {
                let value = values.get(row).copied().filter(|value| !value.is_nan())?;
                // Three places say enough to a person; trailing zeros say nothing.
                let text = format!("{value:.3}");
                let short = text.trim_end_matches('0').trim_end_matches('.');
                Some(if short == "-0" { "0".to_owned() } else { short.to_owned() })
            }
            Cells::Text { codes, levels } => levels.get(usize::try_from(*codes.get(row)?).ok()?).cloned(),
        }
    }
}

/// Cases as they grow. The columns are named by the first row, and every row sets the same ones in the same order.
#[derive(Debug, Default)]
pub(crate) struct Growing {
    cases: Cases,
    numbers: Vec<FxHashMap<String, u32>>,
    next: usize,
}

impl Growing {
    /// Sets the next column of the current row.
    pub(crate) fn number(&mut self, name: &str, value: f64) {
        let position = self.position(name, || Cells::Number(Vec::new()));
        if let Some((_, Cells::Number(values))) = self.cases.columns.get_mut(position) {
            values.push(value);
        }
    }

    /// Sets the next column of the current row.
    pub(crate) fn text(&mut self, name: &str, value: Option<&str>) {
        let position = self.position(name, || Cells::Text { codes: Vec::new(), levels: Vec::new() });
        let numbers = &mut self.numbers[position];
        if let Some((_, Cells::Text { codes, levels })) = self.cases.columns.get_mut(position) {
            let code = value.map_or(MISSING, |value| {
                numbers.get(value).copied().unwrap_or_else(|| {
                    let code = u32::try_from(levels.len()).unwrap_or(MISSING);
                    numbers.insert(value.to_owned(), code);
                    levels.push(value.to_owned());
                    code
                })
            });
            codes.push(code);
        }
    }

    fn position(&mut self, name: &str, cells: impl Fn() -> Cells) -> usize {
        let position = self.next;
        self.next += 1;
        if position == self.cases.columns.len() {
            self.cases.columns.push((name.to_owned(), cells()));
            self.numbers.push(FxHashMap::default());
        }
        position
    }

    /// Ends the current row.
    pub(crate) fn end_row(&mut self) {
        self.cases.rows += 1;
        self.next = 0;
    }

    pub(crate) fn finish(self) -> Cases {
        self.cases
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_make_columns() {
        let mut growing = Growing::default();
        for (age, source) in [(1.5, Some("web")), (f64::NAN, None), (2.0, Some("web"))] {
            growing.number("age", age);
            growing.text("source", source);
            growing.end_row();
        }
        let cases = growing.finish();
        assert_eq!(cases.rows(), 3);
        assert_eq!((cases.text("age", 0), cases.text("age", 1)), (Some("1.5".to_owned()), None));
        assert_eq!(
            cases.column("source"),
            Some(&Cells::Text { codes: vec![0, MISSING, 0], levels: vec!["web".to_owned()] })
        );
        assert_eq!((cases.text("source", 2).as_deref(), cases.text("source", 1)), (Some("web"), None));
    }
}
