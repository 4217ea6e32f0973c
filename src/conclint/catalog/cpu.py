"""Calls that compute for long, and those that are slow the first time.

`RELEASES_GIL` is set where CPython, or the library's extension, computes outside the lock: there threads do help.
"""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Effect, Kind

CLASSES: tuple[ClassRow, ...] = (
    ClassRow(names=("argon2.PasswordHasher",), kind=Kind.OTHER),
    ClassRow(names=("passlib.context.CryptContext",), kind=Kind.OTHER),
    *(
        ClassRow(names=(f"cryptography.hazmat.primitives.kdf.{name}",), kind=Kind.OTHER)
        for name in ("pbkdf2.PBKDF2HMAC", "scrypt.Scrypt")
    ),
    ClassRow(names=("PIL.Image.Image",), kind=Kind.OTHER),
)

_HOLDS_GIL = (
    "copy.deepcopy",
    "json.load",
    "pickle.load",
    "_pickle.load",
    "marshal.load",
    "plistlib.load",
    "tomllib.load",
    "difflib.get_close_matches",
    "xml.etree.ElementTree.parse",
    "yaml.load",
    "yaml.safe_load",
)

_OUTSIDE_GIL = ("hashlib.file_digest",)

_HEAVY = (
    "pandas.read_csv",
    "pandas.read_excel",
    "pandas.read_feather",
    "pandas.read_html",
    "pandas.read_json",
    "pandas.read_parquet",
    "pandas.read_pickle",
    "pandas.read_sql",
    "torch.load",
    "torch.save",
    "joblib.load",
    "joblib.dump",
)

_HEAVY_OUTSIDE_GIL = (
    "hashlib.pbkdf2_hmac",
    "hashlib.scrypt",
    "bcrypt.hashpw",
    "bcrypt.checkpw",
    "bcrypt.kdf",
    "argon2.PasswordHasher.hash",
    "argon2.PasswordHasher.verify",
    "argon2.low_level.hash_secret",
    "argon2.low_level.verify_secret",
    "passlib.context.CryptContext.hash",
    "passlib.context.CryptContext.verify",
    "passlib.context.CryptContext.verify_and_update",
    *(
        f"passlib.hash.{scheme}.{name}"
        for scheme in ("argon2", "bcrypt", "bcrypt_sha256", "pbkdf2_sha256", "pbkdf2_sha512", "scrypt", "sha512_crypt")
        for name in ("hash", "verify")
    ),
    "werkzeug.security.generate_password_hash",
    "werkzeug.security.check_password_hash",
    "django.contrib.auth.hashers.make_password",
    "django.contrib.auth.hashers.check_password",
    "cryptography.hazmat.primitives.asymmetric.rsa.generate_private_key",
    *(
        f"cryptography.hazmat.primitives.kdf.{name}.{method}"
        for name in ("pbkdf2.PBKDF2HMAC", "scrypt.Scrypt")
        for method in ("derive", "verify")
    ),
    *(f"PIL.Image.Image.{name}" for name in ("convert", "filter", "resize", "rotate", "thumbnail", "transform")),
)

_GROWS = tuple(
    f"{module}.{name}"
    for module in ("zlib", "gzip", "bz2", "lzma", "compression.zstd")
    for name in ("compress", "decompress")
)

ROUNDS: dict[str, tuple[str, int, int]] = {
    "hashlib.pbkdf2_hmac": ("iterations", 3, 10_000),
    "bcrypt.kdf": ("rounds", 3, 10),
}
"""Keyword and position of what says how often a key derivation repeats itself, and from which number on it is long."""

_SLOW_FIRST = (
    "netrc.netrc",
    "mimetypes.init",
    "importlib.metadata.distribution",
    "importlib.metadata.distributions",
    "importlib.metadata.entry_points",
    "importlib.metadata.files",
    "importlib.metadata.metadata",
    "importlib.metadata.packages_distributions",
    "importlib.metadata.requires",
    "zoneinfo.ZoneInfo",
    "zoneinfo.available_timezones",
)

_SINCE = {
    "tomllib.load": (3, 11),
    "hashlib.file_digest": (3, 11),
    "compression.zstd.compress": (3, 14),
    "compression.zstd.decompress": (3, 14),
}

CALLS: tuple[CallRow, ...] = (
    *(CallRow(names=(name,), effects=Effect.CPU, keeps=False, since=_SINCE.get(name)) for name in _HOLDS_GIL),
    *(
        CallRow(names=(name,), effects=Effect.CPU | Effect.RELEASES_GIL, keeps=False, since=_SINCE.get(name))
        for name in _OUTSIDE_GIL
    ),
    *(CallRow(names=(name,), effects=Effect.CPU | Effect.HEAVY, keeps=False) for name in _HEAVY),
    *(
        CallRow(names=(name,), effects=Effect.CPU | Effect.HEAVY | Effect.RELEASES_GIL, keeps=False)
        for name in _HEAVY_OUTSIDE_GIL
    ),
    *(
        CallRow(
            names=(name,),
            effects=Effect.CPU | Effect.GROWS | Effect.RELEASES_GIL,
            keeps=False,
            since=_SINCE.get(name),
        )
        for name in _GROWS
    ),
    *(CallRow(names=(name,), effects=Effect.SLOW_FIRST_USE, keeps=False) for name in _SLOW_FIRST),
    CallRow(names=("PIL.Image.open",), effects=Effect.FILE, keeps=False, returns="PIL.Image.Image"),
)
