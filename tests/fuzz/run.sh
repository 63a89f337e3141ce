#!/usr/bin/env bash
# Fuzzes each target for FUZZ_SECONDS (60), from a corpus made of the fixtures, and prints one line for each. Targets may be named.
set -euo pipefail
cd "$(dirname "$0")/../.."

missing() { echo "fuzzing needs $1: $2" >&2; exit 1; }
command -v cargo-fuzz >/dev/null || missing cargo-fuzz 'cargo install cargo-fuzz'
rustup run nightly rustc --version >/dev/null 2>&1 || missing 'a nightly compiler' 'rustup toolchain install nightly'

seconds=${FUZZ_SECONDS:-60}
folder=$PWD/target/fuzz
targets=("$@")
((${#targets[@]})) || targets=(yaml_locate yaml_edit args_edit kustomization)

# A seed has the name of its digest, as the fuzzer's own files have.
seed() { local digest; digest=$(sha1sum "$2"); cp "$2" "$1/${digest%% *}"; }

# All files of a repository as one, each below a line with its path.
pack() {
    local file
    (cd "$1" && find . -type f | sort) | while IFS= read -r file; do
        printf '=== %s\n' "${file#./}"
        cat "$1/$file"
        printf '\n'
    done
}

seed_all() {
    local name=$1 corpus=$2 file repository
    case $name in
    kustomization)
        for repository in fixtures/hostile/repositories/* fixtures/scenarios/*/repo; do
            pack "$repository" >"$folder/packed"
            seed "$corpus" "$folder/packed"
        done
        ;;
    args_edit)
        find fixtures/hostile/args fixtures/quickstart/fleet/management -type f | while IFS= read -r file; do seed "$corpus" "$file"; done
        ;;
    *)
        find fixtures -type f \( -name '*.yaml' -o -name '*.json' \) | while IFS= read -r file; do seed "$corpus" "$file"; done
        ;;
    esac
    for file in tests/fuzz/regressions/"$name"/*; do
        [[ ! -f $file ]] || seed "$corpus" "$file"
    done
}

mkdir -p "$folder"
crashed=0
for name in "${targets[@]}"; do
    corpus=$folder/corpus/$name artifacts=$folder/artifacts/$name log=$folder/$name.log
    mkdir -p "$corpus" "$artifacts"
    seed_all "$name" "$corpus"
    result=ok
    # A longer file says no more, and a dense one takes seconds under the sanitizer.
    # The sanitizer keeps what was freed; a little of that is enough, and the rest would count as memory in use.
    ASAN_OPTIONS=quarantine_size_mb=16:malloc_context_size=8 \
        cargo +nightly fuzz run --fuzz-dir tests/fuzz --target-dir "$folder/build" "$name" "$corpus" -- \
        -max_total_time="$seconds" -timeout=25 -rss_limit_mb=512 -max_len=16384 -artifact_prefix="$artifacts/" >"$log" 2>&1 || result=CRASHED
    runs=$(grep -oE 'Done [0-9]+ runs' "$log" | grep -oE '[0-9]+' | tail -1 || true)
    last=$(grep -oE 'cov: [0-9]+ ft: [0-9]+ corp: [0-9]+' "$log" | tail -1 || true)
    printf '%-14s %s: %s runs in %s s, %s\n' "$name" "$result" "${runs:-?}" "$seconds" "${last:-no figures}"
    if [[ $result != ok ]]; then
        crashed=1
        grep -E "panicked at|Test unit written|ERROR|error" "$log" | head -5 >&2 || true
        echo "the whole story: $log" >&2
    fi
done
exit "$crashed"
