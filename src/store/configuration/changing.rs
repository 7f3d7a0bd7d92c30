//! A text changed, and read again before it is written. Of a file with very many connections the parser's own picture is
//! sixty times as large: all that is made on a thread of its own, with whose end the memory goes back to the system.

use std::path::Path;
use std::{fs, io, panic, thread};

use toml_edit::DocumentMut;

use super::base::Base;
use super::document::{Document, EditProblem};
use super::problem::{self, ConfigurationProblem};
use super::read::{self, Unread};
use super::{FileProblem, parts};

/// Bytes from which on a file is changed on a thread of its own. A smaller one leaves no more behind than a thread costs.
const LARGE: u64 = 64 * 1024;

/// What is changed in a document; called once. By its address, as all that is around it is large, and would be there
/// once for each of the changes that are made anywhere.
pub(super) type Change<'a> = &'a mut (dyn FnMut(&mut Document) -> Result<(), EditProblem> + Send);

/// Changes the file at `path` by `work`, which reads and writes it.
pub(super) fn apart(
    path: &Path,
    work: impl FnOnce() -> Result<(), ConfigurationProblem> + Send,
) -> Result<(), ConfigurationProblem> {
    if fs::metadata(path).map_or(0, |found| found.len()) < LARGE {
        return work();
    }
    thread::scope(|scope| {
        let named = thread::Builder::new().name("edit".into());
        match named.spawn_scoped(scope, work) {
            Ok(running) => running.join().unwrap_or_else(|it| panic::resume_unwind(it)),
            Err(source) => Err(no_thread(path, source)),
        }
    })
}

fn no_thread(path: &Path, source: io::Error) -> ConfigurationProblem {
    let path = path.to_owned();
    FileProblem::Write { path, source }.into()
}

/// `text` after `change`, which must be readable again; `path` stands in messages.
pub(super) fn changed(
    path: &Path,
    text: &str,
    base: Base,
    change: Change<'_>,
) -> Result<String, ConfigurationProblem> {
    let toml = text
        .parse::<DocumentMut>()
        .map_err(|error| problem::uneditable(path, text, &error))?;
    let mut document = Document::new(toml, base);
    change(&mut document)?;
    let new = document.toml.to_string();
    drop(document);
    if parts::read(&new, parts::PART).is_some() {
        return Ok(new);
    }
    match read::parse(&new) {
        Ok(_) => Ok(new),
        Err(Unread::FieldProblem(problem)) => Err(EditProblem::Refused(problem.what).into()),
        Err(unread) => Err(problem::problem(path, &new, unread)),
    }
}
