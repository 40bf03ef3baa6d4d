//! Path of the endpoints, such as `/api/token`.

use std::fmt;
use std::str::FromStr;

/// First segments of the paths that the service has itself.
const OWN: [&str; 7] =
    [".well-known", "account", "console", "graphiql", "graphql", "healthz", "readyz"];

const MAX_BYTES: usize = 100;

/// A path without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointPath(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointPathError {
    #[error("expected a path such as /api/token")]
    NotAPath,
    #[error("the service has other pages under this path; choose another one, such as /api/token")]
    OwnPath,
}

impl EndpointPath {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EndpointPath {
    type Err = EndpointPathError;

    fn from_str(text: &str) -> Result<Self, EndpointPathError> {
        let path = text.strip_suffix('/').unwrap_or(text);
        let rest = path.strip_prefix('/').ok_or(EndpointPathError::NotAPath)?;
        // Without escapes, so that clients cannot spell it in two ways, and without the router's own syntax.
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let is_segment =
            |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_allowed);
        if path.len() > MAX_BYTES || !rest.split('/').all(is_segment) {
            return Err(EndpointPathError::NotAPath);
        }
        let first = rest.split('/').next().unwrap_or_default();
        if OWN.contains(&first) {
            return Err(EndpointPathError::OwnPath);
        }
        Ok(Self(path.to_owned()))
    }
}

impl fmt::Display for EndpointPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_at_the_end_changes_nothing() {
        for text in ["/api/token", "/api/token/", "/token", "/api/v1.0/auth_token", "/graphql-auth"]
        {
            let path: EndpointPath = text.parse().unwrap();
            assert_eq!(path.as_str(), text.trim_end_matches('/'));
        }
    }

    #[test]
    fn what_is_no_path_or_another_route_is_refused() {
        let long = format!("/{}", "a".repeat(MAX_BYTES));
        for text in [
            "",
            "/",
            "//",
            "api/token",
            "/api//token",
            "/api/../token",
            "/api/{id}",
            "/api/*",
            "/api/%74oken",
            "/api/token?x",
            "/api/token#x",
            "/api/tok en",
            "/api/token//",
            "https://example.com/api/token",
            "/\u{e9}",
            &long,
        ] {
            assert_eq!(text.parse::<EndpointPath>(), Err(EndpointPathError::NotAPath), "{text}");
        }
        for name in OWN {
            for text in [format!("/{name}"), format!("/{name}/token")] {
                assert_eq!(text.parse::<EndpointPath>(), Err(EndpointPathError::OwnPath), "{text}");
            }
        }
    }
}
