//! Links in mails. They are made of configuration alone, never of a request.
//!
//! The token of a link is the parameter `token` of its fragment: browsers do not send fragments, so no
//! server, proxy or `Referer` header gets it, and a scanner that opens the link does not use the token.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::domain::words;
use crate::redacted::redacted_debug;

words! {
    /// Page that a link leads to. The word is the last part of its default path.
    LinkPage {
        Verify = "verify",
        Reset = "reset",
        Login = "login",
        /// Takes a change of the address back.
        Revert = "revert",
    }
}

/// URLs of the pages that links lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    app: String,
    service: String,
    verify: String,
    reset: String,
    login: String,
    revert: String,
}

/// URLs of pages that are not below the URL of the application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageUrls {
    pub verify: Option<String>,
    pub reset: Option<String>,
    pub login: Option<String>,
    pub revert: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinksError {
    #[error("expected an http or https URL such as https://app.example.com")]
    Url,
    #[error(
        "expected a URL without a query and a fragment, because the paths of pages follow; set the \
         URLs of the pages instead"
    )]
    NotABase,
    #[error("expected at most 500 characters")]
    TooLong,
    #[error("the fragment of the URL has the parameter token already; remove it")]
    Token,
}

type Result<T> = std::result::Result<T, LinksError>;

impl Links {
    /// `app` is the URL of the application, below which each page without a URL of its own is.
    pub fn new(app: &str, pages: PageUrls) -> Result<Self> {
        check(app)?;
        if app.contains(['?', '#']) {
            return Err(LinksError::NotABase);
        }
        let app = app.trim_end_matches('/');
        let url = |page: LinkPage, own: Option<String>| match own {
            None => Ok(format!("{app}/account/{}", page.as_str())),
            Some(url) => check(&url).map(|()| url),
        };
        Ok(Self {
            app: app.to_owned(),
            service: host(app).to_owned(),
            verify: url(LinkPage::Verify, pages.verify)?,
            reset: url(LinkPage::Reset, pages.reset)?,
            login: url(LinkPage::Login, pages.login)?,
            revert: url(LinkPage::Revert, pages.revert)?,
        })
    }

    /// URL of the application, without a slash at its end.
    #[must_use]
    pub fn app(&self) -> &str {
        &self.app
    }

    /// Host and port of the application, by which mails call it.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The page without a token.
    #[must_use]
    pub fn page(&self, page: LinkPage) -> Link {
        Link(self.url(page).to_owned())
    }

    /// The page with a token in its fragment.
    ///
    /// A fragment that is a path is that of a hash router, such as `#/reset`: the parameter follows as in
    /// a URL, `#/reset?token=…`. Another fragment is a list of parameters: `#lang=ko&token=…`.
    #[must_use]
    pub fn link(&self, page: LinkPage, token: &str) -> Link {
        let url = self.url(page);
        let separator = match url.split_once('#') {
            None => "#",
            Some((_, fragment)) if fragment.is_empty() || fragment.ends_with(['?', '&']) => "",
            Some((_, fragment)) if is_route(fragment) && !fragment.contains('?') => "?",
            Some(_) => "&",
        };
        Link(format!("{url}{separator}token={}", utf8_percent_encode(token, &ENCODED)))
    }

    fn url(&self, page: LinkPage) -> &str {
        match page {
            LinkPage::Verify => &self.verify,
            LinkPage::Reset => &self.reset,
            LinkPage::Login => &self.login,
            LinkPage::Revert => &self.revert,
        }
    }
}

/// Everything but the unreserved characters (RFC 3986, section 2.3).
const ENCODED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A page of a hash router.
fn is_route(fragment: &str) -> bool {
    fragment.starts_with('/') || fragment.starts_with("!/")
}

/// Checks an absolute URL. A quotation mark or an angle bracket would end the link in the text around it.
fn check(url: &str) -> Result<()> {
    const MAX_BYTES: usize = 500;
    if url.len() > MAX_BYTES {
        return Err(LinksError::TooLong);
    }
    let is_allowed = |byte: u8| byte.is_ascii_graphic() && !b"\"'<>\\^`{|}".contains(&byte);
    let host = host(url);
    let has_host = !host.is_empty() && !host.starts_with(':') && !host.contains('@');
    if !has_host || !url.bytes().all(is_allowed) {
        return Err(LinksError::Url);
    }
    let fragment = url.split_once('#').map_or("", |(_, fragment)| fragment);
    if fragment.split(['?', '&']).any(|pair| pair.split('=').next() == Some("token")) {
        return Err(LinksError::Token);
    }
    Ok(())
}

/// The authority of an http or https URL; empty for any other text.
fn host(url: &str) -> &str {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default()
}

