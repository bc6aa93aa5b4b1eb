//! The catalogue as the table `catalogue.event`.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;

use super::{Catalogue, Entity, Flags, Model};

impl Catalogue {
    /// One row per model, in the order of their codes. Columns, all but the last without nulls: `code`, `name_en`,
    /// `name_zh`, `channel` (Utf8); `requires_rep`, `requires_customer`, `requires_lead`, `requires_opportunity`,
    /// `amount_required` (Boolean); one Boolean per flag, in the order of [`Flags::ALL`]; `derived` (Boolean);
    /// `attributes` (Utf8, names joined by commas); `rule` (Utf8, a derived model's sequence, null for a sent one).
    ///
    /// # Errors
    /// None in practice: columns and schema are built side by side.
    pub fn to_batch(&self) -> Result<RecordBatch, ArrowError> {
        let text = |f: fn(&Model) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(self.models.iter().map(f)))
        };
        let mut columns = vec![
            text(|model| &model.code),
            text(|model| &model.name_en),
            text(|model| &model.name_zh),
            text(|model| model.channel.as_str()),
        ];
        for entity in Entity::ALL {
            columns.push(self.booleans(|model| model.required.contains(entity)));
        }
        columns.push(self.booleans(|model| model.amount_required));
        for (flag, _) in Flags::ALL {
            columns.push(self.booleans(|model| model.flags.contains(flag)));
        }
        columns.push(self.booleans(|model| model.derived));
        let attributes = self.models.iter().map(|model| model.attributes.join(","));
        columns.push(Arc::new(StringArray::from_iter_values(attributes)));
        let mut rules: Vec<Option<String>> = vec![None; self.models.len()];
        for definition in &self.definitions {
            if let Some(rule) = rules.get_mut(definition.code.index()) {
                *rule = Some(definition.rule(&self.models));
            }
        }
        columns.push(Arc::new(StringArray::from(rules)));
        RecordBatch::try_new(schema(), columns)
    }

    fn booleans(&self, f: impl Fn(&Model) -> bool) -> ArrayRef {
        Arc::new(BooleanArray::from(self.models.iter().map(f).collect::<Vec<bool>>()))
    }
}

/// The schema of `catalogue.event`.
fn schema() -> SchemaRef {
    let utf8 = |name: &str| Field::new(name, DataType::Utf8, false);
    let boolean = |name: &str| Field::new(name, DataType::Boolean, false);
    let mut fields = vec![utf8("code"), utf8("name_en"), utf8("name_zh"), utf8("channel")];
    fields.extend(Entity::ALL.iter().map(|entity| boolean(&format!("requires_{}", entity.as_str()))));
    fields.push(boolean("amount_required"));
    fields.extend(Flags::ALL.iter().map(|(_, name)| boolean(name)));
    fields.push(boolean("derived"));
    fields.push(utf8("attributes"));
    fields.push(Field::new("rule", DataType::Utf8, true));
    Arc::new(Schema::new(fields))
}
