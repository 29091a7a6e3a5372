#!/usr/bin/env bash
# Installs sway from the repository that this action is part of, so that one ref decides both. SWAY_EXTRAS: further
# plugins, by the names of their folders. SWAY_VERSION: the version that it must be, or nothing.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
echo "::group::Install sway"
python -m pip install --quiet --disable-pip-version-check -c "$root/constraints.txt" "$root"
for plugin in ${SWAY_EXTRAS:-}; do
    if [[ ! $plugin =~ ^[a-z0-9-]+$ || ! -f $root/plugins/$plugin/pyproject.toml ]]; then
        echo "::error title=sway::extras: this repository has no plugin $plugin; its folder plugins/ lists them"
        exit 2
    fi
    python -m pip install --quiet --disable-pip-version-check -c "$root/constraints.txt" "$root/plugins/$plugin"
done
echo "::endgroup::"

found=$(sway --version)
echo "$found"
if [[ -n ${SWAY_VERSION:-} && $found != "sway $SWAY_VERSION" ]]; then
    echo "::error title=sway::sway-version asks for $SWAY_VERSION and this ref has ${found#sway }:" \
        "name a ref with that version in \`uses:\`, or remove sway-version"
    exit 2
fi
