"""Writes the pickle, npy, npz and safetensors fixtures of this folder.

Run once under NumPy 1 and once under NumPy 2:

    python3 make_fixtures.py

The committed files were made with Python 3.11.7, NumPy 1.26.4 and 2.4.6, safetensors 0.8.0,
2026-11-26. Every array holds 0, 1, 2, ... in row-major order.
"""

import os
import pickle

import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
major = np.__version__.split(".")[0]


def count(shape, dtype):
    return np.arange(int(np.prod(shape))).reshape(shape).astype(dtype)


def fortran(shape, dtype):
    return np.asfortranarray(count(shape, dtype))


ARRAYS = {
    "f4": count((2, 3), "<f4"),
    "f8": count((2, 3), "<f8"),
    "f2": count((2, 3), "<f2"),
    "i1": count((2, 3), "i1"),
    "u1": count((2, 3), "u1"),
    "i2": count((2, 3), "<i2"),
    "u2": count((2, 3), "<u2"),
    "i4": count((2, 3), "<i4"),
    "u4": count((2, 3), "<u4"),
    "i8": count((2, 3), "<i8"),
    "u8": count((2, 3), "<u8"),
    "b1": np.array([[False, True, False], [True, True, False]]),
    "big f4": count((2, 3), ">f4"),
    "big f8": count((2, 3), ">f8"),
    "big i4": count((2, 3), ">i4"),
    "big i8": count((2, 3), ">i8"),
    "fortran f4": fortran((2, 3), "<f4"),
    "fortran f8": fortran((2, 3, 4), "<f8"),
    "fortran big f4": fortran((3, 2), ">f4"),
    "row": count((5,), "<f4"),
    "empty": count((0, 4), "<f4"),
    "zero-dimensional": np.array(7, dtype="<f8"),
    "turned": np.ascontiguousarray(count((2, 3, 4), "<f4").transpose(1, 0, 2)).transpose(1, 0, 2),
}

VALUES = {
    "none": None,
    "true": True,
    "false": False,
    "integers": [0, 5, -5, 255, 256, 65535, 65536, -(2**31), 2**31, 2**53 - 1, 2**70, -(2**70)],
    "floats": [0.0, 1.5, -1e300, 5e-324, float("inf"), float("-inf")],
    "texts": ["", "text", "\u00fc\u4e2d\U0001f600", "line\nfeed \\ quote '"],
    "bytes": [b"", b"plain", bytes(range(256))],
    "tuples": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
    "nested": {"a": {(1, "x"): [None, {}]}},
    "scalars": [
        np.float32(1.5), np.float64(-2.5), np.float16(0.5), np.int64(-7), np.int32(7),
        np.uint8(200), np.bool_(True), np.bool_(False), np.int64(2**62),
    ],
}


def write(name, body):
    with open(os.path.join(here, name), "wb") as file:
        file.write(body)


for protocol in range(6):
    content = {
        "arrays": ARRAYS,
        "values": VALUES,
        "images": {key: count((4,), "<f4") + np.float32(key) for key in (3, 1, 70000)},
        "shared": [ARRAYS["row"], ARRAYS["row"]],
    }
    body = pickle.dumps(content, protocol)
    write(f"numpy{major}-protocol{protocol}.pkl", body)

if major == "2":
    from numpy.lib import format as npy_format

    for version in ((1, 0), (2, 0), (3, 0)):
        with open(os.path.join(here, f"version{version[0]}.npy"), "wb") as file:
            npy_format.write_array(file, count((2, 3), "<f4"), version=version)
    np.save(os.path.join(here, "fortran-big.npy"), fortran((2, 3, 4), ">f8"))
    np.save(os.path.join(here, "scalar.npy"), np.array(7, dtype="<i8"))
    np.save(os.path.join(here, "objects.npy"), np.array([None, 1], dtype=object))
    np.save(os.path.join(here, "texts.npy"), np.array(["a", "b"]))
    np.save(os.path.join(here, "structures.npy"), np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))
    named = {name.replace(" ", "-"): array for name, array in ARRAYS.items()}
    np.savez(os.path.join(here, "stored.npz"), **named)
    np.savez_compressed(os.path.join(here, "deflated.npz"), **named)
    try:
        import torch
        from safetensors.torch import save_file
    except ImportError:
        print("safetensors.torch is absent, tensors.safetensors left as it is")
    else:
        names = ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8",
                 "uint8", "bool"]
        tensors = {}
        for name in names:
            values = torch.arange(6).reshape(2, 3)
            tensors[name] = (values % 2 if name == "bool" else values).to(getattr(torch, name))
        tensors["empty"] = torch.zeros(0, 4)
        tensors["scalar"] = torch.tensor(7.0)
        save_file(tensors, os.path.join(here, "tensors.safetensors"), {"made by": "safetensors"})
