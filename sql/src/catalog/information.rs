//! `information_schema`, of which every column says in `comment` what it means.

use datafusion::config::ConfigEntry;

use super::cell::Cell;
use super::directory::{Directory, Relation};
use super::types;
use crate::session::CATALOG;

pub(super) const SCHEMA: &str = "information_schema";

/// Declarations of the tables.
pub(super) const TABLES: [(&str, &str); 15] = [
    (
        "schemata",
        "catalog_name schema_name schema_owner=tideline default_character_set_catalog=null \
         default_character_set_schema=null default_character_set_name=null sql_path=null",
    ),
    (
        "tables",
        "table_catalog table_schema table_name table_type self_referencing_column_name=null \
         reference_generation=null user_defined_type_catalog=null user_defined_type_schema=null \
         user_defined_type_name=null is_insertable_into=NO is_typed=NO commit_action=null comment",
    ),
    (
        "columns",
        "table_catalog table_schema table_name column_name ordinal_position:int column_default=null is_nullable \
         data_type character_maximum_length:int=null character_octet_length:int=null numeric_precision:int \
         numeric_precision_radix:int numeric_scale:int datetime_precision:int interval_type=null \
         interval_precision:int=null character_set_catalog=null character_set_schema=null \
         character_set_name=null collation_catalog=null collation_schema=null collation_name=null \
         domain_catalog=null domain_schema=null domain_name=null udt_catalog udt_schema=pg_catalog udt_name \
         is_identity=NO identity_generation=null is_generated=NEVER generation_expression=null is_updatable=NO \
         full_type comment",
    ),
    ("views", "table_catalog table_schema table_name view_definition check_option is_updatable"),
    (
        "table_constraints",
        "constraint_catalog constraint_schema constraint_name table_catalog table_schema table_name constraint_type \
         is_deferrable initially_deferred enforced",
    ),
    (
        "key_column_usage",
        "constraint_catalog constraint_schema constraint_name table_catalog table_schema table_name column_name \
         ordinal_position:int position_in_unique_constraint:int",
    ),
    (
        "constraint_column_usage",
        "table_catalog table_schema table_name column_name constraint_catalog constraint_schema constraint_name",
    ),
    (
        "referential_constraints",
        "constraint_catalog constraint_schema constraint_name unique_constraint_catalog unique_constraint_schema \
         unique_constraint_name match_option update_rule delete_rule",
    ),
    (
        "routines",
        "specific_catalog specific_schema specific_name routine_catalog routine_schema routine_name \
         routine_type data_type",
    ),
    (
        "parameters",
        "specific_catalog specific_schema specific_name ordinal_position:int parameter_mode parameter_name \
         data_type",
    ),
    ("sequences", "sequence_catalog sequence_schema sequence_name data_type"),
    ("triggers", "trigger_catalog trigger_schema trigger_name event_object_schema event_object_table"),
    (
        "table_privileges",
        "grantor=tideline grantee=PUBLIC table_catalog table_schema table_name \
         privilege_type=SELECT is_grantable=NO with_hierarchy=NO",
    ),
    ("df_settings", "name value description"),
    ("character_sets", "character_set_catalog=null character_set_schema=null character_set_name=UTF8"),
];

/// The rows of one of the tables.
pub(super) fn rows(name: &str, directory: &Directory) -> Vec<Vec<Cell>> {
    let relations = directory.relations.iter();
    match name {
        "schemata" => {
            directory.schemas.keys().map(|name| vec![CATALOG.into(), name.as_str().into()]).collect()
        }
        "tables" => relations.map(table).collect(),
        "columns" => relations.flat_map(columns).collect(),
        "table_privileges" => relations
            .map(|relation| {
                vec![CATALOG.into(), relation.schema.as_str().into(), relation.name.as_str().into()]
            })
            .collect(),
        "character_sets" => vec![Vec::new()],
        _ => Vec::new(),
    }
}

/// The settings of the session, for `SHOW`.
pub(super) fn settings(all: &[ConfigEntry]) -> Vec<Vec<Cell>> {
    let row = |entry: &ConfigEntry| {
        vec![entry.key.as_str().into(), entry.value.clone().into(), entry.description.into()]
    };
    all.iter().map(row).collect()
}

fn table(relation: &Relation) -> Vec<Cell> {
    vec![
        CATALOG.into(),
        relation.schema.as_str().into(),
        relation.name.as_str().into(),
        "BASE TABLE".into(),
        relation.comment.clone().into(),
    ]
}

fn columns(relation: &Relation) -> impl Iterator<Item = Vec<Cell>> {
    (1..).zip(&relation.columns).map(|(position, column): (i32, _)| {
        let (oid, modifier) = column.pg_type;
        let known = types::of_oid(oid);
        let packed = (oid == 1700 && modifier >= 4).then(|| modifier - 4);
        let precision = match oid {
            21 => Some(16),
            23 | 26 => Some(32),
            20 => Some(64),
            700 => Some(24),
            701 => Some(53),
            _ => packed.map(|packed| packed >> 16),
        };
        let radix = precision.map(|_| if oid == 1700 { 10 } else { 2 });
        let scale = packed.map(|packed| packed & 0xffff).or(matches!(oid, 20 | 21 | 23 | 26).then_some(0));
        let array = known.is_some_and(|known| known.element != 0);
        vec![
            CATALOG.into(),
            relation.schema.as_str().into(),
            relation.name.as_str().into(),
            column.name.as_str().into(),
            position.into(),
            if column.nullable { "YES" } else { "NO" }.into(),
            if array { Some("ARRAY") } else { known.map(|known| known.sql) }.into(),
            precision.into(),
            radix.into(),
            scale.into(),
            match oid {
                1082 => Some(0),
                1083 | 1114 | 1184 => Some(6),
                _ => None,
            }
            .into(),
            CATALOG.into(),
            known.map(|known| known.name).into(),
            types::display(oid, modifier).into(),
            column.comment.clone().into(),
        ]
    })
}
