//! Composition of a mail with a code and a link, and of its challenge.

use super::Emails;
use crate::auth::error::Error;
use crate::auth::passwords::account_bucket;
use crate::clock::Timestamp;
use crate::crypto::one_time_code::OneTimeCode;
use crate::crypto::secret_token::SecretToken;
use crate::domain::authentication::Methods;
use crate::domain::challenge::{CODE_VALIDITY, ChallengePurpose};
use crate::domain::id::{ChallengeId, EmailId, SessionId, UserId};
use crate::domain::mail::MailLanguage;
use crate::domain::mail_limit::{MailCharge, MailLimit, RECIPIENT, SOURCE, SOURCE_NETWORK};
use crate::domain::origin::Origin;
use crate::domain::session::SessionName;
use crate::domain::throttle::{Bucket, address, network};
use crate::domain::user::Email;
use crate::mail::{
    CodeAndLink, CodeOnly, EmailTaken, LinkPage, Mail, MailCode, RequestedFrom, seal_context,
};
use crate::store::{
    Charge, FactorsMark, MailContent, MailOrder, NewChallenge, NewMail, PasswordMark,
};

/// What a mail with a code is asked for.
pub(in crate::auth) struct MailRequest<'a> {
    pub purpose: ChallengePurpose,
    /// Name under which the recipient is counted: the address's key, or the name that was entered if it has
    /// no account.
    pub recipient: &'a str,
    /// Folded name that was entered, or that the account has, under which wrong codes are counted.
    pub name: &'a str,
    /// Address that the account has now, to which the challenge is bound.
    pub bound_to: Option<&'a Email>,
    /// The account; `None` for a name that has none: the mail is a decoy.
    pub user: Option<UserId>,
    pub address: Option<&'a Email>,
    pub session: Option<SessionId>,
    pub shown: Methods,
    pub password: Option<PasswordMark>,
    /// The mark of the account's second factors.
    pub factors: Option<FactorsMark>,
    pub session_name: Option<SessionName>,
    pub language: MailLanguage,
    pub origin: &'a Origin,
}

impl MailRequest<'_> {
    /// Whether anybody could have asked for it, who gave no password and has no session.
    fn is_of_stranger(&self) -> bool {
        self.session.is_none() && self.shown.is_empty()
    }

    /// Part of the digests of counters. Mails and guesses that a stranger causes count apart, so that nobody
    /// can use up what users need for their own logins and sessions.
    fn cause(&self) -> &'static [u8] {
        if self.is_of_stranger() { b"stranger" } else { b"user" }
    }
}

/// A mail that is ready to be queued.
pub(in crate::auth) struct OrderedMail {
    pub order: MailOrder,
    /// For the client that asked. Only its digest is stored.
    pub token: SecretToken,
    pub expires_at: Timestamp,
}

impl Emails {
    /// Makes code, link and challenge, and seals the mail. The same work is done for a decoy.
    pub(in crate::auth) fn compose(&self, request: MailRequest<'_>) -> Result<OrderedMail, Error> {
        let now = self.now();
        let (id, mail_id) =
            (ChallengeId::new(now, &*self.entropy), EmailId::new(now, &*self.entropy));
        let code = OneTimeCode::generate(&*self.entropy);
        let token = SecretToken::generate(&*self.entropy);
        let link = SecretToken::generate(&*self.entropy);
        let link_validity = request.purpose.link_validity();
        let expires_at = now + link_validity;
        let mail = self.mail(&request, &code, &link, now)?;
        let content = self.sealed(mail_id, &mail)?;
        let account = self.guesses(&request);
        let recipient = [request.cause(), request.recipient.as_bytes()];
        let recipient = self.charge(RECIPIENT, &recipient);
        let challenge = NewChallenge {
            id,
            token: Some(token.digest()),
            purpose: request.purpose,
            user: request.user,
            account,
            session: request.session,
            email: request.address.cloned(),
            bound_email_key: request.bound_to.map(|email| email.key().to_owned()),
            shown: request.shown,
            password: request.password,
            factors: request.factors,
            session_name: request.session_name,
            code: Some(self.codes.mac(id.as_uuid().as_bytes(), &code)),
            code_expires_at: now + CODE_VALIDITY,
            link: Some(link.digest()),
            created_at: now,
            expires_at,
        };
        // What nobody has cannot be completed.
        let challenge =
            if request.address.is_some() { challenge } else { challenge.without_proof() };
        let mail = NewMail {
            id: mail_id,
            purpose: mail.purpose().as_str(),
            user: request.user,
            address: request.address.map(|email| email.as_str().to_owned()),
            language: request.language.as_str(),
            content,
            created_at: now,
            expires_at,
        };
        let order = MailOrder {
            sources: self.sources(request.origin),
            recipient,
            ceiling: Charge {
                bucket: Bucket(self.buckets.of(&[b"all mails"])),
                limit: self.settings.ceiling,
                account: None,
            },
            challenge,
            mail,
        };
        Ok(OrderedMail { order, token, expires_at })
    }

