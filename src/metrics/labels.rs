//! The words that labels have.

use crate::domain::words;

words! {
    /// How a login ended.
    LoginResult {
        /// A session began.
        Succeeded = "succeeded",
        /// No active account has this name and this password.
        InvalidCredentials = "invalid_credentials",
        /// Too many tries before it.
        RateLimited = "rate_limited",
        /// Too many at once.
        Overloaded = "overloaded",
        /// Its input was refused.
        InvalidInput = "invalid_input",
        /// The service could not do it.
        Failed = "failed",
    }
}

words! {
    /// How a refresh ended.
    RefreshOutcome {
        /// The next pair.
        Rotated = "rotated",
        /// The same pair again, whose answer was lost.
        Retried = "retried",
        /// An access token alone, where refresh tokens do not rotate.
        Unrotated = "unrotated",
        /// Another tab was faster.
        Stale = "stale",
        /// A copy from long ago, which ended its session.
        Reused = "reused",
        /// The session has ended.
        Ended = "ended",
        /// The token has run out.
        Expired = "expired",
        /// Too many of this session before it.
        RateLimited = "rate_limited",
        /// No token of ours, or input that is none.
        Invalid = "invalid",
        /// The service could not do it.
        Failed = "failed",
    }
}

words! {
    /// What a GraphQL request asks for.
    OperationKind {
        /// A query.
        Query = "query",
        /// A mutation.
        Mutation = "mutation",
        /// A subscription.
        Subscription = "subscription",
        /// It was refused before that was known.
        Unknown = "unknown",
    }
}

words! {
    /// How a GraphQL request ended: well, or with this code in its first error. Refusals that a
    /// mutation tells in its payload are data, and end well.
    Outcome {
        /// Without an error at the top level.
        Ok = "ok",
        /// A protected field without a token that counts.
        Unauthenticated = "UNAUTHENTICATED",
        /// A protected field of another role.
        Forbidden = "FORBIDDEN",
        /// A value or a request that is not what it should be.
        BadUserInput = "BAD_USER_INPUT",
        /// A document that is none.
        ParseFailed = "GRAPHQL_PARSE_FAILED",
        /// A document that does not fit the schema.
        ValidationFailed = "GRAPHQL_VALIDATION_FAILED",
        /// A document over a limit.
        TooComplex = "QUERY_TOO_COMPLEX",
        /// A hash whose document is not known.
        PersistedQueryNotFound = "PERSISTED_QUERY_NOT_FOUND",
        /// The database is away, or the view of ended sessions too old.
        Unavailable = "SERVICE_UNAVAILABLE",
        /// A fault of this program.
        Internal = "INTERNAL_SERVER_ERROR",
        /// Another code.
        Other = "other",
    }
}
