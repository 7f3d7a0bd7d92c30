//! A connection as a curl command that goes the way its probes go.

use crate::domain::{Connection, Endpoint};
use crate::work::core::Core;
use crate::work::curl::may_carry;
use crate::work::error::WorkError;

impl Core {
    /// The command, below a line for each thing that is not in it. A secret in its URL is refused.
    pub async fn export_curl(&self, connection: &Connection) -> Result<String, WorkError> {
        super::refuse_open_secret(connection, "exporting")?;
        let command = self.curl(connection).await?;
        Ok(format!("{}{command}", left_out(connection)))
    }
}

/// A comment for each thing that a probe has and the command has not.
fn left_out(connection: &Connection) -> String {
    let mut notes = String::new();
    let is_withheld = |base: Endpoint| !may_carry(connection, &base);
    if connection.key.is_some() && Endpoint::parse(&connection.url).is_ok_and(is_withheld) {
        notes.push_str("# no key: plain http gets none unless the connection allows it\n");
    }
    if connection
        .proxy
        .as_deref()
        .is_some_and(|proxy| proxy.contains('@'))
    {
        notes.push_str(
            "# its proxy is left out: a user name or password stands in it; give it by --proxy\n",
        );
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Name, SecretRef, ServiceId};

    #[test]
    fn what_is_not_in_the_command_is_told_above_it() {
        for (url, allow_http, proxy, told) in [
            ("http://e.com", false, None, "no key"),
            ("http://e.com", true, None, ""),
            ("https://e.com", false, Some("http://p:1"), ""),
            ("http://127.0.0.1:1", false, None, ""),
            ("http://127.0.0.1:1", false, Some("http://p:1"), "no key"),
            (
                "https://e.com",
                false,
                Some("http://me:hunter2@p:1"),
                "its proxy",
            ),
        ] {
            let one = Connection {
                allow_http,
                proxy: proxy.map(str::to_owned),
                key: Some(SecretRef::Ask),
                ..Connection::new(Name::parse("shop").unwrap(), ServiceId::http(), url)
            };
            let notes = left_out(&one);
            assert_eq!(
                notes.is_empty(),
                told.is_empty(),
                "{url} {proxy:?}: {notes}"
            );
            assert!(
                notes.contains(told) && !notes.contains("hunter2"),
                "{notes}"
            );
        }
    }
}
