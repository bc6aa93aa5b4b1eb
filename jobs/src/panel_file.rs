//! A plain table of sales, read from CSV or Parquet into the columns that `models::panel` takes.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::array::{Array as _, StringArray};
use chrono::NaiveDate;
use engine::time::day_number;
use models::panel::{Panel, PanelRows};
use ndarray::Array2;

use crate::import::BadInput;
use crate::import::read::{Content, read};
use crate::import::spec::InputSpec;

/// Columns that must be there.
const NEEDED: [&str; 4] = ["date", "rep_id", "region_id", "amount"];
/// What stands for a factor that isn't known.
const UNKNOWN: [&str; 5] = ["na", "n/a", "nan", "null", "none"];

/// A table with the names behind its numbers.
#[derive(Debug)]
pub(crate) struct PanelFile {
    pub(crate) panel: Panel,
    /// Names of reps and regions, sorted; a place is a number of the panel.
    pub(crate) reps: Vec<String>,
    pub(crate) regions: Vec<String>,
    pub(crate) rows: usize,
    pub(crate) factors: Vec<String>,
    /// Further columns that hold other things than numbers, and are left out.
    pub(crate) ignored: Vec<String>,
}

impl PanelFile {
    /// Reads a file; `.csv.gz` too. Rows of one rep and day are summed.
    ///
    /// # Errors
    /// [`BadInput`] for a file that isn't there or is no table, for a column that is missing, and, with its line, for a date
    /// that isn't `YYYY-MM-DD` (a time may follow), an amount that is no finite number, or an empty id.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let name = path.display();
        if !path.is_file() {
            return Err(BadInput::new(format!("{name}: no such file")).into());
        }
        let content = read(path, &InputSpec::default())?;
        let Cells { lines, day, rep, region, amount } = Cells::of(path, &content)?;
        if lines.is_empty() {
            return Err(BadInput::new(format!("{name}: the table has no rows")).into());
        }
        let (mut factors, mut ignored, mut columns) = (Vec::new(), Vec::new(), Vec::new());
        for (header, column) in content.header.iter().zip(&content.columns) {
            if NEEDED.contains(&header.as_str()) {
                continue;
            }
            match factor(column) {
                Some(values) => {
                    factors.push(header.clone());
                    columns.push(values);
                }
                None => ignored.push(header.clone()),
            }
        }
        let table = Array2::from_shape_fn((lines.len(), columns.len()), |(row, column)| columns[column][row]);
        let ((reps, rep), (regions, region)) = (numbered(&rep), numbered(&region));
        let rows =
            PanelRows { day: &day, rep: &rep, region: &region, amount: &amount, factors: table.view() };
        let panel = Panel::new(&rows).map_err(|error| BadInput::new(format!("{name}: {error}")))?;
        Ok(Self { panel, reps, regions, rows: lines.len(), factors, ignored })
    }
}

/// The needed cells of all rows.
struct Cells<'a> {
    lines: &'a [u32],
    day: Vec<i32>,
    rep: Vec<&'a str>,
    region: Vec<&'a str>,
    amount: Vec<f64>,
}

impl<'a> Cells<'a> {
    fn of(path: &Path, content: &'a Content) -> Result<Self, BadInput> {
        let name = path.display();
        let missing: Vec<&str> = NEEDED
            .into_iter()
            .filter(|needed| content.header.iter().all(|header| header != needed))
            .collect();
        if !missing.is_empty() {
            let (missing, found) = (missing.join(", "), content.header.join(", "));
            return Err(BadInput::new(format!("{name}: there is no column {missing}; found are {found}")));
        }
        if let Some(broken) = content.broken.first() {
            return Err(BadInput::new(format!("{name}, line {}: expected {}", broken.line, broken.right)));
        }
        let column = |wanted: &str| {
            let place = content.header.iter().position(|header| header == wanted).unwrap_or(0);
            &content.columns[place]
        };
        let (dates, reps, regions, amounts) =
            (column("date"), column("rep_id"), column("region_id"), column("amount"));
        let n = content.lines.len();
        let mut cells = Self {
            lines: &content.lines,
            day: Vec::with_capacity(n),
            rep: Vec::with_capacity(n),
            region: Vec::with_capacity(n),
            amount: Vec::with_capacity(n),
        };
        for row in 0..n {
            let wrong = |column: &str, found: Option<&str>, right: &str| {
                let found = found.unwrap_or_default();
                let line = content.lines[row];
                BadInput::new(format!("{name}, line {line}: {column} `{found}` is not {right}"))
            };
            let date = cell(dates, row);
            let day =
                date.and_then(parse_day).ok_or_else(|| wrong("date", date, "a date like 2026-03-31"))?;
            let text = cell(amounts, row);
            let amount = text.and_then(|text| text.parse().ok()).filter(|amount: &f64| amount.is_finite());
            cells.day.push(day);
            cells.amount.push(amount.ok_or_else(|| wrong("amount", text, "a number like 1234.50"))?);
            cells.rep.push(cell(reps, row).ok_or_else(|| wrong("rep_id", None, "an id"))?);
            cells.region.push(cell(regions, row).ok_or_else(|| wrong("region_id", None, "an id"))?);
        }
        Ok(cells)
    }
}

fn cell(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

/// The day of `YYYY-MM-DD`, alone or before a time.
fn parse_day(text: &str) -> Option<i32> {
    let (date, rest) = text.split_at_checked(10)?;
    let separated = rest.is_empty() || rest.starts_with(['T', ' ']);
    let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok().filter(|_| separated)?;
    Some(day_number(date))
}

/// A column of numbers, NaN where unknown; none where it holds anything else, or nothing.
fn factor(column: &StringArray) -> Option<Vec<f64>> {
    let value = |row: usize| match cell(column, row) {
        None => Some(f64::NAN),
        Some(text) if UNKNOWN.contains(&text.to_lowercase().as_str()) => Some(f64::NAN),
        Some(text) if text.eq_ignore_ascii_case("true") => Some(1.0),
        Some(text) if text.eq_ignore_ascii_case("false") => Some(0.0),
        Some(text) => text.parse().ok().filter(|value: &f64| value.is_finite()),
    };
    let values: Vec<f64> = (0..column.len()).map(value).collect::<Option<_>>()?;
    values.iter().any(|value| value.is_finite()).then_some(values)
}

/// Names in order, and the place of each row's.
fn numbered(names: &[&str]) -> (Vec<String>, Vec<u32>) {
    let mut places: BTreeMap<&str, u32> = names.iter().map(|&name| (name, 0)).collect();
    for (place, number) in places.values_mut().zip(0..) {
        *place = number;
    }
    let numbers = names.iter().map(|name| places[*name]).collect();
    (places.into_keys().map(str::to_owned).collect(), numbers)
}
