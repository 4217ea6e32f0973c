"""CON217: see docs/rules/CON217.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.project.project import Project
from conclint.project.requests import Requests
from conclint.project.roots import relate_begin
from conclint.project.ways import relate_chain
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON217",
    name="handler-shared-state",
    summary="a request handler keeps what belongs to one request where all requests see it",
    help="pass it on as an argument, or keep it with the request (`flask.g`, `request.state`, a `ContextVar`)",
    category=Category.DATA_RACE,
    since="0.1.0",
    default=False,
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report plain writes, without a lock, of what a request brings to globals and shared objects."""
    for found in Requests(project).iter_mixtures():
        write, read, root = found.write, found.read, found.root
        name = project.places.describe(write.module, write.target)
        message = f"`{name}` is that of one request, and the next one replaces it while this one still runs"
        steps = (
            relate_begin(project, root, again=True),
            *relate_chain(project, root.function, write.function),
            project.related(read.module, read.span, "what is read here may be that of another request"),
        )
        yield project.alarm(write.module, RULE.code, write.span, message, *steps)
