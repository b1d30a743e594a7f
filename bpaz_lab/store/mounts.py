"""Which kind of file system a path lies on.

SQLite's write-ahead log needs memory that all its processes share, which a network file system cannot
give (https://sqlite.org/wal.html#overview); there the rollback journal is used.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

_NETWORK: Final = (
    "9p acfs afpfs afs beegfs ceph cephfs cifs coda drvfs fuse.beegfs fuse.ceph fuse.gcsfuse fuse.glusterfs "
    "fuse.juicefs fuse.rclone fuse.s3fs fuse.sshfs gfs gfs2 glusterfs gpfs lustre ncpfs nfs nfs4 ocfs2 "
    "orangefs panfs prl_fs smb2 smb3 smbfs vboxsf virtiofs vmhgfs webdav wekafs"
)
NETWORK: Final = frozenset(_NETWORK.split())
_LISTED: Final = re.compile(r" on (/.*) \((\w+)[,)]")


def on_network(path: Path) -> bool:
    """Whether a file lies, or would lie, on a network file system."""
    if str(path).startswith("\\\\"):
        return True
    return kind(path, mounted()) in NETWORK


def kind(path: Path, mounts: list[tuple[str, str]]) -> str:
    """The kind of file system that holds a path.

    Args:
        path: The path; it need not exist.
        mounts: Where which kind is mounted, in the order of mounting.

    Example:
        >>> kind(Path("/home/ann/x"), [("/", "ext4"), ("/home", "nfs4")])
        'nfs4'
    """
    real, found = path.resolve(), ("", "")
    for point, of in mounts:
        if real.is_relative_to(point) and len(point) >= len(found[0]):
            found = (point, of)
    return found[1]


def mounted() -> list[tuple[str, str]]:
    """What is mounted where; empty where the system does not tell."""
    table = Path("/proc/self/mountinfo")
    if table.exists():
        return [_entry(line) for line in table.read_text(encoding="utf-8", errors="replace").splitlines()]
    if sys.platform == "darwin":
        listed = subprocess.run(["/sbin/mount"], capture_output=True, text=True, check=False).stdout
        return [(found[1], found[2]) for found in map(_LISTED.search, listed.splitlines()) if found]
    return []


def _entry(line: str) -> tuple[str, str]:
    """One line of mountinfo, see proc(5): spaces in paths are written as octal numbers."""
    before, _, behind = line.partition(" - ")
    point = re.sub(r"\\(\d{3})", lambda found: chr(int(found[1], 8)), before.split()[4])
    return point, behind.split()[0]
