//! Clients of the load: one repeats a request, the other refreshes a chain of tokens.

use crate::driver::{Client, post};

#[derive(Clone)]
pub struct Repeat {
    request: Vec<u8>,
    expected: String,
}

impl Repeat {
    /// A document; `expected` is a part of each good answer.
    pub fn document(document: &str, bearer: Option<&str>, expected: &str) -> Self {
        let body = serde_json::json!({ "query": document }).to_string();
        let mut request = Vec::new();
        post("/graphql", bearer, &body, &mut request);
        Self { request, expected: expected.to_owned() }
    }

    /// A GET with a bearer token, as a REST client sends it.
    pub fn get(path: &str, bearer: &str, expected: &str) -> Self {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {bearer}\r\n\r\n"
        );
        Self { request: request.into_bytes(), expected: expected.to_owned() }
    }
}

impl Client for Repeat {
    fn request(&mut self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.request);
    }

    fn is_good_answer(&mut self, status: u16, body: &[u8]) -> bool {
        status == 200 && text_after(body, &self.expected).is_some()
    }
}

/// Refreshes with the token of the last answer.
pub struct Chain {
    path: &'static str,
    /// The body before and after the token.
    around: (String, String),
    /// The text before the next token in the answer.
    mark: &'static str,
    token: String,
}

impl Chain {
    pub fn graphql(token: String) -> Self {
        let document = "mutation R($t: String!) { refresh(input: { refreshToken: $t }) \
                        { tokens { accessToken refreshToken } errors { code } } }";
        let before = format!(r#"{{"query":"{document}","variables":{{"t":""#);
        let around = (before, r#""}}"#.to_owned());
        Self { path: "/graphql", around, mark: r#""refreshToken":""#, token }
    }

    /// A client of the peer, SimpleJWT.
    pub fn rest(token: String) -> Self {
        let around = (r#"{"refresh":""#.to_owned(), r#""}"#.to_owned());
        Self { path: "/token/refresh/", around, mark: r#""refresh":""#, token }
    }
}

impl Client for Chain {
    fn request(&mut self, into: &mut Vec<u8>) {
        let (before, after) = &self.around;
        post(self.path, None, &[before, &self.token, after.as_str()].concat(), into);
    }

    fn is_good_answer(&mut self, status: u16, body: &[u8]) -> bool {
        let next = text_after(body, self.mark).filter(|_| status == 200);
        if let Some(next) = &next {
            self.token.clone_from(next);
        }
        next.is_some()
    }
}

/// The text after `mark`, up to the next quote.
pub fn text_after(body: &[u8], mark: &str) -> Option<String> {
    let body = std::str::from_utf8(body).ok()?;
    let (_, rest) = body.split_once(mark)?;
    Some(rest.split('"').next().unwrap_or_default().to_owned())
}
