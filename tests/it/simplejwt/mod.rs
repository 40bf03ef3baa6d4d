//! The REST endpoints that answer as SimpleJWT: what `djangorestframework-simplejwt` 5.5.1 with its blacklist
//! app, `ROTATE_REFRESH_TOKENS` and `BLACKLIST_AFTER_ROTATION` answers to the same requests, on Django 5.2 and
//! Django REST framework 3.18.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod around;
mod client;

mod login;
mod logout;
mod old_tokens;
mod refresh;
mod requests;
mod site_settings;
mod verify;
