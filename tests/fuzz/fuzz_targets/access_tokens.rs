//! Access tokens: any text, and any header and claims signed by the real key. Whatever is accepted
//! says what a token of ours says, and whatever says that is accepted.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sallyport::crypto::TokenError;
use sallyport::crypto::access_token::{sign, verify, verify_ignoring_expiry};
use sallyport_fuzz::forger::{FORGER, Said, now};

fuzz_target!(|text: &str| {
    let forger = &*FORGER;
    let (ring, issuer) = (&forger.ring, &forger.issuer);
    // Nobody guesses a signature.
    assert!(verify(ring, issuer, text, now()).is_err());
    let Some((header, claims)) = text.split_once('\n') else { return };
    let token = forger.access(header, claims);
    let judged = verify(ring, issuer, &token, now());
    if let Ok(accepted) = &judged {
        assert_eq!(Ok(accepted), verify_ignoring_expiry(ring, issuer, &token, now()).as_ref());
        let again = sign(ring, issuer, accepted).expect("a token");
        assert_eq!(Ok(accepted), verify(ring, issuer, &again, now()).as_ref());
    }
    let header = header.replace("KID", &forger.kid);
    let Some(said) = Said::read(&header, claims) else { return };
    let alive = |seconds: i64| seconds + 2 > now().as_seconds();
    let right = said.header_is("ES256", &forger.kid, "at+jwt")
        && said.claim_is("iss", &issuer.issuer)
        && said.audience_has(&issuer.audience)
        && said.claim_is("client_id", &issuer.client_id)
        && said.claim_is("token_type", "access")
        && (said.claim_is("role", "ADMIN") && said.claim_is("scope", "ADMIN")
            || said.claim_is("role", "USER") && said.claim_is_nothing("scope"))
        && said.is_plain()
        && said.moment("iat").is_some_and(|issued| issued <= now().as_seconds() + 2)
        && said.moment("exp").is_some_and(alive)
        && said.moment("auth_time").is_some();
    let too_long = judged == Err(TokenError::Malformed) && token.len() > 8192;
    assert_eq!(judged.is_ok(), right && !too_long, "{header}\n{claims}\n{judged:?}");
});
