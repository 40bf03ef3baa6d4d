//! Mutations. Each file has the inputs, payloads and fields of one subject.

mod account;
mod administration;
mod keys;
mod login;
mod logout;

use async_graphql::MergedObject;

/// Root type of mutations: operations that change data.
#[derive(MergedObject, Default)]
pub struct Mutation(
    login::LoginMutation,
    logout::LogoutMutation,
    account::AccountMutation,
    administration::AdministrationMutation,
    keys::KeyMutation,
);
