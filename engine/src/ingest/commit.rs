//! Commits: dead letters first, then rows, each with how far it takes every input.

use super::IngestOptions;
use super::chunk::Chunk;
use super::dead_letter;
use super::taken::{Ids, Input, Known, Reached};
use crate::contract::Stream;
use crate::error::{EngineError, Result};
use crate::lake::{Lake, Table};

/// Commits after which a table is opened anew, because a handle slows with every commit.
pub(crate) const COMMITS_PER_HANDLE: u32 = 25;

/// One commit, for progress reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// `raw.dead_letter`, or the stream's table.
    pub table: String,
    /// The table's version after it.
    pub version: i64,
    /// Rows added.
    pub rows: u64,
}

/// The two tables that a command commits to.
#[derive(Debug)]
pub(crate) struct Committer<'l> {
    lake: &'l Lake,
    stream: Stream,
    pub(crate) rows: Table,
    pub(crate) letters: Table,
    handle_commits: u32,
    /// What the tables say of each input by now.
    known: Vec<[Option<i64>; 2]>,
}

impl<'l> Committer<'l> {
    /// Opens the tables.
    ///
    /// # Errors
    /// As [`Lake::table`].
    pub(crate) async fn open(lake: &'l Lake, stream: Stream) -> Result<Self> {
        let rows = lake.table(stream.table()).await?;
        let letters = lake.table(dead_letter::TABLE).await?;
        Ok(Self { lake, stream, rows, letters, handle_commits: 0, known: Vec::new() })
    }

    /// Remembers what the tables said of the inputs when they were planned.
    pub(crate) fn expect(&mut self, inputs: &[Input]) {
        let position = |known: &Known| known.position;
        self.known = inputs.iter().map(|input| [position(&input.rows), position(&input.letters)]).collect();
    }

    /// Commits a chunk.
    ///
    /// # Errors
    /// [`EngineError::Conflict`] where somebody else took one of the inputs in meanwhile; as [`Table::commit`].
    pub(crate) async fn commit(
        &mut self,
        chunk: Chunk,
        inputs: &[Input],
        options: &IngestOptions,
    ) -> Result<()> {
        if self.handle_commits >= COMMITS_PER_HANDLE {
            self.rows = self.lake.table(self.stream.table()).await?;
            self.letters = self.lake.table(dead_letter::TABLE).await?;
            self.handle_commits = 0;
        }
        let Chunk { files, letters, reached, .. } = chunk;
        let stream = self.stream;
        if !letters.is_empty() {
            let ids = |input: &Input| Ids::letters(stream, &input.file);
            check_positions(&self.letters, inputs, &reached, |at| self.known[at][1], ids).await?;
            let positions = positions(inputs, &reached, ids);
            commit(&mut self.letters, letters, &positions, options).await?;
            note(&mut self.known, &reached, 1);
        }
        let ids = |input: &Input| Ids::rows(&input.file);
        check_positions(&self.rows, inputs, &reached, |at| self.known[at][0], ids).await?;
        let positions = positions(inputs, &reached, ids);
        commit(&mut self.rows, files, &positions, options).await?;
        note(&mut self.known, &reached, 0);
        self.handle_commits += 1;
        Ok(())
    }
}

async fn commit(
    table: &mut Table,
    files: Vec<crate::lake::NewFile>,
    positions: &[(String, i64)],
    options: &IngestOptions,
) -> Result<()> {
    let rows = files.iter().map(|file| file.rows).sum();
    let version = table.commit(files, &[], positions).await?;
    let done = Commit { table: table.spec().name.to_owned(), version, rows };
    tracing::info!(table = done.table, version, rows, "committed");
    if let Some(on_commit) = &options.on_commit {
        on_commit(&done);
    }
    Ok(())
}

fn positions(
    inputs: &[Input],
    reached: &[(usize, Reached)],
    ids: impl Fn(&Input) -> Ids,
) -> Vec<(String, i64)> {
    reached
        .iter()
        .filter_map(|(at, reached)| inputs.get(*at).map(|input| ids(input).record(reached)))
        .flatten()
        .collect()
}

/// The very snapshot that is committed from must still stand where the command believes it does: a table would accept
/// the same or a lower position again.
async fn check_positions(
    table: &Table,
    inputs: &[Input],
    reached: &[(usize, Reached)],
    known: impl Fn(usize) -> Option<i64>,
    ids: impl Fn(&Input) -> Ids,
) -> Result<()> {
    for (at, _) in reached {
        let Some(input) = inputs.get(*at) else { continue };
        if table.position(&ids(input).file).await? != known(*at) {
            return Err(EngineError::Conflict { table: table.spec().name.to_owned() });
        }
    }
    Ok(())
}

fn note(known: &mut [[Option<i64>; 2]], reached: &[(usize, Reached)], table: usize) {
    for (at, reached) in reached {
        if let Some(place) = known.get_mut(*at).and_then(|tables| tables.get_mut(table)) {
            *place = Some(reached.position);
        }
    }
}
