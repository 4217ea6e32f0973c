"""Whatever fixable code looks like: fixes parse, do away with the alarms, bring no others, and touch nothing else."""

from __future__ import annotations

import ast
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conclint.fixes import apply_edits, choose_fixes, group_edits
from conclint.model.file import SourceFile
from conclint.pipeline import add_fixes, check_files
from conclint.rounds import fix_files
from runs import make_config

PATH = "shop.py"
CONFIG = make_config("CON101")
IMPORTS = ("import asyncio", "import threading", "import time", "import requests", "from threading import Lock as L")

CALLS = (
    "threading.Thread(target=print{i}, args=(name{i}))",
    "threading.Thread(print{i}, daemon=True)",
    "requests.get(<url{i}| headers={{}}>)",
    "requests.get(<{q}https://shop.example{q}>)",
)
STATEMENTS = (
    "with lock{i}.acquire():{c}\n    use{i}({q}a{q})",
    "for key in (1, 2):{c}\n    loop{i}.call_soon(lambda: use{i}(key))",
    "locks = [L()] * 3{c}\nreturn locks",
    "locks = dict.fromkeys(<{q}ab{q}| L()>){c}\nreturn locks",
    "threading.currentThread().setName({q}a{q}){c}",
    "thread = threading.Thread(<target=use{i}| daemon=True>){c}\nthread.setDaemon(True)\nthread.start()",
    "lock{i}.acquire(){c}\nuse{i}(<{q}a{q}| 1>)\nlock{i}.release()",
    "lock{i}.acquire(){c}\nuse{i}({i})\ntry:\n    use{i}({q}a{q}){c}\nfinally:\n    lock{i}.release()",
    "lock{i}.acquire(<timeout=3>){c}\ntry:\n    use{i}({q}a{q})\nfinally:\n    lock{i}.release()",
    "lock{i}.acquire(<blocking=False>){c}\nuse{i}({q}a{q}){c}\nlock{i}.release()",
    "event = threading.Event()\nprint{i}(event)\nwhile not event.is_set():{c}\n    time.sleep(<0.5>){c}",
    "for key in url{i}:{c}\n    one = threading.Thread(target=use{i}, args=(key,))\n    one.start()\n    one.join(){c}",
)
AWAITING = (
    "time.sleep(<{i} + 1>){c}",
    "if True:{c}\n    time.sleep(0.5)",
    "page = requests.get(<{q}https://shop.example{q}| timeout=3>){c}\nreturn page.text",
    "return requests.get(<{q}https://shop.example{q}| timeout=3>).text{c}",
    "asyncio.create_task(<work{i}()>){c}",
    "work{i}(){c}",
    "await asyncio.wait([work{i}(), work{i}()]){c}",
    "await asyncio.wait(<[work{i}() for _ in range(3)]>){c}",
)
WRAPPERS = ("BODY", "if ready:\n    BODY", "try:\n    BODY\nfinally:\n    print()", "while ready:\n    BODY\n    break")
COMMENTS = ("", "  # why not", "  # type: ignore  # Grüße")
LAYOUTS = ("({})", "(\n    {},  # one\n)", "({},)")


@st.composite
def functions(draw: st.DrawFn, number: int) -> str:
    """Draw a function with something to fix in it, and what it uses."""
    statement, is_async = draw(
        st.one_of(
            st.tuples(st.sampled_from(STATEMENTS), st.just(False)),
            st.tuples(st.sampled_from(AWAITING), st.just(True)),
            st.tuples(st.sampled_from([f"return {call}{{c}}" for call in CALLS]), st.just(False)),
        )
    )
    text = statement.format(i=number, q=draw(st.sampled_from("'\"")), c=draw(st.sampled_from(COMMENTS)))
    while "<" in text:
        start, end = text.index("<"), text.index(">")
        arguments = draw(st.sampled_from([", ", ",\n    "])).join(text[start + 1 : end].split("| "))
        written = draw(st.sampled_from(LAYOUTS)).format(arguments)
        text = text[: start - 1] + written + text[end + 2 :]
    wrapper = draw(st.sampled_from(WRAPPERS))
    body = wrapper.replace("BODY", text if wrapper == "BODY" else text.replace("\n", "\n    "))
    head = "async def" if is_async else "def"
    return (
        f"lock{number} = threading.Lock()\nloop{number}: asyncio.AbstractEventLoop = asyncio.new_event_loop()\n\n\n"
        f"async def work{number}():\n    await asyncio.sleep(1)\n\n\n"
        f"def use{number}(*given):\n    print(given)\n\n\n"
        f"{head} run{number}(ready, name{number}, url{number}, print{number}=print):\n"
        + "".join(f"    {line}\n" for line in body.split("\n"))
    )


@st.composite
def modules(draw: st.DrawFn) -> str:
    """Draw a module with some functions, with line endings of one kind."""
    docstring = draw(st.sampled_from(["", '"""Shop."""\n\n', "#!/usr/bin/env python\n# Grüße\n\n"]))
    future = draw(st.sampled_from(["", "from __future__ import annotations\n\n"]))
    imports = "".join(f"{line}\n" for line in draw(st.permutations(IMPORTS)))
    count = draw(st.integers(1, 3))
    parts = "\n\n".join(draw(functions(number)) for number in range(count))
    text = f"{docstring}{future}{imports}\n\n{parts}"
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(modules())
def test_fixes_do_away_with_alarms_and_touch_nothing_else(text: str) -> None:
    ast.parse(text)
    fixed = fix_files([make_file(text)], CONFIG, unsafe=True)
    assert not fixed.outcome.failures
    assert fixed.is_stable
    new = fixed.files[0].content.decode() if fixed.files[0].content else ""
    ast.parse(new)
    assert all(one.fix is None for one in fixed.outcome.diagnostics)
    before = Counter(one.code for one in check_files([make_file(text)], CONFIG).diagnostics)
    after = Counter(one.code for one in fixed.outcome.diagnostics)
    assert not after - before
    assert fix_files([make_file(new)], CONFIG, unsafe=True).changes == {}
    assert_rest_is_the_same(text)


def assert_rest_is_the_same(text: str) -> None:
    """Every line that no edit of the first round touches is there afterwards, in its order, to the byte."""
    files = [make_file(text)]
    outcome = add_fixes(check_files(files, CONFIG), files, CONFIG)
    fixes = [one.fix for one in choose_fixes(outcome.diagnostics, [PATH], unsafe=True) if one.fix is not None]
    edits = group_edits(fixes).get(PATH, [])
    # A line before which another one is inserted stays as it is.
    changes = [
        edit for edit in edits if not (edit.span.column == edit.span.end_column == 1 and edit.content.endswith("\n"))
    ]
    touched = {number for edit in changes for number in range(edit.span.line, edit.span.end_line + 1)}
    rest = iter(apply_edits(text, edits).splitlines(keepends=True))
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        if number not in touched:
            assert line in rest


def make_file(text: str) -> SourceFile:
    return SourceFile(PATH, "shop", content=text.encode())
