"""The detector network's layers, compiled by numba on first use and cached on disc.

A 3x3 convolution is done in tiles of 4x4 outputs (Winograd, F(4x4, 3x3); Lavin and Gray, "Fast
Algorithms for Convolutional Neural Networks", 2016): `_spread` brings 6x6 inputs into the
transformed domain, a product of matrices for each of its 36 places does the work with a quarter
of the multiplications, `_gather` brings the results back.

The matrices are 16 to 64 wide: a call of BLAS for each costs as much as the product, and loops
in Python's words leave sums in memory. `_block` is what a library of matrix products has at its
heart (the "micro-kernel"; Goto and van de Geijn, "Anatomy of High-Performance Matrix
Multiplication", 2008), written in LLVM's language, which numba has for such parts.

Places are unsigned: a negative one would have to be looked for, and vector units stay idle.
Functions that call one another stand in one file, since numba's cache knows the date of one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from ..types import F32, Bool

TILES = 16  # done in one go: what lies between stays in the second cache
APART = 16  # floats between places of the transformed domain: else all meet in one line of cache
ROWS = 4  # of sums in registers, with up to 3 vectors each: 12 of the 16 that most machines have
LANES = 8  # floats of a vector; machines with longer ones are as fast
CONTRACT = ("contract", "nsz")
I64, I32, FLOAT = ir.IntType(64), ir.IntType(32), ir.FloatType()
VECTOR = ir.VectorType(FLOAT, LANES)
U = np.uint64

Room = tuple[F32, F32, F32, F32, NDArray[np.int64]]


class _Vector:
    """A vector of LANES floats in code that is being made: what is written as arithmetic becomes
    instructions."""

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder, self.value = builder, value

    def __add__(self, other: _Vector) -> _Vector:
        return _Vector(self.builder, self.builder.fadd(self.value, other.value, flags=CONTRACT))

    def __sub__(self, other: _Vector) -> _Vector:
        return _Vector(self.builder, self.builder.fsub(self.value, other.value, flags=CONTRACT))

    def __rmul__(self, factor: float) -> _Vector:
        all_of_it = ir.Constant(VECTOR, [factor] * LANES)
        return _Vector(self.builder, self.builder.fmul(self.value, all_of_it, flags=CONTRACT))

    def at_least(self, other: _Vector) -> _Vector:
        more = self.builder.fcmp_ordered(">", self.value, other.value)
        return _Vector(self.builder, self.builder.select(more, self.value, other.value))


class _Memory:
    """A flat float32 array of a numba function in code that is being made."""

    def __init__(self, context: Any, builder: Any, type_: Any, array: Any) -> None:
        self.builder = builder
        self.data = context.make_array(type_)(context, builder, array).data

    def place(self, *terms: Any) -> Any:
        """Where vectors lie: the sum of places, distances (place, times) and numbers."""
        total = None
        for term in terms:
            if isinstance(term, int):
                term = ir.Constant(I64, term)
            elif isinstance(term, tuple):
                term = self.builder.mul(term[0], ir.Constant(I64, term[1]))
            total = term if total is None else self.builder.add(total, term)
        return self.builder.gep(self.data, [total])

    def load(self, *terms: Any) -> _Vector:
        pointer = self.builder.bitcast(self.place(*terms), VECTOR.as_pointer())
        return _Vector(self.builder, self.builder.load(pointer, align=4))

    def spread(self, *terms: Any) -> _Vector:
        """One number in all places of a vector."""
        return _Vector(
            self.builder, _everywhere(self.builder, self.builder.load(self.place(*terms)))
        )

    def store(self, value: _Vector, *terms: Any) -> None:
        pointer = self.builder.bitcast(self.place(*terms), VECTOR.as_pointer())
        self.builder.store(value.value, pointer, align=4)


def _block(rows: int, vectors: int) -> Any:
    """`out[r, d] = max(start[r, d] + sum over k of a[r, k] * b[k, d], floor)` in numba's functions.

    r runs to `rows`, d to `vectors` * LANES, k to `depth`. Each of a, b, start and out is given
    as a flat float32 array, the place of its first number and the distance of its rows (uint64).
    """

    @intrinsic
    def block(context, a, a_at, a_step, b, b_at, b_step, start, start_at, start_step, out, at, step, depth, floor):  # type: ignore[no-untyped-def]  # fmt: skip
        one = types.uint64
        signature = types.void(
            a, one, one, b, one, one, start, one, one, out, one, one, one, types.float32
        )

        def generate(context, builder, signature, given):  # type: ignore[no-untyped-def]
            matrices = [
                (_Memory(context, builder, signature.args[n], given[n]), *given[n + 1 : n + 3])
                for n in (0, 3, 6, 9)
            ]
            _sum_up(builder, matrices, given[12], given[13], rows, vectors)
            return context.get_dummy_value()

        return signature, generate

    return block


def _sum_up(builder: Any, matrices: Any, depth: Any, floor: Any, rows: int, vectors: int) -> None:
    """A loop over k in which each row's sums stay in registers, a vector for each part of them."""
    (a, a_at, a_step), (b, b_at, b_step), (start, start_at, start_step), (out, at, step) = matrices
    places = [(r, v) for r in range(rows) for v in range(vectors)]
    first = [start.load(start_at, (start_step, r), LANES * v).value for r, v in places]
    before = builder.block
    loop, done = builder.append_basic_block("sum"), builder.append_basic_block("summed")
    builder.branch(loop)
    builder.position_at_end(loop)
    k = builder.phi(I64)
    sums = [builder.phi(VECTOR) for _ in places]
    values = [b.load(b_at, builder.mul(k, b_step), LANES * v).value for v in range(vectors)]
    factors = [a.spread(a_at, (a_step, r), k).value for r in range(rows)]
    longer = [
        builder.fadd(builder.fmul(factors[r], values[v], flags=CONTRACT), total, flags=CONTRACT)
        for (r, v), total in zip(places, sums)
    ]
    next_k = builder.add(k, ir.Constant(I64, 1))
    for phi, begun, goes_on in zip([k, *sums], [ir.Constant(I64, 0), *first], [next_k, *longer]):
        phi.add_incoming(begun, before)
        phi.add_incoming(goes_on, loop)
    builder.cbranch(builder.icmp_unsigned("<", next_k, depth), loop, done)
    builder.position_at_end(done)
    least = _Vector(builder, _everywhere(builder, floor))
    for (r, v), total in zip(places, longer):
        out.store(_Vector(builder, total).at_least(least), at, (step, r), LANES * v)


