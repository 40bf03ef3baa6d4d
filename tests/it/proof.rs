//! Length of tests whose number of rounds is arbitrary.

/// The number of rounds: `short`, or `long` with `SALLYPORT_PROOF=long`.
pub fn rounds(short: usize, long: usize) -> usize {
    if std::env::var("SALLYPORT_PROOF").is_ok_and(|length| length == "long") { long } else { short }
}
