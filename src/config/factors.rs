//! Flags about second factors.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::error::ConfigError;
use super::values::Optional;
use crate::crypto::passkey::{DomainName, PasskeyOrigin, RelyingParty};
use crate::domain::second_factor::SecondFactorPolicy;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SecondFactor {
    Off,
    Optional,
    Admins,
    Required,
}

/// Flags about second factors.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Second factors")]
pub struct FactorArguments {
    /// Accounts that need a second factor to log in: none (`off`), those that have one (`optional`), also all
    /// administrators (`admins`), or all (`required`)
    #[arg(
        long,
        env = "SALLYPORT_SECOND_FACTOR",
        value_enum,
        value_name = "off|optional|admins|required",
        hide_possible_values = true,
        default_value = "optional"
    )]
    second_factor: SecondFactor,

    /// Lifetime of trusted devices, on which the user has chosen to be asked for no second factor, or off
    #[arg(
        long,
        env = "SALLYPORT_TRUSTED_DEVICE_LIFETIME",
        value_name = "DURATION",
        default_value = "30d"
    )]
    trusted_device_lifetime: Optional<Duration>,

    /// Domain that passkeys are bound to (RP ID): the host of your pages, or a domain above it; with
    /// another domain, existing passkeys cannot be used [default: the host of the issuer; no passkeys if
    /// it is an IP address]
    #[arg(long, env = "SALLYPORT_PASSKEY_RP_ID", value_name = "DOMAIN")]
    passkey_rp_id: Option<DomainName>,

    /// Origin of pages or of an Android app that may use passkeys, such as `https://app.example.com` or
    /// `android:apk-key-hash:…`; those of other domains are listed at `/.well-known/webauthn`;
    /// repeatable, comma-separated in the variable [default: the origin of the issuer]
    #[arg(long, env = "SALLYPORT_PASSKEY_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    passkey_origins: Vec<PasskeyOrigin>,
}

impl FactorArguments {
    pub(super) fn trusted_device_lifetime(&self) -> Option<Duration> {
        self.trusted_device_lifetime.0
    }

    pub(super) fn policy(&self) -> SecondFactorPolicy {
        match self.second_factor {
            SecondFactor::Off => SecondFactorPolicy::Off,
            SecondFactor::Optional => SecondFactorPolicy::Optional,
            SecondFactor::Admins => SecondFactorPolicy::Admins,
            SecondFactor::Required => SecondFactorPolicy::Required,
        }
    }

    /// `None` if no flag is given and browsers have no passkeys for the issuer: its host is an IP address, as
    /// during development, or its pages have no TLS.
    pub(super) fn relying_party(self, issuer: &str) -> Result<Option<RelyingParty>, ConfigError> {
        let own_origin = PasskeyOrigin::of_url(issuer);
        let is_default = self.passkey_rp_id.is_none() && self.passkey_origins.is_empty();
        if is_default && own_origin.is_err() {
            return Ok(None);
        }
        let own_host = own_origin.as_ref().ok().and_then(PasskeyOrigin::host);
        let Some(id) = self.passkey_rp_id.as_ref().or(own_host).cloned() else {
            const MESSAGE: &str = "--passkey-origins needs --passkey-rp-id, because browsers have no \
                                   passkeys for the host of --issuer";
            return Err(ConfigError(MESSAGE.into()));
        };
        let origins = if self.passkey_origins.is_empty() {
            let own_origin = own_origin.map_err(|error| {
                let message = format!(
                    "--passkey-rp-id needs --passkey-origins, because pages of --issuer cannot use \
                     passkeys: {error}"
                );
                ConfigError(message.into())
            })?;
            vec![own_origin]
        } else {
            self.passkey_origins
        };
        let relying_party = RelyingParty::new(id, origins).map_err(|error| {
            let message =
                format!("--passkey-rp-id and --passkey-origins contradict each other: {error}");
            ConfigError(message.into())
        })?;
        Ok(Some(relying_party))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        factors: FactorArguments,
    }

    fn relying_party(issuer: &str, line: &str) -> Result<Option<RelyingParty>, String> {
        let line = std::iter::once("sallyport").chain(line.split_whitespace());
        let line = Line::try_parse_from(line).map_err(|error| error.to_string())?;
        line.factors.relying_party(issuer).map_err(|error| error.to_string())
    }

    fn shown(issuer: &str, line: &str) -> String {
        let relying_party = relying_party(issuer, line).unwrap().unwrap();
        let origins: Vec<_> = relying_party.origins().iter().map(PasskeyOrigin::as_str).collect();
        format!("{}: {}", relying_party.id(), origins.join(" "))
    }

    const AUTH: &str = "https://auth.example.com";

    #[test]
    fn passkeys_are_those_of_the_issuer_by_default() {
        assert_eq!(shown(AUTH, ""), "auth.example.com: https://auth.example.com");
        let with_path = "https://Auth.example.com:8443/accounts";
        assert_eq!(shown(with_path, ""), "auth.example.com: https://auth.example.com:8443");
        assert_eq!(shown("http://localhost:8000", ""), "localhost: http://localhost:8000");
        for issuer in ["http://127.0.0.1:8000", "http://[::1]", "https://10.0.0.1", "http://a.b"] {
            assert_eq!(relying_party(issuer, ""), Ok(None), "{issuer}");
        }
    }

    #[test]
    fn each_flag_replaces_its_default() {
        let line = "--passkey-rp-id example.com";
        assert_eq!(shown(AUTH, line), "example.com: https://auth.example.com");
        let line = "--passkey-origins https://app.example.com,https://example.de";
        let expected = "auth.example.com: https://app.example.com https://example.de";
        assert_eq!(shown(AUTH, line), expected);
        let line = "--passkey-rp-id localhost --passkey-origins http://localhost:3000 \
                    --passkey-origins https://localhost";
        let expected = "localhost: http://localhost:3000 https://localhost";
        assert_eq!(shown("http://127.0.0.1:8000", line), expected);
        let app = "android:apk-key-hash:pNiP5iKyQ8JwgGOaKA1zGPUPJIS-0H1xKCQcfIoGLck";
        let line = format!("--passkey-rp-id example.com --passkey-origins {app}");
        assert_eq!(shown("https://10.0.0.1", &line), format!("example.com: {app}"));
    }

    #[test]
    fn settings_with_which_no_browser_has_passkeys_are_refused() {
        for (issuer, line, expected) in [
            (AUTH, "--passkey-rp-id 127.0.0.1", "no passkeys for IP addresses"),
            (AUTH, "--passkey-rp-id https://example.com", "expected a domain such as"),
            (AUTH, "--passkey-origins https://*.example.com", "expected an origin as browsers"),
            (AUTH, "--passkey-origins https://127.0.0.1", "no passkeys for IP addresses"),
            (AUTH, "--passkey-origins http://app.example.com", "expected https"),
            (AUTH, "--passkey-origins android:apk-key-hash:AAAA", "43 characters"),
            (AUTH, "--passkey-origins http://localhost:3000", "contradict each other"),
            ("http://127.0.0.1:8000", "--passkey-rp-id localhost", "needs --passkey-origins"),
            ("http://a.b", "--passkey-rp-id a.b", "expected https"),
            (
                "http://127.0.0.1:8000",
                "--passkey-origins http://localhost:3000",
                "--passkey-origins needs --passkey-rp-id",
            ),
        ] {
            let error = relying_party(issuer, line).unwrap_err();
            assert!(error.contains(expected), "{line}: {error}");
        }
    }
}
