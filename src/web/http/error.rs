//! Our errors → RFC 9457 problem details in the reader's language. Internals are logged once, here,
//! and never sent.

use crate::error::{Code, Error, Kind};
use crate::lang::{Lang, Words};
use axum::Json;
use axum::extract::{MatchedPath, Request};
use axum::http::header::{ACCEPT_LANGUAGE, ALLOW, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) type Answer<T> = std::result::Result<T, Problem>;

/// What a page is told when something cannot be done: a stable code, and a message in both
/// languages.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: Code,
    zh: String,
    en: String,
    /// Goes to our log only.
    internals: Option<String>,
}

/// RFC 9457, with a code that stays and a sentence in the reader's language.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDetails<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    title: &'a str,
    status: u16,
    code: Code,
    detail: &'a str,
}

impl Problem {
    pub(crate) fn new(kind: Kind, zh: impl Into<String>, en: impl Into<String>) -> Self {
        let status =
            StatusCode::from_u16(kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, code: kind.into(), zh: zh.into(), en: en.into(), internals: None }
    }

    pub(crate) fn invalid(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, zh, en)
    }

    /// Well-formed but not possible: 422.
    pub(crate) fn impossible(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::invalid(zh, en).with_status(StatusCode::UNPROCESSABLE_ENTITY)
    }

    pub(crate) fn not_found() -> Self {
        Error::new(Kind::NotFound, "no such thing").into()
    }

    pub(crate) fn unauthenticated() -> Self {
        Error::new(Kind::Unauthenticated, "no session").into()
    }

    pub(crate) fn forbidden(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, zh, en)
    }

    /// It existed and has been removed for good.
    pub(crate) fn gone(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { code: Code::Gone, ..Self::new(Kind::NotFound, zh, en) }.with_status(StatusCode::GONE)
    }

    pub(crate) fn words(&self) -> Words {
        Words::new(self.zh.as_str(), self.en.as_str())
    }

    pub(crate) fn is_too_many(&self) -> bool {
        self.code == Code::TooMany
    }

    #[must_use]
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// For answers that reached no handler of ours: no such route, too large, too slow.
    fn of_status(status: StatusCode) -> Self {
        let problem = match status {
            StatusCode::NOT_FOUND => Self::not_found(),
            StatusCode::METHOD_NOT_ALLOWED => Self::invalid(
                "此地址不支持这种请求方式。",
                "This address does not support this method.",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => Self::invalid(
                "发送的内容太大。照片最多400 kB，登记表最多8 MB。",
                "This is too large. A photo may have 400 kB, a sheet of a register 8 MB.",
            ),
            StatusCode::REQUEST_TIMEOUT => Self::new(
                Kind::Unavailable,
                "服务器处理超时，请稍后重试。",
                "The server took too long. Please try again in a moment.",
            ),
            _ if status.is_client_error() => {
                Self::invalid("请求内容有误。", "The request is not valid.")
            }
            _ => Self::from(Error::internal(format!("answered {status} without a reason"))),
        };
        problem.with_status(status)
    }

    fn answer(&self, lang: Lang) -> Response {
        let title = match lang {
            Lang::Zh => title_zh(self.code),
            Lang::En => self.status.canonical_reason().unwrap_or("Problem"),
        };
        let details = ProblemDetails {
            kind: "about:blank",
            title,
            status: self.status.as_u16(),
            code: self.code,
            detail: lang.pick(&self.zh, &self.en),
        };
        let mut response = (self.status, Json(details)).into_response();
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

/// An error that a person can act on keeps its own message if it has one in both languages.
/// Everything else says only what to do.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let (zh, en) = match error.kind {
            Kind::NotFound => ("没有找到，或您无权查看。", "Not found, or you may not see it."),
            Kind::Unauthenticated => (
                "尚未登录或登录已过期，请向值班室索取新的登录链接。",
                "You are not logged in, or your login has expired: ask the duty room for a new \
                login link.",
            ),
            Kind::Forbidden => ("您无权进行此操作。", "You may not do this."),
            Kind::Conflict => (
                "情况已经变化，请刷新后再看。",
                "This has changed meanwhile. Please reload and look again.",
            ),
            Kind::TooMany => {
                ("请求过于频繁，请稍后重试。", "Too many requests at once. Please wait a moment.")
            }
            Kind::Invalid => (
                "请求内容有误，请检查后重试。",
                "The request is not valid. Please check it and try again.",
            ),
            Kind::Unavailable => (
                "系统暂时不可用，请稍后重试；持续出现请联系运维。",
                "The system is not available now. Please try again later; if this keeps happening, \
                call operations.",
            ),
            Kind::Internal => (
                "系统内部出错，已记录。请重试或联系运维。",
                "An internal error has occurred and has been logged. Please try again or call \
                operations.",
            ),
        };
        let is_for_people = matches!(error.kind, Kind::Forbidden | Kind::Conflict | Kind::Invalid);
        let own =
            error.words().filter(|_| is_for_people).map(|it| (it.zh.as_str(), it.en.as_str()));
        let (zh, en) = own.unwrap_or((zh, en));
        let mut problem = Self::new(error.kind, zh, en);
        problem.code = error.code.unwrap_or(problem.code);
        problem.internals = Some(error.chain());
        problem
    }
}

