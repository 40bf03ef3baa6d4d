//! What is known of a refresh token of another system, and its end.

use sallyport::domain::external_account::{ExternalId, ForeignTokenId, Source};
use sallyport::domain::foreign_token::ForeignToken;

use super::support::{at, make};
use crate::databases::{Database, on_both};

on_both!(a_token_is_known_by_its_account_and_refused_once, expired_tokens_are_purged);

fn token(jti: &str) -> ForeignToken {
    ForeignToken {
        id: ForeignTokenId::parse(jti).unwrap(),
        external_id: ExternalId::parse("42").unwrap(),
        issued_at: Some(at(100)),
        expires_at: at(1_000),
        password: None,
    }
}

async fn imported(database: &Database) -> Source {
    let store = database.store().await;
    make(&store, "ada").await;
    crate::api::foreign_tokens::old_site::imported(database, "ada", "42").await;
    Source::parse("django").unwrap()
}

async fn a_token_is_known_by_its_account_and_refused_once(database: Database) {
    let source = imported(&database).await;
    let store = database.store().await;
    let token = token("one");
    let nobody = ExternalId::parse("43").unwrap();
    assert!(store.foreign_token(&source, &token.id, &nobody).await.unwrap().is_none());
    let elsewhere = Source::parse("elsewhere").unwrap();
    let known = store.foreign_token(&elsewhere, &token.id, &token.external_id).await.unwrap();
    assert!(known.is_none());
    let known = store.foreign_token(&source, &token.id, &token.external_id).await.unwrap().unwrap();
    assert!(known.owner.is_active && known.owner.ended_at.is_none() && known.record.is_none());

    let refuse = |token: ForeignToken| store.refuse_foreign_token(source.clone(), token, at(200));
    let mut of_nobody = token.clone();
    of_nobody.external_id = nobody;
    assert!(!refuse(of_nobody).await.unwrap());
    assert!(refuse(token.clone()).await.unwrap());
    assert!(!refuse(token.clone()).await.unwrap(), "it is refused already");
    let known = store.foreign_token(&source, &token.id, &token.external_id).await.unwrap().unwrap();
    let record = known.record.unwrap();
    assert_eq!((record.blacklisted_at, record.created_at), (Some(at(200)), Some(at(100))));
    assert!(record.exchange.is_none());
}

async fn expired_tokens_are_purged(database: Database) {
    use sallyport::store::Expired::ForeignTokens;
    let source = imported(&database).await;
    let store = database.store().await;
    for jti in ["one", "two"] {
        assert!(store.refuse_foreign_token(source.clone(), token(jti), at(200)).await.unwrap());
    }
    assert_eq!(store.count_expired(ForeignTokens, at(999)).await.unwrap(), 0);
    assert_eq!(store.count_expired(ForeignTokens, at(1_000)).await.unwrap(), 2);
    assert_eq!(store.purge_batch(ForeignTokens, at(999)).await.unwrap(), 0);
    assert_eq!(store.purge_batch(ForeignTokens, at(1_000)).await.unwrap(), 2);
}
