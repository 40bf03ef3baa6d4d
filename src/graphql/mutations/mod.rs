//! Mutations. Each file has the inputs, payloads and fields of one subject.

mod account;
mod account_data;
mod administration;
mod email;
mod keys;
mod login;
mod login_steps;
mod logout;
mod outbox;
mod passkeys;
mod reauthentication;
mod second_factors;
mod user_changes;

use async_graphql::MergedObject;

/// Root type of mutations: operations that change data.
#[derive(MergedObject, Default)]
pub struct Mutation(
    login::LoginMutation,
    login_steps::LoginStepMutation,
    email::EmailMutation,
    logout::LogoutMutation,
    reauthentication::ReauthenticationMutation,
    second_factors::SecondFactorMutation,
    passkeys::PasskeyMutation,
    account::AccountMutation,
    account_data::AccountDataMutation,
    administration::AdministrationMutation,
    user_changes::UserChangesMutation,
    outbox::OutboxMutation,
    keys::KeyMutation,
);
