//! Which methods a route answers (RFC 9110, section 9), and the `Allow` field that says so (section 10.2.1).

use http::Method;

/// The methods that a route answers beside `OPTIONS`, which every route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Methods {
    /// `GET`, and `HEAD`, which is `GET` without the content.
    Read,
    /// `GET`, `HEAD` and `POST`.
    ReadAndPost,
}

/// What a route makes of a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MethodVerdict {
    /// It answers with content.
    Get,
    /// It answers as to `GET`, without the content.
    Head,
    /// It takes the request's content.
    Post,
    /// It lists its methods: 204 with `Allow`.
    Options,
    /// 405 with `Allow`.
    NotAllowed,
}

impl Methods {
    /// What to do with `method`. Methods are case-sensitive.
    pub fn verdict(self, method: &Method) -> MethodVerdict {
        match method.as_str() {
            "GET" => MethodVerdict::Get,
            "HEAD" => MethodVerdict::Head,
            "OPTIONS" => MethodVerdict::Options,
            "POST" if self == Self::ReadAndPost => MethodVerdict::Post,
            _ => MethodVerdict::NotAllowed,
        }
    }

    /// The value of `Allow`.
    pub fn allow(self) -> &'static str {
        match self {
            Self::Read => "GET, HEAD, OPTIONS",
            Self::ReadAndPost => "GET, HEAD, OPTIONS, POST",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allowed_is_listed_and_nothing_else() {
        for methods in [Methods::Read, Methods::ReadAndPost] {
            for name in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "TRACE", "CONNECT", "get", "PURGE"] {
                let allowed = methods.verdict(&name.parse().unwrap()) != MethodVerdict::NotAllowed;
                assert_eq!(allowed, methods.allow().split(", ").any(|listed| listed == name), "{name}");
            }
        }
    }
}
