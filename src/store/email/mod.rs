//! E-mail: limits, challenges, and the outbox.
//!
//! A mail is queued in the transaction of the change that it is about, so none is lost and none is sent for a
//! change that did not take place.

pub(super) mod challenge_row;
pub(super) mod challenges;
pub(super) mod email_change;
pub(super) mod limits;
pub(super) mod order;
pub(super) mod outbox;
pub(super) mod outbox_list;
pub(super) mod registration;
pub(super) mod spend;
