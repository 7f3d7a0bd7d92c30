//! Fields that `connection edit --unset` takes away.

use clap::ValueEnum;

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
