#!/bin/sh
# Builds the CUDA kernels, checks them against float64 and times them beside PyTorch:
#   sh tools/gpu-check/run.sh FOLDER [--small]
# writes FOLDER/gpu-check.json and FOLDER/gpu-check.md. Exit 0: all right; 1: a case failed, or the
# build did; 2: usage; 3: no nvcc or no GPU. Needs python3 with numpy, and torch for its columns.
set -eu

if [ $# -lt 1 ]; then
  echo "usage: run.sh FOLDER [--small]" >&2
  exit 2
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
kernels=$here/../../packages/tensor/kernels/cuda

nvcc=$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)
if [ ! -x "$nvcc" ]; then
  echo "nvcc not found" >&2
  exit 3
fi
if ! nvidia-smi -L 2>/dev/null | grep -q GPU; then
  echo "no GPU" >&2
  exit 3
fi

export PYTHONDONTWRITEBYTECODE=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "building" >&2
build() {
  ls "$kernels"/*.cu | xargs -P "$(nproc)" -I {} sh -c \
    '"$1" -O3 -std=c++17 "$2" -c "$3" -o "$4/$(basename "$3" .cu).o"' build "$nvcc" "$1" {} "$work"
}
if ! build -arch=native 2>"$work/native.log" && ! build -arch=sm_90; then
  echo "the kernels did not build" >&2
  exit 1
fi
"$nvcc" "$work"/*.o -o "$work/driver" -ldl

echo "making cases" >&2
python3 "$here/make_cases.py" "$work/cases" ${2:+"$2"}

# PyTorch brings a cuBLAS of its own, which the driver looks for when it runs.
blas=$(python3 -c '
import glob, site, sysconfig
roots = {sysconfig.get_paths()["purelib"], *site.getsitepackages()}
names = [root + "/nvidia/**/libcublas.so*" for root in sorted(roots)]
found = [file for name in names for file in glob.glob(name, recursive=True)]
print(found[0].rsplit("/", 1)[0] if found else "")') || blas=
export LD_LIBRARY_PATH="$blas:/usr/local/cuda/lib64:${LD_LIBRARY_PATH:-}"

echo "checking and timing the kernels" >&2
status=0
"$work/driver" "$work/cases" >"$work/driver.txt" || status=$?

echo "timing PyTorch" >&2
python3 "$here/torch_times.py" "$work/torch.json" || echo "PyTorch: not timed" >&2

version=$("$nvcc" --version | sed -n 's/.*release \([0-9.]*\).*/\1/p')
python3 "$here/report.py" "$work/driver.txt" "$work/torch.json" "$version" "$out"
cat "$out/gpu-check.md"
exit "$status"
