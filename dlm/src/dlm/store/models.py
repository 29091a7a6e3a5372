"""Reading the JSON files of a store into their models. What to tell of a damaged one is the caller's to say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from ..errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Model = TypeVar("Model", bound=BaseModel)


def read_model(path: Path, model: type[Model], newest: int, damaged: Callable[[Path, str], str]) -> Model | None:
    """The ``model`` in the file ``path``; ``None`` when there is none.

    Raises:
        StoreError: its ``schema_version`` is above ``newest``, or it is unreadable: then with what ``damaged`` says.
    """
    try:
        raw = path.read_bytes()
        data = json.loads(raw)
        if b"\\ud" in raw.lower():
            json.dumps(data, ensure_ascii=False).encode()  # half a character is none, and could not be written again
        if isinstance(data, dict) and isinstance(found := data.get("schema_version"), int) and found > newest:
            raise StoreError(f"{path} was written by a newer dlm (schema {found}): pip install -U dlm")
        return model.model_validate(data)
    except FileNotFoundError:
        return None
    except ValidationError as problem:
        first = problem.errors()[0]
        raise StoreError(damaged(path, f"{'.'.join(map(str, first['loc']))}: {first['msg']}")) from problem
    except (OSError, ValueError, RecursionError) as problem:
        raise StoreError(damaged(path, str(problem))) from problem
