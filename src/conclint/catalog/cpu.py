"""Calls that compute for long, and those that are slow the first time.

`RELEASES_GIL` is set where CPython, or the library's extension, computes outside the lock: there threads do help.
"""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Effect

CLASSES: tuple[ClassRow, ...] = ()

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

_OUTSIDE_GIL = (
    "hashlib.pbkdf2_hmac",
    "hashlib.scrypt",
    "hashlib.file_digest",
    "zlib.compress",
    "zlib.decompress",
    "gzip.compress",
    "gzip.decompress",
    "bz2.compress",
    "bz2.decompress",
    "lzma.compress",
    "lzma.decompress",
    "bcrypt.hashpw",
    "bcrypt.checkpw",
    "bcrypt.kdf",
    "argon2.PasswordHasher.hash",
    "argon2.PasswordHasher.verify",
    "argon2.low_level.hash_secret",
    "argon2.low_level.verify_secret",
    "PIL.Image.Image.resize",
    "PIL.Image.Image.convert",
)

_SLOW_FIRST = (
    "netrc.netrc",
    "mimetypes.init",
    "importlib.metadata.distributions",
    "importlib.metadata.entry_points",
    "importlib.metadata.packages_distributions",
    "importlib.metadata.version",
    "zoneinfo.ZoneInfo",
    "zoneinfo.available_timezones",
)

_SINCE = {"tomllib.load": (3, 11), "hashlib.file_digest": (3, 11)}

CALLS: tuple[CallRow, ...] = (
    *(CallRow(names=(name,), effects=Effect.CPU, keeps=False, since=_SINCE.get(name)) for name in _HOLDS_GIL),
    *(
        CallRow(names=(name,), effects=Effect.CPU | Effect.RELEASES_GIL, keeps=False, since=_SINCE.get(name))
        for name in _OUTSIDE_GIL
    ),
    *(CallRow(names=(name,), effects=Effect.SLOW_FIRST_USE, keeps=False) for name in _SLOW_FIRST),
    CallRow(names=("PIL.Image.open",), effects=Effect.FILE, keeps=False),
)
