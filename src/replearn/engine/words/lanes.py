"""Arithmetic on rows of tables, sixteen numbers at a time: what nearly all the time of training word vectors goes into.

Rows are named by a table, float32 `(n, d)` with `d` a multiple of 16, and a position. Loops over rows of unknown length
are not turned into such instructions by the compiler, which cannot know that two rows do not overlap.
"""

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from replearn.engine.compiled import intrinsic

LANES = 16  # numbers in 64 bytes: a line of the cache, and the widest register
FAST = ("fast",)  # sums may be taken in any order


def table(rows: int, dim: int) -> Float[np.ndarray, "n d"]:
    """Zeros, with columns up to a multiple of 16, so that each row begins where a line of the cache does.

    >>> table(3, 20).shape
    (3, 32)
    """
    width = -(-dim // LANES) * LANES
    space = np.zeros(rows * width + LANES, dtype=np.float32)
    start = -space.ctypes.data % 64 // 4
    return space[start : start + rows * width].reshape(rows, width)


@intrinsic
def dot(_: Any, a: Any, i: Any, b: Any, j: Any) -> Any:
    """`a[i]·b[j]`."""
    cgutils, types = _module("numba.core.cgutils"), _module("numba.core.types")

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        total = cgutils.alloca_once_value(builder, _constant(0.0))

        def add(x: Any, y: Any) -> tuple[()]:
            builder.store(_times_plus(builder, x, y, builder.load(total)), total)
            return ()

        _each_lane(context, builder, signature, values, add)
        return _sum(builder, builder.load(total))

    return types.float32(a, types.int64, b, types.int64), generate


@intrinsic
def fetch(_: Any, a: Any, i: Any) -> Any:
    """Ask for `a[i]`, which will be needed soon."""
    types = _module("numba.core.types")

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        ir = _module("llvmlite.ir")
        cgutils = _module("numba.core.cgutils")

        (row,), count = _rows(context, builder, signature.args, values)
        word = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer(), word, word, word])
        ask = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        how = [ir.Constant(word, number) for number in (1, 3, 1)]  # to be written, often, data
        with cgutils.for_range(builder, count) as loop:
            place = builder.bitcast(builder.gep(row, [loop.index]), ir.IntType(8).as_pointer())
            builder.call(ask, [place, *how])

    return types.void(a, types.int64), generate


@intrinsic
def add(_: Any, g: Any, a: Any, i: Any, b: Any, j: Any) -> Any:
    """`b[j] += g a[i]`."""
    types = _module("numba.core.types")

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        factor = _spread(builder, values[0])

        def change(x: Any, y: Any) -> Sequence[Any]:
            return None, _times_plus(builder, factor, x, y)

        _each_lane(context, builder, signature, values, change, skip=1)

    return types.void(types.float32, a, types.int64, b, types.int64), generate


@intrinsic
def exchange(_: Any, g: Any, a: Any, i: Any, b: Any, j: Any, c: Any, k: Any) -> Any:
    """`c[k] += g b[j]`, and then `b[j] += g a[i]`."""
    types = _module("numba.core.types")

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        factor = _spread(builder, values[0])

        def change(x: Any, y: Any, z: Any) -> Sequence[Any]:
            return None, _times_plus(builder, factor, x, y), _times_plus(builder, factor, y, z)

        _each_lane(context, builder, signature, values, change, skip=1)

    rows = (a, types.int64, b, types.int64, c, types.int64)
    return types.void(types.float32, *rows), generate


