"""Where a client keeps its files, and where it can be reached."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Optional, Union

StrPath = Union[str, "os.PathLike[str]"]


def state_folder(state_dir: Optional[StrPath] = None) -> Path:
    """Returns the client's folder as an absolute path: the given one, or the platform's place for application data."""
    if state_dir is not None:
        return Path(os.path.abspath(state_dir))
    if sys.platform == "win32":
        base = _absolute("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = _absolute("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return base / "porthole"


def socket_path(folder: Path) -> str:
    """Returns the address of a running client's socket, or of its pipe on Windows."""
    if sys.platform != "win32":
        return str(folder / "client.sock")
    digest = hashlib.sha256(str(folder).lower().encode()).hexdigest()[:16]
    return rf"\\.\pipe\porthole-client-{digest}"


def _absolute(variable: str) -> Optional[Path]:
    value = os.environ.get(variable, "")
    return Path(value) if os.path.isabs(value) else None
