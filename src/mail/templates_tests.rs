//! Tests of the templates in the program, and of those of a directory.

use std::fs;
use std::path::Path;

use tempfile::{TempDir, tempdir};

use super::content::Mail;
use super::links::{Links, PageUrls};
use super::samples::samples;
use super::templates::{MailText, Templates};
use crate::domain::mail::{MailLanguage, MailPurpose};

const CODE: &str = "01234567";

/// A code and a link in a file of a test.
const PROOF: &str = "{{ code }}\n\n{{ link }}\n";

fn links() -> Links {
    Links::new("https://app.example.com", PageUrls::default()).unwrap()
}

fn built_in() -> Templates {
    Templates::load(None, &links()).unwrap()
}

/// Each sample mail in each language, with its text.
fn all() -> Vec<(Mail, MailLanguage, MailText)> {
    let templates = built_in();
    let mut all = Vec::new();
    for purpose in MailPurpose::ALL {
        for language in MailLanguage::ALL {
            for mail in samples(*purpose, &links()) {
                let text = templates.render(&mail, *language).unwrap();
                all.push((mail, *language, text));
            }
        }
    }
    all
}

fn sample(purpose: MailPurpose) -> Mail {
    samples(purpose, &links())[0].clone()
}

fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempdir().unwrap();
    for (name, content) in files {
        fs::write(directory.path().join(name), content).unwrap();
    }
    directory
}

fn load(directory: &Path) -> Result<Templates, String> {
    Templates::load(Some(directory), &links()).map_err(|error| error.to_string())
}

fn error(name: &str, content: &str) -> String {
    load(directory(&[(name, content)]).path()).err().unwrap_or_default()
}

/// The lines of a text that contain a word.
fn lines_with<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.contains(word)).collect()
}

/// The links of a mail, without the entities of HTML.
fn urls(text: &str) -> Vec<String> {
    let text = text.replace("&#x2f;", "/").replace("&amp;", "&");
    let is_end = |c: char| c.is_whitespace() || "\"<>".contains(c);
    let pieces = text.split(is_end).filter(|piece| piece.contains("://"));
    pieces.map(str::to_owned).collect()
}

#[test]
fn the_templates_in_the_program_are_sound() {
    built_in().check(&links()).unwrap();
}

#[test]
fn code_and_link_are_each_alone_on_one_line_of_the_text() {
    for (mail, _, MailText { subject, text, html }) in all() {
        let json = serde_json::to_value(&mail).unwrap();
        let purpose = mail.purpose().as_str();
        let html = html.unwrap();
        assert!(!subject.contains(CODE), "{purpose}");
        match json["code"].as_str() {
            Some(code) => {
                assert_eq!(lines_with(&text, code), [code], "{purpose}");
                assert!(html.contains(&format!("<p class=\"code\">{code}</p>")), "{purpose}");
            }
            None => assert!(!text.contains(CODE) && !html.contains(CODE), "{purpose}"),
        }
        match json["link"].as_str() {
            Some(link) => {
                assert_eq!(lines_with(&text, link), [link], "{purpose}");
                assert_eq!(urls(&html), [link, link], "{purpose}");
                assert!(html.contains("href=\"https:"), "{purpose}");
            }
            None => assert!(urls(&text).is_empty() && urls(&html).is_empty(), "{purpose}"),
        }
    }
}

