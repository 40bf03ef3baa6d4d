//! Passkeys: registered, used to log in and as a second step, and removed; and trusted devices.

pub mod authenticator;
mod changes;
mod login;
mod registration;
mod second_step;
mod trusted_devices;