def _everywhere(builder: Any, number: Any) -> Any:
    """A vector that holds one number in all its places."""
    nothing = ir.Constant(VECTOR, ir.Undefined)
    first = builder.insert_element(nothing, number, ir.Constant(I32, 0))
    places = ir.Constant(ir.VectorType(I32, LANES), [0] * LANES)
    return builder.shuffle_vector(first, nothing, places)


_rows_24, _rows_16, _rows_8 = _block(ROWS, 3), _block(ROWS, 2), _block(ROWS, 1)
_row_24, _row_16, _row_8 = _block(1, 3), _block(1, 2), _block(1, 1)
_ROWS, _LANES, _TILES, _APART = U(ROWS), U(LANES), U(TILES), U(APART)


@njit(cache=True, nogil=True, error_model="numpy")
def _multiply(a, a_at, a_step, b, b_at, start, start_at, start_step, out, at, step, depth, wide, n, floor):  # type: ignore[no-untyped-def]  # fmt: skip
    """n rows of a (n, depth) times b (depth, wide), as `_block` does it; wide is a multiple of
    LANES."""
    part = U(24) if wide % U(24) == 0 else U(16) if wide % U(16) == 0 else U(8)
    whole = n // _ROWS * _ROWS
    for d in range(U(0), wide, part):
        for r in range(U(0), whole, _ROWS):
            x, y, z = a_at + r * a_step, start_at + d + r * start_step, at + d + r * step
            if part == U(24):
                _rows_24(a, x, a_step, b, b_at + d, wide, start, y, start_step, out, z, step, depth, floor)  # fmt: skip
            elif part == U(16):
                _rows_16(a, x, a_step, b, b_at + d, wide, start, y, start_step, out, z, step, depth, floor)  # fmt: skip
            else:
                _rows_8(a, x, a_step, b, b_at + d, wide, start, y, start_step, out, z, step, depth, floor)  # fmt: skip
        for r in range(whole, n):
            x, y, z = a_at + r * a_step, start_at + d + r * start_step, at + d + r * step
            if part == U(24):
                _row_24(a, x, a_step, b, b_at + d, wide, start, y, start_step, out, z, step, depth, floor)  # fmt: skip
            elif part == U(16):
                _row_16(a, x, a_step, b, b_at + d, wide, start, y, start_step, out, z, step, depth, floor)  # fmt: skip
            else:
                _row_8(a, x, a_step, b, b_at + d, wide, start, y, start_step, out, z, step, depth, floor)  # fmt: skip


