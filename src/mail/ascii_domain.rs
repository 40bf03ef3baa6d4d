//! Domains in the form that DNS, TLS and SMTP use: ASCII, with labels such as `xn--3e0b707e`.

/// The ASCII form of a domain; `None` if it has none. A domain that is ASCII is returned as it is, because
/// existing domains have characters that IDNA refuses, such as `_`.
pub(super) fn ascii_domain(domain: &str) -> Option<String> {
    if domain.is_ascii() {
        return Some(domain.to_owned());
    }
    idna::domain_to_ascii(domain).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_beyond_ascii_is_encoded_by_idna() {
        assert_eq!(ascii_domain("пример.example").as_deref(), Some("xn--e1afmkfd.example"));
        assert_eq!(ascii_domain("메일.한국").as_deref(), Some("xn--h32bq4v.xn--3e0b707e"));
        assert_eq!(ascii_domain("a_b.Example.com").as_deref(), Some("a_b.Example.com"));
        assert_eq!(ascii_domain("a\u{2028}b.example"), None);
    }
}
