//! Integration tests, in one binary.

mod advisories;
mod api;
mod architecture;
mod databases;
mod documentation;
mod hostile;
mod http;
mod language;
mod mail;
mod operation;
mod pages;
mod program;
mod proof;
mod response;
mod schema;
mod simplejwt;
mod store;
mod subscriptions;
mod template;
mod words;