@intrinsic
def descend(_: Any, g: Any, rate: Any, a: Any, i: Any, p: Any, b: Any, j: Any, q: Any) -> Any:
    """AdaGrad on `a[i]` and `b[j]`, whose gradients are `g b[j]` and `g a[i]`; `p[i]`, `q[j]` sum up their squares."""
    types = _module("numba.core.types")

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        factor, pace = (_spread(builder, value) for value in values[:2])
        step = builder.fneg(pace)

        def change(x: Any, squares: Any, y: Any, others: Any) -> Sequence[Any]:
            to_x, to_y = (builder.fmul(factor, value, flags=FAST) for value in (y, x))
            return (
                _times_plus(builder, step, _over_root(builder, to_x, squares), x),
                _times_plus(builder, to_x, to_x, squares),
                _times_plus(builder, step, _over_root(builder, to_y, others), y),
                _times_plus(builder, to_y, to_y, others),
            )

        g, rate, a, i, p, b, j, q = values
        named = (g, rate, a, i, p, i, b, j, q, j)
        kinds = signature.args
        spread = type(signature)(signature.return_type, (*kinds[:5], kinds[3], *kinds[5:], kinds[6]), None)
        _each_lane(context, builder, spread, named, change, skip=2)

    rows = (a, types.int64, p, b, types.int64, q)
    return types.void(types.float32, types.float32, *rows), generate


def _module(name: str) -> Any:
    """Of the compiler, which may be missing."""
    return importlib.import_module(name)


def _each_lane(
    context: Any, builder: Any, signature: Any, values: Any, body: Callable[..., Any], *, skip: int = 0
) -> None:
    """Loop over the rows that `values` name from `skip` on: load, call `body`, store what it returns."""
    cgutils = _module("numba.core.cgutils")

    rows, count = _rows(context, builder, signature.args[skip:], values[skip:])
    with cgutils.for_range(builder, count) as loop:
        places = [builder.gep(row, [loop.index]) for row in rows]
        loaded = [builder.load(place) for place in places]
        for value in loaded:
            value.align = 4
        for place, changed in zip(places, body(*loaded), strict=False):
            if changed is not None:
                builder.store(changed, place).align = 4


def _rows(context: Any, builder: Any, kinds: Any, values: Any) -> tuple[list[Any], Any]:
    """Where the rows begin that tables and positions, in turn, name; and how many times 16 numbers they have."""
    ir = _module("llvmlite.ir")
    cgutils = _module("numba.core.cgutils")

    rows, width = [], None
    for kind, value, row in zip(kinds[::2], values[::2], values[1::2], strict=True):
        array = context.make_array(kind)(context, builder, value)
        start = builder.bitcast(array.data, ir.IntType(8).as_pointer())
        offset = builder.mul(row, cgutils.unpack_tuple(builder, array.strides, 2)[0])
        rows.append(builder.bitcast(builder.gep(start, [offset]), _lane().as_pointer()))
        width = width or cgutils.unpack_tuple(builder, array.shape, 2)[1]
    return rows, builder.udiv(width, ir.Constant(ir.IntType(64), LANES))


def _lane() -> Any:
    ir = _module("llvmlite.ir")

    return ir.VectorType(ir.FloatType(), LANES)


def _constant(value: float) -> Any:
    ir = _module("llvmlite.ir")

    return ir.Constant(_lane(), [value] * LANES)


def _spread(builder: Any, value: Any) -> Any:
    """A number in all lanes."""
    ir = _module("llvmlite.ir")

    empty = ir.Constant(_lane(), ir.Undefined)
    first = builder.insert_element(empty, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(
        first, empty, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    )


def _times_plus(builder: Any, x: Any, y: Any, z: Any) -> Any:
    return builder.fadd(builder.fmul(x, y, flags=FAST), z, flags=FAST)


def _over_root(builder: Any, x: Any, y: Any) -> Any:
    """`x / sqrt(y)`."""
    root = _call(builder, f"llvm.sqrt.v{LANES}f32", _lane(), [y])
    return builder.fdiv(x, root, flags=FAST)


def _sum(builder: Any, lanes: Any) -> Any:
    ir = _module("llvmlite.ir")

    start = ir.Constant(ir.FloatType(), 0.0)
    return _call(builder, f"llvm.vector.reduce.fadd.v{LANES}f32", ir.FloatType(), [start, lanes])


def _call(builder: Any, name: str, returned: Any, arguments: list[Any]) -> Any:
    ir = _module("llvmlite.ir")
    cgutils = _module("numba.core.cgutils")

    kind = ir.FunctionType(returned, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments, fastmath=FAST)
