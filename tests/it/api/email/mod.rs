//! E-mail: logins, passwords and addresses by the code or link of a mail.

mod address_change;
mod challenge_model;
mod first_proof;
mod languages;
mod limits;
mod login;
pub mod mailbox;
mod notices;
mod password_reset;
mod reauthentication;
mod registration;
mod same_answer;
mod taken_address;
