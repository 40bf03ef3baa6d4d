//! Settings of SimpleJWT at the site that accounts were imported from.

/// What the export of the site said; `None` where it said nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimplejwtSettings {
    /// Name of the user model's field by which users log in.
    username_field: Option<String>,
    /// Whether a refresh replaces the refresh token.
    pub rotates: Option<bool>,
}

impl SimplejwtSettings {
    /// Longest name of a field that is kept.
    const MAX_FIELD_BYTES: usize = 100;

    /// A field that no model can have counts as unknown.
    #[must_use]
    pub fn new(username_field: Option<String>, rotates: Option<bool>) -> Self {
        let is_name = |field: &String| {
            (1..=Self::MAX_FIELD_BYTES).contains(&field.len())
                && field.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        Self { username_field: username_field.filter(is_name), rotates }
    }

    /// The field of a login request with the user's name.
    #[must_use]
    pub fn username_field(&self) -> &str {
        self.username_field.as_deref().unwrap_or("username")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str) -> SimplejwtSettings {
        SimplejwtSettings::new(Some(name.to_owned()), None)
    }

    #[test]
    fn the_field_of_names_is_that_of_the_site() {
        assert_eq!(SimplejwtSettings::default().username_field(), "username");
        assert_eq!(field("email_2").username_field(), "email_2");
        for name in ["", "e-mail", "e\"", "\u{e9}mail", &"a".repeat(101)] {
            assert_eq!(field(name).username_field(), "username", "{name}");
        }
    }
}
