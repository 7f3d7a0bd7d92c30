//! The one place of the command line that writes a secret: because it was asked to, to stdout alone.

use std::io::{self, Write};

use super::OutputProblem;
use crate::domain::Secret;

/// Writes `secret` without a line end, so that `$(…)` and pipes get exactly it; with one where `person` reads.
pub fn secret(secret: &Secret, person: bool) -> Result<(), OutputProblem> {
    let mut out = io::stdout().lock();
    if person {
        // A terminal obeys control characters, whoever put them there.
        out.write_all(secret.without_controls().expose().as_bytes())?;
        out.write_all(b"\n")?;
    } else {
        out.write_all(secret.expose().as_bytes())?;
    }
    Ok(out.flush()?)
}
