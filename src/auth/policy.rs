//! Decisions of the operator that the use cases follow.

use std::time::Duration;

use crate::domain::second_factor::SecondFactorPolicy;

/// Policy of the use cases.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Policy {
    pub access_token_lifetime: Duration,
    /// Each rotation gives as much again.
    pub refresh_token_lifetime: Duration,
    /// From the login, however often the session is refreshed; `None`: unlimited.
    pub session_lifetime: Option<Duration>,
    pub max_sessions: Option<u32>,
    /// Time in which the previous refresh token is answered with the same successor.
    pub retry_window: Duration,
    pub rotate: bool,
    /// Whether a login is recorded in its account.
    pub record_login: bool,
    /// Whether registration is open.
    pub registration_open: bool,
    /// Whether an account with an e-mail address gets sessions only once it is verified.
    pub refuse_unverified_email: bool,
    pub second_factor: SecondFactorPolicy,
    /// How long a device saves the second step; `None`: no device is trusted.
    pub trusted_device_lifetime: Option<Duration>,
    pub password_min_length: usize,
    /// Whether attempts are limited.
    pub throttle: bool,
    pub audit_retention: Duration,
    /// Of addresses and user agents.
    pub metadata_retention: Duration,
}
