#!/usr/bin/env bash
# Puts the report into one comment of the pull request: the one that an earlier run made for this suite, or a new one.
# SWAY_REPORT: the folder that gate.sh wrote. SWAY_SPEC: the suite, which tells the comments of several suites apart.
set -euo pipefail

limit=60000
number=$(python - "${GITHUB_EVENT_PATH:?}" <<'END'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    event = json.load(file)
print((event.get("pull_request") or {}).get("number") or "")
END
)
if [[ ! $number =~ ^[0-9]+$ ]]; then
    echo "sway: this run is of no pull request, so there is nothing to comment on"
    exit 0
fi

marker="<!-- sway-gate: $(printf '%s' "${SWAY_SPEC:?}" | sha256sum | cut -c1-16) -->"
body=$SWAY_REPORT/comment.md
python - "$SWAY_REPORT/sway-report.md" "$body" "$marker" "$limit" <<'END'
import sys

source, target, marker, limit = sys.argv[1:]
with open(source, encoding="utf-8") as file:
    text = file.read()
raw = text.encode()
if len(raw) > int(limit):
    cut = raw[: int(limit)].decode(errors="ignore")
    text = cut[: cut.rfind("\n") + 1] + "\n(The rest is in the artifact and in the step's summary.)\n"
with open(target, "w", encoding="utf-8") as file:
    file.write(f"{marker}\n{text}")
END

comments=repos/${GITHUB_REPOSITORY:?}/issues
say() { echo "::warning title=sway::the report could not be put on the pull request: $1"; }
if ! found=$(gh api --paginate "$comments/$number/comments" --jq ".[] | select(.body | startswith(\"$marker\")) | .id"); then
    say "its comments cannot be read; the job needs the permission pull-requests: write"
    exit 0
fi
id=${found%%$'\n'*}
if [[ -n $id ]]; then
    gh api --method PATCH "$comments/comments/$id" --field "body=@$body" >/dev/null || say "comment $id cannot be changed"
else
    gh api --method POST "$comments/$number/comments" --field "body=@$body" >/dev/null ||
        say "no comment can be written; the job needs the permission pull-requests: write (forks have none)"
fi
