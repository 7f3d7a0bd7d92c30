//! Words that stand before a value where an entry of a password manager, a mail or another program's file was copied.

use super::super::super::catalog::Service;
use super::super::super::import::dotenv::{self, Role};
use super::lines::own_header;

/// What a value is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CellKind {
    Url,
    Username,
    Key,
    /// A key, where no other is told.
    Token,
    /// Nothing that a connection has.
    Other,
}

/// The labels of each, in small letters, with blanks for dashes: in English, German and French.
const LABELS: [(CellKind, &str); 5] = [
    (
        CellKind::Url,
        "url|uri|api url|base url|endpoint|host|website|web site|site|address|login uri|\
         adresse|api adresse|webseite|site web|adresse web|url de l'api",
    ),
    (
        CellKind::Username,
        "user|username|user name|api user|api username|login|login name|login username|\
         benutzer|benutzername|api benutzer|anmeldename|\
         utilisateur|nom d'utilisateur|utilisateur api|identifiant",
    ),
    (
        CellKind::Key,
        "key|api key|apikey|secret|api secret|password|login password|pass|\
         schlüssel|api schlüssel|kennwort|passwort|geheimnis|\
         clé|clé api|clé d'api|mot de passe",
    ),
    (
        CellKind::Token,
        "token|api token|access token|login token|shared token|jeton",
    ),
    (
        CellKind::Other,
        "title|name|notes|note|group|folder|totp|otp|type|extra|grouping|fav|\
         titel|notizen|titre|nom|remarques",
    ),
];

/// What a label is for, where it is a known one.
pub(super) fn kind_of(service: &Service, label: &str) -> Option<CellKind> {
    match own_header(service, label.trim()) {
        Some("{username}") => return Some(CellKind::Username),
        Some(_) => return Some(CellKind::Key),
        None => {}
    }
    let label = label.trim().trim_matches('"').to_lowercase();
    let label = label.replace(['-', '_'], " ").replace('\u{2019}', "'");
    let is_it = |words: &str| words.split('|').any(|word| word == label.trim());
    let known = LABELS.iter().find(|(_, words)| is_it(words));
    known.map(|(kind, _)| *kind)
}

/// The kind and the value of a line that begins with a label: a known one, or a variable's name by its end.
pub(super) fn label_of_line(service: &Service, line: &str) -> Option<(CellKind, String)> {
    let line = line.trim();
    if let Some((role, value)) = dotenv::assigned(line) {
        let kind = match role {
            Role::Url => CellKind::Url,
            Role::Username => CellKind::Username,
            Role::Key => CellKind::Key,
            Role::Token => CellKind::Token,
            Role::CmsUrl => CellKind::Other,
        };
        return Some((kind, value));
    }
    let (label, value) = line.split_once(':')?;
    let kind = kind_of(service, label)?;
    // `user:key` is a pair, and `host:80` a place.
    let is_label = value.starts_with(char::is_whitespace) || kind == CellKind::Key;
    (is_label && !value.trim().is_empty()).then(|| (kind, value.to_owned()))
}
