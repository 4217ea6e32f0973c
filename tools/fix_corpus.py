"""Fix real code in memory, unsafe fixes too: count by rule what is fixed, and list what is left.

`python -m tools.fix_corpus PROJECT... > fixes.md 2> fixes.diff` applies all rules; no file is changed. Exit code 1
where a fixed file does not compile, or where conclint itself has failed.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator

from conclint.cache import Cache
from conclint.config import Options, read_settings, resolve
from conclint.discover import discover
from conclint.fixes import decode, render_diff
from conclint.model.alarm import Diagnostic
from conclint.model.fix import Applicability
from conclint.resources import Resources
from conclint.rounds import Fixed, fix_files
from conclint.rules import load


def main() -> int:
    """Fix each of the projects."""
    warnings.simplefilter("ignore")
    rows: Counter[tuple[str, str]] = Counter()
    left: list[str] = []
    broken: list[str] = []
    refused = 0
    for project in sys.argv[1:]:
        config = resolve(read_settings((), flags=Options(select=("ALL",)), isolated=True), load().rules)
        with tempfile.TemporaryDirectory() as kept:
            # A round looks at the files again that the one before has changed, and at no others.
            resources = Resources(cache=Cache(kept))
            fixed = fix_files(discover((project,), config).files, config, unsafe=True, resources=resources)
        rows += count(fixed)
        refused += fixed.refused
        left += [f"{one.path}:{one.span.line}: {one.code} {one.message}" for one in iter_left(fixed)]
        broken += [f"{failure.path}: {failure.rule}: {failure.error}" for failure in fixed.outcome.failures]
        broken += [path for path, change in fixed.changes.items() if compiles(change.old) and not compiles(change.new)]
        diff = render_diff({path: (read(change.old), read(change.new)) for path, change in fixed.changes.items()})
        print(diff, end="", file=sys.stderr)
    print("| rule | fixed safely | fixed unsafely | left |\n|---|---|---|---|")
    for code in sorted({code for code, _ in rows}):
        print(f"| {code} | {rows[code, 'safe']} | {rows[code, 'unsafe']} | {rows[code, 'left']} |")
    print(f"\n{refused} of those left could be fixed, but with other alarms for it.")
    print("".join(f"\nleft: {each}" for each in left))
    print("".join(f"\nbroken: {each}" for each in broken), end="")
    return 1 if broken else 0


def count(fixed: Fixed) -> Counter[tuple[str, str]]:
    """Count alarms of rules that can fix, by what has become of them, but for those that went with another fix."""
    done = ((one.code, one.fix.applicability) for one in fixed.diagnostics if one.fix is not None)
    counts = Counter((code, "safe" if how is Applicability.SAFE else "unsafe") for code, how in done)
    return counts + Counter((one.code, "left") for one in iter_left(fixed))


def iter_left(fixed: Fixed) -> Iterator[Diagnostic]:
    """Yield what is left of rules that can fix."""
    return (one for one in fixed.outcome.diagnostics if one.code in load().fixers)


def read(data: bytes) -> str:
    """Return the text of a file that was fixed."""
    text = decode(data)
    return text.content if text is not None else ""


def compiles(data: bytes) -> bool:
    """Return whether Python accepts the file."""
    try:
        compile(data, "corpus", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
