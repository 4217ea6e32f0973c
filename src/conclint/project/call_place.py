"""A call of the program, with all that its module says of it."""

from __future__ import annotations

from dataclasses import dataclass

from conclint.model.facts import Argument, Call, Context, Function, ModuleFacts
from conclint.project.link import find_argument
from conclint.project.objects import Site
from conclint.project.symbols import FunctionPlace


@dataclass(frozen=True, slots=True)
class CallPlace:
    """A call of the program, with the module in which it stands."""

    site: Site
    call: Call
    facts: ModuleFacts

    @property
    def function(self) -> Function:
        """The function around the call."""
        return self.facts.functions[self.call.function]

    @property
    def function_place(self) -> FunctionPlace:
        """Where the function around the call stands."""
        return FunctionPlace(self.site.module, self.call.function)

    @property
    def context(self) -> Context:
        """The surroundings of the call."""
        return self.facts.contexts[self.call.context]

    def find_argument(self, keyword: str, position: int | None = None) -> Argument | None:
        """Return the argument given by keyword or at `position`, None where it is not given."""
        return find_argument(self.call, keyword, position)

    @property
    def has_stars(self) -> bool:
        """Whether `*args` or `**kwargs` may carry any argument."""
        return any(argument.keyword in ("*", "**") for argument in self.call.arguments)
