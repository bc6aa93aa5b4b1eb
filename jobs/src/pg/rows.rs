//! Record batches as rows of the protocol, in text or in binary form, column by column as the client asked.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use arrow_pg::datatypes::field_into_pg_type;
use arrow_pg::encoder::encode_value;
use pgwire::api::Type;
use pgwire::api::results::{DataRowEncoder, FieldFormat, FieldInfo};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::data::{FieldDescription, RowDescription};

use super::failure::Failure;

/// Digits beyond which a decimal goes as the text that it is: the binary encoder knows no more.
const DIGITS_MAX: u8 = 28;

/// How a column gets into a form that can be sent.
#[derive(Debug, Clone, PartialEq)]
enum Form {
    /// As it is.
    Plain,
    /// Cast to this.
    Cast(DataType),
    /// As an object of JSON.
    Json,
    /// As it is shown to people.
    Words,
}

/// The columns of an answer on their way to a client.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    forms: Vec<Form>,
    infos: Arc<Vec<FieldInfo>>,
}

/// Rows as bytes, and where each of them ends.
pub(super) struct Rows {
    pub(super) bytes: Box<dyn AsRef<[u8]> + Send + Sync>,
    pub(super) ends: Vec<usize>,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("rows", &self.ends.len()).finish_non_exhaustive()
    }
}

impl Shape {
    /// Of the columns of a schema, in these formats: none for text, one for all, or one each; 0 is text, 1 binary.
    ///
    /// # Errors
    /// 08P01 for another number of formats than columns.
    pub(super) fn new(schema: &Schema, formats: &[i16]) -> Result<Self, Failure> {
        let columns = schema.fields().len();
        if formats.len() > 1 && formats.len() != columns {
            let message = format!("{} formats were given for {columns} columns", formats.len());
            return Err(Failure::new("08P01", message));
        }
        let mut forms = Vec::with_capacity(columns);
        let mut infos = Vec::with_capacity(columns);
        for (place, field) in schema.fields().iter().enumerate() {
            let format = formats.get(place).or(formats.first()).copied().unwrap_or(0);
            let format = FieldFormat::from(format);
            let (form, pg_type) = form_of(field, format);
            let modifier = match field.data_type() {
                DataType::Decimal128(precision, scale) => {
                    ((i32::from(*precision) << 16) | (i32::from(*scale) & 0xffff)) + 4
                }
                _ => -1,
            };
            let size = size_of(&pg_type);
            let info = FieldInfo::new(field.name().clone(), None, None, pg_type, format)
                .with_type_modifier(modifier)
                .with_type_size(size);
            forms.push(form);
            infos.push(info);
        }
        Ok(Self { forms, infos: Arc::new(infos) })
    }

    /// What the client is told of the columns.
    pub(super) fn description(&self) -> RowDescription {
        RowDescription::new(self.infos.iter().map(FieldDescription::from).collect())
    }

    /// The rows of a batch.
    ///
    /// # Errors
    /// For a value that can't be said, e.g. a number with too many digits in binary form.
    pub(super) fn encode(&self, batch: &RecordBatch) -> Result<Rows, Failure> {
        let columns: Vec<(ArrayRef, Field)> = batch
            .columns()
            .iter()
            .zip(batch.schema().fields())
            .zip(&self.forms)
            .map(|((array, field), form)| formed(array, field, form))
            .collect::<Result<_, _>>()?;
        let mut encoder = DataRowEncoder::new(Arc::clone(&self.infos));
        let mut bytes = Vec::new().as_slice().into();
        let mut ends = Vec::with_capacity(batch.num_rows());
        let wrong = |error: pgwire::error::PgWireError| Failure::new("22003", error.to_string());
        for row in 0..batch.num_rows() {
            for ((array, field), info) in columns.iter().zip(self.infos.iter()) {
                if array.is_null(row) {
                    encoder
                        .encode_field_with_type_and_format(
                            &None::<i8>,
                            info.datatype(),
                            info.format(),
                            info.format_options(),
                        )
                        .map_err(wrong)?;
                } else if let Some(text) = array.as_string_opt::<i32>() {
                    // The bytes of a text are the same in both forms, whatever type they are announced as.
                    encoder
                        .encode_field_with_type_and_format(
                            &text.value(row),
                            &Type::TEXT,
                            info.format(),
                            info.format_options(),
                        )
                        .map_err(wrong)?;
                } else {
                    encode_value(&mut encoder, array, row, field, info).map_err(wrong)?;
                }
            }
            PgWireBackendMessage::DataRow(encoder.take_row()).encode(&mut bytes).map_err(wrong)?;
            ends.push(bytes.len());
        }
        Ok(Rows { bytes: Box::new(bytes), ends })
    }
}

