//! What every way in asks for, under every policy, for accounts with and without a factor.

use std::time::Duration;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{FieldDefinition, TypeKind, TypeSystemDefinition};
use sallyport::auth::{Admin, UserChanges};
use sallyport::domain::origin::Origin;
use sallyport::domain::user::Role;
use serde_json::{Value, json};

use super::super::email::mailbox::{
    challenge_token, continue_login, login_with_link, newest, register, request, reset_by_code,
    reset_by_link, verified,
};
use super::super::passkeys::authenticator::{self as passkeys, Browser};
use super::super::service::{PASSWORD, Service, code, tokens};
use super::app::{App, access, begin_totp, confirm_totp, enroll, first_step, second_step};
use crate::databases::{Database, on_both};

on_both!(
    every_way_in_asks_for_what_the_policy_says,
    an_account_without_a_factor_adds_one_during_the_login_and_does_nothing_else,
    an_address_is_verified_before_a_factor_is_asked_for,
);

/// A way in: the mutation that ends it, and how an account takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WayIn {
    Register,
    Password,
    EmailCode,
    Link,
    ResetByCode,
    ResetByLink,
    /// A passkey alone.
    Passkey,
}

impl WayIn {
    const ALL: [Self; 7] = [
        Self::Register,
        Self::Password,
        Self::EmailCode,
        Self::Link,
        Self::ResetByCode,
        Self::ResetByLink,
        Self::Passkey,
    ];

    /// Fields of the schema that it goes through.
    fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Register => &["register"],
            Self::Password => &["login"],
            Self::EmailCode => &["continueLogin"],
            Self::Link => &["loginWithLink"],
            Self::ResetByCode | Self::ResetByLink => &["resetPassword"],
            Self::Passkey => &["loginWithPasskey"],
        }
    }

    /// The payload of the first step; `None` if the account cannot take it.
    async fn take(self, service: &Service, name: &str, held: &mut Held) -> Option<Value> {
        Some(match self {
            Self::Passkey => passkeys::login(service, held.passkey.as_mut()?).await,
            Self::Register => {
                let new = format!("{name}-new");
                register(service, &new, Some(&format!("{new}@example.com"))).await
            }
            Self::Password => first_step(service, name).await,
            Self::EmailCode => {
                let asked = request(service, "requestEmailLogin", name).await;
                let mail = newest(service, "login").await;
                continue_login(service, challenge_token(&asked), mail.code()).await
            }
            Self::Link => {
                request(service, "requestEmailLogin", name).await;
                login_with_link(service, newest(service, "login").await.token(), None).await
            }
            Self::ResetByCode => {
                let asked = request(service, "requestPasswordReset", name).await;
                let mail = newest(service, "reset").await;
                reset_by_code(service, challenge_token(&asked), mail.code(), PASSWORD).await
            }
            Self::ResetByLink => {
                request(service, "requestPasswordReset", name).await;
                let mail = newest(service, "reset").await;
                reset_by_link(service, mail.token(), PASSWORD).await
            }
        })
    }
}

/// The factors of an account.
#[derive(Default)]
struct Held {
    app: Option<App>,
    passkey: Option<Browser>,
}

impl Held {
    /// The steps of a login.
    fn steps(&self) -> Value {
        let has = [
            ("TOTP", self.app.is_some()),
            ("PASSKEY", self.passkey.is_some()),
            ("RECOVERY_CODE", true),
        ];
        let steps = has.into_iter().filter(|(_, has)| *has).map(|(step, _)| step);
        steps.collect::<Vec<_>>().into()
    }

    fn exist(&self) -> bool {
        self.app.is_some() || self.passkey.is_some()
    }
}

/// What a first step comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Tokens,
    Factor,
    Enrollment,
}

/// The table: by the policy, the role and whether the account has a factor.
fn expected(policy: &str, role: Role, has_factor: bool) -> Expected {
    match (policy, role, has_factor) {
        ("off", ..) => Expected::Tokens,
        (_, _, true) => Expected::Factor,
        ("required", _, false) | ("admins", Role::Admin, false) => Expected::Enrollment,
        _ => Expected::Tokens,
    }
}

