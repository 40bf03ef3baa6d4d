//! What is refused as a hash of another system.

use proptest::prelude::*;

use super::{ForeignHash, ForeignHashError, PasswordHash, PasswordScheme};

const VECTORS: &str = include_str!("vectors.txt");

/// Hashes that other systems made, which are whole.
fn hashes() -> impl Iterator<Item = &'static str> {
    VECTORS.lines().map(|line| line.split_once(' ').unwrap().1)
}

#[track_caller]
fn assert_refused(expected: ForeignHashError, texts: &[&str]) {
    for text in texts {
        assert_eq!(ForeignHash::parse(text).err(), Some(expected), "{text}");
    }
}

#[test]
fn an_account_without_a_password_is_told_from_a_hash_that_is_broken() {
    let unusable = ["", "!", "!m1CiAhzCueQpBenQtYh5Xj8TPQxjq4i9DoV8gz4F", "!pbkdf2_sha256$1$a$b"];
    assert_refused(ForeignHashError::Unusable, &unusable);
    assert_refused(ForeignHashError::DesCrypt, &["crypt$$abxxB7HlIeckU", "crypt$"]);
    let unknown = [
        "secret",
        "pbkdf2_wrapped_sha1$1000$salt$AAAA",
        "pbkdf2_sha256:1000:salt:AAAA",
        "bcrypt_sha256:$2b$04$",
        "scrypt:16384:salt:8:1:AAAA",
        "keycloak-pbkdf2-sha256$1$a$b",
        "sha256$salt$00",
        "$2b$04$abcdefghijklmnopqrstuutWu7heok4EiZMRDjVZCprXExyVW4bF.",
        "PBKDF2_SHA256$1000$salt$AAAA",
        " md5$salt$00",
        "$",
        ":",
        "é$",
    ];
    assert_refused(ForeignHashError::UnknownScheme, &unknown);
}

#[test]
fn parameters_have_bounds() {
    let (bytes20, bytes32) = ("A".repeat(27) + "=", "A".repeat(43) + "=");
    let bytes64 = "A".repeat(86) + "==";
    let pbkdf2 = |iterations: &str| format!("pbkdf2_sha256${iterations}$salt${bytes32}");
    let keycloak = |iterations: &str| format!("keycloak-pbkdf2-sha1:{iterations}:AAAA:{bytes64}");
    let bcrypt = |cost: &str| format!("bcrypt$$2b${cost}${}", ".".repeat(53));
    let scrypt = |n: &str, r: &str, p: &str| format!("scrypt${n}$salt${r}${p}${bytes64}");
    let argon2 = |parameters: &str| {
        format!("argon2$argon2id$v=19${parameters}${}${}", "A".repeat(22), "A".repeat(43))
    };
    let accepted = [
        pbkdf2("10000000"),
        pbkdf2("1"),
        format!("pbkdf2_sha1$10000000$salt${bytes20}"),
        // Four blocks.
        keycloak("2500000"),
        bcrypt("04"),
        bcrypt("16"),
        scrypt("16384", "8", "5"),
        scrypt("1048576", "7", "1"),
        argon2("m=1048576,t=4,p=8"),
        argon2("m=8,t=1,p=1"),
    ];
    for text in &accepted {
        assert!(ForeignHash::parse(text).is_ok(), "{text}");
    }
    let expensive = [
        pbkdf2("10000001"),
        pbkdf2("99999999999999999999"),
        keycloak("2500001"),
        keycloak("4294967295"),
        bcrypt("17"),
        bcrypt("31"),
        scrypt("16777216", "1", "1"),
        scrypt("1048576", "8", "1"),
        scrypt("2", "4194304", "1"),
        scrypt("2147483648", "4294967295", "4294967295"),
        scrypt("16384", "8", "65"),
        argon2("m=1048577,t=1,p=1"),
        argon2("m=1048576,t=5,p=1"),
        argon2("m=4294967295,t=4294967295,p=1"),
    ];
    assert_refused(ForeignHashError::TooExpensive, &expensive.each_ref().map(String::as_str));
    let malformed = [
        pbkdf2("0"),
        pbkdf2("01"),
        bcrypt("03"),
        bcrypt("32"),
        bcrypt("4"),
        bcrypt("004"),
        scrypt("0", "8", "1"),
        scrypt("1", "8", "1"),
        scrypt("16383", "8", "1"),
        scrypt("16384", "0", "1"),
        scrypt("16384", "8", "0"),
        argon2("m=8,t=0,p=1"),
        argon2("m=8,t=1,p=2"),
        argon2("m=8,t=1"),
        argon2("m=8,t=1,p=1,keyid=AAAA"),
        argon2("m=8,t=1,t=1,p=1"),
    ];
    assert_refused(ForeignHashError::Malformed, &malformed.each_ref().map(String::as_str));
}

