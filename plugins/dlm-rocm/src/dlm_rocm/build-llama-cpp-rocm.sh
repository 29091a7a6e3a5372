#!/bin/sh
# Builds llama.cpp's programs with HIP, for AMD GPUs. Needs git, CMake 3.21, a C++ compiler, and ROCm with its
# development files (hipconfig, hipBLAS, rocBLAS).
set -eu

usage() {
    cat <<'END'
usage: build-llama-cpp-rocm.sh [--dry-run] [--help]

--dry-run prints the commands and runs none. Variables:

  LLAMA_CPP_TAG     release to build                  (default: b9835)
  LLAMA_CPP_COMMIT  its full commit; another one is refused  (default: not compared)
  LLAMA_CPP_SOURCE  folder of the sources             (default: ./llama.cpp)
  GPU_TARGETS       architectures, with ; between     (default: those of this computer)
  JOBS              compilers at once                 (default: one a processor)
  ROCM_PATH         where ROCm is                     (default: /opt/rocm)
END
}

say() { printf '%s\n' "$*" >&2; }
fail() {
    say "build-llama-cpp-rocm.sh: $*"
    exit 3
}
run() {
    if [ -n "$dry" ]; then
        printf '%s' "$1"
        shift
        [ $# -eq 0 ] || printf " '%s'" "$@"
        printf '\n'
    else
        "$@"
    fi
}

dry=
for argument in "$@"; do
    case $argument in
        --dry-run) dry=1 ;;
        -h | --help)
            usage
            exit 0
            ;;
        *)
            usage >&2
            exit 2
            ;;
    esac
done

tag=${LLAMA_CPP_TAG:-b9835}
commit=${LLAMA_CPP_COMMIT:-}
source=${LLAMA_CPP_SOURCE:-llama.cpp}
rocm=${ROCM_PATH:-/opt/rocm}
jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)}
PATH=$PATH:$rocm/bin

case $tag in
    '' | -* | *[!A-Za-z0-9._-]*) fail "LLAMA_CPP_TAG=$tag is no name of a release" ;;
esac
for program in git cmake hipconfig; do
    command -v "$program" >/dev/null || fail "there is no $program: install it, or set ROCM_PATH for ROCm's own"
done

# rocminfo names each GPU, and each of its instruction sets as amdgcn-amd-amdhsa--gfx...: only the first counts.
targets=${GPU_TARGETS:-}
if [ -z "$targets" ] && command -v rocminfo >/dev/null; then
    targets=$(rocminfo | sed -n 's/^ *Name: *\(gfx[0-9a-f]*\) *$/\1/p' | sort -u | paste -sd ';' -)
fi
[ -n "$targets" ] || fail "rocminfo names no GPU: set GPU_TARGETS, for instance GPU_TARGETS=gfx1100"
case $targets in
    *[!a-z0-9\;:+-]*) fail "GPU_TARGETS=$targets: write names such as gfx1100 with ; between them" ;;
esac

if [ -d "$source/.git" ]; then
    run git -C "$source" fetch --depth 1 origin "refs/tags/$tag:refs/tags/$tag"
else
    run git clone --depth 1 --branch "$tag" https://github.com/ggml-org/llama.cpp "$source"
fi
run git -C "$source" checkout --detach "refs/tags/$tag"
if [ -n "$commit" ] && [ -z "$dry" ]; then
    found=$(git -C "$source" rev-parse HEAD)
    [ "$found" = "$commit" ] || fail "$tag is commit $found, and LLAMA_CPP_COMMIT asks for $commit: nothing was built"
fi

HIPCXX=$(hipconfig -l)/clang
HIP_PATH=$(hipconfig -R)
export HIPCXX HIP_PATH
run cmake -S "$source" -B "$source/build-rocm" -DGGML_HIP=ON "-DGPU_TARGETS=$targets" "-DAMDGPU_TARGETS=$targets" \
    -DCMAKE_BUILD_TYPE=Release -DLLAMA_BUILD_TESTS=OFF
run cmake --build "$source/build-rocm" --config Release --parallel "$jobs" \
    --target llama-server llama-cli llama-quantize llama-imatrix
say "programs for $targets: $source/build-rocm/bin"
