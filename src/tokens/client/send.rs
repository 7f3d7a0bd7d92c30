//! Sends one call: bounded in time and size, tried again where that is safe, silent where quiet is asked for.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE,
};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use zeroize::Zeroizing;

use super::super::problem::{Refusal, TokenProblem, words_of};
use super::{TokenClient, Tries};
use crate::domain::{Failure, Reason};
use crate::http::failure::{self, Setting};
use crate::service::{from_cache, quiet_until, reason_of};

/// Longest answer, after decompression.
const BODY_LIMIT: usize = 4 * 1024 * 1024;
/// How often a GET is sent at most, the first time included.
const TRIES: u32 = 3;

/// One operation.
pub(super) struct Call {
    /// What is being done to what, for errors.
    pub(super) doing: String,
    /// The verb.
    pub(super) method: Method,
    /// Behind the base URL.
    path: String,
    /// Percent-encoded.
    query: Option<String>,
    body: Option<Value>,
    /// The module that a key needs for it.
    module: &'static str,
}

impl Call {
    pub(super) fn new(
        method: Method,
        doing: impl Into<String>,
        module: &'static str,
        path: impl Into<String>,
    ) -> Self {
        Self {
            doing: doing.into(),
            method,
            path: path.into(),
            query: None,
            body: None,
            module,
        }
    }

    pub(super) fn get(
        doing: impl Into<String>,
        module: &'static str,
        path: impl Into<String>,
    ) -> Self {
        Self::new(Method::GET, doing, module, path)
    }

    pub(super) fn with_query(mut self, query: String) -> Self {
        self.query = Some(query);
        self
    }

    pub(super) fn with_body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }
}

/// A good answer. Its body is treated as secret: every reply may hold one.
pub(super) struct Received {
    pub(super) range: Option<String>,
    /// Whether a cache had kept it from an earlier call.
    pub(super) from_cache: bool,
    pub(super) body: Zeroizing<Vec<u8>>,
}

impl TokenClient {
    /// Sends `call`; a GET up to three times, unless each is to be sent once.
    pub(super) async fn send(&self, call: &Call) -> Result<Received, TokenProblem> {
        if let Some((until, status)) = self.quiet() {
            return Err(throttled(call, until, status));
        }
        let mut pause = self.0.pause;
        let several = self.1 == Tries::Several && call.method == Method::GET;
        for _ in 1..if several { TRIES } else { 1 } {
            match self.send_once(call).await {
                // Not while the answer itself asks for quiet.
                Err(problem) if is_worth_another_try(&problem) && self.quiet_until().is_none() => {
                    tokio::time::sleep(pause).await;
                    pause = pause.saturating_mul(2);
                }
                done => return done,
            }
        }
        self.send_once(call).await
    }

    async fn send_once(&self, call: &Call) -> Result<Received, TokenProblem> {
        let suffix = match &call.query {
            Some(query) => format!("{}?{query}", call.path),
            None => call.path.clone(),
        };
        let url = self.0.base.join(&suffix).url().clone();
        let mut request = reqwest::Request::new(call.method.clone(), url);
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(AUTHORIZATION, self.0.authorization.clone());
        if let Some(body) = &call.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.to_string().into());
        }
        let answered = self.0.http.execute(request).await;
        let response = answered.map_err(|error| unanswered(call, &error, self.0.setting))?;
        let status = response.status();
        let text = |name: &str| response.headers().get(name)?.to_str().ok();
        let quiet = quiet_until(status.as_u16(), text, Timestamp::now());
        if let Some(until) = quiet {
            self.keep_quiet(until, status.as_u16());
            if status == StatusCode::TOO_MANY_REQUESTS {
                return Err(throttled(call, until, status.as_u16()));
            }
        }
        let range = header(&response, &CONTENT_RANGE);
        let asks_for_password = response.headers().contains_key(WWW_AUTHENTICATE);
        let headers = response.headers().iter();
        let mut readable =
            headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let is_kept = from_cache(&mut readable).is_some();
        let body = read(response).await;
        if status.is_success() {
            let body = body.map_err(|cut| cut.problem(call))?;
            self.2.fetch_or(!is_kept, Ordering::AcqRel);
            return Ok(Received {
                range,
                from_cache: is_kept,
                body,
            });
        }
        let body = body.unwrap_or_default();
        let doing = call.doing.clone();
        let status = status.as_u16();
        let mut refusal = Refusal::read(doing, status, call.module, &body, &self.0.own);
        if asks_for_password {
            refusal = refusal.asking_for_password();
        }
        if is_kept {
            refusal = refusal.out_of_cache();
        }
        let shows = !is_kept && refusal.shows_the_key();
        self.2.fetch_or(shows, Ordering::AcqRel);
        Err(Box::new(refusal).into())
    }

    /// The longest wait that anybody asked for.
    fn keep_quiet(&self, until: Timestamp, status: u16) {
        let mut quiet = self.0.quiet.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = (until, status);
        *quiet = Some(quiet.map_or(asked, |before| before.max(asked)));
    }
}

