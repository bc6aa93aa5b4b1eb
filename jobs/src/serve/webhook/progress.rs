//! How far a subscriber has been told, kept in the lake: `_tideline/webhook/NAME.json`.

use std::path::{Path, PathBuf};

use engine::EngineError;
use engine::lake::{Lake, write_atomically};
use serde::{Deserialize, Serialize};

use super::super::cursor::Cursor;
use super::super::day::instant;

/// How far a subscriber has been told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Everything up to here has been taken.
    pub(in crate::serve) cursor: Cursor,
    /// The fingerprint of the settings that the subscriber answered with "gone".
    pub(crate) gone: Option<String>,
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    cursor: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gone: Option<String>,
}

/// Where a subscriber's files are; `ending` is `json` or `lock`.
pub(super) fn place(lake: &Lake, name: &str, ending: &str) -> PathBuf {
    lake.root().join("_tideline/webhook").join(format!("{name}.{ending}"))
}

impl Progress {
    /// When the publication came that it is in.
    pub(crate) fn published(&self) -> String {
        instant(self.cursor.finished_at)
    }

    /// Reads it; none where nothing has been kept yet.
    ///
    /// # Errors
    /// [`EngineError::Lake`] for a file that is not one of ours.
    pub(crate) fn read(lake: &Lake, name: &str) -> Result<Option<Self>, EngineError> {
        let path = place(lake, name, "json");
        match std::fs::read(&path) {
            Ok(bytes) => Self::parse(&bytes, &path).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(EngineError::Io { doing: "reading", path, source }),
        }
    }

    fn parse(bytes: &[u8], path: &Path) -> Result<Self, EngineError> {
        let kept: Option<Kept> = serde_json::from_slice(bytes).ok();
        let known =
            kept.and_then(|kept| Some(Self { cursor: Cursor::parse(&kept.cursor)?, gone: kept.gone }));
        known.ok_or_else(|| {
            EngineError::Lake(format!(
                "{} doesn't say how far a subscriber has been told; remove it to begin with what comes next",
                path.display()
            ))
        })
    }

    /// Writes and syncs it.
    ///
    /// # Errors
    /// Where it can't be written.
    pub(super) async fn write(&self, lake: &Lake, name: &str) -> anyhow::Result<()> {
        let path = place(lake, name, "json");
        let kept = Kept { cursor: self.cursor.text(), gone: self.gone.clone() };
        let bytes = serde_json::to_vec(&kept)?;
        Ok(tokio::task::spawn_blocking(move || write_atomically(&path, &bytes)).await??)
    }
}
