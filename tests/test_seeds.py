"""Streams by name, and the keys that they are derived from."""

import hashlib
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.seeds import PUBLIC_KEY, Key, SeedName, phase_key, read_key

NAME = SeedName("square", 1, "values", 1, 0, "ada")
PUBLISHED = [636, 58, 583, 576]  # what this name gave when it was first used
SECRET = bytes(range(32))
KEY = Key("final", SECRET)


def stream(name=NAME, key=KEY):
    return name.generator(key).integers(0, 2**63, 8).tolist()


def test_same_name_gives_the_same_stream():
    assert stream() == stream(replace(NAME), Key("final", SECRET))


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("task", "squares"),
        ("draw", 2),
        ("measurement", "slopes"),
        ("stage", 2),
        ("replicate", 1),
        ("subject", "bob"),
        ("subject", ""),
    ],
)
def test_each_part_of_the_name_changes_the_stream(part, other):
    assert stream(replace(NAME, **{part: other})) != stream()


def test_text_does_not_move_between_parts():
    one, other = SeedName("a", 1, "bc", 1, 0), SeedName("ab", 1, "c", 1, 0)
    assert stream(one) != stream(other)


@given(st.binary(min_size=32, max_size=32).filter(lambda secret: secret != SECRET))
def test_another_key_gives_another_stream(secret):
    assert stream(key=Key("final", secret)) != stream()


def test_stream_depends_on_the_secret_and_not_on_the_phase():
    assert stream(key=Key("late", SECRET)) == stream()


def test_stream_is_the_one_that_was_published():
    assert NAME.generator(PUBLIC_KEY).integers(0, 1000, 4).tolist() == PUBLISHED


def test_commitment_is_the_digest_of_the_secret():
    assert KEY.commitment == hashlib.sha256(SECRET).hexdigest()


def test_neither_repr_nor_str_shows_the_secret():
    for text in (repr(KEY), str(KEY), f"{[KEY]}"):
        assert KEY.commitment[:12] in text
        assert SECRET.hex()[:8] not in text
        assert repr(SECRET)[2:-1][:8] not in text


def test_public_key_is_constant():
    assert PUBLIC_KEY.phase == "public"
    assert PUBLIC_KEY.secret == hashlib.sha256(b"fairmark public key, format 1").digest()


def write(path, content):
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("content", [SECRET.hex(), SECRET.hex().upper(), f"\n {SECRET.hex()}\r\n"])
def test_key_file_is_hexadecimal(tmp_path, content):
    assert read_key(write(tmp_path / "k", content.encode()), "final") == KEY


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        (b"", "64 hexadecimal"),
        (b"5e" * 31, "64 hexadecimal"),
        (b"5e" * 33, "64 hexadecimal"),
        (b"xy" * 32, "64 hexadecimal"),
        (b"5e" * 16 + b" " + b"5e" * 16, "64 hexadecimal"),
        ("ä".encode() * 32, "token_hex"),
        (None, "token_hex"),
    ],
)
def test_key_file_that_is_none_is_a_usage_error_with_a_remedy(tmp_path, content, remedy):
    path = tmp_path / "final.key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=remedy) as caught:
        read_key(path, "final")
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "found 0 characters; see that this is the file of the key, or make one with python"),
        (
            b"xy" * 32,
            "found 64 characters of which some are none; see that this is the file of the",
        ),
    ],
)
def test_a_key_file_that_holds_no_key_has_a_remedy_that_writes_over_nothing(
    tmp_path, content, words
):
    path = write(tmp_path / "final.key", content)
    for each in (path, *([Path("/dev/null")] if not content else [])):
        with pytest.raises(UsageError) as caught:
            read_key(each, "final")
        assert words in str(caught.value) and str(caught.value).endswith(" > FILE")


@pytest.mark.parametrize("content", [b"", b"5e", "ä".encode()])
def test_the_key_of_a_results_folder_that_was_lost_has_a_remedy(tmp_path, content):
    phase_key("feedback", None, tmp_path)
    write(tmp_path / "keys" / "feedback.key", content)
    with pytest.raises(UsageError, match="; put the file back from a copy; without one, remove it"):
        phase_key("feedback", None, tmp_path)
    (tmp_path / "keys" / "feedback.key").unlink()
    assert len(phase_key("feedback", None, tmp_path).secret) == 32


def test_message_about_a_key_does_not_quote_it(tmp_path):
    secret = "5e" * 31 + "5"
    with pytest.raises(UsageError) as caught:
        read_key(write(tmp_path / "k", secret.encode()), "final")
    assert secret[:8] not in str(caught.value)


def test_folder_in_the_place_of_a_key_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        read_key(tmp_path, "late")


def test_feedback_key_is_made_once_for_its_owner_only(tmp_path):
    results = tmp_path / "results"
    first = phase_key("feedback", None, results)
    path = results / "keys" / "feedback.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert phase_key("feedback", None, results) == first
    assert [item.name for item in path.parent.iterdir()] == ["feedback.key"]
    assert phase_key("feedback", None, tmp_path / "other") != first
    assert first.secret != PUBLIC_KEY.secret


@pytest.mark.parametrize("phase", ["final", "late"])
def test_key_that_decides_grades_is_never_made_up(tmp_path, phase):
    with pytest.raises(UsageError, match="--key-file"):
        phase_key(phase, None, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("phase", ["feedback", "final", "late"])
def test_key_file_is_taken_in_every_phase(tmp_path, phase):
    path = write(tmp_path / "k", SECRET.hex().encode())
    assert phase_key(phase, path, tmp_path / "results") == Key(phase, SECRET)
    assert not (tmp_path / "results").exists()


def test_public_phase_needs_no_file(tmp_path):
    assert phase_key("public", None, tmp_path) is PUBLIC_KEY
