#!/usr/bin/env bash
# Runs the gate, writes the reports, the step's summary and its outputs, and ends with the exit code that SWAY_FAIL_ON
# makes of the verdict. SWAY_SPEC: the suite file.
set -euo pipefail

spec=${SWAY_SPEC:?the input spec-path is empty}
fail_on=${SWAY_FAIL_ON:-fail}
case $fail_on in
    fail | warn | never) ;;
    *)
        echo "::error title=sway::fail-on is fail, warn or never, and not $fail_on"
        exit 2
        ;;
esac

report=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/sway-report.XXXXXX")
result=$report/sway-result.json
code=0
sway gate --json "$result" --junit "$report/sway-junit.xml" -- "$spec" || code=$?

# One line a fact, so that no word of a probe can become an output of its own.
verdict=error
score=
warned=0
if [[ -s $result ]]; then
    sway report --format markdown --out "$report/sway-report.md" "$result"
    facts=$(python - "$result" <<'END'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    found = json.load(file)
overall = found["score"]["overall"]
print(found["gate"]["outcome"])
print("" if overall is None else f"{overall:.4f}")
print(sum(probe["verdict"] == "warn" for probe in found["probes"]))
END
    )
    { read -r verdict && read -r score && read -r warned; } <<<"$facts"
else
    # shellcheck disable=SC2016  # Markdown's marks, and no command
    printf '# sway\n\n`%s` could not be run (exit code %s): the log of the step says why.\n' "${spec//\`/}" "$code" \
        >"$report/sway-report.md"
fi

{
    echo "verdict=$verdict"
    echo "sway-score=$score"
    echo "report-path=$report"
} >>"${GITHUB_OUTPUT:-/dev/null}"
# A summary may have a mebibyte.
head -c 1000000 "$report/sway-report.md" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"

case $code in
    0)
        if [[ $fail_on == warn && $warned -gt 0 ]]; then
            echo "::error title=sway gate::$warned probes warn, and fail-on is warn"
            exit 1
        fi
        ;;
    1 | 4)
        level=error
        [[ $fail_on == never ]] && level=warning
        echo "::$level title=sway gate::the gate of ${spec//[$'\r\n%']/} says: $verdict"
        [[ $fail_on == never ]] || exit "$code"
        ;;
    *)
        echo "::error title=sway gate::${spec//[$'\r\n%']/} could not be run (exit code $code)"
        exit "$code"
        ;;
esac