/// The type that a client is told for a column of the answer.
pub(super) fn type_of(field: &FieldRef) -> Type {
    form_of(field, FieldFormat::Text).1
}

fn form_of(field: &FieldRef, format: FieldFormat) -> (Form, Type) {
    match field.data_type() {
        DataType::Null => (Form::Cast(DataType::Utf8), Type::TEXT),
        DataType::Map(..) => (Form::Json, Type::JSON),
        DataType::Decimal128(digits, _) if *digits > DIGITS_MAX && format == FieldFormat::Text => {
            (Form::Cast(DataType::Utf8), Type::NUMERIC)
        }
        DataType::Decimal256(..) if format == FieldFormat::Text => {
            (Form::Cast(DataType::Utf8), Type::NUMERIC)
        }
        DataType::Decimal256(_, scale) => (Form::Cast(DataType::Decimal128(38, *scale)), Type::NUMERIC),
        _ => match field_into_pg_type(field) {
            Ok(pg_type) => (Form::Plain, pg_type),
            Err(_) => (Form::Words, Type::TEXT),
        },
    }
}

fn size_of(pg_type: &Type) -> i16 {
    match *pg_type {
        Type::BOOL | Type::CHAR => 1,
        Type::INT2 => 2,
        Type::INT4 | Type::OID | Type::FLOAT4 | Type::DATE | Type::REGCLASS | Type::REGTYPE => 4,
        Type::INT8 | Type::FLOAT8 | Type::TIMESTAMP | Type::TIMESTAMPTZ | Type::TIME => 8,
        Type::INTERVAL => 16,
        _ => -1,
    }
}

fn formed(array: &ArrayRef, field: &Field, form: &Form) -> Result<(ArrayRef, Field), Failure> {
    let array = match form {
        Form::Plain => match array.data_type() {
            // Texts take one way.
            DataType::LargeUtf8 | DataType::Utf8View => cast(array, &DataType::Utf8)?,
            DataType::Dictionary(_, inner) => {
                let plain = cast(array, inner)?;
                if matches!(**inner, DataType::LargeUtf8 | DataType::Utf8View) {
                    cast(&plain, &DataType::Utf8)?
                } else {
                    plain
                }
            }
            _ => Arc::clone(array),
        },
        Form::Cast(to) => cast(array, to)?,
        Form::Json => json(array)?,
        Form::Words => words(array)?,
    };
    let field = field.clone().with_data_type(array.data_type().clone());
    Ok((array, field))
}

fn words(array: &ArrayRef) -> Result<ArrayRef, Failure> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(array, &options)?;
    let word = |row: usize| array.is_valid(row).then(|| formatter.value(row).to_string());
    Ok(Arc::new((0..array.len()).map(word).collect::<StringArray>()))
}

fn json(array: &ArrayRef) -> Result<ArrayRef, Failure> {
    let Some(map) = array.as_map_opt() else { return words(array) };
    let object = |row: usize| -> Result<Option<String>, Failure> {
        if map.is_null(row) {
            return Ok(None);
        }
        let entries = map.value(row);
        let (keys, values) =
            (cast(entries.column(0), &DataType::Utf8)?, cast(entries.column(1), &DataType::Utf8)?);
        let (keys, values) = (keys.as_string::<i32>(), values.as_string::<i32>());
        let pairs = keys.iter().zip(values.iter()).map(|(key, value)| {
            (key.unwrap_or_default().to_owned(), value.map_or(serde_json::Value::Null, Into::into))
        });
        let object: serde_json::Map<String, serde_json::Value> = pairs.collect();
        Ok(Some(serde_json::Value::Object(object).to_string()))
    };
    let objects: StringArray = (0..map.len()).map(object).collect::<Result<Vec<_>, _>>()?.into();
    Ok(Arc::new(objects))
}
