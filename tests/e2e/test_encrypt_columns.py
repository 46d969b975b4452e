"""What the page about encryption says: keys in a file, a job that names one, and its own lines that decrypt."""

import base64
import re
from pathlib import Path
from typing import Any

from tests.support.command import Place
from tests.support.jobs import node, source, target

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "encrypt-columns.md").read_text(encoding="utf-8")
OLD, NEW = (base64.b64encode(bytes([sign]) * 32).decode() for sign in b"on")


def decrypt(text: str, *keys: str) -> str:
    """The function of the page."""
    (code,) = re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return str(names["decrypt"](text, *keys))


def job(place: Place, key: str) -> str:
    entry = {"name": "name", "keyName": key}
    encrypt = node("TRANSFORM_ENCRYPT", 2, (1,), encryptFieldList=[entry])
    return place.job(source(), encrypt, target(parents=(2,), updateType="APPEND"))


def written(place: Place) -> dict[str, str]:
    lines = b"".join(place.left().values()).decode().split()
    return dict(line.split(",") for line in lines if line != "id,name")


def test_rows_of_an_old_and_a_new_key_are_decrypted_as_the_page_says(tmp_path: Path) -> None:
    place = Place(tmp_path)
    keys = tmp_path / "keys"
    keys.write_text(f"cards-1:{OLD}\n")
    place.put("in/a.csv", "id,name\n1,Zoë\n")
    told = [place.call("run", job(place, "cards-1"), HEADRACE_ENCRYPTION_KEYS_FILE=str(keys))]
    place.put("in/a.csv", "id,name\n2,배\n")
    keys.write_text(f"cards-2:{NEW}\ncards-1:{OLD}\n")
    told.append(place.call("run", job(place, "cards-2"), HEADRACE_ENCRYPTION_KEYS_FILE=str(keys)))

    assert [done.code for done in told] == [0, 0]
    assert {number: decrypt(text, NEW, OLD) for number, text in written(place).items()} == {"1": "Zoë", "2": "배"}
    script = place.call("script", job(place, "cards-1"), HEADRACE_ENCRYPTION_KEYS_FILE=str(keys))
    shown = place.call("settings", HEADRACE_ENCRYPTION_KEYS_FILE=str(keys))
    assert "cards-1" in script.out
    for done in (*told, script, shown):
        assert OLD not in done.out + done.err
        assert NEW not in done.out + done.err


def test_a_run_whose_key_is_gone_fails_before_it_reads_and_names_the_key(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.put("in/a.csv", "id,name\n1,a\n")
    done = place.call("run", job(place, "cards-1"))

    assert done.code == 1
    assert "the key 'cards-1': it is not among the keys of the settings; put it into encryption_keys" in done.error
    assert place.left() == {}


def test_keys_that_are_none_are_refused_without_showing_them(tmp_path: Path) -> None:
    for text in (f"cards:{OLD[:-4]}", OLD, f"a:{OLD},a:{NEW}", f"a b:{OLD}"):
        done = Place(tmp_path).call("settings", HEADRACE_ENCRYPTION_KEYS=text)
        assert done.code == 2
        assert "encryption_keys: its value" in done.error
        assert OLD[:-4] not in done.out + done.err
