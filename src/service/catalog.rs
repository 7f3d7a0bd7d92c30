//! The services that are known: the embedded ones, and those that users describe in files of their own.
//!
//! The format is in [`mod@format`]. A service's own words and rules come before the common ones.

mod entry;
mod json;
mod load;

pub mod condition;
pub mod format;
pub mod words;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crate::domain::{Reason, ServiceId};

use format::{
    Cms, Entered, Mark, Need, ReasonText, Rule, Scheme, ServiceField, ServiceFile, ServiceText,
};
use words::Template;

pub use entry::{Case, ReasonEntry};

/// Every service that is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    services: BTreeMap<ServiceId, Service>,
    common: Arc<Common>,
}

/// Signs of who answered, rules and words: a service's own, those that come with the program for all of them, and what
/// definition files of CMSs add to those, with the CMSs.
#[derive(Clone, Debug, Default, PartialEq)]
struct Common {
    mark: Vec<Mark>,
    rule: Vec<Rule>,
    reason: BTreeMap<String, ReasonText>,
    cms: Vec<Cms>,
}

/// One service: what to ask it, what its answers mean, and the words for it. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    id: ServiceId,
    text: Arc<ServiceText>,
    file: Arc<str>,
    source: Arc<str>,
    own: Arc<Common>,
    common: Arc<Common>,
}

/// A service file that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}, {key}: {problem}")]
pub struct ServiceFileProblem {
    /// The label given with the text: a path.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// The key or table that stands there.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
}

/// A file that comes with the program.
#[derive(Clone, Copy, Debug)]
struct Embedded {
    /// Its place in the source.
    label: &'static str,
    /// As it was written: for a test. The program reads the other form, and shows this one from a compressed file.
    #[cfg(test)]
    text: &'static str,
    /// The same as JSON: read in a third of the time, and without ten times its size in tokens.
    json: &'static str,
}

macro_rules! embedded {
    ($file:literal) => {
        Embedded {
            label: concat!("assets/services/", $file, ".toml"),
            #[cfg(test)]
            text: include_str!(concat!("../../assets/services/", $file, ".toml")),
            json: include_str!(concat!(env!("OUT_DIR"), "/services/", $file, ".json")),
        }
    };
}

/// What is common to all services: the signs of servers, CDNs and firewalls, the common rules and words.
const COMMON: [Embedded; 9] = [
    embedded!("reasons/key"),
    embedded!("reasons/place"),
    embedded!("reasons/service"),
    embedded!("reasons/network"),
    embedded!("reasons/token"),
    embedded!("answers/servers"),
    embedded!("answers/networks"),
    embedded!("answers/firewalls"),
    embedded!("answers/rules"),
];
const SERVICES: [Embedded; 3] = [embedded!("http"), embedded!("blesta"), embedded!("connect")];

/// What comes with the program for all services.
static SHIPPED: LazyLock<Common> =
    LazyLock::new(|| Arc::unwrap_or_clone(read_embedded(&COMMON).common));

fn read_embedded(files: &[Embedded]) -> Catalog {
    let mut catalog = Catalog::default();
    for Embedded { label, json, .. } in files {
        let Ok(file) = serde_json::from_str(json) else {
            debug_assert!(false, "{label} is broken");
            continue;
        };
        // Its text would give problems their lines, and it has none.
        let added = catalog.take(label, "", file);
        debug_assert_eq!(added, Ok(()), "an embedded service file is broken");
    }
    catalog
}

impl Catalog {
    /// The services that come with the program. (A test proves that their files parse; one that did not
    /// would be left out.) They are read once, at the first call.
    pub fn embedded() -> Self {
        static EMBEDDED: LazyLock<Catalog> = LazyLock::new(|| read_embedded(&SERVICES));
        EMBEDDED.clone()
    }

    /// Reads what answers are judged by and told in, where that was not done yet. It is done at the first answer
    /// otherwise: four fifths of what is embedded, and a start needs none of it.
    pub fn read_common() {
        LazyLock::force(&SHIPPED);
    }

