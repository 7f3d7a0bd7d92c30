//! Fields that `connection edit --unset` takes away.

use clap::ValueEnum;

use crate::cli::arguments::EditArguments;
use crate::cli::fault::Fault;
use crate::domain::{AddressFamily, Connection};
use crate::work::Edit;

/// A field that may be without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum UnsetField {
    /// Username of the pair
    Username,
    /// The key, and its value where it is kept here
    Key,
    /// The shared token, likewise
    Token,
    /// All tags
    Tags,
    /// Seconds between scheduled probes: those of the settings again
    Interval,
    /// The probe's limit: that of the settings again
    Timeout,
    /// Further certificate authorities
    CaFile,
    /// Client certificate and its key
    ClientCert,
    /// IPv4 or IPv6 only: whatever answers first again
    Family,
    /// The proxy: the usual variables again
    Proxy,
    /// The CMS of the shared token
    Cms,
    /// Where that CMS is
    CmsUrl,
    /// The company or account that is meant
    Company,
    /// The note
    Note,
    /// All maintenance windows
    Maintenance,
}

/// Refuses a field that is taken away and given at once: which of the two is meant is not known.
pub(super) fn refuse_given(arguments: &EditArguments) -> Result<(), Fault> {
    let given = arguments.unset.iter().find_map(|field| {
        let flags = flags(*field, arguments);
        let (_, flag) = flags.iter().find(|(given, _)| *given)?;
        Some((field.to_possible_value()?, *flag))
    });
    let Some((field, flag)) = given else {
        return Ok(());
    };
    let field = field.get_name();
    let fault = format!("--unset {field} takes away what {flag} gives: nothing was changed");
    Err(Fault::usage(fault).hint("give one of the two"))
}

/// The options that give `field` a value, and whether each was used.
fn flags(field: UnsetField, arguments: &EditArguments) -> Vec<(bool, &'static str)> {
    let EditArguments { fields, .. } = arguments;
    let (key, token, way) = (&fields.key, &fields.token, &fields.way);
    match field {
        UnsetField::Username => vec![(fields.username.is_some(), "--username")],
        UnsetField::Key => vec![
            (fields.key_ref.is_some(), "--key-ref"),
            (key.key_stdin, "--key-stdin"),
            (key.key_fd.is_some(), "--key-fd"),
            (key.key_env.is_some(), "--key-env"),
        ],
        UnsetField::Token => vec![
            (fields.token_ref.is_some(), "--token-ref"),
            (token.token_stdin, "--token-stdin"),
            (token.token_fd.is_some(), "--token-fd"),
            (token.token_env.is_some(), "--token-env"),
        ],
        UnsetField::Tags => vec![
            (!fields.tag.is_empty(), "--tag"),
            (!arguments.add_tag.is_empty(), "--add-tag"),
        ],
        UnsetField::Interval => vec![(fields.interval.is_some(), "--interval")],
        UnsetField::Timeout => vec![(way.timeout.is_some(), "--timeout")],
        UnsetField::CaFile => vec![(way.ca_file.is_some(), "--ca-file")],
        UnsetField::ClientCert => vec![
            (way.client_cert.is_some(), "--client-cert"),
            (way.client_key.is_some(), "--client-key"),
        ],
        UnsetField::Family => vec![(way.ipv4, "-4"), (way.ipv6, "-6")],
        UnsetField::Proxy => vec![(way.proxy.is_some(), "--proxy")],
        UnsetField::Cms => vec![(fields.cms.is_some(), "--cms")],
        UnsetField::CmsUrl => vec![(fields.cms_url.is_some(), "--cms-url")],
        UnsetField::Company => vec![(fields.company.is_some(), "--company")],
        UnsetField::Note => vec![(fields.note.is_some(), "--note")],
        UnsetField::Maintenance => vec![(!fields.maintenance.is_empty(), "--maintenance")],
    }
}

/// Takes `field` away from `connection`; what becomes of its secrets is said in `edits`, key first.
pub(super) fn field(connection: &mut Connection, edits: &mut (Edit, Edit), field: UnsetField) {
    match field {
        UnsetField::Username => connection.username.clear(),
        UnsetField::Key => edits.0 = Edit::Clear,
        UnsetField::Token => edits.1 = Edit::Clear,
        UnsetField::Tags => connection.tags.clear(),
        UnsetField::Interval => connection.interval_s = None,
        UnsetField::Timeout => connection.timeout_s = None,
        UnsetField::CaFile => connection.ca_file = None,
        UnsetField::ClientCert => {
            connection.client_cert = None;
            connection.client_key = None;
        }
        UnsetField::Family => connection.family = AddressFamily::Any,
        UnsetField::Proxy => connection.proxy = None,
        UnsetField::Cms => connection.cms = None,
        UnsetField::CmsUrl => connection.cms_url = None,
        UnsetField::Company => connection.company = None,
        UnsetField::Note => connection.note.clear(),
        UnsetField::Maintenance => connection.maintenance.clear(),
    }
}