async fn account(service: &Service, name: &str, role: Role) {
    verified(service, name).await;
    if role == Role::Admin {
        let found = service.core.auth.reads.user_named(Admin::operator(), name).await.unwrap();
        let changes = UserChanges { role: Some(role), ..UserChanges::default() };
        let accounts = &service.core.auth.accounts;
        let id = found.unwrap().id;
        accounts.update_user(Admin::operator(), id, changes, Origin::default()).await.unwrap();
    }
}

async fn every_way_in_asks_for_what_the_policy_says(database: Database) {
    let base = "--throttle false --registration open --login-notices false \
                --issuer https://auth.example.com";
    let setting = Service::start(&database, base).await;
    let mut accounts = Vec::new();
    for (name, role, has_app, has_passkey) in [
        ("ada", Role::User, false, false),
        ("grace", Role::User, true, false),
        ("eve", Role::User, false, true),
        ("root", Role::Admin, false, false),
        ("chief", Role::Admin, true, true),
    ] {
        account(&setting, name, role).await;
        let mut held = Held::default();
        let session = setting.login(name).await;
        if has_passkey {
            let mut browser = Browser::new();
            passkeys::enroll(&setting, &session.access, &mut browser).await;
            let by_passkey = passkeys::login(&setting, &mut browser).await;
            held.passkey = Some(browser);
            if has_app {
                held.app = Some(enroll(&setting, &access(&by_passkey)).await);
            }
        } else if has_app {
            held.app = Some(enroll(&setting, &session.access).await);
        }
        accounts.push((name, role, held));
    }
    let mut cells = 0;
    for policy in ["off", "optional", "admins", "required"] {
        let flags = format!("{base} --second-factor {policy}");
        let mut service = Service::start_at(&database, &flags, setting.clock.clone()).await;
        for (name, role, held) in &mut accounts {
            for way in WayIn::ALL {
                // Within the limits of mails to one address.
                service.pass(Duration::from_hours(3)).await;
                // A registration is of an account of its own, which has the role of all.
                let wanted = match way {
                    WayIn::Register => expected(policy, Role::User, false),
                    WayIn::Passkey => Expected::Tokens,
                    _ => expected(policy, *role, held.exist()),
                };
                let unique = format!("{name}-{policy}");
                let who = if way == WayIn::Register { unique.as_str() } else { *name };
                let Some(first) = way.take(&service, who, held).await else { continue };
                let title = format!("{way:?} of {name} under {policy}: {first}");
                check(&service, &first, wanted, held, &title).await;
                cells += 1;
            }
        }
    }
    // Seven ways of two accounts, six of three, under four policies.
    assert_eq!(cells, 4 * (2 * 7 + 3 * 6));
}

/// Checks the payload of a first step, and goes on by a factor where one is asked for.
async fn check(service: &Service, first: &Value, wanted: Expected, held: &Held, title: &str) {
    let steps = &first["challenge"]["steps"];
    if wanted == Expected::Tokens {
        assert!(tokens(first).is_some() && first["challenge"].is_null(), "{title}");
        return;
    }
    assert!(first["tokens"].is_null() && first["user"].is_null(), "{title}");
    assert_eq!(code(first), "SECOND_STEP_REQUIRED", "{title}");
    if wanted == Expected::Enrollment {
        assert_eq!(*steps, json!(["ENROLL_FACTOR"]), "{title}");
        let begun = begin_totp(service, None, Some(challenge_token(first))).await;
        assert!(begun["data"]["beginTotp"]["secret"].is_string(), "{title}");
        return;
    }
    assert_eq!(*steps, held.steps(), "{title}");
    if let Some(app) = &held.app {
        let second = second_step(service, first, json!({ "totpCode": app.code(service) })).await;
        assert!(tokens(&second).is_some(), "{title} {second}");
    }
}

