//! Global ids: what is read is written as the same text, so that a thing has one id.

#![no_main]

use async_graphql::ID;
use libfuzzer_sys::fuzz_target;
use sallyport::graphql::global_id::GlobalId;

fuzz_target!(|text: &str| {
    let id = ID::from(text);
    if let Some(named) = GlobalId::parse(&id) {
        assert_eq!(ID::from(named), id);
    }
});
