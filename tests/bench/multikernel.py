"""Boolean kernels for a language model: decomposed, distilled, allocated, and fast by the row.

    python -m tests.bench.multikernel decompose --data DIR
    python -m tests.bench.multikernel rounding --data DIR --kernels 2 3 4
    python -m tests.bench.multikernel distil --data DIR --kernels 2 --steps 600 --train last none --seeds 0 1 2
    python -m tests.bench.multikernel allocate --data DIR --budgets 1.5 2.5
    python -m tests.bench.multikernel state --data DIR --kernels 1 2 3
    python -m tests.bench.multikernel wide --width 2048 --blocks 4 --kernels 2
    python -m tests.bench.multikernel rows

DIR holds `tinyshakespeare_teacher.npz`, a trained `bvar.multikernel.Transformer` whose `chars` are the bytes of
its tokens, and `tinyshakespeare.npz` with the bytes of the text as `text`; its first nine tenths are for training.
Losses are in nats a character on every `--every`-th window of 128 of the rest.  Choose settings with `--slice`,
which looks at the last tenth of the training text instead, and trains on what comes before.  Seconds are of the
processor.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from bvar import backends, kernels, multikernel
from bvar.bits import RandomWords
from tests.bench.kernels import on
from tests.bench.timing import describe, one_thread, race

Options = argparse.Namespace


def teacher_of(options: Options) -> multikernel.Transformer:
    return multikernel.Transformer.load(options.data / "tinyshakespeare_teacher.npz", n_heads=4)


def texts(options: Options, model: multikernel.Transformer) -> tuple[np.ndarray, np.ndarray]:
    """The text to train on, and the windows to score on."""
    with np.load(options.data / "tinyshakespeare.npz") as file:
        ids = model.encode(bytes(file["text"]).decode("latin-1"))
    cut = len(ids) * 9 // 10
    if options.slice:
        ids, cut = ids[:cut], cut * 9 // 10
    return ids[:cut], multikernel.windows(ids[cut:])[:: options.every]


def decompose(options: Options) -> None:
    """Without any training: relative errors and losses, extracted and refined."""
    teacher = teacher_of(options)
    _, held_out = texts(options, teacher)
    print(f"teacher {-teacher.score(held_out):.4f}")
    whole = np.sqrt(sum(np.sum(np.square(teacher.weight(name))) for name in teacher.map_names))
    for n in options.kernels:
        for rounds in (0, options.rounds):
            start = time.process_time()
            student = multikernel.BooleanTransformer.from_teacher(teacher, n, n_rounds=rounds)
            seconds = time.process_time() - start
            squares = sum(
                np.sum(np.square(teacher.weight(name) - student.weight(name))) for name in teacher.map_names
            )
            print(
                f"K={n} rounds={rounds:2}: error {np.sqrt(squares) / whole:.4f}, "
                f"{-student.score(held_out):.4f} nats, {student.n_bits_per_weight:.2f} bits a weight, "
                f"{seconds:.1f} s",
                flush=True,
            )


def rounded(matrix: np.ndarray, n_bits: int, size: int = 64) -> np.ndarray:
    """Round to the nearest of 2**n_bits levels from the smallest to the largest of each group of a row."""
    groups = matrix.reshape(len(matrix), -1, size)
    low = groups.min(axis=2, keepdims=True)
    step = (groups.max(axis=2, keepdims=True) - low) / (2**n_bits - 1)
    return (low + step * np.rint((groups - low) / step)).reshape(matrix.shape)


def rounding(options: Options) -> None:
    """What plain rounding leaves: a rival of as many bits, with two numbers of 16 bits for each group of 64."""
    teacher = teacher_of(options)
    _, held_out = texts(options, teacher)
    for n_bits in options.kernels:
        maps = {name: rounded(teacher.weight(name), n_bits) for name in teacher.map_names}
        model = multikernel.Transformer(teacher.weights | maps, **teacher.options)
        print(f"{n_bits} bits and {2 * 16 / 64} for scales: {-model.score(held_out):.4f} nats", flush=True)


def distil(options: Options) -> None:
    """Trained: with votes on bits, and with scales only."""
    teacher = teacher_of(options)
    ids, held_out = texts(options, teacher)
    print(f"teacher {-teacher.score(held_out):.4f}")
    for n in options.kernels:
        for train in options.train:
            losses = []
            for seed in options.seeds:
                student = multikernel.BooleanTransformer.from_teacher(teacher, n, n_rounds=options.rounds)
                start = time.process_time()
                history = multikernel.distil(
                    student, teacher, ids, options.steps, random_state=seed, train=train, rate=options.rate
                )
                seconds, losses = time.process_time() - start, [*losses, -student.score(held_out)]
                share = history.flips.sum() / sum(multikernel.sizes(student).values())
                print(
                    f"K={n} train={train} steps={options.steps} seed={seed}: {losses[-1]:.4f} nats, "
                    f"flips a weight {share:.4f}, {seconds:.0f} s",
                    flush=True,
                )
            print(f"K={n} train={train} steps={options.steps}: mean {np.mean(losses):.4f}", flush=True)


def allocate(options: Options) -> None:
    """Budgets that are not whole: by measured rises, and in random order."""
    teacher = teacher_of(options)
    ids, held_out = texts(options, teacher)
    rises = multikernel.measure_rises(teacher, ids[-6200:])
    sizes, base = multikernel.sizes(teacher), -teacher.score(held_out)
    for budget in options.budgets:
        counts = multikernel.allocate(rises, sizes, budget, high=4)
        student = multikernel.BooleanTransformer.from_teacher(teacher, counts)
        print(f"budget {budget}, measured: rise {-student.score(held_out) - base:.4f} nats", flush=True)
        for seed in options.seeds:
            order = RandomWords(seed).permutation(len(sizes))
            # every map has its next kernel before one has two, in the order of chance
            chance = {name: [-k * (999.0 - 99 * k + order[i]) for k in range(4)] for i, name in enumerate(sizes)}
            counts = multikernel.allocate(chance, sizes, budget, high=4, per_weight=False)
            student = multikernel.BooleanTransformer.from_teacher(teacher, counts)
            print(f"budget {budget}, chance {seed}: rise {-student.score(held_out) - base:.4f} nats", flush=True)


def state(options: Options) -> None:
    """Bytes that training keeps, beside latent float32 weights with the two means of Adam."""
    teacher = teacher_of(options)
    for n in options.kernels:
        student = multikernel.BooleanTransformer.from_teacher(teacher, n, n_rounds=0)
        kept = multikernel.Distiller(student, teacher, n_steps=1).n_bytes
        latents = 3 * 4 * n * sum(multikernel.sizes(teacher).values())
        print(f"K={n}: {kept / 1e6:.2f} MB, latents {latents / 1e6:.2f} MB, {kept / latents:.3f} of them")


def wide(options: Options) -> None:
    """Tokens a second of a synthetic transformer, random weights, one text: float32 against bits."""
    width, source = options.width, RandomWords(1)
    sizes = {"width": width, "hidden": 11 * width // 4 // 64 * 64, "n_heads": width // 64}
    real = multikernel.Transformer.random(256, n_blocks=options.blocks, random_state=0, **sizes)
    for n in options.kernels:
        maps = {}
        for name in real.map_names:
            n_outputs, n_inputs = real.weight(name).shape
            signs = [source.bits(n_outputs, n_inputs) for _ in range(n)]
            scales = [np.full((n, size), size**-0.5, np.float32) for size in (n_outputs, n_inputs)]
            maps[name] = multikernel.MultiKernelLinear(multikernel.Kernels(signs, *scales))
        rest = {name: array for name, array in real.weights.items() if name not in maps}
        student = multikernel.BooleanTransformer(rest, maps, **real.options)
        seconds = race(
            {
                "float32": lambda: real.generate([1], 8, temperature=0, random_state=0),
                "bits": lambda student=student: student.generate(
                    [1], 8, temperature=0, random_state=0, integers=True
                ),
            },
            options.repeats,
        )
        speeds = {name: 8 / s for name, s in seconds.items()}
        print(
            f"width {width}, {options.blocks} blocks, K={n}: float32 {speeds['float32']:.1f} tokens/s, "
            f"bits {speeds['bits']:.1f}, ratio {speeds['bits'] / speeds['float32']:.2f}",
            flush=True,
        )


def rows(options: Options) -> None:
    """One row times a square matrix, from Python: against float32, prepared, at once, and a whole map."""
    random = np.random.RandomState(0)
    for n in (256, 512, 1024, 2048, 4096):
        real = random.standard_normal((n, n)).astype(np.float32)
        x, scales = random.standard_normal((1, n)).astype(np.float32), np.ones(n, np.float32)
        w, x8 = kernels.pack(real > 0), random.randint(-127, 128, (1, n)).astype(np.int8)
        contenders = {"sgemv": lambda a=real, b=x: a @ b[0]}
        for name in options.backends:
            with backends.use(name):
                prepared, q = kernels.prepare_rows(w), kernels.quantize_rows(x, scales)[0]
                layer = multikernel.MultiKernelLinear(
                    multikernel.Kernels([w, w], np.ones((2, n), np.float32), np.ones((2, n), np.float32))
                )

            contenders[f"{name} row_sums"] = on(name, lambda q=q, prepared=prepared: kernels.row_sums(q, prepared))
            contenders[f"{name} signed_sum"] = on(name, lambda x8=x8, w=w: kernels.signed_sum(x8, w))
            contenders[f"{name} map, K=2"] = on(name, lambda layer=layer, x=x: layer.infer(x))
        seconds = race(contenders, options.repeats)
        for name, s in seconds.items():
            print(f"{n:5} {name:24} {1e6 * s:9.1f} us, {seconds['sgemv'] / s:6.2f} times sgemv", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = {call.__name__: call for call in (decompose, rounding, distil, allocate, state, wide, rows)}
    parser.add_argument("command", choices=commands)
    parser.add_argument("--data", type=Path, default=Path())
    parser.add_argument("--kernels", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--every", type=int, help="default: 8 if nothing is trained, else 4")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--train", nargs="+", default=["last", "none"], choices=["last", "none", "all"])
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--slice", action="store_true")
    parser.add_argument("--budgets", type=float, nargs="+", default=[1.5, 2.5])
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--blocks", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument(
        "--backends", nargs="+", default=[name for name in backends.available() if name != "numpy"]
    )
    options = parser.parse_args()
    options.every = options.every or (4 if options.command == "distil" else 8)
    one_thread()
    print(describe(), flush=True)
    commands[options.command](options)


if __name__ == "__main__":
    main()
