"""What a level needs, and the record of what it is."""

from __future__ import annotations

import subprocess

import pytest

from harness.isolation import Isolation, Unavailable, identity, parts


def test_a_label_tells_the_level_and_what_was_accepted():
    assert Isolation("L3").label == "L3"
    assert Isolation("L2U", cgroup=True).label == "L2U+C"
    assert Isolation("L1", cgroup=True, insecure=True).label == "L1+C insecure"


def test_texts_for_people_are_not_stored_with_observations():
    record = {"level": "L1", "kernel": "6", "meaning": "m", "said": {}, "stronger": {}}
    assert Isolation("L1", record=record).stored == {"level": "L1", "kernel": "6"}


def test_a_user_of_its_own_has_a_fixed_number_of_processes():
    assert Isolation("L2U", own_user=True).process_limit() == parts.PROCESSES
    assert Isolation("L3").process_limit() == parts.PROCESSES


def test_a_worker_of_the_graders_user_may_have_more_than_run_already():
    before = Isolation("L1").process_limit()
    with subprocess.Popen(["sleep", "60"]) as one:
        with subprocess.Popen(["sleep", "60"]) as other:
            limit = Isolation("L1").process_limit()
            other.kill()
        one.kill()
    assert min(before, limit) > parts.PROCESSES


def test_levels_of_another_kind_of_user_are_unavailable():
    other = "L2" if identity.can_change_user() else "L2U"
    with pytest.raises(Unavailable):
        parts.prepare(other)


def test_the_weakest_level_needs_nothing():
    isolation = parts.prepare("L1")
    assert (isolation.landlock, isolation.filter) == (0, b"")
