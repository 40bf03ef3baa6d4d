//! Files of the templates: those in the program, and those of a directory that replace them.
//!
//! A mail has a text, `PURPOSE.LANGUAGE.txt`, and usually the same as HTML, `PURPOSE.LANGUAGE.html`. A
//! directory may have any of the files. If it has the text of a mail without the HTML, that mail is sent
//! as text only: mail programs show the HTML first, so the one in the program would hide the new text.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::template_error::TemplateError;

type Text = Cow<'static, str>;

/// Sources of templates by the names of their files.
pub(super) type Files = BTreeMap<Text, Text>;

/// The layout that HTML texts extend.
pub(super) const LAYOUT: &str = "layout.html";

/// Largest file that is read.
const MAX_BYTES: u64 = 64 * 1024;

macro_rules! built_in {
    ($($purpose:literal)+) => {
        const BUILT_IN: &[(&str, &str)] = &[
            (LAYOUT, include_str!("templates/layout.html")),
            ("requested-from.en.txt", include_str!("templates/requested-from.en.txt")),
            ("requested-from.ko.txt", include_str!("templates/requested-from.ko.txt")),
            ("validity.en.txt", include_str!("templates/validity.en.txt")),
            ("validity.ko.txt", include_str!("templates/validity.ko.txt")),
            $(
                (
                    concat!($purpose, ".en.txt"),
                    include_str!(concat!("templates/", $purpose, ".en.txt")),
                ),
                (
                    concat!($purpose, ".en.html"),
                    include_str!(concat!("templates/", $purpose, ".en.html")),
                ),
                (
                    concat!($purpose, ".ko.txt"),
                    include_str!(concat!("templates/", $purpose, ".ko.txt")),
                ),
                (
                    concat!($purpose, ".ko.html"),
                    include_str!(concat!("templates/", $purpose, ".ko.html")),
                ),
            )+
        ];
    };
}

built_in! {
    "verify"
    "reset"
    "login"
    "change"
    "email-taken"
    "notice-password-changed"
    "notice-password-reset"
    "notice-email-change"
    "notice-new-login"
    "notice-refresh-reused"
    "notice-account-deleted"
    "notice-factor-added"
    "notice-factor-removed"
    "notice-recovery-codes"
    "notice-recovery-code-used"
    "notice-factors-reset"
    "reauthenticate"
    "test"
}

/// Names of all files, as they are in the program.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(name, _)| *name)
}

/// The files in the program, replaced by those of a directory.
pub(super) fn read(directory: Option<&Path>) -> Result<Files, TemplateError> {
    let mut files: Files =
        BUILT_IN.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
    let Some(directory) = directory else { return Ok(files) };
    let own = own_files(directory)?;
    for name in own.keys() {
        if let Some(mail) = name.strip_suffix(".txt") {
            files.remove(&*format!("{mail}.html"));
        }
    }
    files.extend(own);
    Ok(files)
}

fn own_files(directory: &Path) -> Result<Files, TemplateError> {
    let error = |source| TemplateError::Read { path: directory.to_owned(), source };
    let mut files = Files::new();
    for entry in fs::read_dir(directory).map_err(error)? {
        let name = entry.map_err(error)?.file_name().to_string_lossy().into_owned();
        // Kubernetes mounts files beside directories such as `..data`, and systems have `.DS_Store`.
        if name.starts_with('.') {
            continue;
        }
        let Some(known) = names().find(|known| *known == name) else {
            return Err(TemplateError::Unknown { hint: hint(&name), name });
        };
        files.insert(known.into(), own_file(&directory.join(known), known)?.into());
    }
    Ok(files)
}

/// One file, with the line ends of Unix and without a byte order mark.
fn own_file(path: &Path, name: &str) -> Result<String, TemplateError> {
    let name = || name.to_owned();
    let error = |source| TemplateError::Read { path: path.to_owned(), source };
    if fs::metadata(path).map_err(error)?.len() > MAX_BYTES {
        return Err(TemplateError::TooLong { name: name() });
    }
    let bytes = fs::read(path).map_err(error)?;
    let text = String::from_utf8(bytes).map_err(|_| TemplateError::NotUtf8 { name: name() })?;
    Ok(text.trim_start_matches('\u{feff}').replace("\r\n", "\n"))
}

