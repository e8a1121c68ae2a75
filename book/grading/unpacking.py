"""Makes values of an answer's descriptions: numbers, texts, tensors, stand-ins, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grading import wire
from grading.stand_ins import Network
from torch import Tensor, nn

from vae_lib.exercises.values import shown

if TYPE_CHECKING:
    from grading.judges_side import Answers


class Unpacker:
    """The counterpart of wire.Packer: tensors with a graph are put into `with_graph` as well.

    `has_objects` says whether something came that is neither a value nor a network.
    """

    def __init__(self, answers: Answers, blob: bytes) -> None:
        self.answers, self.blob = answers, blob
        self.with_graph: list[Tensor] = []
        self.has_objects = False

    def unpack(self, tree: object) -> Any:  # noqa: ANN401
        """The value that a description is of; raises wire.Refused where it is of none."""
        try:
            return self._value(tree)
        except (ArithmeticError, RecursionError, RuntimeError, TypeError, ValueError):
            raise wire.Refused("is not of the form that was agreed") from None

    def _value(self, tree: object) -> Any:  # noqa: ANN401
        tree = a_dict(tree)
        for name, kind in (("tuple", tuple), ("list", list)):
            if isinstance(tree.get(name), list):
                return kind(self._value(item) for item in tree[name])
        if "tensor" in tree:
            tensor = wire.tensor_from(tree, self.blob)
            if tree.get("graph") is True and tensor.is_floating_point():
                self.with_graph.append(tensor)
            return tensor
        if type(tree.get("module")) is int and isinstance(tree.get("parameters"), list):
            parameters = [self._parameter(p) for p in tree["parameters"]]
            return Network(self.answers, tree["module"], parameters)
        if "distribution" in tree and isinstance(tree.get("given"), list):
            return self._distribution(tree)
        if isinstance(tree.get("opaque"), str):
            self.has_objects = True
            return _like(tree["opaque"])
        return _plain_value(tree)

    def _parameter(self, tree: object) -> nn.Parameter:
        tensor = wire.tensor_from(a_dict(tree), self.blob)
        needs = tree.get("graph") is True and tensor.is_floating_point()
        return nn.Parameter(tensor, requires_grad=needs)

    def _distribution(self, tree: dict) -> object:
        for kind, names in wire.DISTRIBUTIONS.items():
            if kind.__name__ == tree["distribution"] and len(names) == len(tree["given"]):
                given = [self._value(item) for item in tree["given"]]
                named = dict(zip(names.values(), given, strict=True))
                return kind(**named, validate_args=False)
        raise wire.Refused("has a distribution that we do not know")


def _plain_value(tree: dict) -> object:
    if tree.get("ellipsis") is True:
        return ...
    if isinstance(parts := tree.get("complex"), list):
        return complex(*parts)
    value = tree.get("value", ...)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise wire.Refused("has a value that is none")


def a_dict(value: object) -> dict:
    if not isinstance(value, dict):
        raise wire.Refused("is not of the form that was agreed")
    return value


def replaced(value: object, twins: dict[int, Tensor]) -> object:
    """The value with some of its tensors exchanged."""
    if isinstance(value, tuple | list):
        return type(value)(replaced(item, twins) for item in value)
    return twins.get(id(value), value)


def _like(name: str) -> object:
    """Something of the kind that the other process has, of which the checker says what it is."""
    make = {
        "function": lambda: lambda: None,
        "generator": lambda: (_ for _ in ()),
        "async_generator": lambda: (_ for _ in ()),
        "coroutine": _coroutine,
        "method": lambda: [].append,
        "builtin_function_or_method": lambda: [].append,
        "type": lambda: object,
    }.get(name)
    return make() if make else type(shown(name, 40) or "object", (), {})()


async def _coroutine() -> None: ...
