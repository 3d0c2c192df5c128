"""The red team: every attack at every level, the bait, the driver, and attacks that do succeed.

An attack that is stopped says something only if it works where nothing stops it: the last part runs
attacks against a grader that compares in its own process, and as plain programs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.errors import SpecError, UsageError
from harness.redteam import bait, model, table, traces
from harness.redteam import run as rounds
from harness.redteam.model import LEVELS
from harness.redteam.outcome import Result, Round, unexpected
from harness.results import Results
from harness.sandbox import choice
from harness.spec.catalogue import load_all
from harness.verbs import redteam as verb

HERE = Path(__file__).parent
ATTACKS = {attack.label: attack for attack in model.load(HERE / "attacks")}
JOBS = 2


@pytest.fixture(scope="module")
def tasks():
    return load_all(HERE / "course" / "tasks", HERE / "course" / "reference")


# ------------------------------------------------------------------ every attack at every level


#: In the default suite every sixth attack meets the strongest level of the machine; `-m slow` has
#: all attacks at all levels. Each takes a grader and a sandbox of its own, some three seconds.
STRONGEST = "strongest"
AT = [STRONGEST, *(pytest.param(level, marks=pytest.mark.slow) for level in LEVELS)]
LABELS = [
    label if index % 6 == 0 else pytest.param(label, marks=pytest.mark.slow)
    for index, label in enumerate(sorted(ATTACKS))
]


@pytest.fixture(scope="module")
def played(request, tasks):
    """The round of a level, with the attacks that this session asks for, played once."""
    asked = [
        (item.callspec.params["at"], item.callspec.params["label"])
        for item in request.session.items
        if getattr(item, "originalname", "") == "test_an_attack_ends_as_expected"
    ]
    found = {}

    def play(at):
        level = choice.best().level if at == STRONGEST else at
        if level not in found:
            labels = {label for other, label in asked if other in (at, level)}
            labels |= {ATTACKS[label].honest for label in labels}
            chosen = [attack for label, attack in ATTACKS.items() if label in labels]
            found[level] = Round(level, complaints=("the round did not end",))
            found[level] = rounds.play(tasks, chosen, level, JOBS)
        if found[level].unavailable:
            pytest.skip(f"{level}: {found[level].unavailable}")
        return found[level]

    return play


@pytest.mark.parametrize("at", AT)
@pytest.mark.parametrize("label", LABELS)
def test_an_attack_ends_as_expected(played, at, label):
    each = played(at)
    results = {result.attack.label: result for result in each.results}
    assert label in results, each.complaints
    result = results[label]
    assert not result.complaints, table.word(result)
    if result.not_run:
        pytest.skip(f"{each.level} does not claim to stop it and it would harm: {result.not_run}")


@pytest.mark.parametrize("at", AT)
def test_honest_work_is_graded_alike_before_and_after_the_attacks(played, at):
    assert played(at).complaints == ()


def test_the_suite_covers_the_list_of_attacks():
    numbers = {attack.declared.id for attack in ATTACKS.values()}
    wanted = {*range(25), *range(30, 41), *range(50, 73), *range(80, 97), 98, 99}
    assert wanted <= numbers  # 97 needs a GPU
    assert len(numbers) == len(ATTACKS) >= 65


# ------------------------------------------------------------------ the driver


def write(folder, name, declared, **files):
    path = folder / name
    path.mkdir(parents=True)
    (path / "attack.yaml").write_text(declared)
    for file, text in files.items():
        (path / f"{file}.py").write_text(text)
    return path


def declare(number, name, stopped_from="L1", **more):
    lines = [
        f"id: {number}",
        f"name: {name}",
        "title: an attack that is made up for a test",
        f"stopped_from: {stopped_from}",
        *(f"{key}: {value}" for key, value in more.items()),
        "expect:",
        "  score: 0",
        "  status: [FAIL]",
        "  cause: [wrong]",
    ]
    return "\n".join(lines) + "\n"


ZERO = "print('@claim@')\n\n\ndef solve(x):\n    return x * 0\n"


@pytest.fixture
def folder(tmp_path):
    """A folder of attacks with the honest counterpart in it, beside a course."""
    shutil.copytree(HERE / "attacks" / "000-honest", tmp_path / "attacks" / "000-honest")
    shutil.copytree(HERE / "course", tmp_path / "course")
    return tmp_path / "attacks"


def arguments(folder, level, *, document=False):
    """What the command line makes of ``--level LEVEL --attacks FOLDER``."""
    return argparse.Namespace(
        level=[level],
        attack=[],
        attacks=[folder],
        jobs=JOBS,
        results=folder.parent / "results",
        json=document,
    )


def test_an_attack_that_succeeds_is_reported_and_never_called_ok(folder, capsys):
    write(folder, "200-leak", declare(200, "leak"), rt_exp=ZERO)
    known = declare(201, "known", "L2", leaks="[claimed]")
    write(folder, "201-known", known, rt_exp=ZERO)
    write(folder, "202-harmful", declare(202, "harmful", "L2", below="not-run"), rt_exp=ZERO)
    wrong = "def solve(x):\n    return x.exp()\n"
    write(folder, "203-scores", declare(203, "scores"), rt_exp=wrong)
    assert verb.run(arguments(folder, "L1", document=True)) == 1
    said = capsys.readouterr()
    (level,) = json.loads(said.out)["redteam"]["levels"]
    assert level["level"] == "L1"
    assert set(level["canaries"].values()) <= {"blocked", "open"}
    found = {attack["id"]: attack for attack in level["attacks"]}
    assert found[0]["score"] == found[0]["honest"] == found[200]["honest"] == 1.0
    assert found[200]["side_effects"] == ["claimed"]
    assert found[200]["complaints"] == ["unexpected: claimed"]
    assert (found[201]["side_effects"], found[201]["complaints"]) == (["claimed"], [])
    assert (found[202]["not_run"], found[202]["score"]) == ("not claimed", None)
    assert found[203]["complaints"][0] == "score 0.4, 0 is expected"
    lines = {
        line.split()[0]: line.split(None, 1)[1] for line in said.err.splitlines() if " " in line
    }
    assert lines["200-leak"] == "UNEXPECTED fail"
    assert lines["201-known"] == "leak: claimed"
    assert lines["202-harmful"] == "not claimed"
    assert lines["000-honest"] == "ok"
    stored = json.loads((folder.parent / "results" / "redteam" / "redteam.json").read_text())
    assert stored["redteam"]["levels"] == [level]


@pytest.mark.parametrize(
    ("number", "effect"), [(signal.SIGKILL, "grader-crashed"), (signal.SIGSTOP, "grader-hung")]
)
def test_a_grader_that_is_killed_or_stopped_is_told(folder, tasks, monkeypatch, number, effect):
    def grade(tasks, submissions, results, level):
        if (submissions / "attack").exists():
            os.kill(os.getpid(), number)
        return real(tasks, submissions, results, level)

    real = rounds.grader.grade
    monkeypatch.setattr(rounds.grader, "grade", grade)
    write(folder, "200-kills", declare(200, "kills"), rt_exp=ZERO)
    attacks = [item for item in model.load(folder) if item.declared.id == 200]
    (result,) = rounds.play(tasks, attacks, "L1").results
    assert result.effects == (effect,)
    assert result.complaints[0] == f"unexpected: {effect}"
    assert result.score is None


def test_a_level_that_is_not_there_is_named_with_its_reason(folder, tasks, monkeypatch, capsys):
    def at(level):
        raise rounds.Unavailable("no such thing on this machine")

    monkeypatch.setattr(rounds.choice, "at", at)
    assert verb.run(arguments(folder, "L3")) == 1
    assert "L3: unavailable: no such thing on this machine" in capsys.readouterr().out


def complaints(folder):
    with pytest.raises(SpecError) as caught:
        model.load(folder)
    return [
        (Path(found.file).relative_to(folder), found.line, found.message)
        for found in caught.value.problems
    ]


def test_a_description_that_is_wrong_is_refused_with_its_place(folder):
    text = declare(200, "odd", leeks="[claimed]").replace("score: 0", "score: full")
    write(folder, "200-odd", text, rt_exp=ZERO)
    found = complaints(folder)
    assert {(str(file), line) for file, line, _ in found} == {
        ("200-odd/attack.yaml", 5),
        ("200-odd/attack.yaml", 7),
    }
    assert any("leeks" in message for *_, message in found)


def test_a_placeholder_that_stands_for_nothing_is_refused_with_its_place(folder):
    write(folder, "200-odd", declare(200, "odd"), rt_exp=ZERO + "KEY = '@secret@'\n")
    write(folder, "201-odd", declare(201, "odd"), rt_exp="# @include:nothing@\n" + ZERO)
    found = complaints(folder)
    assert [(str(file), line) for file, line, _ in found] == [
        ("200-odd/rt_exp.py", 6),
        ("201-odd/rt_exp.py", 1),
    ]
    assert "@secret@ stands for nothing" in found[0][2]


def test_folders_must_be_called_what_they_are_and_hold_something(folder):
    write(folder, "200-one", declare(200, "other"), rt_exp=ZERO)
    write(folder, "201-empty", declare(201, "empty"))
    text = declare(202, "lonely").replace("score: 0", "score: {at_most_honest: 009-nobody}")
    write(folder, "202-lonely", text, rt_exp=ZERO)
    messages = [message for *_, message in complaints(folder)]
    assert "200-other, the folder is called 200-one" in messages[0]
    assert "no submission" in messages[1]
    assert "009-nobody does not exist" in messages[2]


def test_attacks_are_chosen_with_their_honest_counterparts(folder):
    write(folder, "200-one", declare(200, "one"), rt_exp=ZERO)
    write(folder, "201-two", declare(201, "two"), rt_exp=ZERO)
    assert [item.declared.id for item in model.load(folder, [201])] == [0, 201]
    with pytest.raises(UsageError, match="no attack has the number 7"):
        model.load(folder, [7])
    with pytest.raises(UsageError, match="no attack found"):
        model.load(folder / "000-honest")


# ------------------------------------------------------------------ bait and traces


@pytest.fixture
def laid():
    with bait.laid_out() as found:
        yield found


def test_untouched_bait_says_nothing(laid):
    assert list(laid.reached()) == []


def connect(family, address):
    with socket.socket(family) as made:
        made.connect(address)


def send(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.sendto(b"x", ("127.0.0.1", port))


def chmod(path):
    Path(path).chmod(0o600)


def touch(path):
    Path(path).touch()


def leave(folder):
    """A temporary folder as a grader makes one."""
    made = folder / "temporary"
    made.mkdir()
    (folder / "made.txt").write_text(f"{made}\n{folder / 'gone'}\n")


REACHES = {
    "tcp": lambda at: connect(socket.AF_INET, ("127.0.0.1", int(at["tcp_port"]))),
    "udp": lambda at: send(int(at["udp_port"])),
    "abstract-socket": lambda at: connect(socket.AF_UNIX, f"\0{at['abstract_name']}"),
    "unix-socket": lambda at: connect(socket.AF_UNIX, at["socket_path"]),
    "witness-changed": lambda at: touch(at["witness_file"]),
    "files-left": lambda at: leave(Path(at["witness_folder"]).parent),
}


@pytest.mark.parametrize("effect", REACHES)
def test_what_is_reached_is_named(laid, effect):
    REACHES[effect](laid.placeholders(1))
    assert list(laid.reached()) == [effect]


@pytest.mark.parametrize(
    "change",
    [
        lambda at: chmod(at["witness_file"]),
        lambda at: os.utime(at["witness_file"], (1, 1)),
        lambda at: os.link(at["witness_file"], Path(at["witness_folder"]).parent / "x"),
        lambda at: touch(f"{at['witness_folder']}/new"),
        lambda at: Path(at["witness_file"]).write_text("99\n"),
    ],
)
def test_every_change_of_the_witness_shows(laid, change):
    change(laid.placeholders(1))
    assert "witness-changed" in list(laid.reached())


def test_a_file_in_a_public_folder_is_found_and_taken_away(laid):
    left = Path("/tmp") / f"x{laid.tag}y"
    left.touch()
    assert list(laid.reached()) == ["files-left"]
    laid.close()
    assert not left.exists()


def test_what_happens_to_the_decoy_is_named(laid):
    os.kill(laid.decoy_pid, signal.SIGSTOP)
    assert list(laid.reached()) == ["decoy-signalled"]
    os.kill(laid.decoy_pid, signal.SIGKILL)
    assert list(laid.reached()) == ["decoy-killed"]


def test_secrets_are_found_wherever_they_are_written(laid, played, tasks):
    results = laid.results
    with rounds.Arena(tasks, "L1") as arena:
        shutil.copyfile(arena.first_results.ledger, results.ledger)
        before = traces.rows(results.ledger)
    assert list(traces.stored(laid, before)) == []
    results.grades.write_text(f"x,{laid.tokens['secret-file']}\n")
    assert list(traces.stored(laid, before)) == ["secret-file"]
    reports = results.submissions(["attack"])["attack"]
    reports.folder.mkdir(parents=True)
    reports.feedback.write_text(laid.tokens["output-shown"])
    assert list(traces.stored(laid, before)) == ["secret-file", "output-shown"]
    key = next(iter(before))
    assert "ledger-changed" in list(traces.stored(laid, {**before, key: ("other", "")}))
    results.ledger.write_bytes(b"not a ledger" * 1000)
    assert "ledger-changed" in list(traces.stored(laid, before))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("grades.json", "{", "does not parse"),
        ("grades.csv", "a,=1+1\n", "formula"),
        ("leaderboard.csv", "a,\x1b[2J\n", "terminal obeys"),
        ("junit.xml", "<a>", "does not parse"),
        ("submissions/honest/feedback.md", "<script>", "markup"),
        ("submissions/honest/feedback.md", "\u202e", "terminal obeys"),
        ("results.json", "{}", "none of ours"),
        ("submissions/other/feedback.md", "", "none of ours"),
        ("submissions/honest/example-exp.value.npz", "\x80\x04.", "more than numbers"),
        ("submissions/honest/values.npz", "", "none of ours"),
        ("honest/feedback.md", "", "none of ours"),
    ],
)
def test_damaged_reports_are_named(tmp_path, name, text, words):
    document = {"submissions": [{"name": "honest"}]}
    (tmp_path / "grades.json").write_text(json.dumps(document))
    example = tmp_path / "submissions" / "honest" / "example-exp.gradient.npz"
    example.parent.mkdir(parents=True)
    np.savez(example, x=np.ones(3))
    assert list(traces.damaged(Results(tmp_path), document)) == []
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    if name == "grades.json":
        text = json.dumps({"submissions": []})
        words = "not what the grader wrote"
    (tmp_path / name).write_text(text)
    (found,) = traces.damaged(Results(tmp_path), document)
    assert words in found


# ------------------------------------------------------------------ attacks that do succeed


def source(label, laid, folder):
    """The attack's rt_exp.py, its placeholders filled in; the decoy stands for the grader too."""
    at = laid.placeholders(laid.decoy_pid)
    at["grader_address"] = at["decoy_address"]
    ATTACKS[label].make(folder, at)
    return folder / "attack" / "rt_exp.py"


