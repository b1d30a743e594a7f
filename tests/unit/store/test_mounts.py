from __future__ import annotations

from pathlib import Path

import pytest

from bpaz_lab.store import mounts

pytestmark = pytest.mark.unit

# Lines as Linux writes them, see proc_pid_mountinfo(5).
LINES = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:26 / /home rw,relatime shared:9 - nfs4 server:/export/home rw,vers=4.2
31 30 8:2 / /home/ann/local\040disk rw - xfs /dev/sdb rw
32 22 0:50 / /mnt/share rw shared:3 master:2 - cifs //nas/share rw
33 22 0:60 / /data rw - fuse.sshfs ann@far:/data rw
34 33 0:61 / /data rw - tmpfs tmpfs rw
"""
MOUNTS = [mounts._entry(line) for line in LINES.strip().splitlines()]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/etc/x", "ext4"),
        ("/home/ben/x", "nfs4"),
        ("/home", "nfs4"),
        ("/homework/x", "ext4"),
        ("/home/ann/local disk/x", "xfs"),
        ("/mnt/share/deep/er/x", "cifs"),
        ("/data/x", "tmpfs"),  # what was mounted last hides what lies below
    ],
)
def test_the_nearest_mount_tells_the_kind(path, kind):
    assert mounts.kind(Path(path), MOUNTS) == kind


def test_a_link_is_followed(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "far")
    found = mounts.kind(tmp_path / "link" / "x", [("/", "ext4"), (str((tmp_path / "far").resolve()), "nfs")])
    assert found == "nfs"


def test_what_macos_lists_is_understood():
    line = "//ann@nas._smb._tcp.local/home on /Volumes/home of (ann) (smbfs, nodev, nosuid, mounted by ann)"
    found = mounts._LISTED.search(line)
    assert (found[1], found[2]) == ("/Volumes/home of (ann)", "smbfs")


def test_this_disk_is_of_some_kind_and_not_far_away(tmp_path):
    assert mounts.kind(tmp_path, mounts.mounted())
    assert not mounts.on_network(tmp_path)


def test_a_share_of_windows_is_far_away():
    assert mounts.on_network(Path("\\\\server\\share\\x"))
