"""What a path lies on: locks of network file systems may hold for one machine alone."""

from pathlib import Path

_NETWORK = ("nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs")
_MOUNTS = Path("/proc/mounts")


def is_network(path: str, mounts: str) -> bool:
    """Whether the path lies on a network file system, by the text of /proc/mounts."""
    found = ("", "")
    for fields in map(str.split, mounts.splitlines()):
        point = fields[1].replace("\\040", " ")
        if (path + "/").startswith(point.rstrip("/") + "/") and len(point) >= len(found[0]):
            found = (point, fields[2])
    return found[1] in _NETWORK


def on_network(path: str) -> bool:
    """Whether the path lies on a network file system of this machine."""
    return is_network(path, _MOUNTS.read_text("utf-8", "replace"))