    /// The embedded services and those of `texts`, each with the label (a path) that problems name.
    ///
    /// # Errors
    /// A text that is not TOML, has a key or word that is not in the vocabulary, or describes a service
    /// that is described already.
    pub fn with(
        texts: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ServiceFileProblem> {
        let mut catalog = Self::embedded();
        for (label, text) in texts {
            catalog.add(&label, &text)?;
        }
        Ok(catalog)
    }

    /// The embedded services and those of `texts`, as [`Catalog::with`] reads them; what can't be used is left
    /// out, with the problem of each.
    pub fn with_those_in_order(
        texts: impl IntoIterator<Item = (String, String)>,
    ) -> (Self, Vec<ServiceFileProblem>) {
        let mut catalog = Self::embedded();
        let mut problems = Vec::new();
        for (label, text) in texts {
            // A file is taken whole or not at all.
            let mut with = catalog.clone();
            match with.add(&label, &text) {
                Ok(()) => catalog = with,
                Err(problem) => problems.push(problem),
            }
        }
        (catalog, problems)
    }

    /// This catalog with the CMSs that `text` describes beside it, and the id of the first of them.
    ///
    /// # Errors
    /// As [`Catalog::with`]; or the file describes no CMS.
    pub fn with_cms(&self, label: &str, text: &str) -> Result<(Self, String), ServiceFileProblem> {
        let file = load::parse(label, text)?;
        let Some(first) = file.cms.first() else {
            return Err(load::problem_at(
                label,
                text,
                "cms",
                "the file describes no CMS: it needs a [[cms]]",
            ));
        };
        let mut catalog = self.clone();
        // The file may be among those that were read already, or describe a known CMS anew.
        let common = Arc::make_mut(&mut catalog.common);
        common
            .cms
            .retain(|known| file.cms.iter().all(|new| new.id != known.id));
        common.cms.extend(file.cms.iter().cloned());
        catalog.share();
        Ok((catalog, first.id.clone()))
    }

    /// The service `id`.
    pub fn get(&self, id: &ServiceId) -> Option<&Service> {
        self.services.get(id)
    }

    /// Every id, in alphabetical order.
    pub fn ids(&self) -> impl Iterator<Item = &ServiceId> {
        self.services.keys()
    }

    /// Every service, in the order of their ids.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.values()
    }

    /// The CMSs that a shared token can be for.
    pub fn cms(&self) -> &[Cms] {
        &self.common.cms
    }
}

impl Service {
    /// Its id.
    pub fn id(&self) -> &ServiceId {
        &self.id
    }

    /// Its name for people.
    pub fn title(&self) -> &str {
        &self.text.title
    }

    /// Everything that its file says under `[service]`.
    pub fn text(&self) -> &ServiceText {
        &self.text
    }

    /// The two places to enter the shared token, step by step; empty where the service has none.
    pub fn token_places(&self) -> Vec<String> {
        let token = self
            .text
            .enter
            .iter()
            .filter(|place| place.what == Entered::Token);
        token
            .map(|place| format!("{}: {}", place.place, place.steps.join(" > ")))
            .collect()
    }

    /// Its file, as it was written; empty for those that come with the program.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The field for the username.
    pub fn username(&self) -> &ServiceField {
        &self.text.fields.username
    }

    /// The field for the key.
    pub fn key(&self) -> &ServiceField {
        &self.text.fields.key
    }

    /// The field for the shared token.
    pub fn token(&self) -> &ServiceField {
        &self.text.fields.token
    }

    /// Whether it can be used without credentials.
    pub fn works_bare(&self) -> bool {
        self.text.auth.is_none() || self.text.fields.key.need != Need::Required
    }

    /// Whether an unauthenticated call ends in a 401 by its nature.
    pub fn bare_is_rejected(&self) -> bool {
        self.text.requests.bare_is_rejected.unwrap_or(true)
    }

    /// Whether it is asked without credentials before a key is sent to a URL that is new.
    pub fn asks_bare_first(&self) -> bool {
        self.text.requests.bare.is_some()
    }

    /// The scheme that `auto` sends first.
    pub fn first_scheme(&self, username_given: bool) -> Option<Scheme> {
        let auth = self.text.auth.as_ref()?;
        Some(match auth.without_username {
            Some(scheme) if !username_given => scheme,
            _ => auth.first,
        })
    }

    /// The CMSs that its shared token can be for.
    pub fn cms(&self, id: &str) -> Option<&Cms> {
        self.common.cms.iter().find(|cms| cms.id == id)
    }

    /// Signs of who answered: its own, then the common ones.
    pub(super) fn marks(&self) -> impl Iterator<Item = &Mark> {
        let parts = [&*self.own, &*SHIPPED, &*self.common];
        parts.into_iter().flat_map(|part| &part.mark)
    }

    /// Rules in the order in which they are tried.
    pub(super) fn rules(&self) -> impl Iterator<Item = &Rule> {
        let common = |first: bool| {
            SHIPPED
                .rule
                .iter()
                .chain(&self.common.rule)
                .filter(move |rule| rule.first == first)
        };
        common(true).chain(&self.own.rule).chain(common(false))
    }

