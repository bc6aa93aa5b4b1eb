//! Keys: who is let in, what he may do and see, and how often he may ask.
//!
//! A key is `tl_NAME_SECRET`, the secret 64 hex digits of the system's randomness. The file holds its BLAKE3 hash only;
//! a slow hash would protect guessable secrets, which these aren't.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Instant, SystemTime};

use engine::EngineError;

use super::board::Board;
use super::key_file::{Key, KeyFile, PREFIX};
use super::problem::Problem;
use crate::cli::Scope;

/// The name of whoever asks where there are no keys.
const LOCAL: &str = "local";

/// Whose rows may be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum View {
    /// All.
    All,
    /// This rep's.
    Rep(String),
    /// Those of this manager and the reps who answer to him.
    Team(String),
}

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Principal(Arc<Admitted>);

#[derive(Debug)]
struct Admitted {
    id: String,
    hash: Option<blake3::Hash>,
    scopes: Vec<Scope>,
    view: View,
    bucket: Option<Bucket>,
}

impl Principal {
    /// Anybody on this machine, where there are no keys.
    fn local() -> Self {
        let scopes = vec![Scope::Admin];
        Self(Arc::new(Admitted { id: LOCAL.to_owned(), hash: None, scopes, view: View::All, bucket: None }))
    }

    fn of(key: &Key, usual_rate: f64) -> Self {
        let view = match (&key.rep, &key.manager) {
            (Some(rep), _) => View::Rep(rep.clone()),
            (None, Some(manager)) => View::Team(manager.clone()),
            (None, None) => View::All,
        };
        Self(Arc::new(Admitted {
            id: key.id.clone(),
            hash: blake3::Hash::from_hex(&key.hash).ok(),
            scopes: key.scopes.clone(),
            view,
            bucket: Some(Bucket::new(key.requests_per_second.unwrap_or(usual_rate))),
        }))
    }

    /// The key's name.
    pub(super) fn id(&self) -> &str {
        &self.0.id
    }

    /// Whether it may do this.
    pub(super) fn may(&self, scope: Scope) -> bool {
        self.0.scopes.contains(&scope) || self.0.scopes.contains(&Scope::Admin)
    }

    /// Whether it sees everybody.
    pub(super) fn sees_all(&self) -> bool {
        self.0.view == View::All
    }

    /// Whether it sees a rep's rows.
    pub(super) fn sees_rep(&self, board: &Board, rep: &str) -> bool {
        match &self.0.view {
            View::All => true,
            View::Rep(own) => own == rep,
            View::Team(manager) => manager == rep || board.manager(rep) == Some(manager),
        }
    }

    /// Whether it sees rows of a scope: a rep's, or the team's own.
    pub(super) fn sees_scope(&self, board: &Board, scope: &str, id: &str) -> bool {
        match (&self.0.view, scope) {
            (View::All, _) => true,
            (_, "rep") => self.sees_rep(board, id),
            (View::Team(manager), "manager") => manager == id,
            _ => false,
        }
    }

    /// Takes one request out of the allowance.
    fn take(&self) -> bool {
        self.0.bucket.as_ref().is_none_or(Bucket::take)
    }
}

/// An allowance that refills steadily: twice a second's worth at most.
#[derive(Debug)]
struct Bucket {
    rate: f64,
    level: Mutex<(f64, Instant)>,
}

impl Bucket {
    fn new(rate: f64) -> Self {
        Self { rate, level: Mutex::new((rate.max(0.5) * 2.0, Instant::now())) }
    }

    fn take(&self) -> bool {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let refilled = level.0 + self.rate * now.duration_since(level.1).as_secs_f64();
        *level = (refilled.min(self.rate.max(0.5) * 2.0), now);
        if level.0 < 1.0 {
            return false;
        }
        level.0 -= 1.0;
        true
    }
}

/// All keys, as the file says now.
#[derive(Debug)]
pub(crate) struct KeyRing {
    path: Option<PathBuf>,
    usual_rate: f64,
    keys: RwLock<Arc<BTreeMap<String, Principal>>>,
    seen: Mutex<Option<(SystemTime, u64)>>,
    local: Principal,
}

