"""Cases of the segment reductions and of gathers; expectations in float64 by definition."""

import numpy as np
from shapes import GATHER, SEGMENT_SUM, SEGMENT_TOTAL, floats


def order_of(ids, segments):
    """Where each segment starts, and the rows in the order of their segments; -1 is in none."""
    kept = np.flatnonzero(ids >= 0)
    order = kept[np.argsort(ids[kept], kind="stable")].astype(np.int32)
    counts = np.bincount(ids[kept], minlength=segments)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32), order


def sums_of(starts, values):
    """Sums of values that are in the order of their segments."""
    sums = np.zeros((len(starts) - 1, *values.shape[1:]))
    filled = np.flatnonzero(np.diff(starts))
    if len(filled):
        sums[filled] = np.add.reduceat(values, starts[:-1][filled], axis=0)
    return sums


def order_cases(cases, ids, segments, label, is_timed=False):
    starts, order = order_of(ids, segments)
    with cases.case(f"segment_order: {label}") as case:
        places = case.output(segments + 1), case.output(len(ids))
        case.call("segment_order", len(ids), segments, case.input(ids), *places)
        case.check(places[0], starts)
        case.check(places[1], order)
        if is_timed:
            case.time(4 * (2 * len(ids) + segments))


def total_cases(cases, random, ids, segments, width, label, is_timed=False):
    starts, order = order_of(ids, segments)
    x = floats(random, len(ids), width)
    sums = sums_of(starts, x[order].astype(np.float64))
    means = sums / np.maximum(np.diff(starts), 1)[:, None]
    byte_count = 4 * (len(ids) * width + segments * width)
    for name, expected, is_mean in (("sum", sums, 0), ("mean", means, 1)):
        for strip in sorted({width} if is_timed else {width, min(width, 64), 3}):
            is_shown = is_timed and is_mean == 0
            full = f"segment_total, {name}, strip {strip}: {label}"
            with cases.case(SEGMENT_TOTAL if is_shown else full) as case:
                given = [case.input(starts), case.input(order)]
                out, items = case.output(segments * width), segments * -(-width // strip)
                call = ["segment_total", items, case.input(x), width, strip, *given, out, is_mean]
                case.call(*call)
                case.check(out, expected)
                if is_shown:
                    case.time(byte_count)
    if is_timed:
        with cases.case(SEGMENT_SUM) as case:
            places = case.output(segments + 1), case.output(len(ids))
            case.call("segment_order", len(ids), segments, case.input(ids), *places)
            out = case.output(segments * width)
            given = [case.input(x), width, width, *places, out, 0]
            case.call("segment_total", segments, *given)
            case.check(out, sums)
            case.time(byte_count)


def largest_cases(cases, random, ids, segments, width, label):
    """Largest values with ties, and NaN above all, the first row of equals."""
    starts, order = order_of(ids, segments)
    x = random.integers(-5, 6, (len(ids), width)).astype(np.float32)
    if len(ids) > 10:
        x[7, 0] = x[9, 0] = np.nan
    best = np.zeros((segments, width), np.float32)
    rows = np.full((segments, width), -1, np.int32)
    for s in np.flatnonzero(np.diff(starts)):
        own = order[starts[s] : starts[s + 1]]
        first = np.argmax(np.where(np.isnan(x[own]), np.inf, x[own]), axis=0)
        rows[s] = own[first]
        best[s] = x[own[first], np.arange(width)]
    for strip in sorted({width, 3}):
        with cases.case(f"segment_max, strip {strip}: {label}") as case:
            given = [case.input(starts), case.input(order)]
            out, at = case.output(segments * width), case.output(segments * width)
            items = segments * -(-width // strip)
            case.call("segment_max", items, case.input(x), width, strip, *given, out, at)
            case.check(out, best)
            case.check(at, rows)
    if (ids < 0).any():
        return
    dy, rows_of_x = floats(random, segments, width), np.arange(len(ids))[:, None]
    with cases.case(f"segment_max_backward: {label}") as case:
        dx = case.output(len(ids) * width)
        given = [case.input(a) for a in (dy, rows, ids)]
        case.call("segment_max_backward", len(ids), width, *given, dx)
        case.check(dx, np.where(rows[ids] == rows_of_x, dy[ids], np.float32(0)))
    shares = 1 / np.maximum(np.bincount(ids, minlength=segments), 1)
    shares[np.bincount(ids, minlength=segments) == 0] = 0
    with cases.case(f"segment_shares and segment_mean_backward: {label}") as case:
        own, dx, names = case.output(segments), case.output(len(ids) * width), case.input(ids)
        case.call("segment_shares", len(ids), segments, names, own)
        case.call("segment_mean_backward", len(ids), width, case.input(dy), own, names, dx)
        case.check(own, shares)
        case.check(dx, dy[ids].astype(np.float64) * shares[ids][:, None])


def sum_cases(cases, random, ids, segments, width, label):
    starts, order = order_of(ids, segments)
    x = floats(random, len(ids), width)
    with cases.case(f"segment_sum: {label}") as case:
        out = case.output(segments * width)
        case.call("segment_sum", len(ids), width, segments, case.input(x), case.input(ids), out)
        case.check(out, sums_of(starts, x[order].astype(np.float64)))


def softmax_cases(cases, random, ids, segments, label, is_timed=False):
    starts, order = order_of(ids, segments)
    x, dy, count = floats(random, len(ids)) * 5, floats(random, len(ids)), len(ids)
    largest = np.full(segments, -np.inf)
    np.maximum.at(largest, ids, x.astype(np.float64))
    shares = np.exp(x - largest[ids])
    shares /= sums_of(starts, shares[order])[ids]
    with cases.case(f"softmax inside segments: {label}") as case:
        values, names = case.input(x), case.input(ids)
        tops, sums, out = case.output(segments), case.output(segments), case.output(count)
        case.call("segment_largest", count, segments, values, names, tops)
        case.call("segment_exponentials", count, values, names, tops, out)
        case.call("segment_sum", count, 1, segments, out, names, sums)
        case.call("segment_divide", count, names, sums, out)
        case.check(tops, largest)
        case.check(out, shares)
        if is_timed:
            case.time()
    y = shares.astype(np.float32)
    dots = sums_of(starts, (y.astype(np.float64) * dy)[order])
    with cases.case(f"gradient of the softmax inside segments: {label}") as case:
        given, names = [case.input(y), case.input(dy)], case.input(ids)
        own, dx = case.output(segments), case.output(count)
        case.call("segment_dots", count, segments, *given, names, own)
        case.call("segment_softmax_backward", count, *given, names, own, dx)
        case.check(own, dots)
        case.check(dx, y.astype(np.float64) * (dy - dots[ids]))
        if is_timed:
            case.time()


def gather_cases(cases, random, outer, rows, width, count, label, is_timed=False):
    x = floats(random, outer, rows, width)
    indices = random.integers(0 if is_timed else -1, rows, count).astype(np.int32)
    expected = np.where((indices >= 0)[None, :, None], x[:, indices], np.float32(0))
    with cases.case(GATHER if is_timed else f"gather_row_blocks: {label}") as case:
        out = case.output(outer * count * width)
        given = [case.input(x), rows, width, case.input(indices), count, out]
        case.call("gather_row_blocks", outer * count, *given)
        case.check(out, expected)
        if is_timed:
            case.time(8 * outer * count * width)


def index_cases(cases, random):
    inside = random.integers(-1, 50, 5000).astype(np.int32)
    late, early = inside.copy(), inside.copy()
    late[4999], early[[1200, 1300]] = 50, -2
    nothing = np.zeros(0, np.int32)
    for indices, position in ((inside, -1), (late, 4999), (early, 1200), (nothing, -1)):
        with cases.case(f"find_outside: {len(indices)} indices, answer {position}") as case:
            out = case.output(1)
            case.call("find_outside", len(indices), case.input(indices), -1, 50, out)
            case.check(out, np.array([position], np.int32))
