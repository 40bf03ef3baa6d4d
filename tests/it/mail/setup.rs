//! Settings of the SMTP client that are refused before a mail is sent.

use std::fs;

use sallyport::mail::{SmtpClient, SmtpUrl};
use tempfile::tempdir;

use super::server::sender;

/// A root certificate, whose key was deleted.
const ROOT: &str = "\
-----BEGIN CERTIFICATE-----
MIIBfzCCASWgAwIBAgIUShstk/FDJ4VCxvguwtMCkvRRLJAwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJVGVzdCByb290MCAXDTI2MTEzMDAzMjUxMFoYDzIxMjYxMTA2
MDMyNTEwWjAUMRIwEAYDVQQDDAlUZXN0IHJvb3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATTy9IdAMaAk9pSf3hx+T5Y4R5ARRoN5JWlVW4oXc1+Dt4Jx4DF5pQK
7r0EN52uVrCDlvIBwRQfD4Wi01TE/cYOo1MwUTAdBgNVHQ4EFgQUmTFGXbySGpVJ
M/QVi+Df3xOyW3cwHwYDVR0jBBgwFoAUmTFGXbySGpVJM/QVi+Df3xOyW3cwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiAnU18xEWBs7drBSHlu/g2l
vhbKDbo902pYDgqa0EaaVAIhAInSQhEzBcI0pfV65xU+IYUersRAo84mc6+QjvCz
tnk9
-----END CERTIFICATE-----
";

fn setup(url: &str, roots: Option<&[u8]>) -> Result<(), String> {
    let directory = tempdir().unwrap();
    let path = directory.path().join("roots.pem");
    if let Some(pem) = roots {
        fs::write(&path, pem).unwrap();
    }
    let client = SmtpClient::new(SmtpUrl::parse(url).unwrap(), Some(&path), &sender());
    let error = client.err().map(|error| error.to_string());
    error.map_or(Ok(()), |error| Err(error.replace(&path.display().to_string(), "FILE")))
}

#[test]
fn a_file_of_root_certificates_is_checked() {
    let certificate = |base64: &str| {
        format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
    };
    for url in ["smtp://h", "smtp+starttls://h", "smtps://ada:pw@h"] {
        assert_eq!(setup(url, Some(ROOT.as_bytes())), Ok(()));
        let two = format!("# Test\n{ROOT}\n{ROOT}");
        assert_eq!(setup(url, Some(two.as_bytes())), Ok(()));
        let missing = "cannot read FILE: No such file or directory (os error 2)";
        assert_eq!(setup(url, None), Err(missing.to_owned()));
        let none = Err("FILE contains no certificate in PEM format".to_owned());
        assert_eq!(setup(url, Some(b"")), none);
        assert_eq!(setup(url, Some(b"-----BEGIN PRIVATE KEY-----\nAAAA\n")), none);
        for damaged in [certificate("AAAA"), certificate("?"), ROOT.replace("END", "ENDE")] {
            let error = setup(url, Some(damaged.as_bytes())).unwrap_err();
            assert!(error.starts_with("the certificates for SMTP cannot be used: "), "{error}");
        }
    }
}

#[test]
fn a_user_needs_a_password() {
    let error = setup("smtps://ada@h", Some(ROOT.as_bytes())).unwrap_err();
    assert_eq!(error, "the SMTP URL has a user but no password");
    let url = SmtpUrl::parse("smtps://ada@h").unwrap().with_password("pw\n").unwrap();
    assert!(SmtpClient::new(url, None, &sender()).is_ok());
}
