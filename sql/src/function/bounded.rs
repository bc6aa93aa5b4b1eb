//! Functions that make much of little, held to a size: one call of `repeat` or `range` could otherwise fill the memory
//! before anybody could stop it.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};
use datafusion::prelude::SessionContext;

/// Bytes, or elements of eight of them, that one call may make of a batch.
const BYTES_MAX: u64 = 256 << 20;

/// Functions, and how the size of what they make follows from their arguments.
const FUNCTIONS: [(&str, Size); 8] = [
    ("repeat", Size::Times { what: 0, count: 1 }),
    ("lpad", Size::Padded { count: 1 }),
    ("rpad", Size::Padded { count: 1 }),
    ("array_repeat", Size::Elements { count: 1 }),
    ("array_resize", Size::Elements { count: 1 }),
    ("range", Size::Range),
    ("generate_series", Size::Range),
    ("space", Size::Padded { count: 0 }),
];

/// How the size of what a function makes follows from its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Size {
    /// The length of one argument, as often as another says.
    Times { what: usize, count: usize },
    /// As many characters as an argument says.
    Padded { count: usize },
    /// As many elements as an argument says.
    Elements { count: usize },
    /// From a first number to a last.
    Range,
}

/// Puts bounded functions in the place of the session's own.
pub(super) fn register(context: &SessionContext) {
    let state = context.state();
    for (name, size) in FUNCTIONS {
        if let Some(inner) = state.scalar_functions().get(name) {
            context.register_udf(ScalarUDF::new_from_impl(Bounded { inner: Arc::clone(inner), size }));
        }
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded {
    inner: Arc<ScalarUDF>,
    size: Size,
}

impl Bounded {
    fn check(&self, args: &ScalarFunctionArgs) -> Result<()> {
        let rows = args.number_rows;
        let bytes = match self.size {
            Size::Times { what, count } => {
                let lengths = lengths(args.args.get(what), rows)?;
                let counts = numbers(args.args.get(count), rows)?;
                lengths.iter().zip(counts).fold(0_u64, |sum, (length, count)| {
                    sum.saturating_add(length.saturating_mul(count.unsigned_abs()))
                })
            }
            Size::Padded { count } => sum(&numbers(args.args.get(count), rows)?, 4),
            Size::Elements { count } => sum(&numbers(args.args.get(count), rows)?, 8),
            Size::Range => {
                let first = numbers(args.args.first(), rows)?;
                match args.args.get(1) {
                    // Of times and dates there are few enough.
                    _ if !is_integer(args) => 0,
                    None => sum(&first, 8),
                    Some(last) => {
                        let last = numbers(Some(last), rows)?;
                        let steps = match args.args.get(2) {
                            Some(step) => numbers(Some(step), rows)?,
                            None => vec![1; rows],
                        };
                        let one = |((first, last), step): ((&i64, &i64), &i64)| {
                            first.abs_diff(*last) / step.unsigned_abs().max(1)
                        };
                        let count =
                            first.iter().zip(&last).zip(&steps).map(one).fold(0_u64, u64::saturating_add);
                        count.saturating_mul(8)
                    }
                }
            }
        };
        if bytes <= BYTES_MAX {
            return Ok(());
        }
        Err(DataFusionError::ResourcesExhausted(format!(
            "{} would make {bytes} bytes of one batch of rows, at most {BYTES_MAX} are made",
            self.inner.name()
        )))
    }
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.inner().coerce_types(types)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.check(&args)?;
        self.inner.invoke_with_args(args)
    }
}

fn is_integer(args: &ScalarFunctionArgs) -> bool {
    args.args.first().is_some_and(|first| first.data_type().is_integer())
}

fn sum(counts: &[i64], bytes: u64) -> u64 {
    let positive = counts.iter().map(|count| u64::try_from(*count).unwrap_or(0));
    positive.fold(0_u64, u64::saturating_add).saturating_mul(bytes)
}

/// An argument as numbers; nulls and what is missing are 0.
fn numbers(argument: Option<&ColumnarValue>, rows: usize) -> Result<Vec<i64>> {
    let Some(argument) = argument else { return Ok(vec![0; rows]) };
    let array = cast(&array(argument, rows)?, &DataType::Int64)?;
    let Some(array) = array.as_primitive_opt::<Int64Type>() else { return Ok(vec![0; rows]) };
    Ok(array.iter().map(|number| number.unwrap_or(0)).collect())
}

/// The bytes of each text of an argument.
fn lengths(argument: Option<&ColumnarValue>, rows: usize) -> Result<Vec<u64>> {
    let Some(argument) = argument else { return Ok(vec![0; rows]) };
    let array = cast(&array(argument, rows)?, &DataType::LargeUtf8)?;
    let Some(array) = array.as_string_opt::<i64>() else { return Ok(vec![0; rows]) };
    let length = |text: Option<&str>| text.map_or(0, |text| u64::try_from(text.len()).unwrap_or(u64::MAX));
    Ok(array.iter().map(length).collect())
}

fn array(argument: &ColumnarValue, rows: usize) -> Result<ArrayRef> {
    argument.clone().into_array(rows)
}
