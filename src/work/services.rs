//! The services that are known: the embedded ones, and those that files of the user describe. A file that is not in
//! order keeps nobody from the rest: it is left out, told, and taken once it is mended.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::core::{Core, Inner};
use super::error::WorkError;
use crate::domain::{ServiceId, error_chain};
use crate::service::Catalog;
use crate::service::catalog::Service;
use crate::store::files;

/// For how long a file that was left out is taken for still the same.
const RETRY: Duration = Duration::from_secs(2);

/// What was read, once; while something is left out, now and then anew.
#[derive(Default)]
pub(super) struct Services(Mutex<Option<Read>>);

/// What becomes of the services where a file that was in order is so no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reread {
    /// That one is left out.
    WhatIsInOrder,
    /// All stay as they were.
    WholeOrNot,
}

/// The services, and what was left out of them.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadedServices {
    /// The services.
    pub catalog: Arc<Catalog>,
    /// The files that are not in order.
    pub left_out: Arc<[LeftOut]>,
}

/// A service file that is not in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    file: PathBuf,
    /// An inert sentence with the file and the line.
    pub why: String,
}

#[derive(Clone)]
struct Read {
    known: LoadedServices,
    at: Instant,
}

impl Services {
    fn kept(&self) -> MutexGuard<'_, Option<Read>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was read, where that holds; nothing where it must be read, or somebody is about it.
    fn at_hand(&self) -> Option<Arc<Catalog>> {
        let read = self.0.try_lock().ok()?;
        let read = read.as_ref().filter(|read| read.holds())?;
        Some(Arc::clone(&read.known.catalog))
    }
}

impl Read {
    fn holds(&self) -> bool {
        self.known.left_out.is_empty() || self.at.elapsed() < RETRY
    }
}

impl LoadedServices {
    /// Whether a file is left out that `before` had, or did not know of.
    fn lacks_more_than(&self, before: &Self) -> bool {
        let known = |one: &LeftOut| before.left_out.iter().any(|old| old.file == one.file);
        !self.left_out.iter().all(known)
    }

    fn warnings(&self) -> Vec<String> {
        self.left_out.iter().map(|one| one.why.clone()).collect()
    }
}

impl Inner {
    /// The catalog of services; read at the first call that succeeds. Blocks.
    pub(super) fn catalog(&self) -> Result<Arc<Catalog>, WorkError> {
        self.services_known().map(|known| known.catalog)
    }

    /// The services and what is left out of them. What is read anew by itself only ever mends: a file that somebody
    /// is about to write takes nothing away. Blocks.
    pub(super) fn services_known(&self) -> Result<LoadedServices, WorkError> {
        let mut kept = self.services.kept();
        if let Some(read) = kept.as_ref().filter(|read| read.holds()) {
            return Ok(read.known.clone());
        }
        let before = kept.as_ref().map(|read| read.known.clone());
        let now = self.services_now(before.as_ref());
        let known = match (now, before) {
            (Ok(now), Some(before)) if now.lacks_more_than(&before) => before,
            (Ok(now), _) => now,
            (Err(_), Some(before)) => before,
            (Err(problem), None) => return Err(problem),
        };
        *kept = Some(Read {
            known: known.clone(),
            at: Instant::now(),
        });
        Ok(known)
    }

    /// The services as their files are now. What is the same as `before` stays the same.
    fn services_now(&self, before: Option<&LoadedServices>) -> Result<LoadedServices, WorkError> {
        let files = self
            .store
            .service_files()
            .map_err(|error| WorkError::failed("reading the service files", error))?;
        let mut left_out = Vec::new();
        let mut texts = Vec::new();
        let mut labelled = HashMap::new();
        for file in files {
            let label = files::shown(&file.path);
            match file.text {
                Ok(text) => texts.push((label.clone(), text)),
                Err(problem) => left_out.push(LeftOut {
                    file: file.path.clone(),
                    why: error_chain(&problem),
                }),
            }
            labelled.insert(label, file.path);
        }
        let (catalog, problems) = Catalog::with_those_in_order(texts);
        left_out.extend(problems.iter().map(|problem| LeftOut {
            file: labelled.get(&problem.file).cloned().unwrap_or_default(),
            why: problem.to_string(),
        }));
        let same = before.filter(|before| *before.catalog == catalog);
        Ok(LoadedServices {
            catalog: same.map_or_else(|| Arc::new(catalog), |before| Arc::clone(&before.catalog)),
            left_out: left_out.into(),
        })
    }

    /// Why files of the user are left out, a sentence each. Blocks.
    pub(super) fn services_left_out(&self) -> Result<Vec<String>, WorkError> {
        self.services_known().map(|known| known.warnings())
    }

    /// The service `id`, or why there is none. Blocks.
    pub(super) fn service(&self, catalog: &Catalog, id: &ServiceId) -> Result<Service, WorkError> {
        catalog
            .get(id)
            .cloned()
            .ok_or_else(|| WorkError::NoSuchService {
                id: id.clone(),
                left_out: self.services_left_out().unwrap_or_default(),
            })
    }
}

impl Core {
    /// The services that are known: the embedded ones and the user's. Read once.
    pub async fn catalog(&self) -> Result<Arc<Catalog>, WorkError> {
        // Ten thousand targets ask for it, one after the other: most find it here.
        if let Some(catalog) = self.0.services.at_hand() {
            return Ok(catalog);
        }
        self.blocking_bare(|inner| {
            let catalog = inner.catalog()?;
            // Whoever asks for it will judge answers, and must not do this between them.
            Catalog::read_common();
            Ok(catalog)
        })
        .await
    }

    /// The services, with what is left out of them.
    pub async fn services(&self) -> Result<LoadedServices, WorkError> {
        self.blocking_bare(Inner::services_known).await
    }

    /// Reads the service files anew.
    ///
    /// # Errors
    /// The sentences about those that are not in order; or the folder can't be read, or others can write it.
    pub async fn read_services(&self, how: Reread) -> Result<(), WorkError> {
        self.blocking_bare(move |inner| {
            let mut kept = inner.services.kept();
            let before = kept.as_ref().map(|read| &read.known);
            let known = inner.services_now(before)?;
            if how == Reread::WholeOrNot
                && before.is_some_and(|before| known.lacks_more_than(before))
            {
                return Err(WorkError::failed(
                    "reading the service files",
                    known.warnings().join("; "),
                ));
            }
            *kept = Some(Read {
                known,
                at: Instant::now(),
            });
            Ok(())
        })
        .await
    }

    /// Why files of the user were left out when the services were read last, a sentence each with file and line;
    /// nothing where they were never read. Blocks.
    pub fn services_left_out(&self) -> Vec<String> {
        let kept = self.0.services.kept();
        kept.as_ref()
            .map(|read| read.known.warnings())
            .unwrap_or_default()
    }
}
