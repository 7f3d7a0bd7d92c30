//! The services that are known: the embedded ones, and those that files of the user describe. A file that is not in
//! order keeps nobody from the rest: it is left out, told, and taken once it is mended.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::desk::{Desk, Inner};
use super::error::WorkError;
use crate::domain::ServiceId;
use crate::service::Catalog;
use crate::service::catalog::Service;
use crate::store::files;

/// For how long a file that was left out is taken for still the same.
const RETRY: Duration = Duration::from_secs(2);

/// What was read, once; while something is left out, now and then anew.
#[derive(Default)]
pub(super) struct Services(Mutex<Option<Read>>);

#[derive(Clone)]
struct Read {
    catalog: Arc<Catalog>,
    /// A sentence for each file, with its line.
    left_out: Arc<[String]>,
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
        Some(Arc::clone(&read.catalog))
    }
}

impl Read {
    fn holds(&self) -> bool {
        self.left_out.is_empty() || self.at.elapsed() < RETRY
    }
}

impl Inner {
    /// The catalog of services; read at the first call that succeeds. Blocks.
    pub(super) fn catalog(&self) -> Result<Arc<Catalog>, WorkError> {
        self.read_services().map(|read| read.catalog)
    }

    fn read_services(&self) -> Result<Read, WorkError> {
        let mut kept = self.services.kept();
        if let Some(read) = kept.as_ref().filter(|read| read.holds()) {
            return Ok(read.clone());
        }
        let read = self.services_now(kept.as_ref())?;
        Ok(kept.insert(read).clone())
    }

    /// The services as their files are now. What is the same as `before` stays the same.
    fn services_now(&self, before: Option<&Read>) -> Result<Read, WorkError> {
        let files = self
            .store
            .service_files()
            .map_err(|error| WorkError::failed("reading the service files", &error))?;
        let mut left_out = Vec::new();
        let mut texts = Vec::new();
        for file in files {
            match file.text {
                Ok(text) => texts.push((files::shown(&file.path), text)),
                Err(why) => left_out.push(why),
            }
        }
        let (catalog, problems) = Catalog::with_those_in_order(texts);
        left_out.extend(problems.iter().map(ToString::to_string));
        let same = before.filter(|before| *before.catalog == catalog);
        Ok(Read {
            catalog: same.map_or_else(|| Arc::new(catalog), |before| Arc::clone(&before.catalog)),
            left_out: left_out.into(),
            at: Instant::now(),
        })
    }

    /// Why files of the user are left out, a sentence each. Blocks.
    pub(super) fn services_left_out(&self) -> Result<Arc<[String]>, WorkError> {
        self.read_services().map(|read| read.left_out)
    }

    /// The service `id`, or why there is none. Blocks.
    pub(super) fn service(&self, catalog: &Catalog, id: &ServiceId) -> Result<Service, WorkError> {
        catalog.get(id).cloned().ok_or_else(|| {
            let left_out = self.services_left_out();
            WorkError::NoSuchService {
                id: id.clone(),
                left_out: left_out.map(|files| files.to_vec()).unwrap_or_default(),
            }
        })
    }
}

impl Desk {
    /// The services that are known: the embedded ones and the user's. Read once.
    pub async fn catalog(&self) -> Result<Arc<Catalog>, WorkError> {
        // Ten thousand targets ask for it, one after the other: most find it here.
        match self.0.services.at_hand() {
            Some(catalog) => Ok(catalog),
            None => self.blocking(Inner::catalog).await,
        }
    }

    /// Reads the service files anew. Where `all` of them must be in order and one is not, the services stay as they
    /// were.
    ///
    /// # Errors
    /// The sentences about those that are not in order; or the folder can't be read, or others can write it.
    pub async fn read_services(&self, all: bool) -> Result<(), WorkError> {
        self.blocking(move |inner| {
            let mut kept = inner.services.kept();
            let read = inner.services_now(kept.as_ref())?;
            if all && !read.left_out.is_empty() {
                return Err(WorkError::Failed {
                    doing: "reading the service files".to_owned(),
                    why: read.left_out.join("; "),
                });
            }
            *kept = Some(read);
            Ok(())
        })
        .await
    }

    /// Why files of the user were left out when the services were read last, a sentence each with file and line.
    pub fn services_left_out(&self) -> Vec<String> {
        let read = self
            .0
            .services
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        read.as_ref()
            .map(|read| read.left_out.to_vec())
            .unwrap_or_default()
    }
}
