"""Train the Pong player of the task dqn-atari: Q(λ)-learning in parallel environments.

The learner is PQN (Gallici et al., "Simplifying Deep Temporal Difference Learning", 2024): the
DQN of the lecture without its replay memory and without its target network.  Many environments
played side by side do the decorrelating, LayerNorm keeps the bootstrapped regression stable, and
the target looks several steps ahead:

    G_t = r_t + γ (1 - d_t) [ (1 - λ) max_a Q(s_{t+1}, a) + λ G_{t+1} ]       (λ = 0: the DQN target)
    L   = 1/2 mean ( Q_w(s_t, a_t) - G_t )²                                    (G is held constant)

Symbols: s [4 84 84] four grey frames, oldest first; a in 0..5; r in {-1, 0, 1}; d = 1 when the game
is over; γ discount; λ trace decay; ε exploration rate; w weights; N environments; T steps a rollout.

Command line, the same on a CPU and on a GPU:

    python train.py --seed 1 --steps 3000000 --out DIR [--device auto|cpu|cuda] [--resume]

`nox -s targets -- dqn-atari --device auto --seeds M` is to run that line once for every seed
1..M, each with its own DIR, then `evaluate.py --checkpoint DIR/player.safetensors` for each, and to
keep the player of seed 1 (named beforehand, not chosen by its score) as solution.safetensors.

Files in DIR
    player.safetensors   the weights, nothing else: what a submission hands in
    state.safetensors    weights, optimiser, generator and counters: what --resume needs
    curve.csv            agent_steps, cpu_s, wall_s, epsilon, mean_return, episodes, loss
    provenance.json      the protocol, the hyper-parameters, versions, work done, digest of this file

Reproducibility: on one CPU model, one torch build and one torch thread, the same seed gives the same
weights bit for bit.  Elsewhere (a GPU, another instruction set) only the distribution is the same.
An emulator's state is not saved, so a resumed run starts new games and differs from one that was
never interrupted; provenance.json counts the resumptions.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import platform
import time
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path

import ale_py
import numpy as np
import torch
from ale_py.vector_env import AtariVectorEnv
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

# The rules of the game, identical in training, evaluation and grading.  Two of the emulator's own
# defaults would change the score in silence: it clips rewards, and its actions are not sticky.
PROTOCOL: dict[str, object] = {
    "game": "pong",
    "repeat_action_probability": 0.25,  # sticky actions (Machado et al. 2018)
    "noop_max": 30,  # a game begins after up to 30 idle frames
    "frameskip": 4,  # frames an action is held for; the last two are max-pooled
    "maxpool": True,
    "episodic_life": False,  # an episode ends with the game, nothing earlier
    "life_loss_info": False,
    "reward_clipping": False,
    "use_fire_reset": False,  # Pong serves by itself; FIRE stays the player's own decision
    "full_action_space": False,  # NOOP FIRE RIGHT LEFT RIGHTFIRE LEFTFIRE
    "max_num_frames_per_episode": 108_000,  # 27,000 agent steps
    "img_height": 84,
    "img_width": 84,
    "grayscale": True,
    "stack_num": 4,
    "autoreset_mode": "NextStep",
}


@dataclass(frozen=True)
class Hyper:
    """Hyper-parameters; one agent step is one action in one environment, i.e. four frames."""

    n_envs: int = 16  # N, environments played side by side
    n_steps: int = 32  # T, steps a rollout
    n_look: int = 1_000  # random steps in each environment, to see what the pixels usually are
    n_epochs: int = 2  # passes over a rollout
    batch: int = 64  # transitions a gradient step
    γ: float = 0.99
    λ: float = 0.65
    ε_start: float = 1.0
    ε_end: float = 0.01
    ε_fraction: float = 0.08  # share of all steps in which ε falls, linearly
    lr: float = 2.5e-4  # RAdam; falls linearly to lr_end
    lr_end: float = 2.5e-5
    max_grad_norm: float = 10.0
    env_threads: int = 0  # emulator threads, 0 = one a core; changes no bit of the result
    log_every: int = 10_240  # agent steps
    save_every: int = 102_400  # agent steps


class QNet(nn.Module):
    """Q_w(s, ·): uint8 [b 4 84 84] -> float32 [b 6]; 230 k weights, 2.1 M multiply-adds a state.

    `usual` and `spread` are the mean and the standard deviation of every pixel under random play.
    Without them the ball, one faint pixel in 1,764, drowns in the constant background.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("usual", torch.zeros(42, 42))
        self.register_buffer("spread", torch.ones(42, 42))
        self.conv1, self.norm1 = nn.Conv2d(4, 32, 6, stride=3), nn.LayerNorm([32, 13, 13])
        self.conv2, self.norm2 = nn.Conv2d(32, 64, 4, stride=2), nn.LayerNorm([64, 5, 5])
        self.conv3, self.norm3 = nn.Conv2d(64, 64, 3, stride=1), nn.LayerNorm([64, 3, 3])
        self.dense, self.norm4 = nn.Linear(576, 256), nn.LayerNorm(256)
        self.head = nn.Linear(256, 6)

    def forward(self, s: Tensor) -> Tensor:
        x = nn.functional.avg_pool2d(s.float() / 255, 2)  # [b 4 42 42]
        x = ((x - self.usual) / self.spread).clamp(-3, 3)
        x = self.norm1(self.conv1(x)).relu()  # [b 32 13 13]
        x = self.norm2(self.conv2(x)).relu()  # [b 64 5 5]
        x = self.norm3(self.conv3(x)).relu()  # [b 64 3 3]
        x = self.norm4(self.dense(x.flatten(1))).relu()  # [b 256]
        return self.head(x)  # [b 6]


