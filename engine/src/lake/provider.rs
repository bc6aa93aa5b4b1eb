//! How SQL reads the lake: a fixed list of data files, with partition values as constants.
//!
//! The list is a snapshot; a new version means a new provider. Whole files are pruned by partition columns, row
//! groups by the Parquet footer.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{Column, DFSchema, Result, ScalarValue, Statistics, project_schema};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use super::table::{DataFile, Table};

/// A table of SQL over a fixed list of the lake's data files.
#[derive(Debug)]
pub struct FileTable {
    schema: SchemaRef,
    table_schema: TableSchema,
    /// Names and values of the partition columns, one row per file.
    partitions: RecordBatch,
    files: Vec<PartitionedFile>,
    rows: Option<usize>,
}

impl FileTable {
    /// All active files of a table.
    ///
    /// # Errors
    /// Where a partition value doesn't fit its column.
    pub fn new(table: &Table) -> Result<Self> {
        Self::with_files(table, table.files())
    }

    /// Some of the files of a table, e.g. those of published runs.
    ///
    /// # Errors
    /// Where a partition value doesn't fit its column.
    pub fn with_files<'a>(table: &Table, files: impl IntoIterator<Item = &'a DataFile>) -> Result<Self> {
        let spec = table.spec();
        let schema = spec.schema();
        let columns: Vec<FieldRef> = spec
            .partition_by
            .iter()
            .filter_map(|name| schema.field_with_name(name).ok())
            .map(|field| Arc::new(field.clone()))
            .collect();
        let files: Vec<&DataFile> = files.into_iter().collect();
        let values: Vec<ArrayRef> = columns
            .iter()
            .map(|column| {
                let text = StringArray::from_iter_values(files.iter().map(|file| file.partition_value(column.name())));
                Ok(cast(&text, column.data_type())?)
            })
            .collect::<Result<_>>()?;
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(files.len()));
        let partition_schema = Arc::new(Schema::new(columns.clone()));
        let partitions = RecordBatch::try_new_with_options(partition_schema, values, &options)?;
        let rows = files
            .iter()
            .map(|file| file.rows.and_then(|rows| usize::try_from(rows).ok()))
            .try_fold(0_usize, |sum, rows| Some(sum + rows?));
        let files = files
            .iter()
            .enumerate()
            .map(|(index, file)| partitioned_file(table.dir(), file, &partitions, index, &schema))
            .collect::<Result<_>>()?;
        let table_schema =
            TableSchema::builder(spec.file_schema()).with_table_partition_cols(columns).build();
        Ok(Self { schema, table_schema, partitions, files, rows })
    }

    fn is_partition_filter(&self, filter: &Expr) -> bool {
        let columns = filter.column_refs();
        !columns.is_empty()
            && columns.iter().all(|Column { name, .. }| self.partitions.schema().index_of(name).is_ok())
    }

    /// The files whose partition values can satisfy the filters.
    fn pruned(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<PartitionedFile>> {
        let chosen: Vec<Expr> = filters.iter().filter(|filter| self.is_partition_filter(filter)).cloned().collect();
        let Some(filter) = conjunction(chosen) else { return Ok(self.files.clone()) };
        let schema = DFSchema::try_from(self.partitions.schema().as_ref().clone())?;
        let filter = state.create_physical_expr(filter, &schema)?;
        let keep = filter.evaluate(&self.partitions)?.into_array(self.partitions.num_rows())?;
        let keep = cast(&keep, &DataType::Boolean)?;
        let Some(keep) = keep.as_any().downcast_ref::<BooleanArray>() else { return Ok(self.files.clone()) };
        let kept = self.files.iter().enumerate().filter(|(index, _)| keep.is_valid(*index) && keep.value(*index));
        Ok(kept.map(|(_, file)| file.clone()).collect())
    }
}

fn partitioned_file(
    dir: &Path,
    file: &DataFile,
    partitions: &RecordBatch,
    index: usize,
    schema: &Schema,
) -> Result<PartitionedFile> {
    let full = std::path::absolute(dir.join(&file.path))?;
    let mut part = PartitionedFile::new(full.to_string_lossy().into_owned(), file.size);
    part.object_meta.location = object_store::path::Path::from_absolute_path(&full)
        .map_err(|error| datafusion::error::DataFusionError::External(Box::new(error)))?;
    part.partition_values = partitions
        .columns()
        .iter()
        .map(|column| ScalarValue::try_from_array(column, index))
        .collect::<Result<_>>()?;
    let mut statistics = Statistics::new_unknown(schema);
    if let Some(rows) = file.rows.and_then(|rows| usize::try_from(rows).ok()) {
        statistics.num_rows = Precision::Exact(rows);
    }
    part.statistics = Some(Arc::new(statistics));
    Ok(part)
}

#[async_trait::async_trait]
impl TableProvider for FileTable {
    fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let answer = |filter: &&Expr| {
            if self.is_partition_filter(filter) {
                TableProviderFilterPushDown::Exact
            } else {
                TableProviderFilterPushDown::Inexact
            }
        };
        Ok(filters.iter().map(answer).collect())
    }

    fn statistics(&self) -> Option<Statistics> {
        let mut statistics = Statistics::new_unknown(&self.schema);
        statistics.num_rows = Precision::Exact(self.rows?);
        Some(statistics)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = self.pruned(state, filters)?;
        if files.is_empty() {
            let schema = project_schema(&self.schema, projection)?;
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let mut source = ParquetSource::new(self.table_schema.clone());
        let rest = filters.iter().filter(|filter| !self.is_partition_filter(filter)).cloned();
        if let Some(filter) = conjunction(rest) {
            let schema = DFSchema::try_from(self.schema.as_ref().clone())?;
            source = source.with_predicate(state.create_physical_expr(filter, &schema)?);
        }
        let groups = FileGroup::new(files).split_files(state.config().target_partitions());
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
            .with_file_groups(groups)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