fn throttled(call: &Call, until: Timestamp, status: u16) -> TokenProblem {
    TokenProblem::Throttled {
        doing: call.doing.clone(),
        until,
        status,
    }
}

/// Network errors and 5xx.
fn is_worth_another_try(problem: &TokenProblem) -> bool {
    match problem {
        TokenProblem::Unanswered { .. } => true,
        TokenProblem::Refused(refusal) => refusal.status >= 500,
        TokenProblem::PlainHttp { .. }
        | TokenProblem::Local(_)
        | TokenProblem::Throttled { .. }
        | TokenProblem::Unreadable { .. }
        | TokenProblem::TooLarge { .. } => false,
    }
}

/// Why a body was not read to its end.
enum ReadProblem {
    TooLarge,
    Failed(reqwest::Error),
}

impl ReadProblem {
    fn problem(self, call: &Call) -> TokenProblem {
        match self {
            Self::TooLarge => TokenProblem::TooLarge {
                doing: call.doing.clone(),
            },
            Self::Failed(error) => TokenProblem::Unanswered {
                doing: call.doing.clone(),
                reason: if error.is_timeout() {
                    Reason::ResponseTimeout
                } else {
                    Reason::ReplyCut
                },
                why: "the answer was cut short".to_owned(),
                sent: true,
                heard: !error.is_timeout(),
            },
        }
    }
}

async fn read(mut response: Response) -> Result<Zeroizing<Vec<u8>>, ReadProblem> {
    let expected = response.content_length().unwrap_or(0).try_into();
    let expected: usize = expected.unwrap_or(BODY_LIMIT).clamp(4 * 1024, BODY_LIMIT);
    let mut body = Zeroizing::new(Vec::with_capacity(expected));
    while let Some(chunk) = response.chunk().await.map_err(ReadProblem::Failed)? {
        if chunk.len() > BODY_LIMIT - body.len() {
            return Err(ReadProblem::TooLarge);
        }
        make_room(&mut body, chunk.len());
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Grows by moving into a larger buffer, so that the smaller one is wiped.
fn make_room(body: &mut Zeroizing<Vec<u8>>, further: usize) {
    if body.capacity() - body.len() < further {
        let mut larger = Zeroizing::new(Vec::with_capacity((body.len() + further) * 2));
        larger.extend_from_slice(body);
        *body = larger;
    }
}

fn header(response: &Response, name: &reqwest::header::HeaderName) -> Option<String> {
    let value = response.headers().get(name)?;
    value.to_str().ok().map(str::to_owned)
}

fn unanswered(call: &Call, error: &reqwest::Error, setting: Setting) -> TokenProblem {
    let failure = failure::without_answer(error, setting);
    let reason = reason_of(&failure);
    // Of HTTP that can't be read nobody knows the status.
    let unread = matches!(failure, Failure::HeadTooLarge | Failure::BadLength);
    TokenProblem::Unanswered {
        doing: call.doing.clone(),
        reason,
        why: words_of(&failure),
        sent: !error.is_connect(),
        heard: !unread && matches!(reason, Reason::ReplyCut | Reason::NotHttp),
    }
}
