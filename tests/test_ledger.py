"""The ledger: what is observed once stands, whatever is killed, damaged or repeated."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from harness.errors import InfrastructureError
from harness.ledger import Ledger
from harness.mounts import refuse_network_file_system
from harness.records import Observation, Trial, sha256

ROOT = Path(__file__).parents[1]


def observation(key, value=1.0, outcome="ok", **more):
    trial = Trial("square", "values", "ada", "submission", 1, 0, "", key)
    statistics = {"value": {"value": np.array([value, np.nan])}} if outcome == "ok" else {}
    return Observation(trial, outcome, statistics, **more)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results" / "ledger.sqlite"


def test_what_is_put_is_found_in_this_run_and_the_next(path):
    wanted = observation("k", circumstances={"seconds": 0.5})
    with Ledger(path, "one") as ledger:
        assert ledger.get("k") is None
        ledger.put(wanted)
        assert ledger.get("k").to_json() == wanted.to_json()
    with Ledger(path, "two") as ledger:
        assert ledger.get("k").to_json() == wanted.to_json()
        assert ledger.get("other") is None
        assert list(ledger.trials()) == ["k"]
        assert ledger.digests("k") == (wanted.digest,)


def test_an_error_of_the_program_is_kept(path):
    with Ledger(path, "one") as ledger:
        ledger.put(observation("k", outcome="error", cause="timeout", message="too slow"))
    with Ledger(path, "two") as ledger:
        found = ledger.get("k")
    assert (found.outcome, found.cause, found.message) == ("error", "timeout", "too slow")


def test_odd_numbers_in_circumstances_are_stored_by_name(path):
    odd = observation("k", circumstances={"seconds": [float("nan"), {"worst": float("inf")}]})
    with Ledger(path, "one") as ledger:
        ledger.put(odd)
    with Ledger(path, "two") as ledger:
        assert ledger.get("k").circumstances == {"seconds": ["nan", {"worst": "inf"}]}


def test_first_observation_stands_and_both_are_on_record(path):
    first, second = observation("k", 1.0), observation("k", 2.0)
    with Ledger(path, "one") as ledger:
        ledger.put(first)
    with Ledger(path, "two", fresh=True) as ledger:
        ledger.put(second)
    for fresh in (False, True):
        with Ledger(path, "three", fresh=fresh) as ledger:
            assert ledger.digests("k") == (first.digest, second.digest)
    with Ledger(path, "three") as ledger:
        assert ledger.get("k").digest == first.digest


def test_within_a_run_the_first_observation_stands(path):
    with Ledger(path, "one") as ledger:
        ledger.put(observation("k", 1.0))
        ledger.put(observation("k", 2.0))
        assert ledger.get("k").digest == observation("k", 1.0).digest
        assert ledger.digests("k") == (observation("k", 1.0).digest,)


def test_fresh_run_sees_its_own_observations_only(path):
    with Ledger(path, "one") as ledger:
        ledger.put(observation("k", 1.0))
        ledger.put(observation("other"))
    with Ledger(path, "two", fresh=True) as ledger:
        assert ledger.get("k") is None
        ledger.put(observation("k", 2.0))
        assert ledger.get("k").digest == observation("k", 2.0).digest
        assert ledger.get("other") is None


def test_failure_of_ours_is_seen_in_this_run_and_never_stored(path):
    with Ledger(path, "one") as ledger:
        ledger.put(observation("k", outcome="infrastructure", message="no sandbox"))
        assert ledger.get("k").message == "no sandbox"
        assert ledger.digests("k") == ()
        assert list(ledger.trials()) == []
    with Ledger(path, "two") as ledger:
        assert ledger.get("k") is None


def test_failure_of_ours_gives_way_to_an_observation(path):
    with Ledger(path, "one") as ledger:
        ledger.put(observation("k", outcome="infrastructure"))
        ledger.put(observation("k"))
        assert ledger.get("k").outcome == "ok"


@pytest.mark.parametrize("name", ["sur\udcff", "\uffff", "\uffffdcff", "\ud800é\n", "", "%_*"])
def test_a_document_may_have_the_name_of_any_file(path, name):
    """A submission whose folder is not named in UTF-8 would end the run of the class."""
    with Ledger(path, "run") as ledger:
        ledger.put_documents({f"a/{name}": {"n": 1}, f"b/{name}": {"n": 2}, "b/kept": {}})
        ledger.put_document(f"c{name}/x", {"n": 3})
    with Ledger(path, "next") as ledger:
        assert ledger.document(f"a/{name}") == {"n": 1}
        assert ledger.documents(f"b/{name}").get(f"b/{name}") == {"n": 2}
        assert ledger.document_names(f"c{name}/") == [f"c{name}/x"]
        ledger.put_documents({}, remove=[f"b/{name}"])
        assert ledger.document_names("b/") == ["b/kept"]


def test_documents_are_replaced_and_files_kept_by_digest(path):
    with Ledger(path, "one") as ledger:
        assert ledger.document("run") is None
        ledger.put_document("run", {"a": 1})
        ledger.put_document("run", {"b": [2.5, None, "ü"]})
        contents = {sha256(content): content for content in (b"\0\xff", b"x")}
        ledger.put_files(contents)
        ledger.put_files(contents)
    with Ledger(path, "two") as ledger:
        assert ledger.document("run") == {"b": [2.5, None, "ü"]}
        assert ledger.file(sha256(b"\0\xff")) == b"\0\xff"
        with pytest.raises(KeyError):
            ledger.file(sha256(b"other"))


def test_threads_may_put_at_once(path):
    with Ledger(path, "one") as ledger:
        keys = [[f"{thread}-{index}" for index in range(30)] for thread in range(4)]

        def put(mine):
            for key in mine:
                ledger.put(observation(key))
                assert ledger.get(key) is not None

        threads = [threading.Thread(target=put, args=(mine,)) for mine in keys]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(ledger.trials()) == sorted(key for mine in keys for key in mine)


def test_ledger_of_another_format_is_refused_with_a_remedy(path):
    Ledger(path, "one").close()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("update meta set value = '99'")
    with pytest.raises(InfrastructureError, match=r"format 99.*--results"):
        Ledger(path, "two")


def test_ledger_of_the_first_format_is_refused_in_words_and_left_as_it_is(path):
    """Format 1 kept statistics as text ``check/name`` under the column ``key``."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("create table meta (name text primary key, value text not null)")
        db.execute("insert into meta values ('format', '1')")
        db.execute("create table observations (key text, digest text, run text, record text)")
        db.execute("insert into observations values ('k', 'd', 'r', '{}')")
    before = path.read_bytes()
    wanted = (
        r"format 1, this version reads and writes 3.*move the file away.*--results.*grade again"
    )
    with pytest.raises(InfrastructureError, match=wanted):
        Ledger(path, "two")
    assert path.read_bytes() == before


