//! Blesta's API as its manual describes it, answering from what it receives.
//!
//! Order of its checks: the path has two segments (404), the format is known (415), the credentials fit
//! (401), model and method exist (404, 403), then the call. It speaks JSON only, and knows only the calls
//! that a client may make.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::http::{Answer, Request};
use super::log::Presented;
use super::pages;

/// A company as `companies/getAll` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Company {
    /// Its number.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// The host name that it answers to.
    pub hostname: String,
}

/// What the installation is going through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BlestaState {
    /// Open for business.
    #[default]
    Open,
    /// Maintenance mode: 503 to every call.
    Maintenance,
    /// Every call ends in an exception with this text: 500.
    Exception(String),
    /// A front in between drops the first segment behind `/api`: 404 to every call.
    PathCut,
}

/// What stands before the JSON, though it should not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Noise {
    /// Nothing.
    #[default]
    None,
    /// A PHP notice. Output has begun then: status and type are lost.
    PhpNotice,
    /// The byte order mark of a configuration file.
    ByteOrderMark,
    /// Blanks and line ends.
    Blanks,
}

/// One installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blesta {
    /// The API user that is right.
    pub username: String,
    /// The key that is right.
    pub key: String,
    /// The folder it is installed in: empty, or `/billing`.
    pub base: String,
    /// Whether the web server rewrites `/api` to `/index.php/api`.
    pub rewriting: bool,
    /// Whether the web server drops the `Authorization` header.
    pub strips_authorization: bool,
    /// Whether it knows `BLESTA-API-USER` and `BLESTA-API-KEY` (5.11 and later).
    pub knows_headers: bool,
    /// What it is going through.
    pub mood: BlestaState,
    /// What stands before the JSON.
    pub noise: Noise,
    /// What `companies/getAll` lists.
    pub companies: Vec<Company>,
    /// `settings/getVersion`; null where absent.
    pub version: Option<String>,
    /// `settings/getDbVersion`.
    pub db_version: String,
}

impl Blesta {
    /// A sound installation of one company, which answers to `hostname`.
    pub fn new(username: &str, key: &str, hostname: &str) -> Self {
        Self {
            username: username.to_owned(),
            key: key.to_owned(),
            base: String::new(),
            rewriting: true,
            strips_authorization: false,
            knows_headers: true,
            mood: BlestaState::Open,
            noise: Noise::None,
            companies: vec![Company {
                id: 1,
                name: "Shop Ltd".to_owned(),
                hostname: hostname.to_owned(),
            }],
            version: Some("5.13.7".to_owned()),
            db_version: "5.13.7".to_owned(),
        }
    }

    /// What it answers, and how credentials were presented.
    pub(super) fn answer(&self, request: &Request) -> (Answer, Presented) {
        let presented = self.presented(request);
        let Some(path) = request.path.strip_prefix(self.base.as_str()) else {
            return (not_found(), presented);
        };
        let answer = match self.api_path(path) {
            Some(call) => self.made_noisy(self.call(call, self.lets_in(request))),
            None => self.page(path),
        };
        (answer.with("Server", "Apache"), presented)
    }

