"""Play whole games of Pong with a player and store what they scored.

    python evaluate.py --player random
    python evaluate.py --player solution.py --checkpoint DIR/player.safetensors \\
        --provenance DIR/provenance.json

Every environment has its own seed and plays one whole game; whatever it plays afterwards, while the
others finish, is not counted.  The result goes into targets/pong.json: random play as an anchor, a
trained player as a run, in the place of an earlier one with the same training seed.  Stored are the
returns and lengths of each game, mean and standard deviation, the number of distinct trajectories,
processor time of the emulator and of the player, and how the player came about.

Evaluation seeds start at 900,000,000; training with seed m < 800 never leaves the seeds below.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ale_py
import numpy as np
import torch
from ale_py.vector_env import AtariVectorEnv
from train import PROTOCOL

HERE = Path(__file__).parent
Act = Callable[[np.ndarray], np.ndarray]  # uint8 [b 4 84 84] -> int64 [b]


@dataclass(frozen=True)
class Games:
    """One whole game for each of n seeds."""

    returns: list[float]  # undiscounted, unclipped
    steps: list[int]  # agent steps, four frames each
    truncated: int  # games that the frame limit ended
    distinct: int  # distinct sequences of (action, reward)
    env_cpu_s: float
    act_cpu_s: float


def play(act: Act, seeds: np.ndarray, threads: int = 1) -> Games:
    """Play one whole game on each seed [n], all of them side by side."""
    n = len(seeds)
    knobs = {k: v for k, v in PROTOCOL.items() if k != "game"}
    envs = AtariVectorEnv(
        str(PROTOCOL["game"]), n, batch_size=n, num_threads=min(n, threads), **knobs
    )
    s, _ = envs.reset(seed=seeds.astype(np.int64))
    playing = np.ones(n, dtype=bool)
    returns, steps, truncated = np.zeros(n), np.zeros(n, dtype=int), 0
    digests = [hashlib.sha256() for _ in range(n)]
    env_cpu_s = act_cpu_s = 0.0
    while playing.any():
        start = time.process_time()
        a = act(s)
        middle = time.process_time()
        s, r, over, cut, _ = envs.step(a)
        env_cpu_s += time.process_time() - middle
        act_cpu_s += middle - start
        returns[playing] += r[playing]
        steps[playing] += 1
        for i in np.flatnonzero(playing):
            digests[i].update(bytes([a[i], r[i] & 0xFF]))
        truncated += int((playing & cut & ~over).sum())
        playing &= ~(over | cut)
    distinct = len({d.digest() for d in digests})
    return Games(returns.tolist(), steps.tolist(), truncated, distinct, env_cpu_s, act_cpu_s)


def load_player(path: Path, checkpoint: Path) -> Act:
    """The greedy player that a solution file defines, on arrays."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    player = module.Player(str(checkpoint))
    return lambda s: player.act(torch.from_numpy(s)).numpy()


def random_player(rng: np.random.Generator) -> Act:
    """Every action equally likely."""
    return lambda s: rng.integers(6, size=len(s))


def summary(games: Games) -> dict[str, object]:
    """What is stored of the games; `sd` is the sample standard deviation over games."""
    returns = np.array(games.returns)
    return {
        "games": len(returns),
        "mean": round(float(returns.mean()), 4),
        "sd": round(float(returns.std(ddof=1)), 4),
        "mean_steps": round(float(np.mean(games.steps)), 1),
        "distinct_trajectories": games.distinct,
        "distinct_returns": len(set(games.returns)),
        "truncated_games": games.truncated,
        "env_cpu_s": round(games.env_cpu_s, 1),
        "act_cpu_s": round(games.act_cpu_s, 1),
        "returns": [int(x) for x in games.returns],
        "steps": games.steps,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Play whole games and store the scores.")
    parser.add_argument("--player", required=True, help="a solution file, or the word random")
    parser.add_argument("--checkpoint", type=Path, default=HERE / "solution.safetensors")
    parser.add_argument("--provenance", type=Path, help="provenance.json of the training run")
    parser.add_argument("--games", type=int, default=120)
    parser.add_argument("--first-seed", type=int, default=900_000_000)
    parser.add_argument("--out", type=Path, default=HERE / "targets" / "pong.json")
    args = parser.parse_args()

    torch.set_num_threads(1)
    if args.player == "random":
        act = random_player(np.random.default_rng(args.first_seed))
        circumstances: dict[str, object] = {
            "player": "uniform over the six actions",
            "rng": f"numpy.random.default_rng({args.first_seed})",
        }
    else:
        act = load_player(Path(args.player), args.checkpoint)
        circumstances = {
            "player": "greedy",
            "player_sha256": hashlib.sha256(Path(args.player).read_bytes()).hexdigest(),
            "checkpoint_sha256": hashlib.sha256(args.checkpoint.read_bytes()).hexdigest(),
        }
    start = time.perf_counter()
    games = play(act, args.first_seed + np.arange(args.games))
    entry = summary(games) | {
        "seeds": {"first": args.first_seed, "count": args.games},
        **circumstances,
        "device": "cpu",
        "machine": platform.machine(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "ale_py": ale_py.__version__,
        "threads": torch.get_num_threads(),
        "wall_s": round(time.perf_counter() - start, 1),
    }
    document: dict[str, Any] = {"format": 1, "task": "dqn-atari", "protocol": PROTOCOL}
    document |= {"summary": {}, "anchors": {}, "runs": []}
    if args.out.exists():
        document = json.loads(args.out.read_text())
        if document["protocol"] != PROTOCOL:
            raise SystemExit(f"{args.out} was measured under another protocol; remove it first")
    if args.player == "random":
        document["anchors"]["random"] = entry
    elif args.provenance is not None:
        training = json.loads(args.provenance.read_text())
        run = {"seed": training["seed"], "source_sha256": training["source_sha256"], **entry}
        others = [other for other in document["runs"] if other["seed"] != run["seed"]]
        document["runs"] = [*others, run | {"provenance": training}]
    document["summary"] = over_runs(document)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(to_json(document))
    print({k: entry[k] for k in ("games", "mean", "sd", "distinct_trajectories")})


def over_runs(document: dict[str, Any]) -> dict[str, object]:
    """Mean over training runs; fewer than ten give no spread between runs: provisional."""
    means = [run["mean"] for run in document["runs"]]
    anchors = {f"{name}_mean": entry["mean"] for name, entry in document["anchors"].items()}
    return {
        "runs": len(means),
        "mean": round(float(np.mean(means)), 4) if means else None,
        "sd_between_runs": round(float(np.std(means, ddof=1)), 4) if len(means) > 1 else None,
        "provisional": len(means) < 10,
        **anchors,
    }


def to_json(document: dict[str, object]) -> str:
    """Indented JSON with each list on one line."""
    lists: list[str] = []

    def hide(value: object) -> object:
        if isinstance(value, dict):
            return {k: hide(v) for k, v in value.items()}
        if isinstance(value, list):
            lists.append(json.dumps(value))
            return f"@{len(lists) - 1}@"
        return value

    text = json.dumps(hide(document), indent=2, ensure_ascii=False) + "\n"
    for i, line in enumerate(lists):
        text = text.replace(f'"@{i}@"', line)
    return text


if __name__ == "__main__":
    main()