async fn an_account_without_a_factor_adds_one_during_the_login_and_does_nothing_else(
    database: Database,
) {
    let mut service =
        Service::start(&database, "--second-factor required --registration open").await;
    verified(&service, "ada").await;
    let first = first_step(&service, "ada").await;
    let token = challenge_token(&first);
    // The challenge is no access token and no proof.
    let refused = service.refusal(token).await;
    assert_eq!(refused.as_deref(), Some("MALFORMED"));
    let wrong = second_step(&service, &first, json!({ "recoveryCode": "x" })).await;
    assert_eq!((code(&wrong), &wrong["challenge"]["attemptsLeft"]), ("INVALID_PROOF", &json!(4)));
    let begun = begin_totp(&service, None, Some(token)).await["data"]["beginTotp"].clone();
    let app = App::new(begun["secret"].as_str().unwrap());
    let enrollment = begun["challengeToken"].as_str().unwrap();
    let done = confirm_totp(&service, None, enrollment, &app.code(&service)).await;
    let done = &done["data"]["confirmTotp"];
    assert_eq!(done["recoveryCodes"].as_array().unwrap().len(), 10, "{done}");
    assert_eq!(done["user"]["secondFactors"]["isRequired"], true);
    assert_eq!(done["login"]["session"]["name"], "Laptop");
    let (session, _) = super::app::authentication(&service, &access(&done["login"])).await;
    assert_eq!(session, json!({ "amr": ["pwd", "otp", "mfa"], "assurance": "MULTI_FACTOR" }));
    // The login is over.
    let late = begin_totp(&service, None, Some(token)).await;
    assert_eq!(code(&late["data"]["beginTotp"]), "CHALLENGE_EXPIRED");
    super::app::login(&mut service, "ada", &app).await;
    // A challenge for a factor that exists does not enroll another one.
    let second = first_step(&service, "ada").await;
    let refused = begin_totp(&service, None, Some(challenge_token(&second))).await;
    assert_eq!(code(&refused["data"]["beginTotp"]), "CHALLENGE_EXPIRED");
}

async fn an_address_is_verified_before_a_factor_is_asked_for(database: Database) {
    let flags = "--second-factor required --unverified-email refuse --registration open";
    let service = Service::start(&database, flags).await;
    let registered = register(&service, "ada", Some("ada@example.com")).await;
    assert_eq!(registered["challenge"]["steps"], json!(["EMAIL_CODE"]));
    let mail = newest(&service, "verify").await;
    let verified = continue_login(&service, challenge_token(&registered), mail.code()).await;
    assert_eq!(verified["challenge"]["steps"], json!(["ENROLL_FACTOR"]), "{verified}");
    assert_eq!(code(&verified), "SECOND_STEP_REQUIRED");
}

/// Mutations that log in: no access token is required, and they return tokens or a challenge.
#[test]
fn the_table_has_every_way_in_of_the_schema() {
    let schema = parse_schema(include_str!("../../../../schema.graphql")).unwrap();
    let types: Vec<_> = schema
        .definitions
        .iter()
        .filter_map(|definition| match definition {
            TypeSystemDefinition::Type(of) => match &of.node.kind {
                TypeKind::Object(object) => Some((
                    of.node.name.node.as_str(),
                    object.fields.iter().map(|f| &f.node).collect::<Vec<_>>(),
                )),
                _ => None,
            },
            _ => None,
        })
        .collect();
    let fields_of = |name: &str| types.iter().find(|(of, _)| *of == name).map(|(_, fields)| fields);
    let name_of = |field: &FieldDefinition| field.ty.node.to_string().replace('!', "");
    let logs_in = |payload: &str| {
        let fields = fields_of(payload).unwrap();
        let has = |name: &str| fields.iter().any(|field| field.name.node == name);
        has("tokens") && has("challenge")
            || fields.iter().any(|field| name_of(field) == "LoginPayload")
    };
    let mut found: Vec<&str> = fields_of("Mutation")
        .unwrap()
        .iter()
        .filter(|field| field.directives.is_empty() && logs_in(&name_of(field)))
        .map(|field| field.name.node.as_str())
        .collect();
    // The ends of enrollments, whose beginning each way in reaches.
    let mut known: Vec<&str> = WayIn::ALL.iter().flat_map(|way| way.fields()).copied().collect();
    known.extend(["confirmTotp", "registerPasskey"]);
    for names in [&mut found, &mut known] {
        names.sort_unstable();
        names.dedup();
    }
    assert_eq!(found, known);
}
