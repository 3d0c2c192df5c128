"""Users of their own: which uid a sandbox gets."""

from __future__ import annotations

import subprocess

import pytest

from harness.errors import InfrastructureError
from harness.isolation import identity


def test_two_sandboxes_never_share_a_user(as_root):
    with identity.lease() as first, identity.lease() as second:
        assert first != second
        with identity.lease() as third:
            assert third not in (first, second)
    with identity.lease() as again:
        assert again == first


def test_graders_with_folders_of_their_own_never_share_a_user(as_root, tmp_path, monkeypatch):
    """At the end of a sandbox all processes of its user are killed."""
    with identity.lease() as first:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        with identity.lease() as second:
            assert first != second


def test_a_user_with_a_process_is_passed_over(as_root):
    with identity.lease() as uid:
        taken = uid
    busy = subprocess.Popen(["sleep", "60"], user=taken, group=taken, extra_groups=[])
    try:
        with identity.lease() as uid:
            assert uid != taken
    finally:
        busy.kill()
        busy.wait()


def test_locks_in_a_folder_that_others_can_write_are_refused(as_root, tmp_path, monkeypatch):
    monkeypatch.setattr(identity, "SHARED", (str(tmp_path),))
    (tmp_path / "fairmark-users").mkdir(mode=0o777)
    (tmp_path / "fairmark-users").chmod(0o777)
    with pytest.raises(InfrastructureError, match="not a folder of root's alone"):
        with identity.lease():
            pass


def test_a_map_of_one_user_gives_no_others(tmp_path):
    table = tmp_path / "uid_map"
    table.write_text("         0       1000          1\n")
    assert not identity.maps_sandbox_users(table)
    table.write_text("         0          0 4294967295\n")
    assert identity.maps_sandbox_users(table)