def test_ledger_of_the_second_format_is_refused_in_words_and_left_as_it_is(path):
    """Format 2 kept arrays as JSON, in base64."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("create table meta (name text primary key, value text not null)")
        db.execute("insert into meta values ('format', '2')")
        db.execute("create table observations (trial text, digest text, run text, record text)")
        db.execute("insert into observations values ('k', 'd', 'r', '{}')")
    before = path.read_bytes()
    wanted = (
        r"format 2, this version reads and writes 3.*move the file away.*--results.*grade again"
    )
    with pytest.raises(InfrastructureError, match=wanted):
        Ledger(path, "two")
    assert path.read_bytes() == before


def test_arrays_are_stored_as_their_bytes_and_the_digest_is_that_of_the_observation(path):
    wanted = observation("k")
    with Ledger(path, "one") as ledger:
        ledger.put(wanted)
    with closing(sqlite3.connect(path)) as db:
        digest, arrays = db.execute("select digest, arrays from observations").fetchone()
    assert arrays == wanted.statistics["value"]["value"].astype("<f8").tobytes()
    with Ledger(path, "two") as ledger:
        assert ledger.get("k").digest == digest == wanted.digest
        with pytest.raises(ValueError, match="read-only"):
            ledger.get("k").statistics["value"]["value"][0] = 2.0


def test_bytes_that_are_cut_short_are_said(path):
    with Ledger(path, "one") as ledger:
        ledger.put(observation("k"))
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("update observations set arrays = ?", (b"\0" * 8,))
    with Ledger(path, "two") as ledger, pytest.raises(InfrastructureError, match="cannot be read"):
        ledger.get("k")


def test_observations_beyond_those_kept_in_memory_are_read_again(path):
    with Ledger(path, "one", kept_trials=3) as ledger:
        for index in range(8):
            ledger.put(observation(str(index), float(index)))
        for index in (0, 7, 3, 0, 5):
            assert ledger.get(str(index)).digest == observation(str(index), float(index)).digest


def test_what_is_read_ahead_is_what_is_read_one_by_one(path):
    """More trials than one query reads."""
    with Ledger(path, "one") as ledger:
        for index in range(1200):
            ledger.put(observation(str(index), float(index)))
    with Ledger(path, "two") as ledger:
        ledger.put(observation("3", 99.0))  # a repetition: the first one stands
        ledger.read_ahead([str(index) for index in range(1199)] + ["unknown"])
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("delete from observations where trial <> '1199'")
        for index in range(1200):
            assert ledger.get(str(index)).digest == observation(str(index), float(index)).digest
        assert len(ledger.digests("3")) == 2
        assert ledger.get("unknown") is None


@pytest.mark.parametrize(
    "content", [b"not a database" * 100, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_damaged_file_is_ours_and_is_left_as_it_is(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(InfrastructureError, match="move it away"):
        Ledger(path, "one")
    assert path.read_bytes() == content


def test_folder_in_the_place_of_the_ledger_is_ours(path):
    path.mkdir(parents=True)
    with pytest.raises(InfrastructureError, match="cannot be used"):
        Ledger(path, "one")


@pytest.fixture
def mounts(tmp_path):
    def write(*lines):
        table = tmp_path / "mounts"
        table.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        return table

    return write


NETWORK = ("nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "lustre")


@pytest.mark.parametrize("kind", NETWORK)
def test_network_file_system_is_refused(mounts, kind):
    table = mounts("/dev/sda / ext4 rw 0 0", f"server:/home /home {kind} rw 0 0")
    with pytest.raises(InfrastructureError, match=f"{kind}.*--results"):
        refuse_network_file_system(Path("/home/ada/ledger.sqlite"), table)
    refuse_network_file_system(Path("/homely/ledger.sqlite"), table)
    refuse_network_file_system(Path("/srv/ledger.sqlite"), table)


def test_deepest_mount_decides(mounts):
    table = mounts(
        "server:/ / nfs rw 0 0", "tmpfs /tmp tmpfs rw 0 0", "x:/ /tmp/far cifs rw 0 0", "odd line"
    )
    refuse_network_file_system(Path("/tmp/near/ledger.sqlite"), table)
    for refused in ("/tmp/far/ledger.sqlite", "/var/ledger.sqlite"):
        with pytest.raises(InfrastructureError):
            refuse_network_file_system(Path(refused), table)


def test_later_mount_at_the_same_place_decides(mounts):
    table = mounts("server:/ /mnt nfs rw 0 0", "tmpfs /mnt tmpfs rw 0 0")
    refuse_network_file_system(Path("/mnt/ledger.sqlite"), table)


def test_escaped_spaces_in_a_mount_point_are_read(mounts):
    table = mounts(r"tmpfs / tmpfs rw 0 0", r"server:/ /mnt/my\040disk\134 nfs rw 0 0")
    with pytest.raises(InfrastructureError):
        refuse_network_file_system(Path("/mnt/my disk\\/ledger.sqlite"), table)
    refuse_network_file_system(Path("/mnt/my/ledger.sqlite"), table)


def test_mount_point_that_is_not_ascii_is_read(mounts):
    table = mounts("tmpfs / tmpfs rw 0 0", "server:/ /mnt/bücher nfs rw 0 0")
    with pytest.raises(InfrastructureError):
        refuse_network_file_system(Path("/mnt/bücher/ledger.sqlite"), table)


def test_link_into_a_network_file_system_is_refused(mounts, tmp_path):
    far = tmp_path / "far"
    far.mkdir()
    (tmp_path / "results").symlink_to(far)
    table = mounts("tmpfs / tmpfs rw 0 0", f"server:/ {far.resolve()} nfs rw 0 0")
    with pytest.raises(InfrastructureError):
        refuse_network_file_system(tmp_path / "results" / "ledger.sqlite", table)


def test_machine_without_a_table_of_mounts_is_taken(tmp_path):
    refuse_network_file_system(Path("/home/ledger.sqlite"), tmp_path / "none")


WRITER = """
import itertools, sys
from pathlib import Path
import numpy as np
from harness.ledger import Ledger
from harness.records import Observation, Trial
ledger = Ledger(Path(sys.argv[1]), sys.argv[2])
for index in itertools.count():
    trial = Trial("t", "m", "p", "submission", 1, 0, "", f"{sys.argv[2]}-{index}")
    ledger.put(Observation(trial, "ok", {"a": {"v": np.full(500, float(index))}}))
    print(index, flush=True)
