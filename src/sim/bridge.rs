//! The CMS at the other end of a shared token: J!Blesta's `Verify`, with the signature really checked.
//!
//! The token itself never travels: both sides make the same HMAC over the URL that each of them sees.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;

use super::http::{Answer, Request, decoded};
use super::log::Presented;
use super::pages;

/// The version that every bridge accepts: md5 of "1.0".
const VERSION: &str = "e4c2e8edac362acab7123654b9e73432";
/// Seconds by which the clocks may differ.
const LEEWAY_S: i64 = 45;

/// How the CMS is set up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BridgeState {
    /// The plugin is on, and a token is set.
    #[default]
    On,
    /// The plugin is absent, disabled, or has no token: the site's own page answers.
    Absent,
    /// A proxy in front drops the signature header.
    HeaderStripped,
    /// The CMS's clock is this many seconds ahead.
    ClockAhead(i64),
    /// The plugin is of a version that has no `Verify`.
    OtherVersion,
}

/// One CMS with the bridge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bridge {
    /// The token entered there.
    pub token: String,
    /// How it is set up.
    pub state: BridgeState,
}

impl Bridge {
    /// What it answers, and whether the signature was made with its token.
    pub(super) fn answer(&self, request: &Request) -> (Answer, Presented) {
        let presented = match request.raw_parameter("apisignature") {
            None => Presented::Nothing,
            Some(signature) => Presented::Signature {
                matched: self.signed(request, signature),
            },
        };
        let called = request.raw_parameter("jblesta").map(decoded);
        let answer = match called {
            Some(call) if self.state != BridgeState::Absent => {
                Answer::json(200, &self.verify(request, &call, presented))
            }
            _ if request.path.ends_with("/index.php") || request.path == "/" => {
                pages::front("Joomla Site | Home")
            }
            _ => pages::apache(404, "Not Found", "The requested URL was not found."),
        };
        (answer, presented)
    }

    fn verify(&self, request: &Request, call: &str, presented: Presented) -> Value {
        if call != format!("/{VERSION}/Verify") || self.state == BridgeState::OtherVersion {
            return error("API Method Verify is unknown");
        }
        let in_header = request
            .header("jblestarequestsignature")
            .filter(|_| self.state != BridgeState::HeaderStripped);
        if in_header.is_none() || in_header != request.raw_parameter("apisignature") {
            return error("Signatures do not match between the request and its header");
        }
        if presented != (Presented::Signature { matched: true }) {
            return error("Built signature does not match the one of the request");
        }
        if !self.is_fresh(request) {
            return error("The request is old and was refused");
        }
        json!({ "result": "success", "data": "pong" })
    }

    /// Whether `signature` (percent-encoded) is what this CMS makes of the URL that it sees.
    fn signed(&self, request: &Request, signature: &str) -> bool {
        let query = request.query.as_deref().unwrap_or_default();
        let unsigned = query
            .split('&')
            .filter(|pair| !pair.starts_with("apisignature="))
            .collect::<Vec<_>>()
            .join("&");
        let seen = decoded(&format!("{}{}?{unsigned}", request.origin(), request.path));
        self.sign(&seen) == decoded(signature)
    }

    fn sign(&self, text: &str) -> String {
        // HMAC takes keys of any length; an empty code would match no signature.
        Hmac::<Sha256>::new_from_slice(self.token.as_bytes())
            .map(|mac| STANDARD.encode(mac.chain_update(text).finalize().into_bytes()))
            .unwrap_or_default()
    }

    fn is_fresh(&self, request: &Request) -> bool {
        let ahead = match self.state {
            BridgeState::ClockAhead(seconds) => seconds,
            _ => 0,
        };
        let now = Timestamp::now().as_second().saturating_add(ahead);
        request
            .raw_parameter("apitimestamp")
            .and_then(|stamp| stamp.parse::<i64>().ok())
            .is_some_and(|stamp| now.abs_diff(stamp) <= LEEWAY_S.unsigned_abs())
    }
}

fn error(text: &str) -> Value {
    json!({ "result": "error", "error": text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vector_is_met() {
        let bridge = Bridge {
            token: "secret".into(),
            state: BridgeState::On,
        };
        let text = format!(
            "https://joomla.example/index.php?jblesta=/{VERSION}/Verify&apitimestamp=1700000000"
        );
        assert_eq!(
            bridge.sign(&text),
            "GVbF389urCXW4OQ1+kKFeq2WypeUAqcfe6ZxTT0HrFI="
        );
    }

    /// A request as a client with `token` makes it, `late` seconds ago.
    fn request(token: &str, late: i64) -> Request {
        let client = Bridge {
            token: token.into(),
            state: BridgeState::On,
        };
        let stamp = Timestamp::now().as_second() - late;
        let text = format!(
            "http://cms.example:8080/site/index.php?jblesta=/{VERSION}/Verify&apitimestamp={stamp}"
        );
        let signature = client
            .sign(&text)
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        Request {
            method: "GET".into(),
            path: "/site/index.php".into(),
            query: Some(format!(
                "jblesta=%2F{VERSION}%2FVerify&apitimestamp={stamp}&apisignature={signature}"
            )),
            headers: vec![
                ("Host".into(), "cms.example:8080".into()),
                ("JblestaRequestSignature".into(), signature),
            ],
            ..Request::default()
        }
    }

    fn said(state: BridgeState, request: &Request) -> String {
        let bridge = Bridge {
            token: "right".into(),
            state,
        };
        String::from_utf8(bridge.answer(request).0.body).unwrap()
    }

    #[test]
    fn every_state_says_its_words() {
        use BridgeState::{Absent, ClockAhead, HeaderStripped, On, OtherVersion};
        assert!(said(On, &request("right", 0)).contains("pong"));
        assert!(said(On, &request("wrong", 0)).contains("Built signature does not match"));
        assert!(said(On, &request("right", 60)).contains("is old"));
        assert!(said(ClockAhead(600), &request("right", 0)).contains("is old"));
        assert!(said(HeaderStripped, &request("right", 0)).contains("Signatures do not match"));
        assert!(said(OtherVersion, &request("right", 0)).contains("is unknown"));
        assert!(said(Absent, &request("right", 0)).contains("<title>"));
    }

    #[test]
    fn a_changed_header_or_url_does_not_match() {
        let mut changed = request("right", 0);
        changed.headers[1].1.push('x');
        assert!(said(BridgeState::On, &changed).contains("Signatures do not match"));
        let mut elsewhere = request("right", 0);
        elsewhere.headers[0].1 = "www.cms.example:8080".into();
        assert!(said(BridgeState::On, &elsewhere).contains("Built signature"));
    }
}
