"""The values that every proposal is made of, several dozen of them a submit.

``@frozen`` is ``@dataclass(frozen=True, slots=True, kw_only=True)`` to the type checker, which
refuses every assignment to a field. At run time nothing stands guard, because the guard of a
frozen dataclass makes building it three times as slow.
"""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Make *cls* a value: equal and hashed by its fields, never changed."""
    return dataclass(slots=True, kw_only=True, unsafe_hash=True)(cls)