"""


def killed_writer(path, run, records):
    """A process that is killed after it said that so many records are stored."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), run], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with process.stdout as stdout:
        for _ in range(records):
            assert stdout.readline(), "the writer ended by itself"
        time.sleep(0.003 * records % 0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        said = stdout.read().split()
    return int(said[-1]) if said else records - 1


@pytest.mark.parametrize("records", [1, 7, 60])
def test_whoever_writes_may_be_killed(path, records):
    last = {run: killed_writer(path, run, records) for run in ("a", "b")}
    with Ledger(path, "after") as ledger:
        found = {key: ledger.get(key) for key in ledger.trials()}
        for run, said in last.items():
            assert {f"{run}-{index}" for index in range(said + 1)} <= set(found)
        for key, kept in found.items():
            index = float(key.partition("-")[2])
            np.testing.assert_array_equal(kept.statistics["a"]["v"], np.full(500, index))
            assert ledger.digests(key) == (kept.digest,)
        ledger.put(observation("new"))
        assert ledger.get("new") is not None


def limited_to(pages):
    """``sqlite3.connect`` whose files take so many pages, then behave as on a full disk."""
    connect = sqlite3.connect

    def limited(*args, **options):
        db = connect(*args, **options)
        db.execute(f"pragma max_page_count = {pages}")
        return db

    return limited


def test_a_full_disk_is_said_with_file_and_remedy_and_loses_nothing(tmp_path, monkeypatch):
    path = tmp_path / "ledger.sqlite"
    with Ledger(path, "one") as ledger:
        ledger.put_document("kept", {"value": 1})
    with closing(sqlite3.connect(path)) as db:
        (pages,) = db.execute("pragma page_count").fetchone()
    monkeypatch.setattr(sqlite3, "connect", limited_to(pages + 1))
    with Ledger(path, "one") as ledger:
        with pytest.raises(InfrastructureError) as caught:
            ledger.put_documents({f"{n}": {"text": "x" * 5000} for n in range(50)})
        assert str(path) in str(caught.value)
        assert "no room is left on its disk" in str(caught.value)
    with Ledger(path, "two") as ledger:
        assert ledger.document_names("") == ["kept"]


@pytest.mark.parametrize("what", ["file", "folder"])
@pytest.mark.parametrize("then", ["removed", "moved", "replaced"])
def test_nothing_is_written_to_a_ledger_that_nobody_would_find(path, tmp_path, what, then):
    """SQLite goes on with the file that it opened, wherever that is by now."""
    with Ledger(path, "one") as ledger:
        ledger.put(observation("a"))
        gone = path if what == "file" else path.parent
        gone.rename(tmp_path / "elsewhere")
        if then == "removed":
            shutil.rmtree(tmp_path / "elsewhere", ignore_errors=True)
            (tmp_path / "elsewhere").unlink(missing_ok=True)
        elif then == "replaced":
            with Ledger(path, "other") as other:
                other.put(observation("b"))
        for write in (
            lambda: ledger.put(observation("c")),
            lambda: ledger.put_document("run", {"marks": []}),
        ):
            with pytest.raises(InfrastructureError, match="moved, removed or replaced") as caught:
                write()
            assert str(path) in str(caught.value)
    if then == "replaced":
        with Ledger(path, "two") as ledger:
            assert ledger.document_names("") == []
            assert ledger.get(observation("c").trial.digest) is None


def test_a_damaged_page_is_said_with_file_and_remedy(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with Ledger(path, "one") as ledger:
        ledger.put_documents({f"{n:03}": {"text": f"{n}" * 900} for n in range(200)})
    content = bytearray(path.read_bytes())
    for page in range(5, len(content) // 4096):
        content[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(content)
    with pytest.raises(InfrastructureError, match="it is damaged: bring back a copy") as caught:
        with Ledger(path, "two") as ledger:
            ledger.documents("")
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("record", ["{", "[]", "{}", '{"trial": 3}', "null"])
def test_a_record_that_this_version_does_not_write_is_said(tmp_path, record):
    path = tmp_path / "ledger.sqlite"
    with Ledger(path, "one") as ledger:
        with closing(sqlite3.connect(path)) as db, db:
            row = ("t" * 64, "d", "one", "L3", record, b"", 0.0)
            db.execute("insert into observations values (?, ?, ?, ?, ?, ?, ?)", row)
            db.execute("insert into documents values ('name', 'not json')")
        with pytest.raises(InfrastructureError, match=r"what is stored of trial t+ cannot be read"):
            ledger.get("t" * 64)
        with pytest.raises(InfrastructureError, match="of the document name cannot be read"):
            ledger.document("name")


def test_the_first_observation_stands_though_the_clock_was_set_back(path, monkeypatch):
    first, second = observation("k", 1.0), observation("k", 2.0)
    for run, seen, clock in (("one", first, 2_000.0), ("two", second, 1_000.0)):
        monkeypatch.setattr("time.time", lambda clock=clock: clock)
        with Ledger(path, run, fresh=True) as ledger:
            ledger.put(seen)
    with Ledger(path, "three") as ledger:
        assert ledger.get("k").digest == first.digest
        assert ledger.digests("k") == (first.digest, second.digest)


def test_a_byte_that_changed_on_the_disk_makes_no_mark(path):
    with Ledger(path, "one") as ledger:
        ledger.put(observation("k", 1.0))
        ledger.put_files({sha256(b"work"): b"work"})
    other = np.array([2.0]).astype("<f8").tobytes()
    with closing(sqlite3.connect(path)) as db, db:
        (length,) = db.execute("select length(arrays) from observations").fetchone()
        db.execute("update observations set arrays = ?", (other.ljust(length, b"\0"),))
        db.execute("update files set content = ?", (b"wOrk",))
    with Ledger(path, "two") as ledger:
        with pytest.raises(InfrastructureError, match=r"of trial k cannot be read.*not what was"):
            ledger.get("k")
        with pytest.raises(InfrastructureError, match=r"of the file .* not what was written"):
            ledger.file(sha256(b"work"))


def test_an_altered_document_is_named_where_it_cannot_be_used(path):
    with Ledger(path, "one") as ledger:
        ledger.put_document("costs", {"seconds": 3})
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("update documents set record = replace(record, '3}', '\"\"}')")
    with pytest.raises(InfrastructureError, match=r"document costs is not what was written.*copy"):
        with Ledger(path, "two") as ledger:
            ledger.document("costs")["seconds"] + 1
    with pytest.raises(KeyError):  # nothing was altered: an error of ours stays what it is
        with Ledger(path, "three") as ledger:
            ledger.put_document("costs", {"seconds": 3})
            ledger.document("costs")["minutes"]


def test_records_of_a_ledger_that_knew_no_digests_are_read(path):
    wanted = observation("k", 1.0)
    with Ledger(path, "one") as ledger:
        ledger.put(wanted)
        ledger.put_document("costs", {"seconds": 3})
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("delete from meta where name = 'digests'")
        for table in ("observations", "documents"):
            until = "substr(record, 1, instr(record, char(10)) - 1)"
            db.execute(f"update {table} set record = {until}")
    with Ledger(path, "two") as ledger:
        assert ledger.get("k").digest == wanted.digest
        assert ledger.document("costs") == {"seconds": 3}
