//! What cannot come over from another system, and what becomes of it.

use crate::domain::words::words;

words! {
    /// Kind of what cannot come over.
    ProblemKind {
        UnreadableLine = "UNREADABLE_LINE",
        DuplicateId = "DUPLICATE_ID",
        UnknownHasher = "UNKNOWN_HASHER",
        DesCrypt = "DES_CRYPT",
        MalformedHash = "MALFORMED_HASH",
        ExpensiveHash = "EXPENSIVE_HASH",
        /// Another account of the file has the address and comes first.
        DuplicateEmail = "DUPLICATE_EMAIL",
        /// An account that is here has the address.
        EmailTaken = "EMAIL_TAKEN",
        InvalidEmail = "INVALID_EMAIL",
        /// Another account of the file has the same or a similar name and comes first.
        DuplicateName = "DUPLICATE_NAME",
        /// An account that is here has the name or a similar one.
        NameTaken = "NAME_TAKEN",
        InvalidName = "INVALID_NAME",
        /// The name has an `@` and is not the address of the account.
        NameIsNoAddressOfIt = "NAME_IS_NO_ADDRESS_OF_IT",
        InvalidRoles = "INVALID_ROLES",
        /// Not a problem of the file: a field changed there and here.
        ChangedOnBothSides = "CHANGED_ON_BOTH_SIDES",
        /// Not a problem of the file: the account is not in it any more.
        Gone = "GONE",
        /// The same, with the option that deactivates it.
        GoneInactive = "GONE_INACTIVE",
        /// Not a problem of the file: the account was deleted here.
        DeletedHere = "DELETED_HERE",
    }
}

/// One thing that cannot come over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub kind: ProblemKind,
    /// Number of the line; 0 if it is about no line.
    pub line: i64,
    /// Id of the account there.
    pub id: Option<String>,
    /// The value that cannot come over, such as a name; never a password hash.
    pub value: Option<String>,
    /// What becomes of it, such as the name that the account gets.
    pub outcome: Option<String>,
}

impl ProblemKind {
    /// Whether it only informs, and does not make an import fail.
    #[must_use]
    pub fn is_note(self) -> bool {
        matches!(
            self,
            Self::ChangedOnBothSides | Self::Gone | Self::GoneInactive | Self::DeletedHere
        )
    }

    /// What is wrong, for people.
    #[must_use]
    pub fn cause(self) -> &'static str {
        match self {
            Self::UnreadableLine => "Lines that cannot be read",
            Self::DuplicateId => "Ids that occur again",
            Self::UnknownHasher => "Password hashes of unknown hashers",
            Self::DesCrypt => "Password hashes of DES crypt",
            Self::MalformedHash => "Password hashes that cannot be read",
            Self::ExpensiveHash => "Password hashes that take too much time or memory",
            Self::DuplicateEmail => "E-mail addresses that several accounts have",
            Self::EmailTaken => "E-mail addresses that accounts of this service have",
            Self::InvalidEmail => "E-mail addresses that are not valid here",
            Self::DuplicateName => "Usernames that are the same or look alike",
            Self::NameTaken => "Usernames that accounts of this service have",
            Self::InvalidName => "Usernames that are not valid here",
            Self::NameIsNoAddressOfIt => {
                "Usernames with an @ that are not the address of the account"
            }
            Self::InvalidRoles => "Groups that are not valid roles here",
            Self::ChangedOnBothSides => "Accounts that were changed on both sides",
            Self::Gone | Self::GoneInactive => "Accounts that are not in the file any more",
            Self::DeletedHere => "Accounts that were deleted here",
        }
    }

    /// What becomes of it, for people.
    #[must_use]
    pub fn consequence(self) -> &'static str {
        match self {
            Self::UnreadableLine => "left out",
            Self::DuplicateId => "the first line counts, the others stay out",
            Self::UnknownHasher | Self::DesCrypt | Self::MalformedHash | Self::ExpensiveHash => {
                "the account comes without a password, and its owner resets it by e-mail"
            }
            Self::DuplicateEmail => {
                "a verified address counts first, then an active account, then the last login; the \
                 others come without"
            }
            Self::EmailTaken | Self::InvalidEmail => "the account comes without the address",
            Self::DuplicateName => {
                "an active account counts first, then the last login; the others get a number"
            }
            Self::NameTaken => "the account here keeps the name, the imported one gets a number",
            Self::InvalidName => "other characters become hyphens",
            Self::NameIsNoAddressOfIt => {
                "the @ becomes a hyphen, so that a login by an address means the account that has it"
            }
            Self::InvalidRoles => "the account comes without these groups",
            Self::ChangedOnBothSides => "the value here stays",
            Self::Gone => "kept here; an option of the import deactivates these accounts",
            Self::GoneInactive => "deactivated here, and their sessions end",
            Self::DeletedHere => "deleted accounts stay deleted",
        }
    }
}
