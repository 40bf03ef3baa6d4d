"""Password hashes in every form that Django has had, with few rounds."""

import hashlib

import argon2
from django.contrib.auth import hashers


class CheapPBKDF2(hashers.PBKDF2PasswordHasher):
    iterations = 1000


class CheapPBKDF2SHA1(hashers.PBKDF2SHA1PasswordHasher):
    iterations = 1000


class CheapArgon2(hashers.Argon2PasswordHasher):
    time_cost = 1
    memory_cost = 512
    parallelism = 1


class CheapBCryptSHA256(hashers.BCryptSHA256PasswordHasher):
    rounds = 4


class CheapBCrypt(hashers.BCryptPasswordHasher):
    rounds = 4


class CheapScrypt(hashers.ScryptPasswordHasher):
    work_factor = 1024


class MD5(hashers.MD5PasswordHasher):
    pass


# Those that Django still had in 4.2.
OLD = {
    name: getattr(hashers, f"{name}PasswordHasher")
    for name in ("SHA1", "UnsaltedSHA1", "UnsaltedMD5")
    if hasattr(hashers, f"{name}PasswordHasher")
}
globals().update(OLD)


def argon2i(password, salt, version):
    form = argon2.low_level.hash_secret(
        password.encode(), salt.encode(), 2, 512, 2, 16, argon2.Type.I, version,
    ).decode()
    # The first versions of Argon2 wrote no version.
    return "argon2" + form.replace("$v=16$", "$")


def digest(name, text):
    return hashlib.new(name, text.encode()).hexdigest()


SCHEMES = {
    "pbkdf2_sha256": lambda password, salt: CheapPBKDF2().encode(password, salt),
    "pbkdf2_sha1": lambda password, salt: CheapPBKDF2SHA1().encode(password, salt),
    "argon2id": lambda password, salt: CheapArgon2().encode(password, salt),
    "argon2i": lambda password, salt: argon2i(password, salt, 19),
    "argon2i_without_version": lambda password, salt: argon2i(password, salt, 16),
    "bcrypt": lambda password, salt: CheapBCrypt().encode(password, CheapBCrypt().salt()),
    "bcrypt_sha256": lambda password, salt: CheapBCryptSHA256().encode(password, CheapBCryptSHA256().salt()),
    "scrypt": lambda password, salt: CheapScrypt().encode(password, salt),
    "scrypt_p5": lambda password, salt: CheapScrypt().encode(password, salt, p=5),
    "sha1": lambda password, salt: f"sha1${salt}${digest('sha1', salt + password)}",
    "md5": lambda password, salt: f"md5${salt}${digest('md5', salt + password)}",
    "sha1_unsalted": lambda password, salt: f"sha1$${digest('sha1', password)}",
    "md5_unsalted": lambda password, salt: digest("md5", password),
    "md5_unsalted_with_prefix": lambda password, salt: f"md5$${digest('md5', password)}",
    "unusable": lambda password, salt: hashers.make_password(None),
}

# Hashes that no password can be checked against after the move.
UNKNOWN = {
    "crypt": "crypt$$abJnggxhB/yWI",
    "own_hasher": "pbkdf2_wrapped_sha1$1000$salt$Zm9yZWlnbg==",
    "empty": "",
}