impl KeyRing {
    /// Reads the keys; without a path anybody on this machine is let in.
    ///
    /// # Errors
    /// [`EngineError::Input`] where the file is missing, empty or wrong.
    pub(super) fn open(path: &Path, usual_rate: f64) -> Result<Self, EngineError> {
        let path = (!path.as_os_str().is_empty()).then(|| path.to_owned());
        let ring = Self {
            path,
            usual_rate,
            keys: RwLock::default(),
            seen: Mutex::default(),
            local: Principal::local(),
        };
        if let Some(path) = &ring.path {
            ring.refresh()?;
            if ring.keys.read().unwrap_or_else(PoisonError::into_inner).is_empty() {
                return Err(EngineError::Input(format!(
                    "serve.keys names {}, which holds no keys; `tideline key add NAME` makes one",
                    path.display()
                )));
            }
        }
        Ok(ring)
    }

    /// Whether keys are asked for.
    pub(super) fn is_asked_for(&self) -> bool {
        self.path.is_some()
    }

    /// Reads the file again where it has changed; a key that stays keeps its allowance.
    ///
    /// # Errors
    /// Where the file is wrong; then the keys stay as they were.
    pub(super) fn refresh(&self) -> Result<(), EngineError> {
        let Some(path) = &self.path else { return Ok(()) };
        let stamp = std::fs::metadata(path).ok().and_then(|data| Some((data.modified().ok()?, data.len())));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if stamp.is_some() && *seen == stamp {
            return Ok(());
        }
        // A file that is gone lets nobody in.
        let file = KeyFile::read(path)?.unwrap_or_default();
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let fresh = file.key.iter().map(|key| {
            let fresh = Principal::of(key, self.usual_rate);
            let same = keys.get(&key.id).filter(|known| known.is_same(&fresh)).cloned();
            (key.id.clone(), same.unwrap_or(fresh))
        });
        let fresh: BTreeMap<String, Principal> = fresh.collect();
        *keys = Arc::new(fresh);
        *seen = stamp;
        Ok(())
    }

    /// Whether a key that was let in is still one.
    pub(super) fn still_admits(&self, who: &Principal) -> bool {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        self.path.is_none() || keys.get(who.id()).is_some_and(|known| known.is_same(who))
    }

    /// Who comes with this `Authorization` or `X-API-Key`.
    ///
    /// # Errors
    /// 401 for a key that isn't one, 429 for one that asks too often.
    pub(super) fn admit(&self, token: Option<&str>) -> Result<Principal, Problem> {
        if self.path.is_none() {
            return Ok(self.local.clone());
        }
        let ask = "send a key as `Authorization: Bearer tl_…`; `tideline key add NAME` makes one";
        let Some(token) = token else { return Err(Problem::unauthorized(ask)) };
        let wrong = || Problem::unauthorized("this key is unknown or was revoked");
        let (id, secret) =
            token.strip_prefix(PREFIX).and_then(|rest| rest.rsplit_once('_')).ok_or_else(wrong)?;
        let keys = Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner));
        let offered = blake3::hash(secret.as_bytes());
        // Hashes compare in constant time.
        let known = keys.get(id).filter(|known| known.0.hash == Some(offered)).ok_or_else(wrong)?;
        if !known.take() {
            let rate = known.0.bucket.as_ref().map_or(0.0, |bucket| bucket.rate);
            return Err(Problem::too_many(format!("the key {id} may ask {rate} times a second")));
        }
        Ok(known.clone())
    }
}

impl Principal {
    fn is_same(&self, other: &Self) -> bool {
        let rate = |principal: &Self| principal.0.bucket.as_ref().map(|bucket| bucket.rate.to_bits());
        self.0.hash == other.0.hash
            && self.0.scopes == other.0.scopes
            && self.0.view == other.0.view
            && rate(self) == rate(other)
    }
}
