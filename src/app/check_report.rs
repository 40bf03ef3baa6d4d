//! Report of `sallyport check`.

/// Results of all checks, in sentences.
#[derive(Debug, Default)]
pub struct CheckReport {
    /// Errors that keep the service from starting.
    pub errors: Vec<String>,
    /// Settings that work and are risky.
    pub warnings: Vec<String>,
    /// Checks that passed.
    pub passed: Vec<String>,
}
