//! Locks between processes of one lake: work that must not be done twice at once.
//!
//! A lock is the operating system's, on a file under `_tideline/`; it ends with the process, however that ends.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::Lake;
use crate::error::{EngineError, Result};

/// Work that excludes itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Computing and publishing a day.
    Run,
    /// Folding, removing and deleting files.
    Maintain,
    /// Starting jobs at their times.
    Schedule,
    /// Recording models.
    Model,
}

impl Job {
    fn file(self) -> &'static str {
        match self {
            Self::Run => "_tideline/run.lock",
            Self::Maintain => "_tideline/maintain.lock",
            Self::Schedule => "_tideline/schedule.lock",
            Self::Model => "_tideline/model.lock",
        }
    }

    fn doing(self) -> &'static str {
        match self {
            Self::Run => "running a day of",
            Self::Maintain => "maintaining",
            Self::Schedule => "running the schedule of",
            Self::Model => "recording a model of",
        }
    }
}

/// Held until dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lake {
    /// Takes the lock of a job, without waiting.
    ///
    /// On a file system that knows no locks every job may go on.
    ///
    /// # Errors
    /// [`EngineError::Busy`] where another process holds it; [`EngineError::Io`].
    pub fn lock(&self, job: Job) -> Result<Lock> {
        self.lock_file(&self.root().join(job.file()), job.doing())
    }

    /// As [`Lake::lock`], of a file of the caller's own below `_tideline/`; `doing` says what it excludes.
    ///
    /// # Errors
    /// As [`Lake::lock`].
    pub fn lock_file(&self, path: &Path, doing: &'static str) -> Result<Lock> {
        let folder = path.parent().unwrap_or(self.root());
        std::fs::create_dir_all(folder).map_err(EngineError::io("making the folder", folder))?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(EngineError::io("opening", path))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(EngineError::Busy { doing }),
            Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {
                Ok(Lock { _file: file })
            }
            Err(TryLockError::Error(error)) => Err(EngineError::io("locking", path)(error)),
        }
    }
}
