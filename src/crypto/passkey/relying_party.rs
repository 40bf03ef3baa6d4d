//! The relying party: the service as passkeys know it, by its domain and its origins.

use passki::Passki;

use super::domain_name::DomainName;
use super::origin::PasskeyOrigin;

/// Settings of all ceremonies. The origin of a response is never derived from the request that brings it: the
/// sender chooses both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    id: DomainName,
    origins: Vec<PasskeyOrigin>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelyingPartyError {
    #[error("expected at least one origin")]
    NoOrigin,
    #[error(
        "browsers have no passkeys of {id} for {origin}: an http origin needs its own host as the domain \
         of passkeys"
    )]
    Unencrypted { id: DomainName, origin: PasskeyOrigin },
}

impl RelyingParty {
    /// Origins are those of pages at the domain or below it, those of pages elsewhere (related origins), and
    /// those of apps. A page elsewhere must have https: browsers read the list of related origins, and accept
    /// no others from it.
    pub fn new(id: DomainName, origins: Vec<PasskeyOrigin>) -> Result<Self, RelyingPartyError> {
        if origins.is_empty() {
            return Err(RelyingPartyError::NoOrigin);
        }
        let is_refused = |origin: &&PasskeyOrigin| {
            !origin.is_encrypted() && origin.host().is_some_and(|host| !id.covers(host))
        };
        if let Some(origin) = origins.iter().find(is_refused) {
            return Err(RelyingPartyError::Unencrypted { origin: origin.clone(), id });
        }
        Ok(Self { id, origins })
    }

    #[must_use]
    pub fn id(&self) -> &DomainName {
        &self.id
    }

    #[must_use]
    pub fn origins(&self) -> &[PasskeyOrigin] {
        &self.origins
    }

    /// Origins of pages that are neither at the domain nor below it. Browsers allow them its passkeys if
    /// `/.well-known/webauthn` of the domain lists them (WebAuthn, section 5.11).
    #[must_use]
    pub fn related_origins(&self) -> Vec<&PasskeyOrigin> {
        let is_elsewhere =
            |origin: &&PasskeyOrigin| origin.host().is_some_and(|host| !self.id.covers(host));
        self.origins.iter().filter(is_elsewhere).collect()
    }

    /// The verifier for this domain and these origins.
    pub(super) fn verifier(&self) -> Passki {
        let origins: Vec<_> = self.origins.iter().map(PasskeyOrigin::as_str).collect();
        Passki::new(self.id.as_str(), &origins, self.id.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relying_party(id: &str, origins: &[&str]) -> Result<RelyingParty, RelyingPartyError> {
        let origins = origins.iter().map(|origin| PasskeyOrigin::parse(origin).unwrap());
        RelyingParty::new(DomainName::parse(id).unwrap(), origins.collect())
    }

    fn related(id: &str, origins: &[&str]) -> Vec<String> {
        let relying_party = relying_party(id, origins).unwrap();
        relying_party.related_origins().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn related_origins_are_pages_of_other_domains() {
        let origins = [
            "https://example.com",
            "https://app.example.com:8443",
            "https://example.de",
            "https://notexample.com",
            "android:apk-key-hash:pNiP5iKyQ8JwgGOaKA1zGPUPJIS-0H1xKCQcfIoGLck",
        ];
        let expected = ["https://example.de", "https://notexample.com"];
        assert_eq!(related("example.com", &origins), expected);
        let expected = ["https://example.com", "https://example.de", "https://notexample.com"];
        assert_eq!(related("app.example.com", &origins), expected);
        assert_eq!(related("localhost", &["http://localhost:3000"]), [""; 0]);
    }

    #[test]
    fn origins_that_no_browser_accepts_are_refused() {
        assert_eq!(relying_party("example.com", &[]), Err(RelyingPartyError::NoOrigin));
        let error = relying_party("example.com", &["https://a.b", "http://localhost:3000"]);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("of example.com for http://localhost:3000:"), "{error}");
        assert!(relying_party("localhost", &["https://a.b", "http://localhost:3000"]).is_ok());
    }
}