    /// What follows `/api/`, where the request reaches the API.
    fn api_path<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix("/index.php/api/")
            .or_else(|| path.strip_prefix("/api/").filter(|_| self.rewriting))
    }

    /// Status and JSON of a call, in the order of Blesta's own checks.
    fn call(&self, path: &str, let_in: bool) -> Answer {
        if self.mood == BlestaState::Maintenance {
            return refusal(503);
        }
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        if self.mood == BlestaState::PathCut {
            segments.next();
        }
        let (Some(model), Some(method)) = (segments.next(), segments.next()) else {
            return refusal(404);
        };
        let Some(method) = method.strip_suffix(".json") else {
            return refusal(415);
        };
        if !let_in {
            return refusal(401);
        }
        if let BlestaState::Exception(text) = &self.mood {
            return Answer::json(500, &message(500, Value::from(text.as_str())));
        }
        match self.result(model, method) {
            Some(result) => Answer::json(200, &json!({ "response": result })),
            None if matches!(model, "companies" | "settings") && method.starts_with('_') => {
                refusal(403)
            }
            None => refusal(404),
        }
    }

    fn result(&self, model: &str, method: &str) -> Option<Value> {
        match (model, method) {
            ("companies", "getAll") => Some(self.companies.iter().map(company).collect()),
            ("settings", "getVersion") => Some(self.version.clone().into()),
            ("settings", "getDbVersion") => Some(self.db_version.clone().into()),
            _ => None,
        }
    }

    fn presented(&self, request: &Request) -> Presented {
        if request.header("blesta-api-key").is_some() {
            let matched = self.headers_match(request);
            return Presented::Headers { matched };
        }
        match request.header("authorization") {
            None => Presented::Nothing,
            Some(value) if value.starts_with("Basic ") => {
                let matched = self.basic_matches(value);
                Presented::Basic { matched }
            }
            Some(_) => Presented::Other,
        }
    }

    fn lets_in(&self, request: &Request) -> bool {
        if self.knows_headers && request.header("blesta-api-key").is_some() {
            return self.headers_match(request);
        }
        !self.strips_authorization
            && request
                .header("authorization")
                .is_some_and(|value| self.basic_matches(value))
    }

    fn headers_match(&self, request: &Request) -> bool {
        request.header("blesta-api-user") == Some(&self.username)
            && request.header("blesta-api-key") == Some(&self.key)
    }

    fn basic_matches(&self, value: &str) -> bool {
        value.strip_prefix("Basic ").is_some_and(|coded| {
            STANDARD
                .decode(coded)
                .is_ok_and(|pair| pair == format!("{}:{}", self.username, self.key).into_bytes())
        })
    }

    fn made_noisy(&self, mut answer: Answer) -> Answer {
        let noise: &[u8] = match self.noise {
            Noise::None => return answer,
            Noise::PhpNotice => {
                answer.status = 200;
                answer.headers = vec![("Content-Type".into(), "text/html; charset=UTF-8".into())];
                b"<br />\n<b>Deprecated</b>:  Return type of Blesta\\Core\\Util\\Events::rewind() should be compatible in <b>/var/www/blesta/core/Util/Events.php</b> on line <b>42</b><br />\n"
            }
            Noise::ByteOrderMark => "\u{feff}".as_bytes(),
            Noise::Blanks => b"\n\n  ",
        };
        answer.body.splice(0..0, noise.iter().copied());
        answer
    }

    /// What is not the API: the front page, the folders of staff and clients, and nothing else.
    fn page(&self, path: &str) -> Answer {
        let path = path.strip_prefix("/index.php").unwrap_or(path);
        match path {
            "" | "/" => pages::front("Shop Ltd | Portal"),
            "/admin/login" | "/client/login" => login(),
            _ if path == "/admin" || path.starts_with("/admin/") => {
                Answer::redirect(302, &format!("{}/admin/login", self.base))
            }
            _ if path == "/client" || path.starts_with("/client/") => {
                Answer::redirect(302, &format!("{}/client/login", self.base))
            }
            _ => not_found(),
        }
    }
}

fn company(company: &Company) -> Value {
    json!({
        "id": company.id.to_string(), "name": company.name, "hostname": company.hostname,
        "address": null, "phone": null, "fax": null,
    })
}

/// The body of an error. `message` is never translated.
fn message(status: u16, response: Value) -> Value {
    let text = match status {
        400 => "The request cannot be fulfilled due to bad syntax.",
        401 => "The authorization details given appear to be invalid.",
        403 => "The requested resource is not accessible.",
        404 => "The requested resource does not exist.",
        415 => "The format requested is not supported by the server.",
        503 => "The requested resource is currently unavailable due to maintenance.",
        _ => "An unexpected error occured.",
    };
    json!({ "message": text, "response": response })
}

fn refusal(status: u16) -> Answer {
    Answer::json(status, &message(status, Value::Null))
}

fn not_found() -> Answer {
    Answer::new(
        404,
        "text/html; charset=iso-8859-1",
        "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>404 Not Found</title>\n</head><body>\n<h1>Not Found</h1>\n<p>The requested URL was not found on this server.</p>\n</body></html>\n",
    )
}