#[test]
fn an_output_has_the_length_of_its_hasher() {
    // 31 zero bytes; an output of a byte, which every 256th password has.
    let malformed = [
        "pbkdf2_sha256$1000$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
        "keycloak-pbkdf2-sha256:1000:AAAA:AA==",
        "keycloak-pbkdf2-sha256:1000:AAAA:",
        "keycloak-pbkdf2-sha256:1000::AAAAAAAAAAAAAAAAAAAAAA==",
        "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=18$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "argon2$pbkdf2$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "argon2$",
        "bcrypt:",
        "bcrypt:$2x$04$abcdefghijklmnopqrstuutWu7heok4EiZMRDjVZCprXExyVW4bF.",
        "bcrypt:$2b$04$abcdefghijklmnopqrstuvtWu7heok4EiZMRDjVZCprXExyVW4bF.",
        "bcrypt:$2b$04$abcdefghijklmnopqrst\u{20ac}tWu7heok4EiZMRDjVZCprXExyVW4bF.",
        "better-auth-scrypt:00:00",
        "better-auth-scrypt:0:",
        "sha1$$",
        "sha1$a",
        "md5$$D41D8CD98F00B204E9800998ECF8427E",
        "D41D8CD98F00B204E9800998ECF8427E",
        "md5$a$b$d41d8cd98f00b204e9800998ecf8427e",
        "sha1$a$d41d8cd98f00b204e9800998ecf8427e",
    ];
    assert_refused(ForeignHashError::Malformed, &malformed);
    let long = format!("md5${}$d41d8cd98f00b204e9800998ecf8427e", "s".repeat(500));
    assert_refused(ForeignHashError::Malformed, &[&long]);
}

#[test]
fn no_part_of_a_hash_can_be_missing_or_doubled() {
    for hash in hashes() {
        for (at, separator) in hash.match_indices(['$', ':', ',', '=']) {
            let (head, tail) = hash.split_at(at);
            let rest = &tail[separator.len()..];
            for text in [head, &format!("{head}{rest}"), &format!("{head}{separator}{tail}")] {
                assert!(ForeignHash::parse(text).is_err(), "{text}");
            }
        }
    }
}

#[test]
fn a_hash_is_read_by_its_own_scheme_only_and_a_fast_one_by_none() {
    for hash in hashes() {
        let foreign = ForeignHash::parse(hash).unwrap();
        let own = foreign.as_slow().ok().map(super::slow_hash::SlowHash::scheme);
        for scheme in PasswordScheme::ALL.iter().copied() {
            let read = PasswordHash::parse(scheme, hash);
            let is_phc = scheme == PasswordScheme::Argon2id && hash.starts_with("$argon2");
            assert_eq!(read.is_some(), own == Some(scheme) || is_phc, "{hash} as {scheme:?}");
        }
    }
}

#[test]
fn a_report_names_a_hasher_and_no_part_of_a_hash() {
    let name = ForeignHash::hasher_name;
    assert_eq!(name("pbkdf2_wrapped_sha1$1000$salt$AAAA"), Some("pbkdf2_wrapped_sha1"));
    assert_eq!(name("keycloak-pbkdf2-sha3:1"), Some("keycloak-pbkdf2-sha3"));
    for text in ["", "secret", "$2b$04$aaaa", "a b$c", &format!("{}$", "a".repeat(41)), "é$"] {
        assert_eq!(name(text), None, "{text}");
    }
}

#[test]
fn it_is_not_printed() {
    let hash = ForeignHash::parse("md5$salt$d41d8cd98f00b204e9800998ecf8427e").unwrap();
    assert_eq!(format!("{hash:?}"), "ForeignHash(…)");
}

/// A whole hash in which some characters were replaced.
fn damaged() -> impl Strategy<Value = String> {
    let hashes: Vec<_> = hashes().map(str::to_owned).collect();
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 0..4);
    (prop::sample::select(hashes), edits).prop_map(|(hash, edits)| {
        let mut characters: Vec<char> = hash.chars().collect();
        for (at, character) in edits {
            let at = at.index(characters.len());
            characters[at] = character;
        }
        characters.into_iter().collect()
    })
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,80}") {
        let _ = ForeignHash::parse(&text);
        for scheme in PasswordScheme::ALL {
            let _ = PasswordHash::parse(*scheme, &text);
        }
    }

    #[test]
    fn no_damaged_hash_makes_the_parser_panic(text in damaged()) {
        if let Ok(hash) = ForeignHash::parse(&text) {
            prop_assert!(hash.is_fast() || hash.as_slow().is_ok_and(|slow| slow.as_str() == text));
        }
        for scheme in PasswordScheme::ALL {
            if let Some(hash) = PasswordHash::parse(*scheme, &text) {
                prop_assert_eq!(hash.as_str(), text.as_str());
                prop_assert!(hash.dummy().dummy() == hash.dummy());
            }
        }
    }
}
