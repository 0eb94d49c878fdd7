"""Views as they are written in Python, `Tiles(grid=2)`, from a text: a command line has no other way to say them."""

import ast
import dataclasses
from typing import Any

from replearn.views.base import Split, View
from replearn.views.store import known_views, nearest

EXAMPLE = "Pair(Chain(Crop(0.4, 1.0), Flip()))"


def is_written(text: str) -> bool:
    """Whether a text is views in writing; the name of a preset has no brackets."""
    return "(" in text


def given_views(spec: Any) -> Any:
    """What a method's `views` field holds, with the views themselves in place of those that are written."""
    return views_as_written(spec) if isinstance(spec, str) and is_written(spec) else spec


def views_as_written(text: str) -> View | Split:
    """The view or split that a text says. Class names are looked up in a list, and nothing is evaluated.

    Args:
        text: the call of one of replearn's views or splits. Arguments are numbers, texts, tuples, and such calls.

    Raises:
        ValueError: it is no such call, names no view of replearn's, or gives one a field it does not have or take.

    >>> views_as_written("Pair(Chain(Crop(0.4, 1.0), Flip()))").view.views[1]
    Flip(probability=0.5)
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(
            f"views must be written as in Python, such as {EXAMPLE}; got {text!r:.200}, which is not. Mind brackets."
        ) from error
    if not isinstance(tree, ast.Call):
        raise ValueError(
            f"views must be one call, such as {EXAMPLE}; got {text!r:.200}. Leave out what is around it."
        )
    return _view(tree)


def _view(call: ast.Call) -> View | Split:
    name, classes = ast.unparse(call.func), known_views()
    if name not in classes:
        raise ValueError(f"views must be made of replearn's; got {name!r:.100}.{nearest(name, [*classes])}")
    fields = [field.name for field in dataclasses.fields(classes[name]) if field.init]  # type: ignore[arg-type]
    for option in call.keywords:
        if option.arg not in fields:
            raise ValueError(
                f"{name} has no field {option.arg!r}; it has {fields}.{nearest(str(option.arg), fields)}"
            )
    args = [_argument(argument, name) for argument in call.args]
    options = {str(option.arg): _argument(option.value, name) for option in call.keywords}
    try:
        return classes[name](*args, **options)
    except TypeError as error:
        raise ValueError(
            f"{name} must be given at most one value for each of {', '.join(fields) or 'no field'}; got "
            f"{ast.unparse(call):.200}. Give fewer, or other ones."
        ) from error


def _argument(node: ast.expr, name: str) -> Any:
    if isinstance(node, ast.Call):
        return _view(node)
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_argument(item, name) for item in node.elts)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"an argument of {name} must be a number, a text in quotes, a tuple or a view; got "
            f"{ast.unparse(node)!r:.100}. Write it out."
        ) from error