    /// What is stored and queued instead of a registration's or a change's mail if another account has the
    /// address: the same challenge, which nothing completes, and a mail to the owner. That of a change is the
    /// user's all the same, so that the user sees no difference.
    pub(in crate::auth) fn address_taken(
        &self,
        instead_of: &OrderedMail,
        address: &Email,
        language: MailLanguage,
        origin: &Origin,
    ) -> Result<MailOrder, Error> {
        let order = &instead_of.order;
        let user = order.challenge.user.filter(|_| order.challenge.session.is_some());
        let challenge = NewChallenge { user, ..order.challenge.clone() }.without_proof();
        let now = challenge.created_at;
        let requested = RequestedFrom::new(origin, now);
        let link = self.settings.links.page(LinkPage::Reset);
        let mail = Mail::EmailTaken(EmailTaken { link, requested });
        let id = EmailId::new(now, &*self.entropy);
        let mail = NewMail {
            id,
            purpose: mail.purpose().as_str(),
            user: None,
            address: Some(address.as_str().to_owned()),
            language: language.as_str(),
            // Sealed like the mail that it stands for, so that both take as long.
            content: self.sealed(id, &mail)?,
            ..order.mail.clone()
        };
        Ok(MailOrder { challenge, mail, ..order.clone() })
    }

    /// Counter of wrong codes.
    fn guesses(&self, request: &MailRequest<'_>) -> Bucket {
        if request.is_of_stranger() {
            account_bucket(&self.buckets, request.name)
        } else {
            Bucket(self.buckets.of(&[b"codes", request.cause(), request.name.as_bytes()]))
        }
    }

    fn mail(
        &self,
        request: &MailRequest<'_>,
        code: &OneTimeCode,
        link: &SecretToken,
        now: Timestamp,
    ) -> Result<Mail, Error> {
        let code = MailCode::parse(code.as_str()).map_err(|error| Error::Internal(error.into()))?;
        let requested = RequestedFrom::new(request.origin, now);
        let page = match request.purpose {
            ChallengePurpose::Login => LinkPage::Login,
            ChallengePurpose::Reset => LinkPage::Reset,
            _ => LinkPage::Verify,
        };
        let link = self.settings.links.link(page, link.as_str());
        let link_validity = request.purpose.link_validity().into();
        let code_validity = CODE_VALIDITY.into();
        let both = CodeAndLink { code, code_validity, link, link_validity, requested };
        Ok(match request.purpose {
            ChallengePurpose::Login => Mail::Login(both),
            ChallengePurpose::Reset => Mail::Reset(both),
            ChallengePurpose::Change => Mail::Change(both),
            ChallengePurpose::Reauthenticate => {
                let CodeAndLink { code, code_validity, requested, .. } = both;
                Mail::Reauthenticate(CodeOnly { code, code_validity, requested })
            }
            _ => Mail::Verify(both),
        })
    }

    /// A mail with a code or a token, sealed for its row.
    pub(super) fn sealed(&self, id: EmailId, mail: &Mail) -> Result<MailContent, Error> {
        let json = zeroize::Zeroizing::new(mail.to_json());
        let context = seal_context(id);
        Ok(MailContent::Sealed(self.secrets.seal(&context, json.as_bytes(), &*self.entropy)?))
    }

    fn sources(&self, origin: &Origin) -> Vec<MailCharge> {
        let own = origin.ip.map(address);
        let own = own.as_ref().map_or(&[0xff; 16][..], |block| block.low());
        let own = self.charge(SOURCE, &[own]);
        let network = origin.ip.map(|ip| self.charge(SOURCE_NETWORK, &[network(ip).low()]));
        [own].into_iter().chain(network).collect()
    }

    fn charge(&self, limit: MailLimit, parts: &[&[u8]]) -> MailCharge {
        let parts: Vec<&[u8]> = [limit.name.as_bytes()].iter().chain(parts).copied().collect();
        MailCharge { bucket: Bucket(self.buckets.of(&parts)), limit }
    }
}
