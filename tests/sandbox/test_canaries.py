"""Every level by its canaries, and the canaries by levels that have holes."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from pathlib import Path

import pytest

from harness import levels
from harness.errors import InfrastructureError
from harness.isolation import filter, identity
from harness.sandbox import canaries, choice
from tests.sandbox.lab import isolation_at

RECORD = """
import json, os
from harness.sandbox import choice
try:
    found = choice.at({level!r})
    print(json.dumps({{"uid": os.getuid(), **found.record}}))
except choice.Unavailable as error:
    print(json.dumps({{"unavailable": str(error)}}))
"""


@pytest.mark.parametrize("level", choice.candidates())
def test_every_canary_that_a_level_must_stop_is_stopped(level):
    record = isolation_at(level).record
    assert set(record["canaries"]) >= levels.REQUIRED[level]
    for name in levels.REQUIRED[level]:
        assert record["canaries"][name] == "blocked", (name, record["said"][name])
    assert levels.base(record["level"]) == level


def test_a_long_path_of_temporary_files_leaves_the_bait_a_socket(tmp_path, monkeypatch):
    """The path of a socket has at most some hundred bytes."""
    long = tmp_path / ("x" * 120)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with canaries.lay_baits() as baits:
        offered = baits.offered
        assert Path(offered["secret_file"]).is_relative_to(long)
        assert Path(offered["socket_path"]).is_socket()
    assert not os.path.exists(Path(offered["socket_path"]).parent)
    assert list(long.iterdir()) == []
    monkeypatch.setattr(canaries, "SHORT", "/nonexistent")
    with pytest.raises(InfrastructureError, match=r"too long for a socket.*shorter path with TMP"):
        with canaries.lay_baits():
            pass


@pytest.mark.parametrize("level", choice.candidates())
def test_the_record_says_by_what(level):
    record = isolation_at(level).record
    assert set(record["said"]) == set(record["canaries"])
    assert all(record["said"].values())
    assert bool(record["seccomp_sha256"]) == (level != "L1")
    assert (record["files"] == "open") == (level == "L1")


def test_l1_hides_nothing_and_its_canaries_say_so():
    canaries_at_l1 = isolation_at("L1").record["canaries"]
    through = {name for name, said in canaries_at_l1.items() if said == "open"}
    assert {"secret-file", "write-outside", "tcp", "udp", "abstract-socket"} <= through
    assert {"own-environ", "daemon"}.isdisjoint(through)


@pytest.mark.parametrize(
    ("hole", "through"),
    [
        ({"landlock": 0}, {"secret-file", "write-outside"}),
        ({"filter": b""}, {"udp", "file-lock", "shared-memory", "user-namespace"}),
        ({"landlock": 0, "filter": b""}, {"tcp", "abstract-socket"}),
    ],
)
def test_a_level_with_a_hole_is_seen_through(hole, through):
    whole = isolation_at("L2U" if identity.can_change_user() else "L2")
    outcome = canaries.release(dataclasses.replace(whole, **hole))
    assert {name for name, (stopped, _) in outcome.items() if not stopped} >= through


def test_a_level_with_a_hole_is_not_reached(monkeypatch):
    level = "L2U" if identity.can_change_user() else "L2"
    whole = isolation_at(level)
    broken = dataclasses.replace(whole, landlock=0)
    monkeypatch.setattr("harness.sandbox.choice.prepare", lambda level: broken)
    choice.at.cache_clear()
    try:
        with pytest.raises(choice.Unavailable, match=r"got through.*secret-file"):
            choice.at(level)
    finally:
        choice.at.cache_clear()


@pytest.mark.parametrize("abi", [1, 3, 5])
def test_older_kernels_without_scopes_are_covered_by_the_filter(abi):
    whole = isolation_at("L2U" if identity.can_change_user() else "L2")
    older = dataclasses.replace(whole, landlock=abi, filter=filter.build(scoped=False).program)
    outcome = canaries.release(older)
    required = levels.REQUIRED[whole.level]
    assert {name for name in required if not outcome[name][0]} == set()


@pytest.mark.parametrize("level", ["L2", "L3"])
def test_an_ordinary_user_gets_it_too(level, as_ordinary_user):
    isolation_at(
        "L3" if level == "L3" else choice.candidates()[1]
    )  # else this machine has none of it
    record = as_ordinary_user(RECORD.format(level=level))
    assert "unavailable" not in record, record
    assert record["uid"] != 0
    assert record["user"] == "the grader's"
    assert {record["canaries"][name] for name in levels.REQUIRED[level]} == {"blocked"}


def test_an_ordinary_user_can_have_no_other_user(as_ordinary_user):
    record = as_ordinary_user(RECORD.format(level="L2U"))
    assert record == {"unavailable": "not root, or root that may not change its user"}