    /// Where words are looked for, in this order.
    fn parts(&self) -> impl Iterator<Item = &Common> {
        [&*self.own, &*self.common, &*SHIPPED].into_iter()
    }

    /// All words of reasons that are its own, and those that come with the program for all.
    #[cfg(test)]
    pub fn reason_texts(&self) -> impl Iterator<Item = &ReasonText> {
        let own = self.own.reason.values();
        own.chain(SHIPPED.reason.values())
    }

    /// The words of a reason: of the variant first, then of the reason; its own before the common ones.
    ///
    /// The title is found apart by [`Service::title_of`], since own words often leave it as it is.
    pub(super) fn words(&self, reason: Reason, variant: Option<&str>) -> Option<&ReasonText> {
        let find = |key: &str| self.parts().find_map(|part| part.reason.get(key));
        variant
            .and_then(|variant| find(&format!("{}/{variant}", reason.id())))
            .or_else(|| find(reason.id()))
    }

    /// The title of a reason's words, the common one where its own words have none.
    pub(super) fn title_of(&self, reason: Reason, variant: Option<&str>) -> Option<&Template> {
        let key = variant.map(|variant| format!("{}/{variant}", reason.id()));
        let title = |key: &str| {
            self.parts()
                .find_map(|part| part.reason.get(key)?.title.as_ref())
        };
        key.as_deref()
            .and_then(title)
            .or_else(|| title(reason.id()))
    }
}

impl Catalog {
    fn add(&mut self, label: &str, text: &str) -> Result<(), ServiceFileProblem> {
        self.take(label, text, load::parse(label, text)?)
    }

    /// Takes in what a file says; its text is for whoever looks for a line.
    fn take(
        &mut self,
        label: &str,
        text: &str,
        file: ServiceFile,
    ) -> Result<(), ServiceFileProblem> {
        let ServiceFile {
            service,
            mark,
            rule,
            reason,
            cms,
        } = file;
        for mut new in cms {
            if let Some(known) = self.common.cms.iter().find(|known| known.id == new.id) {
                let why = already("CMS", &known.file);
                return Err(load::problem_at(label, text, &new.id, &why));
            }
            label.clone_into(&mut new.file);
            Arc::make_mut(&mut self.common).cms.push(new);
        }
        let mut own = Common {
            mark,
            rule,
            reason,
            cms: Vec::new(),
        };
        let Some(service) = service else {
            let common = Arc::make_mut(&mut self.common);
            common.mark.append(&mut own.mark);
            common.rule.append(&mut own.rule);
            common.reason.append(&mut own.reason);
            self.share();
            return Ok(());
        };
        let id = ServiceId::new(&service.id);
        if let Some(known) = self.services.get(&id) {
            let why = already("service", &known.file);
            return Err(load::problem_at(label, text, "id", &why));
        }
        if let Some(http) = self.services.get(&ServiceId::http()) {
            own.lean_on(&http.own);
        }
        let service = Service {
            id: id.clone(),
            text: Arc::new(service),
            file: label.into(),
            source: text.into(),
            own: Arc::new(own),
            common: Arc::clone(&self.common),
        };
        self.services.insert(id, service);
        self.share();
        Ok(())
    }

    /// Every service sees the common part as it is now.
    fn share(&mut self) {
        for service in self.services.values_mut() {
            service.common = Arc::clone(&self.common);
        }
    }
}

/// What is said of what the file called `by` describes too.
fn already(what: &str, by: &str) -> String {
    if by.starts_with("assets/") {
        format!("this {what} comes with switchboard: give yours another id")
    } else {
        format!("this {what} is described already, by {by}")
    }
}

impl Common {
    /// A file without a mark of its own for the service is judged as `http` is, after its own rules; but
    /// what it takes for an accepted answer, it alone says.
    fn lean_on(&mut self, http: &Self) {
        use crate::domain::AnsweredBy::Service;
        if self.mark.iter().any(|mark| mark.who == Service) {
            return;
        }
        let accepts = self
            .rule
            .iter()
            .any(|rule| rule.reason == Reason::Connected);
        self.mark.extend(http.mark.iter().cloned());
        self.rule.extend(
            http.rule
                .iter()
                .filter(|rule| !accepts || rule.reason != Reason::Connected)
                .cloned(),
        );
    }
}

#[cfg(test)]
mod tests;
