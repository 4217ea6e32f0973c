"""Keys and words in tables of the settings that are not known, with their nearest match; msgspec names none."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from msgspec import inspect

_MAX_LISTED = 8
"""How many allowed values a message lists when none of them resembles what was written."""
_LIKE = 0.6
"""How much of two words must agree, from 0 to 1, for one to be meant by the other (as in `get_close_matches`)."""


class ConfigError(Exception):
    """A mistake of the user's in a setting; `str()` is one line that names the file or flag, the key and the remedy."""


def suggest(written: str, allowed: Iterable[str]) -> str:
    """Return the end of a message about an unknown word: its nearest match, the first of equals, or what is allowed."""
    words = tuple(allowed)
    likeness = {word: _compare(word, written) for word in sorted(words)}
    nearest = max(likeness, key=likeness.__getitem__, default="")
    if likeness.get(nearest, 0) >= _LIKE:
        return f"did you mean `{nearest}`?"
    listed = ", ".join(words[:_MAX_LISTED])
    return f"allowed are {listed}{', …' if len(words) > _MAX_LISTED else ''}"


def _compare(word: str, written: str) -> float:
    return difflib.SequenceMatcher(None, word.casefold(), written.casefold()).ratio()


def check_words(written: object, expected: inspect.Type, origin: str, place: str) -> None:
    """Check keys and words in what is `written` at `place`. What else is wrong with it is for msgspec to say."""
    types = tuple(_iter_types(expected))
    if isinstance(written, dict):
        for struct in (one for one in types if isinstance(one, inspect.StructType)):
            fields = {field.encode_name: field.type for field in struct.fields}
            for key, value in written.items():
                if key not in fields:
                    raise ConfigError(f"{origin}: `{place}`: unknown key `{key}`; {suggest(key, fields)}")
                check_words(value, fields[key], origin, f"{place}.{key}")
    elif isinstance(written, list):
        for items in (one for one in types if isinstance(one, inspect.VarTupleType)):
            for number, value in enumerate(written):
                check_words(value, items.item_type, origin, f"{place}[{number}]")
    elif isinstance(written, str) and not any(isinstance(one, inspect.StrType) for one in types):
        words = tuple(word for one in types for word in _iter_words(one))
        if words and written not in words:
            raise ConfigError(f"{origin}: `{place}`: unknown word `{written}`; {suggest(written, words)}")


def _iter_types(expected: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(expected, inspect.Metadata):
        yield from _iter_types(expected.type)
    elif isinstance(expected, inspect.UnionType):
        for one in expected.types:
            yield from _iter_types(one)
    else:
        yield expected


def _iter_words(expected: inspect.Type) -> Iterator[str]:
    if isinstance(expected, inspect.EnumType):
        yield from (str(member.value) for member in expected.cls)
    elif isinstance(expected, inspect.LiteralType):
        yield from map(str, expected.values)