def _spreader() -> Any:
    """`spread(inputs, start, across, down, out, at, place)`: LANES channels of 6x6 inputs,
    `across` and `down` apart, to the 36 places, `place` apart, of the transformed domain."""

    @intrinsic
    def spread(context, inputs, start, across, down, out, at, place):  # type: ignore[no-untyped-def]
        one = types.uint64
        signature = types.void(inputs, one, one, one, out, one, one)

        def generate(context, builder, signature, given):  # type: ignore[no-untyped-def]
            source, target = (
                _Memory(context, builder, signature.args[n], given[n]) for n in (0, 4)
            )
            start, across, down, at, place = (given[n] for n in (1, 2, 3, 5, 6))
            columns = [
                _into([source.load(start, (down, i), (across, j)) for i in range(6)])
                for j in range(6)
            ]
            for i in range(6):
                for j, value in enumerate(_into([column[i] for column in columns])):
                    target.store(value, at, (place, 6 * i + j))
            return context.get_dummy_value()

        return signature, generate

    return spread


def _into(line: list[_Vector]) -> list[_Vector]:
    """Six inputs in a line in the transformed domain."""
    a, b, c, d, e, f = line
    odd, even, wide, deep = d - 4 * b, e - 4 * c, 2 * (d - b), e - c
    last = f - 5 * d + 4 * b
    return [e - 5 * c + 4 * a, even + odd, even - odd, deep + wide, deep - wide, last]


def _gatherer(add: bool) -> Any:
    """`gather(products, at, place, bias, bias_at, out, start, across, down)`: LANES channels of 36
    places in the transformed domain to ReLU of 4x4 outputs plus bias, put into out or added."""

    @intrinsic
    def gather(context, products, at, place, bias, bias_at, out, start, across, down):  # type: ignore[no-untyped-def]
        one = types.uint64
        signature = types.void(products, one, one, bias, one, out, one, one, one)

        def generate(context, builder, signature, given):  # type: ignore[no-untyped-def]
            source, biases, target = (
                _Memory(context, builder, signature.args[n], given[n]) for n in (0, 3, 5)
            )
            at, place, bias_at, start, across, down = (given[n] for n in (1, 2, 4, 6, 7, 8))
            bias, zero = biases.load(bias_at), _Vector(builder, ir.Constant(VECTOR, [0.0] * LANES))
            columns = [
                _back([source.load(at, (place, 6 * i + j)) for i in range(6)]) for j in range(6)
            ]
            for i in range(4):
                for j, value in enumerate(_back([column[i] for column in columns])):
                    result = (value + bias).at_least(zero)
                    if add:
                        result = result + target.load(start, (down, i), (across, j))
                    target.store(result, start, (down, i), (across, j))
            return context.get_dummy_value()

        return signature, generate

    return gather


def _back(line: list[_Vector]) -> list[_Vector]:
    """Four outputs in a line from six places in the transformed domain."""
    a, b, c, d, e, f = line
    near, far, less, lower = b + c, d + e, b - c, d - e
    return [a + near + far, less + 2 * lower, near + 4 * far, less + 8 * lower + f]


