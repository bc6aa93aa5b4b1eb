//! Who is who: schemas, tables and columns with their numbers and comments.

use std::collections::BTreeMap;

use arrow::datatypes::Schema;

use super::{SCHEMA, cell, information, postgres, types};
use crate::comment;

/// The number of `pg_class` itself, which comments of tables refer to.
pub(crate) const OF_CLASS: i32 = 1259;
/// The number of `pg_namespace` itself.
pub(crate) const OF_NAMESPACE: i32 = 2615;
/// The first number of tables of a lake.
const FIRST_TABLE: i32 = 16_384;
/// The first number of a lake's schemas.
const FIRST_SCHEMA: i32 = 16_001;
/// The first number of tables of the catalogue whose own is not well known.
const FIRST_OWN: i32 = 12_000;

/// A table.
#[derive(Debug)]
pub(crate) struct Relation {
    pub(crate) oid: i32,
    pub(crate) schema: String,
    pub(crate) schema_oid: i32,
    pub(crate) name: String,
    /// What a row is, and what it is of.
    pub(crate) comment: Option<String>,
    pub(crate) columns: Vec<Column>,
}

/// A column.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) nullable: bool,
    /// The number of its type and the modifier.
    pub(crate) pg_type: (i32, i32),
    /// Unit and definition.
    pub(crate) comment: Option<String>,
}

/// All schemas and tables of a session.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    pub(crate) schemas: BTreeMap<String, i32>,
    pub(crate) relations: Vec<Relation>,
}

impl Directory {
    /// Of a lake's tables, by `schema.table`, and those of the catalogue itself.
    pub(crate) fn new<'a>(tables: impl IntoIterator<Item = (&'a str, &'a Schema)>) -> Self {
        let tables: BTreeMap<&str, &Schema> = tables.into_iter().collect();
        let mut all = Self::default();
        all.schemas.insert(SCHEMA.to_owned(), 11);
        all.schemas.insert(information::SCHEMA.to_owned(), 13_000);
        let mut next_schema = FIRST_SCHEMA;
        for (next_table, (full, schema)) in (FIRST_TABLE..).zip(tables) {
            let (of, name) = full.split_once('.').unwrap_or((crate::session::DEFAULT_SCHEMA, full));
            if !all.schemas.contains_key(of) {
                all.schemas.insert(of.to_owned(), next_schema);
                next_schema += 1;
            }
            all.add(next_table, of, name, schema);
        }
        let own = postgres::TABLES.iter().chain(&postgres::EMPTY).map(|pair| (SCHEMA, *pair));
        let own = own.chain(information::TABLES.iter().map(|pair| (information::SCHEMA, *pair)));
        for (number, (of, (name, declared))) in (FIRST_OWN..).zip(own) {
            all.add(well_known(name).unwrap_or(number), of, name, &cell::schema(declared));
        }
        all
    }

    fn add(&mut self, oid: i32, schema: &str, name: &str, columns: &Schema) {
        let described = comment::of_table(schema, name);
        let columns = columns
            .fields()
            .iter()
            .map(|field| Column {
                name: field.name().clone(),
                nullable: field.is_nullable(),
                pg_type: types::of_column(field.data_type(), field.metadata().contains_key("pg.oid_alias")),
                comment: comment::of_column(schema, name, field.name()).map(str::to_owned),
            })
            .collect();
        self.relations.push(Relation {
            oid,
            schema: schema.to_owned(),
            schema_oid: self.schemas.get(schema).copied().unwrap_or(0),
            name: name.to_owned(),
            comment: described.map(str::to_owned),
            columns,
        });
    }

    /// The table of that number.
    pub(crate) fn relation(&self, oid: i32) -> Option<&Relation> {
        self.relations.iter().find(|relation| relation.oid == oid)
    }

    /// The number of a table by its name, with or without a schema, quoted or not.
    pub(crate) fn find(&self, name: &str) -> Option<i32> {
        let plain = |part: &str| part.trim().trim_matches('"').to_owned();
        let (schema, name) = match name.rsplit_once('.') {
            Some((schema, name)) => (Some(plain(schema)), plain(name)),
            None => (None, plain(name)),
        };
        let path = [crate::session::DEFAULT_SCHEMA, SCHEMA];
        let mut found = self.relations.iter().filter(|relation| relation.name == name);
        found
            .find(|relation| match &schema {
                Some(schema) => relation.schema == *schema,
                None => path.contains(&relation.schema.as_str()),
            })
            .map(|relation| relation.oid)
    }

    /// The name of a schema by its number.
    pub(crate) fn schema_name(&self, oid: i32) -> Option<&str> {
        self.schemas.iter().find(|(_, number)| **number == oid).map(|(name, _)| name.as_str())
    }
}

/// Numbers that clients know by heart.
fn well_known(name: &str) -> Option<i32> {
    const KNOWN: [(&str, i32); 12] = [
        ("pg_class", OF_CLASS),
        ("pg_namespace", OF_NAMESPACE),
        ("pg_type", 1247),
        ("pg_attribute", 1249),
        ("pg_proc", 1255),
        ("pg_constraint", 2606),
        ("pg_attrdef", 2604),
        ("pg_index", 2610),
        ("pg_description", 2609),
        ("pg_trigger", 2620),
        ("pg_database", 1262),
        ("pg_am", 2601),
    ];
    KNOWN.iter().find(|(known, _)| *known == name).map(|(_, oid)| *oid)
}