/// A link to a page of the application. Only [`Links`] makes one, so that no mail has another link.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Link(String);

redacted_debug!(Link);

impl Link {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A link of a mail that was stored.
impl TryFrom<String> for Link {
    type Error = LinksError;

    fn try_from(text: String) -> Result<Self> {
        let is_link = !host(&text).is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_link { Ok(Self(text)) } else { Err(LinksError::Url) }
    }
}

impl From<Link> for String {
    fn from(link: Link) -> Self {
        link.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(reset: &str) -> Links {
        let pages = PageUrls { reset: Some(reset.to_owned()), ..PageUrls::default() };
        Links::new("https://app.example.com", pages).unwrap()
    }

    #[test]
    fn the_token_is_a_parameter_of_the_fragment() {
        let links = Links::new("https://app.example.com:8443/shop/", PageUrls::default()).unwrap();
        assert_eq!(links.service(), "app.example.com:8443");
        for (page, path) in [
            (LinkPage::Verify, "verify"),
            (LinkPage::Reset, "reset"),
            (LinkPage::Login, "login"),
            (LinkPage::Revert, "revert"),
        ] {
            let url = format!("https://app.example.com:8443/shop/account/{path}");
            assert_eq!(links.page(page).as_str(), url);
            assert_eq!(links.link(page, "Ab-_9").as_str(), format!("{url}#token=Ab-_9"));
        }
    }

    #[test]
    fn a_fragment_of_the_page_is_kept() {
        for (url, link) in [
            ("https://a/reset", "https://a/reset#token=T"),
            ("https://a/reset?lang=ko", "https://a/reset?lang=ko#token=T"),
            ("https://a/reset#", "https://a/reset#token=T"),
            ("https://a/#/reset", "https://a/#/reset?token=T"),
            ("https://a/#!/reset", "https://a/#!/reset?token=T"),
            ("https://a/#/reset?lang=ko", "https://a/#/reset?lang=ko&token=T"),
            ("https://a/#/reset?", "https://a/#/reset?token=T"),
            ("https://a/#/reset?lang=ko&", "https://a/#/reset?lang=ko&token=T"),
            ("https://a/reset#lang=ko", "https://a/reset#lang=ko&token=T"),
            ("https://a/reset#lang=ko&", "https://a/reset#lang=ko&token=T"),
        ] {
            assert_eq!(links(url).link(LinkPage::Reset, "T").as_str(), link);
        }
    }

    #[test]
    fn a_token_cannot_leave_its_parameter() {
        let link = links("https://a/reset").link(LinkPage::Reset, "a&b=\"<#\r\n ?é");
        assert_eq!(link.as_str(), "https://a/reset#token=a%26b%3D%22%3C%23%0D%0A%20%3F%C3%A9");
    }

    #[test]
    fn other_texts_are_no_urls_of_pages() {
        for text in [
            "",
            "app.example.com",
            "//app.example.com",
            "ftp://a",
            "javascript:alert(1)",
            "https://",
            "https:///reset",
            "https://?a",
            "https://:80",
            "https://me@a",
            "https://a b",
            "https://a\r\n",
            "https://a/\"x",
            "https://a/<x>",
            "https://a/'x",
            "https://ä",
        ] {
            let pages = PageUrls { verify: Some(text.to_owned()), ..PageUrls::default() };
            assert_eq!(Links::new("https://a", pages), Err(LinksError::Url), "{text}");
            assert!(Links::new(text, PageUrls::default()).is_err(), "{text}");
        }
        let new = |app: &str| Links::new(app, PageUrls::default()).err();
        assert_eq!(new("https://a/?b"), Some(LinksError::NotABase));
        assert_eq!(new("https://a/#/"), Some(LinksError::NotABase));
        assert_eq!(new(&format!("https://a/{}", "b".repeat(500))), Some(LinksError::TooLong));
        for text in ["https://a/#token=b", "https://a/#/b?c&token=d", "https://a/#token"] {
            let pages = PageUrls { login: Some(text.to_owned()), ..PageUrls::default() };
            assert_eq!(Links::new("https://a", pages), Err(LinksError::Token), "{text}");
        }
    }

    #[test]
    fn a_stored_link_is_read_again_and_not_printed_for_developers() {
        let link = links("https://a/reset").link(LinkPage::Reset, "secret");
        assert_eq!(format!("{link:?}"), "Link(…)");
        let json = serde_json::to_string(&link).unwrap();
        assert_eq!(serde_json::from_str::<Link>(&json).unwrap(), link);
        for text in ["\"javascript:alert(1)\"", "\"https://a\\nb\"", "\"https://\"", "7"] {
            assert!(serde_json::from_str::<Link>(text).is_err(), "{text}");
        }
    }
}
