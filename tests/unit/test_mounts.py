import pytest

from headrace import mounts

MOUNTS = """\
/dev/vda / ext4 rw 0 0
server:/data /data nfs4 rw 0 0
/dev/vdb /data/local xfs rw 0 0
//server/share /mnt/two\\040words cifs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "network"),
    [
        ("/srv/lake", False),
        ("/data", True),
        ("/data/lake", True),
        ("/data/local/lake", False),
        ("/database", False),
        ("/mnt/two words/lake", True),
    ],
)
def test_a_network_file_system_is_known_by_its_mount(path: str, network: bool) -> None:
    assert mounts.is_network(path, MOUNTS) is network
