//! Columns side by side for a terminal: numbers to the right, nulls empty, widths from the first rows.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use unicode_width::UnicodeWidthStr;

/// Rows that the columns' widths are taken from; later ones may stick out.
const MEASURED_ROWS: usize = 10_000;

/// How a table looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Rows shown, at most; none for all of them.
    pub rows_max: Option<usize>,
}

/// Collects the first rows to measure them, then writes line by line.
#[derive(Debug)]
pub(super) struct TableWriter<W> {
    out: W,
    style: Style,
    names: Vec<String>,
    right: Vec<bool>,
    widths: Vec<usize>,
    waiting: Vec<Vec<String>>,
    begun: bool,
    rows: usize,
    cut: bool,
}

impl<W: Write> TableWriter<W> {
    pub(super) fn new(out: W, schema: &Schema, style: Style) -> Self {
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let right = schema.fields().iter().map(|field| is_number(field.data_type())).collect();
        let widths = names.iter().map(|name| width(name)).collect();
        Self { out, style, names, right, widths, waiting: Vec::new(), begun: false, rows: 0, cut: false }
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> io::Result<bool> {
        let options = FormatOptions::default();
        let columns = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
            .collect::<Result<Vec<_>, _>>()
            .map_err(io::Error::other)?;
        for row in 0..batch.num_rows() {
            if self.style.rows_max.is_some_and(|most| self.rows == most) {
                self.cut = true;
                return Ok(false);
            }
            self.rows += 1;
            let cells: Vec<String> =
                columns.iter().map(|column| clean(&column.value(row).to_string())).collect();
            if self.begun {
                self.line(&cells)?;
                continue;
            }
            for (widest, cell) in self.widths.iter_mut().zip(&cells) {
                *widest = (*widest).max(width(cell));
            }
            self.waiting.push(cells);
            if self.waiting.len() == MEASURED_ROWS {
                self.begin()?;
            }
        }
        Ok(true)
    }

    pub(super) fn finish(mut self) -> io::Result<(W, usize, bool)> {
        if !self.begun && !self.names.is_empty() {
            self.begin()?;
        }
        self.out.flush()?;
        Ok((self.out, self.rows, self.cut))
    }

    fn begin(&mut self) -> io::Result<()> {
        self.begun = true;
        let names = std::mem::take(&mut self.names);
        self.line(&names)?;
        let rules: Vec<String> = self.widths.iter().map(|&width| "─".repeat(width)).collect();
        self.line(&rules)?;
        for cells in std::mem::take(&mut self.waiting) {
            self.line(&cells)?;
        }
        Ok(())
    }

    fn line(&mut self, cells: &[String]) -> io::Result<()> {
        let mut text = String::new();
        for (column, cell) in cells.iter().enumerate() {
            let padding = " ".repeat(self.widths[column].saturating_sub(width(cell)));
            let parts = if self.right[column] { [padding.as_str(), cell] } else { [cell.as_str(), &padding] };
            if column > 0 {
                text.push_str("  ");
            }
            text.extend(parts);
        }
        writeln!(self.out, "{}", text.trim_end())
    }
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

/// One line of text: line ends and tabs would break the table.
fn clean(cell: &str) -> String {
    if cell.contains(|c: char| c.is_control()) {
        cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    } else {
        cell.to_owned()
    }
}

/// Columns that a text takes on a terminal: two for the wide characters of East Asian scripts and for emoji, none for
/// combining marks.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}
