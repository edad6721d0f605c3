"""What can go wrong when module code runs, and what a host call may tell it."""

from __future__ import annotations

from typing import Any

from app.errors import AppError, Unavailable


class HostError(Exception):
    """A host call says no. Inside the guest it is an Error with `code` and `field` that the author may catch."""

    def __init__(self, code: str, field: str | None = None, message: str = "") -> None:
        super().__init__(message or code)
        self.code, self.field, self.message = code, field, message or code


class SandboxError(AppError):
    """Module code could not be run."""

    code = "sandbox_error"

    def __init__(self, message: str = "", **facts: object) -> None:
        super().__init__(message, **facts)
        self.logs: list[dict[str, Any]] = []  # what ctx.log said before the end
        self.host_calls = 0
        self.hits = ""  # which counters it reached, when it was run with some


class SandboxTimeout(SandboxError):
    """The code took longer than it may."""

    code = "sandbox_timeout"


class SandboxMemory(SandboxError):
    """The code needs more memory than it may have."""

    code = "sandbox_memory"


class SandboxOutput(SandboxError):
    """The code gave more, or more deeply nested, output than it may."""

    code = "sandbox_output"


class SandboxInput(SandboxError):
    """What the code was given is larger than it may be. Pass less, or fetch it in parts."""

    code = "sandbox_input"


class SandboxBudget(SandboxError):
    """The code asked more of the platform than it may in one call."""

    code = "sandbox_budget"


class SandboxDied(SandboxError):
    """The worker running the code ended. Most often the code used up its memory."""

    code = "sandbox_died"


class SandboxUnavailable(Unavailable):
    """No sandbox worker is free or can be started right now. Nothing was run; try again shortly."""

    code = "sandbox_unavailable"


class TemplateError(SandboxError):
    """A template cannot be read or rendered. line and column count from 1; 0 where unknown."""

    code = "template_error"

    def __init__(self, file: str, line: int, message: str, column: int = 0) -> None:
        super().__init__(f"{file}:{line}: {message}" if line else f"{file}: {message}")
        self.file, self.line, self.column, self.detail = file, line, column, message


class FunctionError(SandboxError):
    """A function threw. line counts from 1 in the author's file, 0 where unknown; stack holds the author's frames only.

    host_code and host_field are set when what it threw, or let pass, was a HostError.
    """

    code = "function_error"

    def __init__(
        self, message: str, file: str, line: int, stack: str, *, host_code: str = "", host_field: str = ""
    ) -> None:
        super().__init__(message)
        self.file, self.line, self.stack = file, line, stack
        self.host_code, self.host_field = host_code, host_field


class FunctionInvalid(SandboxError):
    """A function refused a value with ctx.invalid(field, message)."""

    code = "function_invalid"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
