"""How facts name each other: by their index in a table of `ModuleFacts`."""

from __future__ import annotations

FunctionId = int
ContextId = int
CallId = int
AcquisitionId = int
