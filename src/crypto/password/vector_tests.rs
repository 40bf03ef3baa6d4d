//! Hashes that other systems made: Django 4.2.30 with argon2-cffi 25.1.0 and bcrypt 4.3.0, `hashlib` for the forms
//! of better-auth and Keycloak.

use super::{ForeignHash, Hashing, PasswordHash, Verdict};
use crate::domain::typed_password::TypedPassword;
use crate::entropy::SeededEntropy;

/// Lines of the name of a password and a hash.
const VECTORS: &str = include_str!("vectors.txt");

fn password(name: &str) -> String {
    match name {
        "ascii" => "tangerine-orbit".to_owned(),
        "nfc" => "caf\u{e9} au lait".to_owned(),
        "nfd" => "cafe\u{301} au lait".to_owned(),
        "nfkc" => "\u{2126}hm \u{fb01}ne caf\u{e9}".to_owned(),
        // Longer than what bcrypt reads.
        "long" => "0123456789".repeat(9),
        "nul" => "left\0right".to_owned(),
        "empty" => String::new(),
        "huge" => "x".repeat(4096),
        other => panic!("{other}"),
    }
}

fn hashing() -> Hashing {
    Hashing::new(8, 1, 1).unwrap()
}

fn vectors() -> impl Iterator<Item = (&'static str, &'static str)> {
    VECTORS.lines().map(|line| line.split_once(' ').unwrap())
}

fn stored(text: &str) -> PasswordHash {
    hashing().wrap(&ForeignHash::parse(text).unwrap(), &SeededEntropy::new(1)).unwrap()
}

fn verdict(password: &str, hash: &PasswordHash) -> Verdict {
    hashing().verify(&TypedPassword::new(password), hash).unwrap()
}

/// Whether bcrypt reads the password itself.
fn is_cut(text: &str) -> bool {
    text.starts_with("bcrypt$") || text.starts_with("bcrypt:")
}

/// For a right password. What bcrypt does not tell from others stays with its hash.
fn right(name: &str, text: &str) -> Verdict {
    let is_alone = !(is_cut(text) && ["long", "huge", "nul"].contains(&name));
    if is_alone { Verdict::RightButOutdated } else { Verdict::Right }
}

#[test]
fn every_right_password_is_right_and_its_hash_outdated() {
    assert_eq!(vectors().count(), 118);
    for (name, text) in vectors() {
        assert_eq!(verdict(&password(name), &stored(text)), right(name, text), "{text}");
    }
}

#[test]
fn a_text_that_is_not_the_only_one_that_matches_does_not_become_the_password() {
    for (name, text) in vectors().filter(|(name, _)| *name == "ascii") {
        let (hash, password) = (stored(text), password(name));
        let is_padded = text.contains("pbkdf2") || text.contains("scrypt");
        let expected = if is_padded { Verdict::Right } else { Verdict::Wrong };
        let is_bcrypt = text.contains("bcrypt");
        let expected = if is_bcrypt { Verdict::Wrong } else { expected };
        assert_eq!(verdict(&format!("{password}\0"), &hash), expected, "{text}");
        let expected = if is_cut(text) { Verdict::Right } else { Verdict::Wrong };
        assert_eq!(verdict(&format!("{password}\0{password}"), &hash), expected, "{text}");
    }
}

#[test]
fn every_other_password_is_wrong() {
    for (name, text) in vectors() {
        let (hash, right) = (stored(text), password(name));
        for other in ["ascii", "nul", "empty"].into_iter().filter(|other| *other != name) {
            assert_eq!(verdict(&password(other), &hash), Verdict::Wrong, "{text}");
        }
        let longer = format!("{right}x");
        if !(is_cut(text) && right.len() >= 72) {
            assert_eq!(verdict(&longer, &hash), Verdict::Wrong, "{text}");
        }
        // Too long for any system.
        assert_eq!(verdict(&"x".repeat(4097), &hash), Verdict::Wrong, "{text}");
    }
}

#[test]
fn a_decomposed_password_is_found_in_nfc_and_not_the_other_way() {
    for (name, text) in vectors() {
        let expected = |is_right| if is_right { Verdict::RightButOutdated } else { Verdict::Wrong };
        match name {
            "nfc" => assert_eq!(verdict(&password("nfd"), &stored(text)), expected(true), "{text}"),
            "nfd" => {
                assert_eq!(verdict(&password("nfc"), &stored(text)), expected(false), "{text}");
            }
            "nfkc" => {
                let other = "\u{3a9}hm fine cafe\u{301}";
                assert_eq!(verdict(other, &stored(text)), expected(true), "{text}");
            }
            _ => {}
        }
    }
}

#[test]
fn bytes_after_the_72nd_do_not_count_for_bcrypt() {
    let long = vectors().filter(|(name, text)| *name == "long" && text.contains("$04$"));
    let (head, mut cut) = ("0123456789".repeat(7), 0);
    for (_, text) in long {
        let is_cut = is_cut(text);
        let expected = if is_cut { Verdict::Right } else { Verdict::Wrong };
        assert_eq!(verdict(&format!("{head}01{}", "x".repeat(99)), &stored(text)), expected);
        assert_eq!(verdict(&format!("{head}0"), &stored(text)), Verdict::Wrong);
        cut += usize::from(is_cut);
    }
    assert_eq!(cut, 4);
}

#[test]
fn a_stored_hash_is_read_again_from_its_scheme_and_text() {
    for (name, text) in vectors() {
        let hash = stored(text);
        let again = PasswordHash::parse(hash.scheme(), hash.as_str()).unwrap();
        assert!(again == hash, "{text}");
        assert_eq!(verdict(&password(name), &again), right(name, text), "{text}");
        let is_wrapped = hash.as_str() != text;
        assert_eq!(is_wrapped, ForeignHash::parse(text).unwrap().is_fast(), "{text}");
        if is_wrapped {
            let digits = text.rsplit('$').next().unwrap();
            assert!(!hash.as_str().contains(digits), "the digest is not stored");
        }
    }
}

#[test]
fn a_dummy_has_scheme_and_parameters_and_matches_nothing() {
    for (name, text) in vectors() {
        let (hash, dummy) = (stored(text), stored(text).dummy());
        assert!(PasswordHash::parse(hash.scheme(), dummy.as_str()).unwrap() == dummy, "{text}");
        assert!(dummy.dummy() == dummy && dummy != hash, "{text}");
        assert_eq!(dummy.foreign_memory(), hash.foreign_memory(), "{text}");
        let decomposed = TypedPassword::new("cafe\u{301}");
        assert_eq!(dummy.tries(&decomposed), hash.tries(&decomposed), "{text}");
        assert_eq!(verdict(&password(name), &dummy), Verdict::Wrong, "{text}");
        assert_eq!(verdict("", &dummy), Verdict::Wrong, "{text}");
    }
}