_spread, _gather_into, _gather_onto = _spreader(), _gatherer(False), _gatherer(True)


@njit(forceinline=True, error_model="numpy")
def _put(results, step, y, x, dilation, shape, border, add, wide, flat, one):  # type: ignore[no-untyped-def]
    """4x4 outputs, `step` numbers apart (0: one for all), into a map or added to what is there;
    what lies outside of `shape` is left out."""
    tall = U(4)
    for i in range(tall):
        row = U(y) + i * U(dilation)
        for j in range(tall):
            column = U(x) + j * U(dilation)
            if row >= U(shape[0]) or column >= U(shape[1]):
                continue
            at = ((U(border) + row) * wide + U(border) + column) * one
            of = (i * tall + j) * step
            if add:
                for k in range(one):
                    flat[at + k] += results[of + k]
            else:
                for k in range(one):
                    flat[at + k] = results[of + k]


@njit(forceinline=True, error_model="numpy")
def _quiet(plain: Bool, y: int, x: int, dilation: int) -> bool:
    """Whether all 4x4 outputs of a tile are plain."""
    for i in range(y, min(y + 4 * dilation, plain.shape[0]), dilation):
        for j in range(x, min(x + 4 * dilation, plain.shape[1]), dilation):
            if not plain[i, j]:
                return False
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def convolve(source, source_border, matrix, bias, plain, value, dilation, shape, border, add, room, target):  # type: ignore[no-untyped-def]  # fmt: skip
    """ReLU of a 3x3 convolution.

    source and target are padded maps (.., .., C), whose first values lie at their borders; matrix
    (36, inputs, outputs); outputs that are `plain` (H, W; no rows: none is known) are `value`
    (outputs,); shape is (rows, columns) of outputs; what comes out is put into target or added to
    what is there. room is what `room_for` makes.
    """
    spread, places = room[0], room[4]
    one, two = U(source.shape[2]), U(target.shape[2])
    there = _TILES * one + _APART  # distance of places
    flat, out = source.reshape(-1), target.reshape(-1)
    wide, beside = U(source.shape[1]), U(target.shape[1])
    across, down = U(dilation) * one, U(dilation) * wide * one
    begin = source_border - dilation
    known = plain.shape[0] > 0
    count = 0
    for phase in range(dilation * dilation):
        for y in range(phase // dilation, shape[0], 4 * dilation):
            for x in range(phase % dilation, shape[1], 4 * dilation):
                if known and _quiet(plain, y, x, dilation):
                    _put(value, U(0), y, x, dilation, shape, border, add, beside, out, two)
                    continue
                start = (U(begin + y) * wide + U(begin + x)) * one
                for k in range(U(0), one, _LANES):
                    _spread(flat, start + k, across, down, spread, U(count) * one + k, there)
                places[count, 0], places[count, 1] = y, x
                count += 1
                if count == TILES:
                    _finish(room, matrix, bias, count, dilation, shape, border, add, one, two, out, beside)  # fmt: skip
                    count = 0
    _finish(room, matrix, bias, count, dilation, shape, border, add, one, two, out, beside)


@njit(cache=True, nogil=True, error_model="numpy")
def _finish(room, matrix, bias, count, dilation, shape, border, add, one, two, out, beside):  # type: ignore[no-untyped-def]  # fmt: skip
    """Products in the transformed domain, and the results where they belong, of some tiles."""
    spread, products, results, nothing, places = room
    there, back = _TILES * one + _APART, _TILES * two + _APART
    _through(spread, there, matrix, nothing, products, back, one, two, count)
    across, down, tall = U(dilation) * two, U(dilation) * beside * two, U(4)
    for n in range(count):
        y, x = places[n, 0], places[n, 1]
        at = (U(border + y) * beside + U(border + x)) * two
        inside = y + 3 * dilation < shape[0] and x + 3 * dilation < shape[1]
        for k in range(U(0), two, _LANES):
            place = U(n) * two + k
            if not inside:
                _gather_into(products, place, back, bias, k, results, k, two, tall * two)
            elif add:
                _gather_onto(products, place, back, bias, k, out, at + k, across, down)
            else:
                _gather_into(products, place, back, bias, k, out, at + k, across, down)
        if not inside:
            _put(results, two, y, x, dilation, shape, border, add, beside, out, two)


@njit(cache=True, nogil=True, error_model="numpy")
def _through(spread, there, matrix, nothing, products, back, inputs, outputs, tiles):  # type: ignore[no-untyped-def]
    """The products of matrices in the transformed domain, for some tiles."""
    flat = matrix.reshape(-1)
    for p in range(U(36)):
        _multiply(
            spread, p * there, inputs, flat, p * inputs * outputs, nothing, U(0), U(0),
            products, p * back, outputs, inputs, outputs, U(tiles), np.float32(-np.inf),
        )  # fmt: skip


def room_for(inputs: int, outputs: int) -> Room:
    """Scratch of a convolution."""
    return (
        np.empty(36 * (TILES * inputs + APART), np.float32),
        np.empty(36 * (TILES * outputs + APART), np.float32),
        np.empty(16 * outputs, np.float32),
        np.zeros(outputs, np.float32),
        np.empty((TILES, 2), np.int64),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def stride_by_two(source, row, column, matrix, bias, plain, top, border, target):  # type: ignore[no-untyped-def]
    """ReLU of a 3x3 convolution with stride 2, for rows of outputs that aren't `plain` (rows, W).

    The output at row `top` + y of target, an inside with `border` around, sees the inputs around
    (row + 2 y, column + 2 x) of source (.., .., C).
    """
    flat, weights, out = source.reshape(-1), matrix.reshape(-1), target.reshape(-1)
    one, two = U(source.shape[2]), U(target.shape[2])
    wide, beside, three = U(source.shape[1]), U(target.shape[1]), U(3)
    for y in range(plain.shape[0]):
        x = 0
        while x < plain.shape[1]:
            end = x
            while end < plain.shape[1] and not plain[y, end]:
                end += 1
            at = (U(border + top + y) * beside + U(border + x)) * two
            place = (U(row + 2 * y - 1) * wide + U(column + 2 * x - 1)) * one
            for i in range(three if end > x else U(0)):
                first = i == U(0)
                _multiply(
                    flat, place + i * wide * one, U(2) * one, weights, i * three * one * two,
                    bias if first else out, U(0) if first else at, U(0) if first else two,
                    out, at, two, three * one, two, U(end - x),
                    np.float32(0) if i == U(2) else np.float32(-np.inf),
                )  # fmt: skip
            x = end + 1


@njit(cache=True, nogil=True, error_model="numpy")
def answer(source, border, plain, hidden, hidden_bias, last, last_bias, between, out):  # type: ignore[no-untyped-def]
    """Two layers of one cell each: ReLU of `hidden`, then `last`, for what isn't `plain` (H, W).

    source is padded by `border`, out (H, W, D) and between (.., hidden outputs) for one row.
    """
    flat, first, second = source.reshape(-1), hidden.reshape(-1), last.reshape(-1)
    one, two, three = U(source.shape[2]), U(hidden_bias.shape[0]), U(last_bias.shape[0])
    wide, results, middle = U(source.shape[1]), out.reshape(-1), between.reshape(-1)
    for y in range(plain.shape[0]):
        x = 0
        while x < plain.shape[1]:
            end = x
            while end < plain.shape[1] and not plain[y, end]:
                end += 1
            count = U(end - x)
            at = (U(border + y) * wide + U(border + x)) * one
            _multiply(flat, at, one, first, U(0), hidden_bias, U(0), U(0), middle, U(0), two, one, two, count, np.float32(0))  # fmt: skip
            at = (U(y) * U(plain.shape[1]) + U(x)) * three
            _multiply(middle, U(0), two, second, U(0), last_bias, U(0), U(0), results, at, three, two, three, count, np.float32(-np.inf))  # fmt: skip
            x = end + 1
