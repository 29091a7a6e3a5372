"""Names that are never taken as text, and names that usually are none. Folders of a project and what lies in them.

A secret stays out whatever a document, a ``training.yaml`` or an ignore file says: a name is all there is to tell one
by, so the rules are broad, and what they keep out is reported.
"""

from __future__ import annotations

import re
from typing import Literal

_DOCUMENT = ".dlm"
_SECRET_FOLDERS = frozenset(".aws .azure .docker .gcloud .gnupg .kube .password-store .secrets .ssh".split())
_SECRET_NAMES = frozenset(
    "secrets .secrets .envrc .netrc _netrc .npmrc .pypirc .git-credentials .htpasswd .pgpass .my.cnf .s3cfg .boto "
    ".dockercfg .terraformrc .vault-token kubeconfig "
    "application_default_credentials.json".split()
)
_SECRET_STARTS = (".env", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "secrets.", "credentials", ".credentials")
_SECRET_ENDS = tuple(
    ".env .pem .key .p12 .pfx .ppk .jks .keystore .keytab .kdb .kdbx .gpg .agekey .ovpn .tfvars .tfstate "
    ".tfstate.backup".split()
)
_ACCOUNT_STARTS = ("service-account", "service_account", "client_secret")
_ENV_SAMPLES = (".example", ".sample", ".template", ".dist")
_COPY = re.compile(r"(?:[~#. ]|\.(?:bak|backup|old|orig|save|swp|copy|tmp))+$")
"""What editors and people hang on the name of a copy."""

_FOLDERS = frozenset(
    ".git .hg .svn .bzr cvs _darcs .jj __pycache__ .venv venv .env .tox .nox .eggs .mypy_cache .ruff_cache "
    ".pytest_cache .hypothesis .cache .ipynb_checkpoints site-packages node_modules bower_components .next .nuxt "
    ".gradle .terraform .idea .vs build dist target generated".split()
)
_FOLDER_ENDS = (".egg-info", ".dist-info")
_NAMES = frozenset(
    "package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock bun.lockb poetry.lock pipfile.lock "
    "uv.lock pdm.lock cargo.lock composer.lock gemfile.lock mix.lock flake.lock podfile.lock pubspec.lock "
    "packages.lock.json gradle.lockfile go.sum .ds_store thumbs.db desktop.ini".split()
)
_ENDS = tuple(
    # written by tools
    ".min.js .min.css .map .pyc .pyo .pyd .class .jar .war .o .obj .a .lib .so .dylib .dll .exe .rlib .rmeta .wasm "
    # archives and the like
    ".bin .zip .tar .gz .tgz .bz2 .xz .zst .7z .rar .whl .deb .rpm .dmg .iso "
    # pictures, sound, fonts
    ".png .jpg .jpeg .gif .bmp .tif .tiff .webp .avif .heic .ico .icns .svg .psd .mp3 .wav .flac .ogg .m4a .mp4 .mov "
    ".avi .mkv .webm .ttf .otf .woff .woff2 .eot "
    # office files and data
    ".pdf .doc .docx .xls .xlsx .ppt .pptx .odt .ods .odp .db .sqlite .sqlite3 .parquet .npy .npz .pkl .pickle .pt "
    ".pth .onnx .safetensors .gguf .h5".split()
)


_SECRETS = (_SECRET_FOLDERS, _SECRET_NAMES, _SECRET_STARTS, _SECRET_ENDS, _ACCOUNT_STARTS, _ENV_SAMPLES)
EVERY_NAME = repr([_COPY.pattern, *(sorted(names) for names in (*_SECRETS, _FOLDERS, _FOLDER_ENDS, _NAMES, _ENDS))])
"""Changes with the lists: judgements that were made before then no longer hold."""

Kind = Literal["secret", "document", "tool", ""]
"""``tool``: left out unless somebody asks for it, as output of tools, copies of other projects, or no text."""


def folder_kind(name: str) -> Kind:
    """What a folder called ``name`` is. Upper case makes no difference."""
    name = name.lower()
    if _COPY.sub("", name) in _SECRET_FOLDERS:
        return "secret"
    return "tool" if name in _FOLDERS or name.endswith(_FOLDER_ENDS) else ""


def file_kind(name: str) -> Kind:
    """What a file called ``name`` is. Upper case makes no difference."""
    name = name.lower()
    if _is_secret(name) or _is_secret(_COPY.sub("", name).lstrip("#")):
        return "secret"
    if name.endswith(_DOCUMENT):
        return "document"
    return "tool" if name in _NAMES or name.endswith(_ENDS) else ""


def _is_secret(name: str) -> bool:
    if name in _SECRET_NAMES or name.endswith(_SECRET_ENDS):
        return True
    if name.startswith(_SECRET_STARTS) and not (name.startswith(".env") and name.endswith(_ENV_SAMPLES)):
        return True
    return name.startswith(_ACCOUNT_STARTS) and name.endswith(".json")