FORGE_FULL_MARKS = [
    "006-patched-comparisons",
    "007-agreeable-tensor",
    "008-agreeable-object",
    "009-nan",
    "011-walk-frames",
    "012-scan-heap",
    "017-mutated-input",
    "018-lazy-answer",
]


@pytest.fixture(scope="module")
def naive_scores(tmp_path_factory):
    """What a grader that shares the process gives; None where it could not write a result."""
    scores = {}
    with bait.laid_out() as laid:
        for label in (*FORGE_FULL_MARKS, "000-honest", "001-exit-at-import", "010-infinity"):
            path = source(label, laid, tmp_path_factory.mktemp("naive"))
            scores[label] = path
        command = [sys.executable, str(HERE / "naive.py"), *map(str, scores.values())]
        subprocess.run(command, check=True, capture_output=True)
    results = {label: Path(f"{path}.json") for label, path in scores.items()}
    return {
        label: json.loads(path.read_text())["score"] if path.exists() else None
        for label, path in results.items()
    }


@pytest.mark.parametrize("label", FORGE_FULL_MARKS)
def test_forging_succeeds_where_the_grader_shares_the_process(naive_scores, label):
    assert naive_scores[label] == 1.0


def test_such_a_grader_can_tell_right_from_wrong_and_be_left_without_a_result(naive_scores):
    assert naive_scores["000-honest"] == 1.0
    assert naive_scores["010-infinity"] == 0.0
    assert naive_scores["001-exit-at-import"] is None


