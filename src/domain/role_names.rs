//! Names of roles that other programs give a meaning to, such as the groups of an imported account. They allow
//! nothing in this service.

use super::unprintable::is_unprintable;

/// Distinct names of roles, in the order in which they were given: 50 at most, of 1 to 150 printable characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleNames(Vec<String>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("An account has at most 50 roles, whose names have 1 to 150 printable characters.")]
pub struct RoleNamesError;

impl RoleNames {
    const MAX_NAMES: usize = 50;
    const MAX_CHARS: usize = 150;

    /// Parses names; one that occurs again counts once.
    pub fn parse(names: impl IntoIterator<Item = String>) -> Result<Self, RoleNamesError> {
        let mut parsed: Vec<String> = Vec::new();
        for name in names {
            let is_short =
                name.len() <= Self::MAX_CHARS * 4 && name.chars().count() <= Self::MAX_CHARS;
            if name.is_empty() || !is_short || name.chars().any(is_unprintable) {
                return Err(RoleNamesError);
            }
            if parsed.contains(&name) {
                continue;
            }
            if parsed.len() == Self::MAX_NAMES {
                return Err(RoleNamesError);
            }
            parsed.push(name);
        }
        Ok(Self(parsed))
    }

    /// The names of a stored row, without checking them again.
    #[must_use]
    pub fn from_stored(names: Vec<String>) -> Self {
        Self(names)
    }

    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(names: &[&str]) -> Result<RoleNames, RoleNamesError> {
        RoleNames::parse(names.iter().map(|&name| name.to_owned()))
    }

    #[test]
    fn names_are_kept_in_order_and_once() {
        let names = parse(&["staff", "Night shift", "staff"]).unwrap();
        assert_eq!(names.as_slice(), ["staff", "Night shift"]);
        assert!(parse(&[]).unwrap().is_empty());
    }

    #[test]
    fn names_and_their_number_are_bounded() {
        for bad in ["", "a\nb", &"a".repeat(151)] {
            assert_eq!(parse(&[bad]), Err(RoleNamesError), "{bad:?}");
        }
        let many: Vec<String> = (0..51).map(|n| n.to_string()).collect();
        assert!(RoleNames::parse(many[..50].to_vec()).is_ok());
        assert_eq!(RoleNames::parse(many), Err(RoleNamesError));
    }
}
