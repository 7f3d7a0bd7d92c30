//! The fields that take one of a few words.

use crate::app::draft::FieldId;

impl FieldId {
    /// Whether nothing but one of its choices may stand here. (A CMS may be described by a file of one's own.)
    pub(in crate::app) const fn takes_only_choices(self) -> bool {
        matches!(self, Self::Service) || !self.choices().is_empty()
    }

    /// The words that this field takes, where it takes only some; Space goes to the next one. Services and
    /// CMSs are the catalog's.
    pub const fn choices(self) -> &'static [&'static str] {
        match self {
            Self::Auth => &["auto", "basic", "headers"],
            Self::Family => &["any", "ipv4", "ipv6"],
            Self::AllowHttp | Self::ReadOnly => &["no", "yes"],
            Self::Url
            | Self::Username
            | Self::Key
            | Self::Token
            | Self::Name
            | Self::Service
            | Self::Tags
            | Self::Cms
            | Self::CmsUrl
            | Self::Company
            | Self::Interval
            | Self::Timeout
            | Self::Proxy
            | Self::CaFile
            | Self::ClientCert
            | Self::ClientKey
            | Self::Note => &[],
        }
    }
}
