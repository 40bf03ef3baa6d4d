//! Values of labels.

use crate::domain::words;

words! {
    /// Outcome of a login.
    LoginResult {
        Succeeded = "succeeded",
        /// The password was right, and another step is needed.
        Challenged = "challenged",
        /// No active account has this name and password.
        InvalidCredentials = "invalid_credentials",
        /// Refused by a limit.
        RateLimited = "rate_limited",
        /// Too many passwords to hash at a time.
        Overloaded = "overloaded",
        InvalidInput = "invalid_input",
        /// Failure of the service.
        Failed = "failed",
    }
}

words! {
    /// Outcome of a refresh.
    RefreshOutcome {
        /// A new token pair.
        Rotated = "rotated",
        /// The same token pair again, because the first answer was lost.
        Retried = "retried",
        /// A session for a refresh token of another system.
        Exchanged = "exchanged",
        /// An access token only, if refresh tokens do not rotate.
        Unrotated = "unrotated",
        /// Another tab was faster.
        Stale = "stale",
        /// Used again after the retry window, which ended the session.
        Reused = "reused",
        /// The session has ended.
        Ended = "ended",
        Expired = "expired",
        /// Refused by the session's limit.
        RateLimited = "rate_limited",
        /// Not a token of this service, or invalid input.
        Invalid = "invalid",
        /// Failure of the service.
        Failed = "failed",
    }
}

words! {
    /// Type of a GraphQL operation, or a request to an endpoint beside GraphQL.
    OperationKind {
        Query = "query",
        Mutation = "mutation",
        Subscription = "subscription",
        /// A request to an endpoint of SimpleJWT.
        Rest = "rest",
        /// Refused before the document was parsed.
        Unknown = "unknown",
    }
}

words! {
    /// Outcome of a request: `ok`, or the code of its first error. Expected failures in the payload of a
    /// mutation are data, so the request is `ok`; those of a REST request are not.
    Outcome {
        /// No error at the top level.
        Ok = "ok",
        Unauthenticated = "UNAUTHENTICATED",
        Forbidden = "FORBIDDEN",
        BadUserInput = "BAD_USER_INPUT",
        ParseFailed = "GRAPHQL_PARSE_FAILED",
        ValidationFailed = "GRAPHQL_VALIDATION_FAILED",
        /// The document exceeds a limit.
        TooComplex = "QUERY_TOO_COMPLEX",
        PersistedQueryNotFound = "PERSISTED_QUERY_NOT_FOUND",
        /// The database is unavailable, or the set of ended sessions is stale.
        Unavailable = "SERVICE_UNAVAILABLE",
        Internal = "INTERNAL_SERVER_ERROR",
        /// Any other code.
        Other = "other",
    }
}

words! {
    /// Outcome of an attempt to send an e-mail.
    EmailOutcome {
        /// Accepted by the SMTP server.
        Sent = "sent",
        /// Failed for good.
        Failed = "failed",
        /// Failed, and attempted again later.
        Retried = "retried",
        /// Deleted, because its code or link had expired.
        Expired = "expired",
        /// Kept for administrators, because there is no SMTP server.
        Kept = "kept",
    }
}