#[test]
fn a_text_is_in_the_order_code_link_validity_origin() {
    let text = built_in().render(&sample(MailPurpose::Verify), MailLanguage::En).unwrap();
    assert_eq!(text.subject, "Confirm your email address for app.example.com");
    let lines: Vec<_> = text.text.lines().filter(|line| !line.is_empty()).collect();
    let link = "https://app.example.com/account/verify#token=\
                AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    let expected = [
        "Enter this code to confirm your email address for app.example.com:",
        CODE,
        "Or open this link:",
        link,
        "The code is valid for 10 minutes, the link for 24 hours.",
        "Requested from Firefox on Linux, IP address 192.0.2.7, 2026-11-30 00:53 (UTC).",
        "If you did not request this, ignore this email. The address is confirmed only with the \
         code or the link.",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_text_of_korean_is_korean() {
    let text = built_in().render(&sample(MailPurpose::Reset), MailLanguage::Ko).unwrap();
    assert_eq!(text.subject, "app.example.com 비밀번호 재설정");
    assert!(text.text.contains("코드와 링크는 10분 동안 유효합니다. 코드와"), "{}", text.text);
    let origin = "요청 정보: Linux의 Firefox, IP 주소 192.0.2.7, 2026-11-30 00:53 (UTC)";
    assert_eq!(lines_with(&text.text, "192.0.2.7"), [origin]);
    for (_, language, MailText { subject, text, html }) in all() {
        let has_hangul = |text: &str| text.chars().any(|c| ('가'..='힣').contains(&c));
        let is_korean = language == MailLanguage::Ko;
        assert_eq!(has_hangul(&text), is_korean, "{text}");
        assert_eq!(has_hangul(&subject), is_korean, "{subject}");
        assert!(html.unwrap().contains(&format!("<html lang=\"{}\">", language.as_str())));
    }
}

#[test]
fn a_notice_about_a_factor_names_its_kind_in_the_language_of_the_mail() {
    for purpose in [MailPurpose::NoticeFactorAdded, MailPurpose::NoticeFactorRemoved] {
        for (language, names) in [
            (
                MailLanguage::En,
                ["A second factor (authenticator app) was", "A second factor (passkey) was"],
            ),
            (MailLanguage::Ko, ["2단계 인증 수단(인증 앱)이", "2단계 인증 수단(패스키)이"]),
        ] {
            for (mail, name) in samples(purpose, &links()).iter().zip(names) {
                let MailText { text, html, .. } = built_in().render(mail, language).unwrap();
                assert!(text.contains(name) && html.unwrap().contains(name), "{text}");
            }
        }
    }
}

#[test]
fn a_notice_about_a_recovery_code_says_how_many_are_left() {
    let of_language =
        [(MailLanguage::En, "Recovery codes left: 9"), (MailLanguage::Ko, "남은 복구 코드: 9개")];
    for (language, line) in of_language {
        let mail = sample(MailPurpose::NoticeRecoveryCodeUsed);
        let MailText { text, html, .. } = built_in().render(&mail, language).unwrap();
        assert_eq!(lines_with(&text, line), [line]);
        assert!(html.unwrap().contains(&format!("<p>{line}</p>")));
    }
}

#[test]
fn an_unknown_origin_is_named_so() {
    let [_, mail] = samples(MailPurpose::Login, &links());
    let text = built_in().render(&mail, MailLanguage::En).unwrap().text;
    let expected = "Requested from an unknown program, 2026-11-30 00:53 (UTC).";
    assert_eq!(lines_with(&text, "(UTC)"), [expected]);
}

#[test]
fn rendered_mails_are_small_and_load_nothing() {
    for (mail, _, MailText { subject, text, html }) in all() {
        let purpose = mail.purpose().as_str();
        let html = html.unwrap();
        assert!(subject.chars().count() <= 80, "{purpose}: {subject}");
        assert!(text.len() < 3_000, "{purpose}: {}", text.len());
        // Gmail shows 102 kB of a mail and 8192 characters of styles.
        assert!(html.len() < 6_000, "{purpose}: {}", html.len());
        for loading in ["src=", "url(", "<img", "<link", "<script", "@import", "srcset", "cid:"] {
            assert!(!html.contains(loading), "{purpose}: {loading}");
        }
        assert!(html.contains("prefers-color-scheme: dark"), "{purpose}");
        for text in [&text, &html] {
            assert!(!text.contains("{{") && !text.contains("{%"), "{purpose}");
            assert!(!text.contains("\n\n\n"), "{purpose}");
        }
    }
}

#[test]
fn a_mail_that_a_stranger_can_cause_has_no_text_of_a_person() {
    for (mail, ..) in all() {
        let is_notice = mail.purpose().as_str().starts_with("notice-");
        let json = serde_json::to_value(&mail).unwrap();
        let has_text = !json["username"].is_null() || !json["new_address"].is_null();
        assert_eq!(has_text, is_notice, "{}", mail.purpose().as_str());
    }
}

/// Puts a text into each member of a stored mail that can hold one.
fn with_text_in_every_member(mail: &Mail, hostile: &str) -> Mail {
    let mut json = serde_json::to_value(mail).unwrap();
    for name in ["username", "new_address"] {
        if !json[name].is_null() {
            json[name] = hostile.into();
        }
    }
    for name in ["browser", "system"] {
        if !json["requested"].is_null() {
            json["requested"][name] = hostile.into();
        }
    }
    Mail::from_json(&json.to_string()).unwrap()
}

#[test]
fn markup_in_a_value_is_text() {
    let templates = built_in();
    let hostile = "<script>alert('1')</script><a href=\"//x\">&amp;";
    let mut count = 0;
    for (mail, language, _) in all() {
        let mail = with_text_in_every_member(&mail, hostile);
        let MailText { html, text, .. } = templates.render(&mail, language).unwrap();
        let html = html.unwrap();
        assert!(!html.contains("<script") && !html.contains("href=\"//x"), "{html}");
        assert_eq!(html.contains("&lt;script&gt;"), text.contains("<script>"));
        count += usize::from(text.contains("<script>"));
    }
    assert!(count >= 40, "{count}");
}

#[test]
fn a_line_end_in_a_value_makes_no_line_and_no_header() {
    let own = directory(&[(
        "notice-new-login.en.txt",
        "Subject: Login to {{ username }}\n\n{{ username }} {{ requested_from }}\n",
    )]);
    let templates = load(own.path()).unwrap();
    let hostile = "ada\r\nBcc: victim@example.com\r\n\r\n{{ link }}";
    let mail = with_text_in_every_member(&sample(MailPurpose::NoticeNewLogin), hostile);
    let text = templates.render(&mail, MailLanguage::En).unwrap();
    assert_eq!(text.subject, "Login to ada  Bcc: victim@example.com    {{ link }}");
    assert_eq!(text.text.lines().count(), 1);
    assert_eq!(text.html, None);
}

#[test]
fn a_file_of_the_directory_replaces_that_of_the_program() {
    let reset = format!("Subject: Reset\n\n{PROOF}");
    let own = directory(&[
        ("test.en.txt", "Subject: Hello\n\nFrom {{ service }}\n"),
        ("reset.en.txt", reset.as_str()),
        ("reset.en.html", "<p>{{ code }} {{ link }} {{ subject }} {{ language }}</p>"),
        ("requested-from.en.txt", "{% if browser %}{{ browser }}{% else %}?{% endif %}\n"),
        ("layout.html", "<h1>{{ subject }}</h1>{% block content %}{% endblock %}"),
    ]);
    let templates = load(own.path()).unwrap();
    let test = templates.render(&sample(MailPurpose::Test), MailLanguage::En).unwrap();
    assert_eq!((test.subject.as_str(), test.text.as_str()), ("Hello", "From app.example.com\n"));
    assert_eq!(test.html, None);
    let reset = templates.render(&sample(MailPurpose::Reset), MailLanguage::En).unwrap();
    assert!(reset.html.unwrap().ends_with(" Reset en</p>"));
    let login = templates.render(&sample(MailPurpose::Login), MailLanguage::En).unwrap();
    assert!(login.text.contains("\nRequested from Firefox.\n"), "{}", login.text);
    let html = login.html.unwrap();
    assert!(html.starts_with("<h1>Log in to app.example.com</h1>"), "{html}");
    let korean = templates.render(&sample(MailPurpose::Test), MailLanguage::Ko).unwrap();
    assert!(korean.subject.contains("테스트"));
}

#[test]
fn a_mistake_in_a_template_is_found_when_it_is_loaded() {
    let name = "verify.en.txt";
    let subject = |text: &str| format!("Subject: Hello\n\n{text}");
    let unknown = error(name, &subject(&format!("{PROOF}{{{{ username }}}}")));
    assert_eq!(
        unknown,
        "verify.en.txt uses the variable username, which it does not have; it has code, link, \
         service, validity, requested_from"
    );
    // Also where no sample value leads.
    let hidden = format!("{PROOF}{{% if not code %}}{{{{ x }}}}{{% endif %}}");
    let hidden = error(name, &subject(&hidden));
    assert!(hidden.starts_with("verify.en.txt uses the variable x, "), "{hidden}");
    let syntax = error(name, "Subject: a\n\n{{ code }}\n{% if %}\n");
    assert!(syntax.contains("verify.en.txt:4"), "{syntax}");
    let include = error(name, &subject(&format!("{PROOF}{{% include 'other.txt' %}}")));
    assert!(include.contains("other.txt"), "{include}");
    let filter = error("validity.ko.txt", "{{ code_valid_for|shout }}");
    assert!(filter.contains("shout"), "{filter}");
    let layout = error("layout.html", "{{ code }}");
    assert!(layout.starts_with("layout.html uses the variable code, "), "{layout}");
    let html = error("verify.ko.html", "{{ username }}");
    assert!(html.starts_with("verify.ko.html uses the variable username, "), "{html}");
}

#[test]
fn a_template_without_subject_or_proof_is_refused() {
    let name = "login.ko.txt";
    for text in [
        String::new(),
        PROOF.to_owned(),
        format!("Subject: a\n{PROOF}"),
        format!("Subject:\n\n{PROOF}"),
        format!("Subject: {}\n\n{PROOF}", "a".repeat(201)),
        "Subject: a\n\n".to_owned(),
        format!("\nSubject: a\n\n{PROOF}"),
    ] {
        let error = error(name, &text);
        assert!(error.starts_with("login.ko.txt must begin with a line \"Subject: …\""), "{text}");
    }
    let secret = "login.ko.txt must not have the code or the link in its subject";
    assert_eq!(error(name, &format!("Subject: {{{{ code }}}}\n\n{PROOF}")), secret);
    assert_eq!(error(name, &format!("Subject: {{{{ link }}}}\n\n{PROOF}")), secret);
    let alone = "login.ko.txt must have the code and the link each alone on a line";
    for text in ["{{ code }} {{ link }}", "Code: {{ code }}", "{{ code }}\n<{{ link }}>"] {
        assert_eq!(error(name, &format!("Subject: a\n\n{text}\n")), alone, "{text}");
    }
    assert_eq!(error(name, "Subject: a\n\nb"), "login.ko.txt must have the code or the link");
    // One of both is enough.
    assert_eq!(error(name, "Subject: a\n\n{{ code }}"), "");
    assert_eq!(error(name, "Subject: a\n\n{{ link }}"), "");
}

#[test]
fn a_rendered_mail_is_not_printed_for_developers() {
    let text = built_in().render(&sample(MailPurpose::Login), MailLanguage::En).unwrap();
    assert_eq!(format!("{text:?}"), "MailText(Log in to app.example.com)");
}
