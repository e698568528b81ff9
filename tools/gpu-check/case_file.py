"""Writes cases; packages/tensor/kernels/cuda/driver-cases.h has their format and reads them."""

from contextlib import contextmanager
from pathlib import Path

import numpy as np


def text_of(argument):
    """A number as the driver reads it; floats are those of float32, exactly."""
    if argument is None:
        return "null"
    if isinstance(argument, float):
        return repr(float(np.float32(argument)))
    return str(argument)


class Case:
    """One case: its buffers, its calls, and what is expected of them."""

    def __init__(self, cases):
        self.cases = cases
        self.count = 0

    def _name(self):
        self.count += 1
        return f"b{self.count}"

    def input(self, array):
        """A buffer with these 4-byte values, for `call`; None is the null pointer."""
        if array is None:
            return None
        assert array.dtype in (np.float32, np.int32, np.uint32)
        name = self._name()
        self.cases.line("input", name, self.cases.place(array), array.size)
        return f"@{name}"

    def output(self, count):
        """A buffer of that many 4-byte values which the calls have to write."""
        name = self._name()
        self.cases.line("output", name, count)
        return f"@{name}"

    def call(self, kernel, *arguments):
        self.cases.line("call", kernel, *[text_of(argument) for argument in arguments])

    def check(self, buffer, expected):
        """Float64 is compared with a tolerance, float32 and int32 bit by bit."""
        kind = "float" if expected.dtype == np.float64 else "exact"
        assert kind == "float" or expected.dtype in (np.float32, np.int32)
        self.cases.line("check", buffer[1:], kind, self.cases.place(expected), expected.size)

    def time(self, byte_count=0, repeats=15):
        """Times the calls; the bytes are those that must move at least."""
        self.cases.line("time", repeats, byte_count)


class Cases:
    """A folder of cases: cases.txt and data.bin."""

    def __init__(self, folder):
        Path(folder).mkdir(parents=True, exist_ok=True)
        self.text = open(Path(folder) / "cases.txt", "w", encoding="utf-8")
        self.data = open(Path(folder) / "data.bin", "wb")
        self.places = {}

    def line(self, *words):
        print(*words, file=self.text)

    def place(self, array):
        """The offset of the array's bytes; the same array object is written once."""
        known = self.places.get(id(array))
        if known is not None:
            return known[0]
        offset = self.data.tell()
        self.data.write(np.ascontiguousarray(array).tobytes())
        self.data.write(bytes(-self.data.tell() % 8))
        # Holding on to the array keeps its identity from being used again.
        self.places[id(array)] = (offset, array)
        return offset

    @contextmanager
    def case(self, label):
        self.line("case", label)
        yield Case(self)
        self.line("end")

    def close(self):
        self.text.close()
        self.data.close()
