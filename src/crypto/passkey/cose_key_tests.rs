//! Tests of public keys.

use super::PasskeyRefusal::{Algorithm, PublicKey};
use super::algorithm_of_key;
use super::test_fixtures::{Key, cbor_bytes, rsa_key};
use crate::domain::passkey::PasskeyAlgorithm;

#[test]
fn a_key_is_one_map() {
    let key = Key::es256().public();
    assert_eq!(algorithm_of_key(&key), Ok(PasskeyAlgorithm::Es256));
    let longer = [key.as_slice(), &[0]].concat();
    assert_eq!(algorithm_of_key(&longer), Err(PublicKey("bytes after the map")));
    // A map of one entry more.
    let shorter = [&[0xa6], &key[1..]].concat();
    assert_eq!(algorithm_of_key(&shorter), Err(PublicKey("not a map")));
    let larger = [&[0xa6], &key[1..], &[0x18, 99], &cbor_bytes(&[0; 2048])].concat();
    assert_eq!(algorithm_of_key(&larger), Err(PublicKey("too large")));
    let deep = [0x81; 2_000];
    assert_eq!(algorithm_of_key(&deep), Err(PublicKey("not a map")));
    assert_eq!(algorithm_of_key(&[]), Err(PublicKey("not a map")));
}

#[test]
fn type_and_curve_are_those_of_the_algorithm() {
    let key = Key::es256().public();
    let changed = |at: usize, byte| {
        let mut key = key.clone();
        key[at] = byte;
        algorithm_of_key(&key)
    };
    assert_eq!(changed(4, 0x25), Err(Algorithm(-6)));
    let contradiction = PublicKey("type and algorithm contradict each other");
    assert_eq!(changed(4, 0x27).as_ref(), Err(&contradiction));
    assert_eq!(changed(2, 0x01).as_ref(), Err(&contradiction));
    assert_eq!(changed(6, 0x02).as_ref(), Err(&contradiction));
}

#[test]
fn a_point_is_on_its_curve() {
    let mut key = Key::es256().public();
    let (head, parts) = (&key[..8], [&key[10..42], &key[45..]].concat());
    let cut = [head, &cbor_bytes(&parts[..31]), &[0x22], &cbor_bytes(&parts[31..])].concat();
    assert_eq!(algorithm_of_key(&cut), Err(PublicKey("a coordinate is not of 32 bytes")));
    *key.last_mut().unwrap() ^= 1;
    assert_eq!(algorithm_of_key(&key), Err(PublicKey("not a key of its algorithm")));
}

#[test]
fn a_modulus_has_2048_to_8192_bits() {
    let rsa = |length: usize, first: u8| {
        let modulus = [vec![first], vec![0xff; length - 1]].concat();
        algorithm_of_key(&rsa_key(&modulus, &[1, 0, 1]))
    };
    assert_eq!(rsa(256, 0x80), Ok(PasskeyAlgorithm::Rs256));
    for (length, first) in [(256, 0x7f), (257, 0x00), (1025, 0xff), (1, 0)] {
        assert!(matches!(rsa(length, first), Err(PublicKey(_))), "{length}");
    }
}
