"""Cases of kernels on rows and on plain arrays; expectations in float64 by definition."""

import numpy as np
from shapes import ADAMW, PARAMETERS, ROWS, SOFTMAX, WIDTH, floats

EPSILON = 1e-5


def run_case(cases, label, kernel, given, outputs, byte_count=0):
    """One call: the arguments, arrays among them, then the outputs in the C form's order."""
    with cases.case(label) as case:
        made = [case.output(expected.size) for expected in outputs]
        arguments = [case.input(a) if isinstance(a, np.ndarray) else a for a in given]
        case.call(kernel, *arguments, *made)
        for out, expected in zip(made, outputs):
            case.check(out, expected)
        if byte_count:
            case.time(byte_count)


def softmax_cases(cases, random, rows, width, label, is_timed=False):
    x, dy = floats(random, rows, width) * 3, floats(random, rows, width)
    if rows > 4:
        x[1] = -np.inf
        x[2, 0], x[3, width - 1] = np.nan, np.inf
        x[4, 0] = -np.inf
    with np.errstate(invalid="ignore", divide="ignore"):
        shifted = x.astype(np.float64) - np.fmax.reduce(x, axis=1, keepdims=True)
        sums = np.exp(shifted).sum(axis=1, keepdims=True)
        shares, logs = np.exp(shifted) / sums, shifted - np.log(sums)
    size = 4 * rows * width if is_timed else 0
    name = SOFTMAX if is_timed else f"softmax_rows: {label}"
    run_case(cases, name, "softmax_rows", [rows, width, x], [shares], 2 * size)
    name = f"log_softmax_rows: {label}"
    run_case(cases, name, "log_softmax_rows", [rows, width, x], [logs], 2 * size)
    finite = floats(random, rows, width).astype(np.float64)
    y = (np.exp(finite) / np.exp(finite).sum(axis=1, keepdims=True)).astype(np.float32)
    log_y = np.log(y)
    y64, dy64 = y.astype(np.float64), dy.astype(np.float64)
    dx = y64 * (dy64 - (y64 * dy64).sum(axis=1, keepdims=True))
    log_dx = dy64 - np.exp(log_y.astype(np.float64)) * dy64.sum(axis=1, keepdims=True)
    for name, own, expected in (("softmax", y, dx), ("log_softmax", log_y, log_dx)):
        kernel, given = f"{name}_rows_backward", [rows, width, dy, own]
        run_case(cases, f"{kernel}: {label}", kernel, given, [expected], 3 * size)


def norm_cases(cases, random, rows, width, label, is_timed=False):
    x, dy = floats(random, rows, width), floats(random, rows, width)
    gain, bias = floats(random, width), floats(random, width)
    x[0] = 0
    x64, dy64 = x.astype(np.float64), dy.astype(np.float64)
    epsilon = float(np.float32(EPSILON))
    size = 4 * rows * width if is_timed else 0
    divisors = np.maximum(np.sqrt((x64**2).sum(axis=1)), epsilon)
    y = x64 / divisors[:, None]
    with cases.case(f"normalize_rows: {label}") as case:
        out, by = case.output(rows * width), case.output(rows)
        case.call("normalize_rows", rows, width, case.input(x), epsilon, out, by)
        case.check(out, y)
        case.check(by, divisors)
        if is_timed:
            case.time(2 * size)
    y32, by32 = y.astype(np.float32), divisors.astype(np.float32)
    along = (y32.astype(np.float64) * dy64).sum(axis=1) * (by32 > np.float32(epsilon))
    dx = (dy64 - y32 * along[:, None]) / by32.astype(np.float64)[:, None]
    given = [rows, width, y32, by32, dy, epsilon]
    name = f"normalize_rows_backward: {label}"
    run_case(cases, name, "normalize_rows_backward", given, [dx], 3 * size)
    centred = x64 - x64.mean(axis=1, keepdims=True)
    scale = 1 / np.sqrt((centred**2).mean(axis=1, keepdims=True) + epsilon)
    given = [rows, width, x, gain, bias, epsilon]
    expected = centred * scale * gain + bias
    run_case(cases, f"layer_norm: {label}", "layer_norm", given, [expected], 2 * size)
    scale = 1 / np.sqrt((x64**2).mean(axis=1, keepdims=True) + epsilon)
    given = [rows, width, x, gain, epsilon]
    run_case(cases, f"rms_norm: {label}", "rms_norm", given, [x64 * scale * gain], 2 * size)


def mix(h):
    """One round of the integer mixer of packages/tensor/kernels/hash.h."""
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x7FEB352D)
    h = (h ^ (h >> np.uint32(15))) * np.uint32(0x846CA68B)
    return h ^ (h >> np.uint32(16))


def dropout_cases(cases, random, count, is_timed=False):
    x, seed, threshold = floats(random, count), 0xC0FFEE01, 0x33333333
    scale = np.float32(1.25)
    seeds = np.array([seed], np.uint32)
    bits = mix(mix(np.arange(count, dtype=np.uint32) ^ mix(seeds)) + seeds)
    expected = np.where(bits >= np.uint32(threshold), x * scale, np.float32(0))
    given = [count, x, seed, threshold, float(scale)]
    byte_count = 8 * count if is_timed else 0
    run_case(cases, f"dropout: {count} values", "dropout", given, [expected], byte_count)


def adamw_cases(cases, random, count, is_timed=False):
    p, g, m = floats(random, count), floats(random, count), floats(random, count) * 0.1
    v = floats(random, count) ** 2
    beta1, beta2, decay, rate, root, epsilon = 0.9, 0.999, 0.99, 0.01, 1.5, 1e-8
    numbers = [np.float32(a) for a in (beta1, beta2, decay, rate, root, epsilon)]
    b1, b2, keep, r, s, e = [a.astype(np.float64) for a in numbers]
    # 1 - beta is a float32 difference of float32 numbers, as in the C form.
    c1, c2 = [float(np.float32(1) - number) for number in numbers[:2]]
    first, second = m * b1 + g * c1, v * b2 + g.astype(np.float64) ** 2 * c2
    with cases.case(ADAMW if is_timed else f"adamw: {count} parameters") as case:
        own = [case.input(a) for a in (p, g, m, v)]
        case.call("adamw", count, *own, beta1, beta2, decay, rate, root, epsilon)
        case.check(own[0], p * keep - r * first / (np.sqrt(second) * s + e))
        case.check(own[2], first)
        case.check(own[3], second)
        if is_timed:
            case.time(28 * count)


def plain_cases(cases, random, count, parts):
    x = floats(random, parts, count)
    given = [parts, count, x]
    expected = x.astype(np.float64).sum(axis=0)
    run_case(cases, f"sum_parts: {parts} of {count}", "sum_parts", given, [expected])
    factor = np.float32(0.3)
    given = [count, x[0].copy(), float(factor)]
    expected = (x[0].astype(np.float64) * float(factor)).astype(np.float32)
    run_case(cases, f"scale_values: {count} values", "scale_values", given, [expected])


def row_timings(cases, random, rows=ROWS, width=WIDTH, parameters=PARAMETERS):
    softmax_cases(cases, random, rows, width, "large", is_timed=True)
    norm_cases(cases, random, rows, width, "large", is_timed=True)
    dropout_cases(cases, random, rows * width, is_timed=True)
    adamw_cases(cases, random, parameters, is_timed=True)
