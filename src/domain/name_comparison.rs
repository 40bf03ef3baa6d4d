//! Unicode comparison of names: folding, restriction to scripts, and look-alikes (UTS 39).

use unicode_normalization::UnicodeNormalization;
use unicode_security::{GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection};

/// Key by which names and e-mail addresses are compared and looked up: NFKC and lower case.
pub(super) fn fold(text: &str) -> String {
    let lower: String = text.nfkc().flat_map(char::to_lowercase).collect();
    lower.nfkc().collect()
}

/// Whether a text has only letters in common use, of scripts that one language mixes: the restriction level
/// "highly restrictive" of UTS 39, section 5.2. It allows Latin letters beside those of Chinese, Japanese
/// or Korean, and beside no others. ASCII characters that belong to no script are checked elsewhere.
pub(super) fn has_scripts_of_one_language(text: &str) -> bool {
    // The profile does not allow the points of Hebrew, which some names are written with. They are
    // checked as a Hebrew letter, because they belong to the same script.
    let letter = |c| if is_hebrew_point(c) { '\u{5d0}' } else { c };
    let text = text.chars().filter(|&c| !c.is_ascii() || c.identifier_allowed());
    let text: String = text.map(letter).collect();
    text.as_str().check_restriction_level(RestrictionLevel::HighlyRestrictive)
}

fn is_hebrew_point(c: char) -> bool {
    matches!(c, '\u{5b0}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c7}')
}

/// Skeleton of one character.
fn shape(c: char) -> String {
    unicode_security::skeleton(c.encode_utf8(&mut [0; 4])).collect()
}

/// Skeleton of a text by UTS 39, section 4, without its case: texts that look alike have the same skeleton.
/// ASCII characters are their own skeletons, so two different names in ASCII never look alike: `1` looks
/// like `l`, and `rn` like `m`, but `anna1` and `annal` are both names that people have.
pub(super) fn skeleton(text: &str) -> String {
    let mut before = None;
    let mut shapes = String::with_capacity(text.len());
    for c in text.nfd() {
        // The same mark twice looks like one.
        if before.replace(c) == Some(c) && is_mark(c) {
            continue;
        }
        if c.is_ascii() {
            shapes.push(c);
            continue;
        }
        let own = shape(c);
        // `l` is also the prototype of `I`, so a capital whose lower case looks like `i` is one.
        let is_i = own == "l" && c.to_lowercase().any(|c| shape(c) == "i");
        shapes.push_str(if is_i { "i" } else { &own });
    }
    // A combining dot above is invisible on letters that have a dot.
    fold(&shapes).replace("i\u{307}", "i").replace("j\u{307}", "j")
}

/// Combining marks are part of the letters of many scripts. The security profile decides which.
pub(super) fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike_have_one_skeleton() {
        for (name, imitations) in [
            ("admin", &["admın", "admi\u{307}n", "ADMİN"][..]),
            ("scope", &["ѕсоре", "ЅСОРЕ"]),
            ("Bob", &["ВОВ"]),
            ("paypal", &["раураӏ", "раураӀ"]),
            ("ibah", &["ІВАН"]),
            ("Anna", &["ΑΝΝΑ"]),
            ("ivi", &["ινι"]),
            ("jose", &["јоѕе"]),
            ("タロウ", &["タ口ウ"]),
            ("josé", &["jose\u{301}\u{301}"]),
        ] {
            for imitation in imitations {
                assert_eq!(skeleton(imitation), skeleton(name), "{imitation} {name}");
            }
        }
        for (one, other) in [("anna1", "annal"), ("b0b", "bob"), ("marn", "mam"), ("jose", "josé")]
        {
            assert_ne!(skeleton(one), skeleton(other), "{one} {other}");
        }
        assert_eq!(skeleton("Ada.Lovelace_9+x-y"), "ada.lovelace_9+x-y");
    }
}
