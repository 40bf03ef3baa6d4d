//! Judgement of a proof by the policy: whether it opens a session, or what is asked for next.
//!
//! No more is read than the policy needs: the login of an account that never had a second factor costs no query
//! for it.

use super::Sessions;
use super::open::OpenFor;
use crate::auth::error::Error;
use crate::auth::proof::{Proof, Sufficiency};
use crate::domain::second_factor::SecondFactorPolicy;
use crate::domain::user::Role;
use crate::store::Factors;

impl Sessions {
    /// Also returns the client with what was found about it.
    pub(super) async fn judge<'a>(
        &self,
        proof: Proof,
        client: OpenFor<'a>,
    ) -> Result<(Sufficiency, Proof, OpenFor<'a>), Error> {
        let mut factors = match proof.factors() {
            Some(_) => self.store.factors(proof.user_id()).await?,
            None => Factors::default(),
        };
        let role = self.role_for_policy(&proof).await?;
        let proof = if factors.exist() { self.without_others_factors(proof).await? } else { proof };
        if let Proof::Email(email) = &proof
            && email.strips()
        {
            factors = Factors::default();
        }
        let depends = self.policy.second_factor == SecondFactorPolicy::Admins;
        let client = OpenFor {
            is_after_reset: factors.reset_at.is_some(),
            judged_role: depends.then_some(role),
            ..client
        };
        let sufficiency = proof.sufficiency(&self.policy, role, &factors);
        if let Sufficiency::NeedsFactor(_) = sufficiency
            && let Some(device) = self.trusted_device(&proof, &client).await?
        {
            let client = OpenFor { trusted_device: Some(device), ..client };
            return Ok((Sufficiency::Enough, proof, client));
        }
        Ok((sufficiency, proof, client))
    }

    /// The first proof of an address ends what was in the account before it, and so are its second factors:
    /// whoever has the address could else never log in.
    async fn without_others_factors(&self, proof: Proof) -> Result<Proof, Error> {
        let Proof::Email(email) = proof else { return Ok(proof) };
        let user = email.user_id();
        let found = self.store.users_by_id(&[user]).await?.remove(&user);
        let strips = found.is_some_and(|user| email.is_of_new_owner(&user));
        Ok(Proof::Email(if strips { Box::new(email.stripping()) } else { email }))
    }

    /// The role of the account, where the policy depends on it.
    async fn role_for_policy(&self, proof: &Proof) -> Result<Role, Error> {
        if let Some(user) = proof.user() {
            return Ok(user.role);
        }
        let is_new = matches!(proof, Proof::Registration(_));
        if is_new || self.policy.second_factor != SecondFactorPolicy::Admins {
            return Ok(Role::User);
        }
        let user = proof.user_id();
        let found = self.store.users_by_id(&[user]).await?.remove(&user);
        // Of an account that is gone nothing is opened.
        Ok(found.map_or(Role::User, |user| user.role))
    }
}
