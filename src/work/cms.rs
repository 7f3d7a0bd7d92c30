//! CMSs of a definition file of the user's own: `--cms FILE`, or a path in the field CMS.

use std::path::Path;
use std::sync::Arc;

use super::core::{Core, Inner};
use super::error::WorkError;
pub use crate::domain::Cause;
pub use crate::domain::is_cms_file as is_file;
use crate::service::Catalog;
use crate::store::files;

impl Inner {
    /// The services with what the definition file of `cms` adds, and the id that it gives. A file that others
    /// can write is refused: it says where a signature goes. Blocks.
    pub(super) fn with_cms(
        &self,
        cms: Option<&str>,
    ) -> Result<(Arc<Catalog>, Option<String>), WorkError> {
        let catalog = self.catalog()?;
        let Some(cms) = cms else {
            return Ok((catalog, None));
        };
        if !is_file(cms) {
            return if catalog.cms().iter().any(|known| known.id == cms) {
                Ok((catalog, Some(cms.to_owned())))
            } else {
                Err(unknown(&catalog, cms))
            };
        }
        let failed = |why: Cause| WorkError::failed("reading the definition of the CMS", why);
        let path = Path::new(cms);
        files::refuse_writable_by_others(path).map_err(|problem| failed(Cause::new(problem)))?;
        let text = files::read_text(path).map_err(|problem| failed(Cause::new(problem)))?;
        let (catalog, id) = catalog
            .with_cms(&files::shown(path), &text)
            .map_err(|problem| failed(Cause::new(problem)))?;
        Ok((Arc::new(catalog), Some(id)))
    }
}

fn unknown(catalog: &Catalog, cms: &str) -> WorkError {
    let known: Vec<_> = catalog.cms().iter().map(|cms| cms.id.as_str()).collect();
    WorkError::failed(
        "looking up the CMS",
        format!(
            "no CMS is called {}: there are {}, or the path of a definition file",
            crate::domain::text::inert(cms, 60),
            known.join(", ")
        ),
    )
}

impl Core {
    /// Whether `cms` is one that can be used: an id that is known, or a definition file in order.
    ///
    /// # Errors
    /// One sentence that says what is wrong with it, with file, line and key.
    pub async fn check_cms(&self, cms: &str) -> Result<(), WorkError> {
        let cms = cms.to_owned();
        self.blocking(move |inner| inner.with_cms(Some(&cms)).map(|_| ()))
            .await
    }
}