/// The known name that is most similar, or the form of the names.
fn hint(name: &str) -> String {
    let edits = |known: &str| strsim::damerau_levenshtein(&name.to_lowercase(), known);
    match names().map(|known| (edits(known), known)).min() {
        Some((edits, nearest)) if edits * 3 <= name.len() => format!("did you mean {nearest}?"),
        _ => "expected PURPOSE.LANGUAGE.txt or PURPOSE.LANGUAGE.html, such as verify.en.txt".into(),
    }
}

#[cfg(test)]
mod tests {
    use tempfile::{TempDir, tempdir};

    use super::*;
    use crate::domain::mail::{MailLanguage, MailPurpose};

    fn directory(files: &[(&str, &[u8])]) -> TempDir {
        let directory = tempdir().unwrap();
        for (name, content) in files {
            fs::write(directory.path().join(name), content).unwrap();
        }
        directory
    }

    fn error(files: &[(&str, &[u8])]) -> String {
        read(Some(directory(files).path())).unwrap_err().to_string()
    }

    #[test]
    fn each_purpose_has_its_text_and_html_in_each_language() {
        let mut count = 0;
        for purpose in MailPurpose::ALL {
            for language in MailLanguage::ALL {
                for end in ["txt", "html"] {
                    let name = format!("{}.{}.{end}", purpose.as_str(), language.as_str());
                    assert!(names().any(|known| known == name), "{name}");
                    count += 1;
                }
            }
        }
        assert_eq!(names().count(), count + 1 + 2 * MailLanguage::ALL.len());
        let on_disk = fs::read_dir("src/mail/templates").unwrap().count();
        assert_eq!(on_disk, names().count());
    }

    #[test]
    fn a_text_without_its_html_is_sent_alone() {
        let own = directory(&[("verify.ko.txt", b"\xef\xbb\xbfSubject: a\r\n\r\nb\r\n")]);
        let files = read(Some(own.path())).unwrap();
        assert_eq!(files["verify.ko.txt"], "Subject: a\n\nb\n");
        assert!(!files.contains_key("verify.ko.html"));
        assert!(files.contains_key("verify.en.html"));
        let own = directory(&[("verify.ko.txt", b"a"), ("verify.ko.html", b"<p>b"), (".x", b"")]);
        assert_eq!(read(Some(own.path())).unwrap()["verify.ko.html"], "<p>b");
        let own = directory(&[("reset.en.html", b"<p>c")]);
        let files = read(Some(own.path())).unwrap();
        assert!(files.contains_key("reset.en.txt"));
        assert_eq!(files["reset.en.html"], "<p>c");
    }

    #[test]
    fn an_unknown_name_is_an_error_that_names_the_nearest() {
        let expected = "unknown template \"verfy.en.txt\"; did you mean verify.en.txt?";
        assert_eq!(error(&[("verfy.en.txt", b"")]), expected);
        assert!(error(&[("Verify.EN.txt", b"")]).ends_with("did you mean verify.en.txt?"));
        assert!(error(&[("verify.en.txt~", b"")]).ends_with("did you mean verify.en.txt?"));
        assert!(error(&[("README.md", b"")]).ends_with("such as verify.en.txt"));
    }

    #[test]
    fn files_that_are_no_templates_are_refused() {
        assert_eq!(error(&[("test.en.txt", b"\xff")]), "test.en.txt is not UTF-8");
        let long = vec![b'a'; 65_537];
        assert_eq!(error(&[("test.en.txt", &long)]), "test.en.txt is longer than 64 KiB");
        let missing = read(Some(Path::new("/nonexistent/templates"))).unwrap_err().to_string();
        assert!(missing.starts_with("cannot read /nonexistent/templates: "), "{missing}");
    }
}
