//! What each rep signed on each day: the history that a prediction looks back on, a file a month.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, RecordBatch, StringArray};
use rayon::prelude::*;

use super::columns::{batch, dates, decimals};
use super::keys::column;
use super::life::{life_file, replace, write_life};
use super::source::short_hash;
use super::store::{DayTable, Tiles};
use crate::error::Result;
use crate::lake::{Lake, read};
use crate::time::Day;

/// An amount that a rep signed on a day, minor units; never 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sale<R> {
    pub(crate) rep: R,
    pub(crate) day: Day,
    pub(crate) amount: i64,
}

impl Tiles {
    /// What reps signed in whole months, each given by its first and last day, and on `days` after them; in no order within
    /// a day. `number` says which reps are asked for.
    ///
    /// # Errors
    /// Where the lake can't be read or written.
    pub(crate) async fn sales<R: Copy + Send>(
        &self,
        lake: &Lake,
        months: &[(Day, Day)],
        days: std::ops::Range<Day>,
        number: impl Fn(&str) -> Option<R> + Sync,
    ) -> Result<Vec<Sale<R>>> {
        let mut months_table = self.ahead.table(lake, "tile.rep_sale").await?;
        let mut closed = Vec::new();
        for &(first, last) in months {
            let stamps: Vec<&str> = (first..=last).map(|day| self.stamp(day)).collect();
            if stamps.iter().all(|stamp| stamp.is_empty()) {
                continue;
            }
            let stamp = short_hash(&stamps);
            if let Some(file) = life_file(&months_table, last, &stamp) {
                closed.push(months_table.dir().join(&file.path));
                continue;
            }
            let month = month(self.signed(first..last + 1)?)?;
            let file = write_life(&months_table, last, &stamp, &month)?;
            closed.push(months_table.dir().join(&file.path));
            replace(&mut months_table, last, file).await?;
        }
        let months: Vec<Vec<Sale<R>>> =
            closed.par_iter().map(|path| month_of(path, &number)).collect::<Result<_>>()?;
        let mut sales = months.concat();
        let recent = self.signed(days)?.into_iter();
        sales.extend(
            recent.filter_map(|Sale { rep, day, amount }| Some(Sale { rep: number(&rep)?, day, amount })),
        );
        Ok(sales)
    }

    /// What reps signed on days, from their tiles.
    fn signed(&self, days: std::ops::Range<Day>) -> Result<Vec<Sale<String>>> {
        let mut files = self.files(DayTable::Rep);
        files.retain(|(day, _)| days.contains(day));
        let found: Vec<Vec<Sale<String>>> = files
            .par_iter()
            .map(|&(day, path)| {
                let mut sales = Vec::new();
                for rows in read(path, &["rep_id", "amount_signed"])? {
                    let (reps, amounts) =
                        (column::<StringArray>(&rows, 0)?, column::<Decimal128Array>(&rows, 1)?);
                    sales.extend((0..rows.num_rows()).filter(|&row| amounts.value(row) != 0).map(|row| {
                        Sale {
                            rep: reps.value(row).to_owned(),
                            day,
                            amount: i64::try_from(amounts.value(row)).unwrap_or(i64::MAX),
                        }
                    }));
                }
                Ok(sales)
            })
            .collect::<Result<_>>()?;
        Ok(found.into_iter().flatten().collect())
    }
}

/// What reps that are asked for signed in a month, from its file.
fn month_of<R: Copy>(path: &Path, number: &impl Fn(&str) -> Option<R>) -> Result<Vec<Sale<R>>> {
    let mut sales = Vec::new();
    for rows in read(path, &[])? {
        let reps = column::<StringArray>(&rows, 0)?;
        let (on, amounts) = (column::<Date32Array>(&rows, 1)?, column::<Decimal128Array>(&rows, 2)?);
        // A rep's rows stand together.
        let mut known: (&str, Option<R>) = ("", number(""));
        for row in 0..rows.num_rows() {
            if reps.value(row) != known.0 {
                known = (reps.value(row), number(reps.value(row)));
            }
            let amount = i64::try_from(amounts.value(row)).unwrap_or(i64::MAX);
            sales.extend(known.1.map(|rep| Sale { rep, day: on.value(row), amount }));
        }
    }
    Ok(sales)
}

fn month(mut sales: Vec<Sale<String>>) -> Result<RecordBatch> {
    sales.sort_unstable_by(|a, b| a.rep.cmp(&b.rep).then(a.day.cmp(&b.day)));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(sales.iter().map(|sale| sale.rep.as_str()))),
        dates(sales.iter().map(|sale| Some(sale.day))),
        decimals(sales.iter().map(|sale| sale.amount)),
    ];
    batch("tile.rep_sale", columns)
}
