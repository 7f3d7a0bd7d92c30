//! Paths of a connection, whole from the root on: what a relative one means depends on where it was written.

use std::path::{Path, PathBuf};

use super::{Connection, SecretRef};

impl Connection {
    /// Makes every path in it whole: `~/…` lies below `home`, any other that does not begin at the root in `folder`.
    /// Without a home the former stay as they are.
    pub fn make_paths_whole(&mut self, folder: &Path, home: Option<&Path>) {
        let files = [
            &mut self.ca_file,
            &mut self.client_cert,
            &mut self.client_key,
        ];
        for path in files.into_iter().flatten() {
            if let Some(whole) = whole(path, folder, home) {
                *path = whole.into();
            }
        }
        // A path that is no text can't stand there: it stays as it was, and is not found.
        if let Some(cms) = &mut self.cms
            && is_cms_file(cms)
            && let Some(whole) = whole(Path::new(cms.as_str()), folder, home)
            && let Some(whole) = whole.to_str()
        {
            whole.clone_into(cms);
        }
        let added = self.added.iter_mut().map(|(_, reference)| reference);
        for reference in self.key.iter_mut().chain(&mut self.token).chain(added) {
            if let SecretRef::File(path) = reference
                && let Some(whole) = whole(path, folder, home)
            {
                *path = whole;
            }
        }
    }
}

/// Whether `cms` names a definition file rather than a CMS that is known by its id.
pub fn is_cms_file(cms: &str) -> bool {
    cms.contains('/') || Path::new(cms).extension().is_some_and(|end| end == "toml")
}

/// The whole path; nothing where it is that already.
fn whole(path: &Path, folder: &Path, home: Option<&Path>) -> Option<PathBuf> {
    if path.is_absolute() {
        return None;
    }
    match path.strip_prefix("~") {
        Ok(below) => Some(home?.join(below)),
        // Without the dots that name the folder itself.
        Err(_) => Some(folder.join(path).components().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Name, ServiceId};

    #[test]
    fn every_path_is_made_whole_from_where_it_was_written() {
        let name = Name::parse("shop").unwrap();
        let mut shop = Connection::new(name, ServiceId::http(), "https://a.example");
        shop.ca_file = Some(Path::new("ca.pem").into());
        shop.client_cert = Some(Path::new("./c/../c.pem").into());
        shop.client_key = Some(Path::new("/k.pem").into());
        shop.cms = Some("./my.toml".to_owned());
        shop.key = Some("file:~/key".parse().unwrap());
        shop.token = Some("file:token".parse().unwrap());
        shop.added = vec![
            ("a".into(), "file:../a".parse().unwrap()),
            ("b".into(), "env:HOME".parse().unwrap()),
        ];
        let mut homeless = shop.clone();
        shop.make_paths_whole(Path::new("/etc/sb"), Some(Path::new("/home/a")));
        let files = [&shop.ca_file, &shop.client_cert, &shop.client_key];
        let files = files.map(|path| path.as_deref().unwrap().to_str().unwrap());
        assert_eq!(files, ["/etc/sb/ca.pem", "/etc/sb/c/../c.pem", "/k.pem"]);
        assert_eq!(shop.cms.as_deref(), Some("/etc/sb/my.toml"));
        let references: Vec<_> = shop.references().map(SecretRef::to_string).collect();
        let expected = [
            "file:/home/a/key",
            "file:/etc/sb/token",
            "file:/etc/sb/../a",
            "env:HOME",
        ];
        assert_eq!(references, expected);
        homeless.make_paths_whole(Path::new("/etc/sb"), None);
        assert_eq!(homeless.key.unwrap().to_string(), "file:~/key");
    }

    #[test]
    fn a_cms_is_a_path_where_it_names_a_file() {
        let name = Name::parse("shop").unwrap();
        let mut shop = Connection::new(name, ServiceId::http(), "https://a.example");
        for (cms, whole) in [
            ("joomla", "joomla"),
            ("~/my.toml", "/home/a/my.toml"),
            ("my.toml", "/etc/sb/my.toml"),
            ("/my.toml", "/my.toml"),
        ] {
            shop.cms = Some(cms.to_owned());
            shop.make_paths_whole(Path::new("/etc/sb"), Some(Path::new("/home/a")));
            assert_eq!(shop.cms.as_deref(), Some(whole), "{cms}");
        }
    }
}