fn login() -> Answer {
    Answer::html(
        200,
        "<!DOCTYPE html><html><head><title>Log In</title></head><body><form method=\"post\"><input name=\"username\"><input type=\"password\" name=\"password\"><button>Log In</button></form></body></html>",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASIC: &str = "Basic c2hvcDprMQ=="; // shop:k1

    fn blesta() -> Blesta {
        Blesta::new("shop", "k1", "billing.example.com")
    }

    fn ask(blesta: &Blesta, path: &str, headers: &[(&str, &str)]) -> (u16, String, Presented) {
        let request = Request {
            method: "GET".into(),
            path: path.into(),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            ..Request::default()
        };
        let (answer, presented) = blesta.answer(&request);
        let body = String::from_utf8(answer.body).unwrap();
        (answer.status, body, presented)
    }

    #[test]
    fn checks_run_in_blestas_order() {
        let wrong = [("Authorization", "Basic eA==")];
        let right = [("Authorization", BASIC)];
        for (path, headers, status) in [
            ("/api/companies", &wrong, 404),
            ("/api/companies/getAll", &wrong, 415),
            ("/api/api/companies/getAll.json", &right, 415),
            ("/api/nothing/here.json", &wrong, 401),
            ("/api/nothing/here.json", &right, 404),
            ("/api/companies/_private.json", &right, 403),
            ("/api/companies/getAll.json", &wrong, 401),
            ("/api/companies/getAll.json", &right, 200),
            ("/index.php/api/settings/getVersion.json", &right, 200),
        ] {
            assert_eq!(ask(&blesta(), path, headers).0, status, "{path}");
        }
    }

    #[test]
    fn missing_and_wrong_credentials_answer_alike() {
        let path = "/api/companies/getAll.json";
        let bare = ask(&blesta(), path, &[]);
        let wrong = ask(&blesta(), path, &[("Authorization", "Basic eA==")]);
        assert_eq!((bare.0, &bare.1), (wrong.0, &wrong.1));
        assert_eq!(bare.2, Presented::Nothing);
        assert_eq!(wrong.2, Presented::Basic { matched: false });
        assert!(
            bare.1
                .contains("The authorization details given appear to be invalid.")
        );
    }

    #[test]
    fn with_the_key_header_present_basic_is_ignored() {
        let path = "/api/companies/getAll.json";
        let user = ("BLESTA-API-USER", "shop");
        let right = ("blesta-api-key", "k1");
        let wrong = ("BLESTA-API-KEY", "k2");
        let basic = ("Authorization", BASIC);
        assert_eq!(ask(&blesta(), path, &[user, right]).0, 200);
        assert_eq!(ask(&blesta(), path, &[user, wrong, basic]).0, 401);
        let old = Blesta {
            knows_headers: false,
            ..blesta()
        };
        assert_eq!(ask(&old, path, &[user, right]).0, 401);
        assert_eq!(ask(&old, path, &[user, wrong, basic]).0, 200);
    }

    #[test]
    fn a_stripping_server_loses_basic_and_keeps_headers() {
        let stripping = Blesta {
            strips_authorization: true,
            ..blesta()
        };
        let path = "/api/companies/getAll.json";
        let (status, _, presented) = ask(&stripping, path, &[("Authorization", BASIC)]);
        assert_eq!(status, 401);
        assert_eq!(presented, Presented::Basic { matched: true });
        let headers = [("BLESTA-API-USER", "shop"), ("BLESTA-API-KEY", "k1")];
        assert_eq!(ask(&stripping, path, &headers).0, 200);
    }

    #[test]
    fn without_rewriting_only_index_php_reaches_the_api() {
        let plain = Blesta {
            rewriting: false,
            base: "/billing".into(),
            ..blesta()
        };
        let (status, body, _) = ask(&plain, "/billing/api/companies/getAll.json", &[]);
        assert_eq!((status, body.starts_with('<')), (404, true));
        let through = "/billing/index.php/api/companies/getAll.json";
        assert_eq!(ask(&plain, through, &[]).0, 401);
        assert_eq!(ask(&plain, "/api/companies/getAll.json", &[]).0, 404);
    }

    #[test]
    fn moods_answer_in_blestas_words() {
        let path = "/api/companies/getAll.json";
        let right = [("Authorization", BASIC)];
        for (mood, status, words) in [
            (
                BlestaState::Maintenance,
                503,
                "unavailable due to maintenance",
            ),
            (BlestaState::Exception("no db".into()), 500, "no db"),
            (BlestaState::PathCut, 404, "does not exist"),
        ] {
            let moody = Blesta { mood, ..blesta() };
            let (answered, body, _) = ask(&moody, path, &right);
            assert_eq!(answered, status);
            assert!(body.contains(words), "{body}");
        }
    }

    #[test]
    fn a_php_notice_loses_the_status() {
        let noisy = Blesta {
            noise: Noise::PhpNotice,
            ..blesta()
        };
        let (status, body, _) = ask(&noisy, "/api/companies/getAll.json", &[]);
        assert_eq!(status, 200);
        assert!(body.starts_with("<br />") && body.ends_with("\"response\":null}"));
    }

    #[test]
    fn the_admin_folder_redirects_to_its_login() {
        let (status, _, _) = ask(&blesta(), "/admin/api/companies/getAll.json", &[]);
        assert_eq!(status, 302);
        assert!(ask(&blesta(), "/admin/login", &[]).1.contains("password"));
        assert_eq!(ask(&blesta(), "/administrator", &[]).0, 404);
    }
}