/// What a page sent is out of its range.
impl From<Words> for Problem {
    fn from(Words { zh, en }: Words) -> Self {
        Self::invalid(zh, en)
    }
}

/// Carries the problem to [`speak`], which knows the reader's language.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Gives every failed answer without problem details its own, and logs it.
pub(crate) async fn speak(request: Request, next: Next) -> Response {
    let lang = lang_of(request.headers());
    let method = request.method().clone();
    // Logs the route, not the address: addresses of login links are secrets.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(String::new, |path| path.as_str().to_owned());
    let mut response = next.run(request).await;
    let status = response.status();
    let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let speaks_for_itself = kind.starts_with(b"text/html") || kind.starts_with(b"application/json");
    if speaks_for_itself || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let problem =
        response.extensions_mut().remove::<Problem>().unwrap_or_else(|| Problem::of_status(status));
    let cause = problem.internals.as_deref().unwrap_or(&problem.en);
    if status.is_server_error() {
        tracing::error!(%method, route, status = status.as_u16(), cause, "a request failed");
    } else {
        tracing::debug!(%method, route, status = status.as_u16(), cause, "a request was refused");
    }
    let allowed = response.headers_mut().remove(ALLOW);
    let mut answer = problem.answer(lang);
    answer.headers_mut().extend(allowed.map(|methods| (ALLOW, methods)));
    answer
}

/// The first language the browser asks for; Chinese unless it is English.
pub(crate) fn lang_of(headers: &HeaderMap) -> Lang {
    Lang::from_tag(
        headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default(),
    )
}

fn title_zh(code: Code) -> &'static str {
    match code {
        Code::Invalid => "请求有误",
        Code::NotFound => "未找到",
        Code::Gone => "已清除",
        Code::Unauthenticated => "未登录",
        Code::Forbidden => "无权操作",
        Code::Conflict | Code::Closed | Code::NotNow | Code::KeyReused => "情况已变化",
        Code::StillBurning => "请写明情况",
        Code::TooMany => "请求过多",
        Code::Unavailable => "暂不可用",
        Code::Internal => "系统出错",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internals_never_reach_the_reader() {
        let error = Error::internal("could not open /var/lib/huoyan/huoyan.db")
            .because(std::io::Error::other("disk"));
        let problem = Problem::from(error);
        assert!(!problem.zh.contains("/var") && !problem.en.contains("/var"), "{problem:?}");
        assert_eq!(
            problem.internals.as_deref(),
            Some("could not open /var/lib/huoyan/huoyan.db: disk")
        );
    }

    #[test]
    fn every_kind_has_its_status_and_code() {
        for (kind, status, code) in [
            (Kind::Invalid, 400, Code::Invalid),
            (Kind::Unauthenticated, 401, Code::Unauthenticated),
            (Kind::Forbidden, 403, Code::Forbidden),
            (Kind::NotFound, 404, Code::NotFound),
            (Kind::Conflict, 409, Code::Conflict),
            (Kind::TooMany, 429, Code::TooMany),
            (Kind::Unavailable, 503, Code::Unavailable),
            (Kind::Internal, 500, Code::Internal),
        ] {
            let problem = Problem::from(Error::new(kind, "x"));
            assert_eq!((problem.status.as_u16(), problem.code), (status, code));
        }
    }
}
