//! Redacted `Debug` for types that hold secrets.

/// Implements `Debug` for a type so that its name is printed and nothing that it holds.
macro_rules! redacted_debug {
    ($name:ident $(<$lifetime:lifetime>)?) => {
        impl std::fmt::Debug for $name$(<$lifetime>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}
pub(crate) use redacted_debug;

#[cfg(test)]
mod tests {
    struct Password<'a>(&'a str);

    redacted_debug!(Password<'_>);

    #[test]
    fn a_secret_is_not_printed() {
        let password = Password("hunter2");
        assert_eq!((format!("{password:?}"), password.0), ("Password(…)".to_owned(), "hunter2"));
    }
}