SUCCEED_UNCONFINED = {
    "030-read-secret-file": "secret-file",
    "032-environment-of-others": "decoy-environ",
    "034-read-memory": "decoy-memory",
    "035-trace-others": "claimed",
    "036-tcp": "tcp",
    "037-udp": "udp",
    "038-abstract-socket": "abstract-socket",
    "039-write-grader-code": "witness-changed",
    "040-read-other-submission": "other-submission",
    "041-process-vm-readv": "decoy-memory",
    "042-metadata": "witness-changed",
    "043-links-in-scratch": "secret-file",
    "044-watch-folder": "claimed",
    "045-unix-socket": "unix-socket",
    "049-library-locks": "claimed",
    "118-kill-others": "decoy-killed",
    "132-other-networks": "claimed",
}


@pytest.mark.parametrize("label", SUCCEED_UNCONFINED)
def test_an_attack_succeeds_where_nothing_confines_it(label, laid, tmp_path):
    done = subprocess.run(
        [sys.executable, str(source(label, laid, tmp_path))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    told = [name for name, token in laid.tokens.items() if token in done.stdout]
    assert SUCCEED_UNCONFINED[label] in [*told, *laid.reached()], done.stdout


def test_a_signal_to_everybody_reaches_the_decoy_where_nothing_confines_it(laid, tmp_path):
    path = source("063-signal-everybody", laid, tmp_path)
    text = path.read_text().replace("os.kill(-1,", "os.kill(os.getpid(),")  # not this machine's
    subprocess.run([sys.executable, "-c", text], check=True, capture_output=True)
    while not list(laid.reached()):
        pass


@pytest.mark.parametrize("label", ["046-shared-memory", "047-message-queue", "069-note-in-files"])
def test_a_note_is_carried_where_nothing_confines_it(label, laid, tmp_path):
    path = source(label, laid, tmp_path)
    said = [
        subprocess.run(
            [sys.executable, str(path)], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert [laid.tokens["claimed"] in text for text in said] == [False, True]


def test_the_ledger_is_rewritten_where_nothing_confines_it(laid, tmp_path):
    import sqlite3

    ledger = laid.folder / "results" / "ledger.sqlite"
    with sqlite3.connect(ledger) as made:
        made.execute("create table observations (trial, run, digest, record, arrays)")
        made.execute("insert into observations values ('k', 'r', 'd', 'c', x'')")
    made.close()
    before = traces.rows(ledger)
    subprocess.run([sys.executable, str(source("119-rewrite-ledger", laid, tmp_path))], check=True)
    assert list(traces.stored(laid, before)) == ["ledger-changed"]


def test_results_compare_with_the_best_that_honest_work_gets():
    attack = ATTACKS["062-thread-left"]
    result = Result(attack, "L1", score=0.4, status="PASS")
    assert not list(unexpected(result))
    assert list(unexpected(replace(result, status="FAIL", cause="wrong")))


def test_the_readme_says_how_many_there_are():
    folder = Path(__file__).parent
    page = (folder.parents[1] / "README.md").read_text(encoding="utf-8")
    count = sum(1 for _ in folder.rglob("attack.yaml"))
    assert f"`nox -s redteam` runs {count} attacks and honest programs" in page
