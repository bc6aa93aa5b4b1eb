//! Functions that look at one row at a time.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

/// What a function answers.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    Text(String),
    Int(i64),
    Flag(bool),
    Null,
}

impl From<Option<String>> for Answer {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }
}

impl From<Option<i32>> for Answer {
    fn from(number: Option<i32>) -> Self {
        number.map_or(Self::Null, |number| Self::Int(i64::from(number)))
    }
}

/// The arguments of one row.
pub(super) struct Row<'a> {
    arguments: &'a [ArrayRef],
    row: usize,
}

impl Row<'_> {
    /// An argument as a text; none where it is null or missing.
    pub(super) fn text(&self, place: usize) -> Option<String> {
        let array = self.given(place)?;
        let text = cast(&array.slice(self.row, 1), &DataType::Utf8).ok()?;
        let text = text.as_string_opt::<i32>()?;
        text.is_valid(0).then(|| text.value(0).to_owned())
    }

    /// An argument as an integer; none where it is null, missing, or no number.
    pub(super) fn int(&self, place: usize) -> Option<i64> {
        let array = self.given(place)?;
        let number = cast(&array.slice(self.row, 1), &DataType::Int64).ok()?;
        let number = number.as_primitive_opt::<Int64Type>()?;
        number.is_valid(0).then(|| number.value(0))
    }

    /// How many arguments there are.
    pub(super) fn len(&self) -> usize {
        self.arguments.len()
    }

    fn given(&self, place: usize) -> Option<&ArrayRef> {
        self.arguments.get(place).filter(|array| array.is_valid(self.row))
    }
}

/// What computes an answer.
type Compute = Arc<dyn Fn(&Row<'_>) -> Result<Answer> + Send + Sync>;

/// A function of rows.
#[derive(Clone)]
pub(super) struct Simple {
    name: &'static str,
    signature: Signature,
    returns: DataType,
    compute: Compute,
}

impl Simple {
    /// A function of any arguments, or of none.
    pub(super) fn new(
        name: &'static str,
        returns: DataType,
        compute: impl Fn(&Row<'_>) -> Result<Answer> + Send + Sync + 'static,
    ) -> Self {
        let arguments = vec![TypeSignature::Nullary, TypeSignature::VariadicAny];
        let signature = Signature::one_of(arguments, Volatility::Stable);
        Self { name, signature, returns, compute: Arc::new(compute) }
    }

    pub(super) fn udf(self) -> ScalarUDF {
        ScalarUDF::new_from_impl(self)
    }
}

impl fmt::Debug for Simple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simple").field("name", &self.name).finish_non_exhaustive()
    }
}

// A session has one function of a name.
impl PartialEq for Simple {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Simple {}

impl Hash for Simple {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Simple {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let arguments: Vec<ArrayRef> =
            args.args.into_iter().map(|argument| argument.into_array(rows)).collect::<Result<_>>()?;
        let answers: Vec<Answer> = (0..rows)
            .map(|row| (self.compute)(&Row { arguments: &arguments, row }))
            .collect::<Result<_>>()?;
        let array = column(&self.returns, &answers)?;
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?));
        }
        Ok(ColumnarValue::Array(array))
    }
}

fn column(returns: &DataType, answers: &[Answer]) -> Result<ArrayRef> {
    let int = |answer: &Answer| match answer {
        Answer::Int(number) => Some(*number),
        _ => None,
    };
    let array: ArrayRef = match returns {
        DataType::Boolean => {
            let flag = |answer: &Answer| match answer {
                Answer::Flag(flag) => Some(*flag),
                _ => None,
            };
            Arc::new(answers.iter().map(flag).collect::<BooleanArray>())
        }
        DataType::Int32 => {
            let narrow = |answer: &Answer| int(answer).and_then(|number| i32::try_from(number).ok());
            Arc::new(answers.iter().map(narrow).collect::<Int32Array>())
        }
        DataType::Int64 => Arc::new(answers.iter().map(int).collect::<Int64Array>()),
        DataType::Utf8 => {
            let text = |answer: &Answer| match answer {
                Answer::Text(text) => Some(text.clone()),
                _ => None,
            };
            Arc::new(answers.iter().map(text).collect::<StringArray>())
        }
        other => return Err(DataFusionError::Internal(format!("a function of rows can't answer {other}"))),
    };
    Ok(array)
}
