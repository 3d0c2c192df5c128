"""A key that travels encrypted, and under which key an autograder marks."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from harness.autograders import on_gradescope, running, sealed_key
from harness.errors import UsageError
from harness.seeds import Key

KEY = Key("feedback", bytes(range(32)))
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def box() -> bytes:
    return sealed_key.sealed(KEY, PASSWORD)


def test_the_key_comes_out_with_its_password_alone(box: bytes) -> None:
    assert sealed_key.opened(box, PASSWORD) == KEY
    assert sealed_key.commitment(box) == KEY.commitment
    for wrong in ("", PASSWORD + "s", PASSWORD.upper()):
        with pytest.raises(UsageError, match="does not open with this password"):
            sealed_key.opened(box, wrong)


def test_the_key_is_not_in_the_file_and_no_two_files_are_alike(box: bytes) -> None:
    for shown in (KEY.secret, KEY.secret.hex().encode(), PASSWORD.encode()):
        assert shown not in box
    first, second = (json.loads(each) for each in (box, sealed_key.sealed(KEY, PASSWORD)))
    assert first["salt"] != second["salt"] and first["box"] != second["box"]


@pytest.mark.parametrize("name", ["salt", "box", "tag"])
def test_a_changed_file_does_not_open(box: bytes, name: str) -> None:
    document = json.loads(box)
    first = "1" if document[name][0] == "0" else "0"
    document[name] = first + document[name][1:]
    with pytest.raises(UsageError, match="does not open"):
        sealed_key.opened(json.dumps(document).encode(), PASSWORD)


def test_a_password_that_can_be_tried_out_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has 15 characters; at least 16 are wanted"):
        sealed_key.sealed(KEY, "x" * 15)
    (tmp_path / "key").write_text(KEY.secret.hex())
    with pytest.raises(UsageError, match="password cannot be read"):
        sealed_key.of_files(tmp_path / "key", tmp_path / "none")


@pytest.fixture
def folder(tmp_path: Path, box: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder laid out as Gradescope's; what `grade` would be told lands in told.json."""
    (tmp_path / "source").mkdir()
    (tmp_path / "submission").mkdir()
    (tmp_path / "source" / sealed_key.FILE).write_bytes(box)

    def grade(source, words, results, meanwhile, phase):
        told = {"phase": list(phase)}
        if "--key-file" in phase:
            path = Path(phase[phase.index("--key-file") + 1])
            told |= {"key": path.read_text().strip(), "mode": stat.S_IMODE(path.stat().st_mode)}
        (tmp_path / "told.json").write_text(json.dumps(told))
        return running.Ended(False, "", 0.0)

    monkeypatch.setattr(running, "grade", grade)
    monkeypatch.delenv(sealed_key.VARIABLE, raising=False)
    return tmp_path


def told(folder: Path) -> dict[str, object]:
    on_gradescope.main([str(folder), "hw1"])
    return json.loads((folder / "told.json").read_text())


def test_the_password_is_taken_out_of_the_environment(folder: Path, monkeypatch) -> None:
    monkeypatch.setenv(sealed_key.VARIABLE, PASSWORD)
    found = told(folder)
    assert (found["key"], found["mode"]) == (KEY.secret.hex(), 0o600)
    assert found["phase"][:2] == ["--phase", "feedback"]
    assert found["phase"][-2:] == ["--require-isolation", "L2"]
    assert sealed_key.VARIABLE not in on_gradescope.os.environ


def test_the_password_may_lie_in_a_file_of_the_image(folder: Path) -> None:
    (folder / sealed_key.PASSWORD_FILE).write_text(PASSWORD + "\n")
    assert told(folder)["key"] == KEY.secret.hex()


def test_without_a_password_the_public_key_marks_and_the_course_is_told(folder, capsys) -> None:
    assert told(folder)["phase"] == ["--phase", "public"]
    assert "no password for key.sealed: marked under the public key" in capsys.readouterr().out


def test_a_wrong_password_is_no_mark(folder: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv(sealed_key.VARIABLE, "another password, quite long")
    assert on_gradescope.main([str(folder), "hw1"]) == 1
    assert not (folder / "told.json").exists()
    assert "does not open" in capsys.readouterr().out
    document = json.loads((folder / "results" / "results.json").read_text())
    assert "no fault of the submission" in document["output"]
