"""What a function's failure is to who called it."""

from __future__ import annotations

from app.errors import AppError, FieldError, Invalid
from app.runtime.validation.problems import pointer


class FunctionFailed(AppError):
    """The module could not do this. Its makers and the agency see why in the module's log."""

    code = "function_failed"


class FunctionMissing(AppError):
    """The installed version has no such function."""

    code = "function_missing"


class RefusedByFunction(Invalid):
    """The module refuses this value."""

    code = "invalid"


def refused(field: str, message: str) -> RefusedByFunction:
    """The error of ctx.invalid(field, message); a field such as answers.topic lies inside answers."""
    where = pointer(*field.split(".")[:10]) if field else ""
    return RefusedByFunction(message, errors=[FieldError(where, "refused", message)])
