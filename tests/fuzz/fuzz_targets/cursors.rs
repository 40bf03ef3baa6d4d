//! Cursors: any text, bare and wrapped as a cursor is. What is read as a key is written and read
//! back as the same key, and no key has a character that the database refuses.

#![no_main]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use sallyport::clock::Timestamp;
use sallyport::domain::id::{SessionId, TokenId};
use sallyport::graphql::cursor::{SortKey, decode, encode};

fuzz_target!(|text: &str| {
    for cursor in [text.to_owned(), URL_SAFE_NO_PAD.encode(text)] {
        comes_back::<String>(&cursor);
        comes_back::<SessionId>(&cursor);
        comes_back::<(Timestamp, TokenId)>(&cursor);
    }
});

fn comes_back<K: SortKey + PartialEq + std::fmt::Debug>(cursor: &str) {
    let Ok(Some(key)) = decode::<K>(Some(cursor.to_owned())) else { return };
    assert!(!key.write().contains('\0'));
    let again = decode::<K>(Some(encode(&key)));
    assert_eq!(again.expect("a cursor"), Some(key));
}
