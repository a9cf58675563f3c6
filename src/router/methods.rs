//! Which methods a route answers (RFC 9110, section 9), and the `Allow` field that says so (section 10.2.1).

use http::{HeaderValue, Method};

/// The methods that a route answers beside `OPTIONS`, which every route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Methods(u8);

/// What a route makes of a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MethodVerdict {
    /// It answers with content.
    Get,
    /// It answers as to `GET`, without the content.
    Head,
    /// It takes the request's content.
    Take,
    /// It lists its methods: 204 with `Allow`.
    Options,
    /// 405 with `Allow`.
    NotAllowed,
}

/// The methods by which a route may take something, in the order in which they are listed.
const TAKING: [&str; 4] = ["POST", "PUT", "PATCH", "DELETE"];

impl Methods {
    /// `GET`, and `HEAD`, which is `GET` without the content.
    pub const READ: Self = Self(0);

    /// These, and a `method` by which something is taken.
    #[must_use]
    pub fn with(self, method: &Method) -> Self {
        let at = TAKING.iter().position(|taking| *taking == method.as_str());
        Self(self.0 | at.map_or(0, |at| 1 << at))
    }

    /// What to do with `method`. Methods are case-sensitive.
    pub fn verdict(self, method: &Method) -> MethodVerdict {
        match method.as_str() {
            "GET" => MethodVerdict::Get,
            "HEAD" => MethodVerdict::Head,
            "OPTIONS" => MethodVerdict::Options,
            name if self.taking().any(|taking| taking == name) => MethodVerdict::Take,
            _ => MethodVerdict::NotAllowed,
        }
    }

    fn taking(self) -> impl Iterator<Item = &'static str> {
        TAKING.into_iter().enumerate().filter(move |(at, _)| self.0 & (1 << at) != 0).map(|(_, name)| name)
    }

    /// The value of `Allow`.
    pub fn allow(self) -> String {
        let mut allow = "GET, HEAD, OPTIONS".to_owned();
        for name in self.taking() {
            allow.push_str(", ");
            allow.push_str(name);
        }
        allow
    }

    /// The same as a field.
    pub fn allow_field(self) -> HeaderValue {
        HeaderValue::from_str(&self.allow()).unwrap_or(HeaderValue::from_static("GET, HEAD, OPTIONS"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allowed_is_listed_and_nothing_else() {
        let all = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        for methods in [Methods::READ, Methods::READ.with(&Method::POST), all.iter().fold(Methods::READ, Methods::with)]
        {
            for name in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "get", "PURGE"]
            {
                let allowed = methods.verdict(&name.parse().unwrap()) != MethodVerdict::NotAllowed;
                assert_eq!(allowed, methods.allow().split(", ").any(|listed| listed == name), "{name}");
            }
        }
        assert_eq!(Methods::READ.with(&Method::TRACE), Methods::READ);
        assert_eq!(Methods::READ.with(&Method::POST).allow_field(), "GET, HEAD, OPTIONS, POST");
    }
}