def λ_returns(r: Tensor, d: Tensor, cut: Tensor, v_next: Tensor, γ: float, λ: float) -> Tensor:
    """G_t of the module docstring, for a whole rollout; all arguments and the result are [T N].

    `d` is 1 where the game ended in step t; `cut` is 1 where the frame limit ended it, in which
    case the target bootstraps from s_{t+1} but must not continue into the next game's G_{t+1}.
    """
    G = torch.empty_like(r)
    G_next = v_next[-1]  # beyond the rollout: max_a Q(s_T, a)
    for t in reversed(range(len(r))):
        λ_t = λ * (1 - cut[t])
        G[t] = r[t] + γ * (1 - d[t]) * ((1 - λ_t) * v_next[t] + λ_t * G_next)
        G_next = G[t]
    return G


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the Pong player of the task dqn-atari.")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=3_000_000, help="agent steps in total")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--resume", action="store_true", help="continue from DIR/state.safetensors")
    args = parser.parse_args()

    h = Hyper()
    device = args.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(1)  # more threads are slower on nets this small, and change the rounding
    torch.manual_seed(args.seed)  # the initial weights
    g = torch.Generator().manual_seed(args.seed)  # exploration and minibatch order, on the CPU
    args.out.mkdir(parents=True, exist_ok=True)

    net = QNet().to(device)
    optimiser = torch.optim.RAdam(net.parameters(), lr=h.lr)
    step, resumed, episodes, cpu_before, wall_before = 0, 0, 0, 0.0, 0.0
    if args.resume:
        state = load_file(args.out / "state.safetensors")
        net.load_state_dict({k[4:]: v for k, v in state.items() if k.startswith("net.")})
        for i, w in enumerate(net.parameters()):
            moments = {k: state[f"opt.{i}.{k}"] for k in ("step", "exp_avg", "exp_avg_sq")}
            optimiser.state[w] = {k: v if k == "step" else v.to(device) for k, v in moments.items()}
        g.set_state(state["generator"])
        step, resumed, episodes = (int(n) for n in state["counts"])
        cpu_before, wall_before = (float(x) for x in state["seconds"])
        resumed += 1
    else:
        with (args.out / "curve.csv").open("w", newline="") as f:
            csv.writer(f).writerow(
                ["agent_steps", "cpu_s", "wall_s", "epsilon", "mean_return", "episodes", "loss"]
            )

    knobs = {k: v for k, v in PROTOCOL.items() if k != "game"}
    envs = AtariVectorEnv(
        str(PROTOCOL["game"]), h.n_envs, num_threads=h.env_threads, batch_size=h.n_envs, **knobs
    )
    # Training seeds live in [seed·10⁶, seed·10⁶ + steps + N): far below those of any evaluation.
    frames, _ = envs.reset(seed=args.seed * 1_000_000 + step)
    s = torch.from_numpy(frames.copy()).to(device)  # [N 4 84 84] uint8
    if step == 0:
        looks = []  # every tenth newest frame, pooled as the network does it: [42 42] each
        for t in range(h.n_look):
            frames, *_ = envs.step(torch.randint(6, (h.n_envs,), generator=g).numpy())
            if t % 10 == 0:
                looks.append(nn.functional.avg_pool2d(torch.from_numpy(frames[:, 3]) / 255, 2))
        x = torch.cat(looks)  # [n 42 42]
        net.usual.copy_(x.mean(0))
        net.spread.copy_(x.std(0).clamp(min=0.05))
        step = h.n_look * h.n_envs
        frames, _ = envs.reset(seed=args.seed * 1_000_000 + step)
        s = torch.from_numpy(frames.copy()).to(device)
    fresh = np.zeros(h.n_envs, dtype=bool)  # the game of this environment ended in the last step
    score = np.zeros(h.n_envs)  # unclipped return of the game in progress
    last_scores: deque[float] = deque(maxlen=40)
    losses: deque[float] = deque(maxlen=200)

    T, N = h.n_steps, h.n_envs
    S = torch.empty((T, N, 4, 84, 84), dtype=torch.uint8, device=device)
    A = torch.empty((T, N), dtype=torch.int64, device=device)
    V = torch.empty((T + 1, N), device=device)  # max_a Q(s_t, a)
    R, D, CUT = (torch.zeros((T, N)) for _ in range(3))
    REAL = torch.zeros((T, N), dtype=torch.bool)

    def ε_at(step: int) -> float:
        share = min(1.0, step / (h.ε_fraction * args.steps))
        return h.ε_start + share * (h.ε_end - h.ε_start)

    def seconds() -> tuple[float, float]:
        cpu_s = time.process_time() - cpu_start + cpu_before
        return cpu_s, time.perf_counter() - wall_start + wall_before

    def save(finished: bool) -> None:
        cpu_s, wall_s = seconds()
        weights = {k: v.detach().cpu().contiguous() for k, v in net.state_dict().items()}
        save_file(weights, args.out / "player.safetensors")
        state = {f"net.{k}": v for k, v in weights.items()}
        for i, w in enumerate(net.parameters()):
            for k, v in optimiser.state[w].items():
                state[f"opt.{i}.{k}"] = v.detach().cpu().contiguous()
        state["generator"] = g.get_state()
        state["counts"] = torch.tensor([step, resumed, episodes])
        state["seconds"] = torch.tensor([cpu_s, wall_s], dtype=torch.float64)
        save_file(state, args.out / "state.safetensors")
        provenance = {
            "algorithm": "PQN: Q(lambda), no replay, no target network, LayerNorm CNN",
            "protocol": PROTOCOL,
            "hyper": asdict(h),
            "device": device if device == "cpu" else torch.cuda.get_device_name(),
            "machine": platform.machine(),
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
            "torch": torch.__version__,
            "ale_py": ale_py.__version__,
            "threads": torch.get_num_threads(),
            "seed": args.seed,
            "steps_planned": args.steps,
            "steps": step,
            "finished": finished,
            "episodes": episodes,
            "resumptions": resumed,
            "cpu_s": round(cpu_s, 1),
            "wall_s": round(wall_s, 1),
            "source_sha256": SOURCE_SHA256,
        }
        text = json.dumps(provenance, indent=2, ensure_ascii=False)
        (args.out / "provenance.json").write_text(text + "\n")

    cpu_start, wall_start = time.process_time(), time.perf_counter()
    while step < args.steps:
        lr_share = min(1.0, step / args.steps)
        for group in optimiser.param_groups:
            group["lr"] = h.lr + lr_share * (h.lr_end - h.lr)

        # Play T steps in N environments, ε-greedily.  Q of the visited states is kept: it gives the
        # bootstrap values for nothing.
        ε = ε_at(step)
        for t in range(T):
            with torch.no_grad():
                Q = net(s)  # [N 6]
            explore = torch.rand(N, generator=g) < ε
            anything = torch.randint(6, (N,), generator=g)
            S[t], V[t] = s, Q.amax(1)
            A[t] = torch.where(explore.to(device), anything.to(device), Q.argmax(1))
            frames, r, over, truncated, _ = envs.step(A[t].cpu().numpy())
            # In the step after a game's last one the emulator resets itself and ignores the action:
            # a transition that no policy made.  It is played, and left out of the loss.
            REAL[t] = torch.from_numpy(~fresh)
            R[t] = torch.from_numpy(np.clip(r, -1, 1))  # for the learner only; in Pong, a no-op
            D[t], CUT[t] = torch.from_numpy(over), torch.from_numpy(truncated & ~over)
            score += r
            fresh = over | truncated
            for i in np.flatnonzero(fresh):
                last_scores.append(float(score[i]))
                score[i], episodes = 0.0, episodes + 1
            s = torch.from_numpy(frames.copy()).to(device)
        with torch.no_grad():
            V[T] = net(s).amax(1)
        step += T * N

        # Regress on the λ-returns, which are numbers by now: no gradient flows through them.
        G = λ_returns(R.to(device), D.to(device), CUT.to(device), V[1:], h.γ, h.λ)  # [T N]
        real = REAL.flatten().nonzero().squeeze(1)  # [m], m <= T·N
        flat_S, flat_A, flat_G = S.flatten(0, 1), A.flatten(), G.flatten()
        for _ in range(h.n_epochs):
            for pick in real[torch.randperm(len(real), generator=g)].split(h.batch):
                i = pick.to(device)  # [b]
                Q_a = net(flat_S[i]).gather(1, flat_A[i, None]).squeeze(1)  # [b]
                loss = 0.5 * (Q_a - flat_G[i]).square().mean()
                optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(net.parameters(), h.max_grad_norm)
                optimiser.step()
        losses.append(loss.item())

        if step // h.log_every > (step - T * N) // h.log_every or step >= args.steps:
            cpu_s, wall_s = seconds()
            mean = sum(last_scores) / len(last_scores) if last_scores else float("nan")
            row = [step, f"{cpu_s:.1f}", f"{wall_s:.1f}", f"{ε:.4f}", f"{mean:.3f}", episodes]
            row.append(f"{sum(losses) / len(losses):.6f}")
            with (args.out / "curve.csv").open("a", newline="") as f:
                csv.writer(f).writerow(row)
            print(*row, flush=True)
        if step // h.save_every > (step - T * N) // h.save_every:
            save(finished=False)
    save(finished=True)


SOURCE_SHA256 = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()  # read before any edit

if __name__ == "__main__":
    main()
