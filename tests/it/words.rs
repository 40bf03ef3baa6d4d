//! The words of closed sets are the same in the code, the schema, the metrics and the console.

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use sallyport::auth::{LogoutScope, TokenRefusal, TokenType, UserErrorCode};
use sallyport::domain::assurance::Assurance;
use sallyport::domain::audit::AuditKind;
use sallyport::domain::blacklist::BlacklistReason;
use sallyport::domain::challenge::LoginStep;
use sallyport::domain::key_life::SigningKeyState;
use sallyport::domain::mail::{EmailState, MailPurpose};
use sallyport::domain::origin::DeviceType;
use sallyport::domain::session::{EndReason, SessionState};
use sallyport::domain::user::Role;
use sallyport::metrics::{Metrics, Observed};

#[test]
fn a_word_that_is_not_known_is_called_the_same_in_every_set() {
    let words = [
        AuditKind::Unknown.as_str(),
        BlacklistReason::Ended(EndReason::Unknown).as_str(),
        EndReason::Unknown.as_str(),
        Role::Unknown.as_str(),
    ];
    assert_eq!(words, ["UNKNOWN"; 4]);
}

#[test]
fn the_schema_has_the_words_of_the_code() {
    let mut in_schema = schema_enums();
    macro_rules! assert_same {
        ($($name:ident: $values:expr;)+) => {$(
            let mut words: Vec<&str> = $values.map(|value| value.as_str()).collect();
            words.sort_unstable();
            let place = in_schema.iter().position(|(name, _)| name == stringify!($name));
            let (_, found) = in_schema.swap_remove(place.expect(stringify!($name)));
            assert_eq!(found, words, stringify!($name));
        )+};
    }
    assert_same! {
        Assurance: Assurance::ALL.iter();
        AuditKind: AuditKind::ALL.iter();
        BlacklistReason: BlacklistReason::all();
        DeviceType: DeviceType::ALL.iter();
        EmailState: EmailState::ALL.iter();
        EndReason: EndReason::ALL.iter();
        LoginStep: LoginStep::ALL.iter();
        LogoutScope: LogoutScope::ALL.iter();
        Role: Role::ALL.iter();
        SessionState: SessionState::ALL.iter();
        SigningKeyState: SigningKeyState::ALL.iter();
        TokenRefusal: TokenRefusal::ALL.iter();
        TokenType: TokenType::ALL.iter();
        UserErrorCode: UserErrorCode::ALL.iter();
    }
    // The code has no words for transports.
    in_schema.retain(|(name, _)| name != "TokenTransport");
    assert!(in_schema.is_empty(), "enums of the schema that are not compared: {in_schema:?}");
}

#[test]
fn the_metrics_have_the_words_of_the_code() {
    let text = Metrics::default().text(Observed::default());
    for reason in EndReason::ALL {
        let series = format!("sallyport_session_ends_total{{reason=\"{}\"}} 0", reason.as_str());
        assert!(text.contains(&series), "{series}");
    }
}

#[test]
fn the_console_has_a_text_for_each_word_of_the_code() {
    let texts = std::fs::read_to_string("src/console/source/texts.ts").unwrap();
    let has_all = |kind: &str, words: &[&str]| {
        let section = texts.split("satisfies").find_map(|text| {
            let (_, section) = text.rsplit_once(&format!("  {kind}: {{"))?;
            words.iter().all(|word| section.contains(&format!("{word}: '"))).then_some(())
        });
        assert!(section.is_some(), "{kind}: {words:?}");
    };
    let words = |values: &mut dyn Iterator<Item = &'static str>| values.collect::<Vec<_>>();
    has_all("reason", &words(&mut BlacklistReason::all().map(BlacklistReason::as_str)));
    has_all("out", &words(&mut EndReason::ALL.iter().map(|reason| reason.as_str())));
    has_all("kind", &words(&mut AuditKind::ALL.iter().map(|kind| kind.as_str())));
    has_all("device", &words(&mut DeviceType::ALL.iter().map(|kind| kind.as_str())));
    has_all("role", &words(&mut Role::ALL.iter().map(|role| role.as_str())));
    has_all("state", &words(&mut SessionState::ALL.iter().map(|state| state.as_str())));
    has_all("states", &words(&mut SigningKeyState::ALL.iter().map(|state| state.as_str())));
    let (_, purposes) = texts.split_once("  purposes: {").unwrap();
    for purpose in MailPurpose::ALL.iter().map(|purpose| purpose.as_str()) {
        let names = [format!(" {purpose}: '"), format!(" '{purpose}': '")];
        assert!(names.iter().any(|name| purposes.contains(name)), "{purpose}");
    }
}

/// Names of the schema's enums, each with its sorted values.
fn schema_enums() -> Vec<(String, Vec<String>)> {
    let document = parse_schema(sallyport::graphql::sdl()).expect("the schema is one");
    let enums = document.definitions.into_iter().filter_map(|definition| {
        let TypeSystemDefinition::Type(definition) = definition else { return None };
        let definition = definition.node;
        let TypeKind::Enum(values) = definition.kind else { return None };
        let values = values.values.into_iter();
        let mut words: Vec<String> = values.map(|value| value.node.value.to_string()).collect();
        words.sort_unstable();
        Some((definition.name.to_string(), words))
    });
    enums.collect()
}
