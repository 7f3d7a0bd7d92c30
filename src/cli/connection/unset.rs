//! Fields that `connection edit --unset` takes away.

use clap::ValueEnum;

use crate::domain::Connection;
use crate::work::Edit;

/// A field that may be without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Field {
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
pub(super) fn field(connection: &mut Connection, edits: &mut (Edit, Edit), field: Field) {
    match field {
        Field::Username => connection.username.clear(),
        Field::Key => edits.0 = Edit::Clear,
        Field::Token => edits.1 = Edit::Clear,
        Field::Tags => connection.tags.clear(),
        Field::Interval => connection.interval_s = None,
        Field::Timeout => connection.timeout_s = None,
        Field::CaFile => connection.ca_file = None,
        Field::ClientCert => {
            connection.client_cert = None;
            connection.client_key = None;
        }
        Field::Proxy => connection.proxy = None,
        Field::Cms => connection.cms = None,
        Field::CmsUrl => connection.cms_url = None,
        Field::Company => connection.company = None,
        Field::Note => connection.note.clear(),
        Field::Maintenance => connection.maintenance.clear(),
    }
}
