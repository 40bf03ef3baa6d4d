//! How names are written: when two are the same, and when one looks like another.

use unicode_normalization::UnicodeNormalization;
use unicode_security::{GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection};

/// The key by which names and addresses are compared and looked up.
pub(super) fn fold(text: &str) -> String {
    let lower: String = text.nfkc().flat_map(char::to_lowercase).collect();
    lower.nfkc().collect()
}

/// Whether a text keeps to the scripts that one language mixes, and to letters in common use: "highly
/// restrictive" in UTS 39, section 5.2, which allows Latin letters among those of Chinese, Japanese or
/// Korean, and among no others. ASCII that belongs to no script is judged elsewhere.
pub(super) fn is_of_one_language(text: &str) -> bool {
    // The profile leaves out Hebrew's points, which children's names and poems are written with. In
    // their place a letter says which script they belong to.
    let letter = |c| if is_hebrew_point(c) { '\u{5d0}' } else { c };
    let text = text.chars().filter(|&c| !c.is_ascii() || c.identifier_allowed());
    let text: String = text.map(letter).collect();
    text.as_str().check_restriction_level(RestrictionLevel::HighlyRestrictive)
}

fn is_hebrew_point(c: char) -> bool {
    matches!(c, '\u{5b0}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c7}')
}

/// The skeleton of a character.
fn shape(c: char) -> String {
    unicode_security::skeleton(c.encode_utf8(&mut [0; 4])).collect()
}

/// What a text looks like, whatever the case: its skeleton by UTS 39, section 4. ASCII stands for
/// itself, so two names of ASCII never have one skeleton: `1` looks like `l`, and `rn` like `m`, but
/// `anna1` and `annal` are both names that people have.
pub(super) fn skeleton(text: &str) -> String {
    let mut before = None;
    let mut shapes = String::with_capacity(text.len());
    for c in text.nfd() {
        // A mark that is written twice covers itself.
        if before.replace(c) == Some(c) && is_mark(c) {
            continue;
        }
        if c.is_ascii() {
            shapes.push(c);
            continue;
        }
        let own = shape(c);
        // `l` is the prototype of `I`, too: a capital whose lower case looks like `i` is that.
        let is_i = own == "l" && c.to_lowercase().any(|c| shape(c) == "i");
        shapes.push_str(if is_i { "i" } else { &own });
    }
    // The dot that these two have covers another.
    fold(&shapes).replace("i\u{307}", "i").replace("j\u{307}", "j")
}

/// Combining marks belong to the letters of many scripts; the security profile judges which.
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
