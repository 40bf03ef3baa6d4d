//! Refresh tokens: any text, and any header and claims signed by the real key. Whatever is accepted
//! says what a token of ours says, and whatever says that is accepted.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sallyport::crypto::TokenError;
use sallyport_fuzz::forger::{FORGER, Said, now};

fuzz_target!(|text: &str| {
    let forger = &*FORGER;
    let (keys, issuer) = (&forger.refresh_keys, &forger.issuer);
    let verify = |token: &str| keys.verify(&issuer.issuer, token, now());
    // Nobody guesses a signature.
    assert!(verify(text).is_err());
    let Some((header, claims)) = text.split_once('\n') else { return };
    let token = forger.refresh(header, claims);
    let judged = verify(&token);
    if let Ok(accepted) = &judged {
        let again = keys.sign(&issuer.issuer, accepted).expect("a token");
        assert_eq!(Ok(accepted), verify(&again).as_ref());
    }
    let kid = forger.refresh_kid();
    let header = header.replace("KID", &kid);
    let Some(said) = Said::read(&header, claims) else { return };
    let right = said.header_is("HS256", &kid, "rt+jwt")
        && said.claim_is("iss", &issuer.issuer)
        && said.claim_is("token_type", "refresh")
        && said.is_plain()
        && said.moment("iat").is_some()
        && said.moment("exp").is_some_and(|expires| expires > now().as_seconds());
    let too_long = judged == Err(TokenError::Malformed) && token.len() > 8192;
    assert_eq!(judged.is_ok(), right && !too_long, "{header}\n{claims}\n{judged:?}");
});
