"""How telling icons are to another network: is an icon like the photographs its channel answers to?

    python benchmarks/other_network.py NETWORK PHOTOGRAPHS [--judge mini] [--channels 128]

No person and no opinion: the judge is a network that never took part in making the pictures. Two
pictures are as alike as the cosine of its mean activations, centred and scaled over the photographs.
For each channel: how often its picture is more like one of the eight photographs that excite it most
than like one of the weaker half (all such pairs; .5 is chance). The picture is the icon that comes with
the network, the icon by the engine's default recipe, or another of the eight photographs.

PHOTOGRAPHS is the folder whose responses come with the network, a WordNet id in each name.
"""

import argparse
from pathlib import Path

import numpy as np
from forced_choice import KINDS, STRONGEST, folder_of_responses, pictures, rows_of
from tqdm.auto import tqdm

import lucid_ext as lx
from lucid_ext.optvis.shipped import shipped_responses

AT_ONCE = 16
RESAMPLES = 2_000


def features(judge: lx.VisionModel, layer: str, images: list[np.ndarray]) -> np.ndarray:
    """Mean activations (n, c) of a layer for images of any size, in [0, 1]."""
    run = judge.function("input", [layer])
    prepared = [judge.prepare(image) for image in images]
    batches = [np.stack(prepared[i : i + AT_ONCE]) for i in range(0, len(prepared), AT_ONCE)]
    return np.concatenate([run(batch)[0].numpy().mean((1, 2)) for batch in batches])


def told(
    likeness: np.ndarray, order: np.ndarray, shown: int | None = None, strongest: int = STRONGEST
) -> float:
    """How often a picture is more like a strong photograph than like a weak one; ties count half.

    Args:
        likeness: (photographs,), of the picture to each of them.
        order: (photographs,), numbers of photographs, the strongest first.
        shown: the photograph that is the picture, which is left out.
        strongest: how many are strong.
    """
    strong = likeness[[i for i in order[:strongest] if i != shown]]
    weak = likeness[order[len(order) // 2 :]]
    return float(np.mean((strong[:, None] > weak) + 0.5 * (strong[:, None] == weak)))


def alike(a: np.ndarray, b: np.ndarray, photographs: np.ndarray) -> np.ndarray:
    """Cosines (n, m) of features a (n, c) and b (m, c), centred and scaled over photographs."""
    mean, sd = photographs.mean(0), photographs.std(0)
    a, b = ((each - mean) / np.where(sd > 0, sd, 1) for each in (a, b))
    a, b = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (a, b))
    return a @ b.T


def main() -> None:
    """Print a table: layers of the network, layers of the judge, kinds of picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("network")
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--judge", default="mini")
    parser.add_argument("--channels", type=int, default=128)
    parser.add_argument("--seed", type=int, default=15)
    args = parser.parse_args()
    model, judge = lx.load_model(args.network), lx.load_model(args.judge)
    layers = list(model.opening.offered)[1:]
    photographs = folder_of_responses(model, args.photographs)
    by_photographs = {
        layer: features(judge, layer, photographs) for layer in tqdm(judge.opening.series, desc=judge.name)
    }
    for layer in layers:
        rows = rows_of(model, layer, args.channels, np.random.default_rng(args.seed))
        shown = [[np.asarray(p, np.float32) / 255 for p in row] for row in pictures(model, rows, photographs)]
        found = shipped_responses(model.digest, layer)
        assert found is not None
        orders = [np.argsort(-found[0][:, row.unit].astype(np.float32), kind="stable") for row in rows]
        for other, of_photographs in by_photographs.items():
            scores = np.empty((len(rows), len(KINDS)))
            for k, kind in enumerate(KINDS):
                of_pictures = features(judge, other, [row[k] for row in shown])
                likeness = alike(of_pictures, of_photographs, of_photographs)
                left_out = [row.shown if kind == "photograph" else None for row in rows]
                scores[:, k] = [told(*each) for each in zip(likeness, orders, left_out, strict=True)]
            drawn = scores[np.random.default_rng(0).integers(len(rows), size=(RESAMPLES, len(rows)))].mean(1)
            low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
            line = "  ".join(
                f"{kind} {mean:.3f} [{a:.3f}, {b:.3f}]"
                for kind, mean, a, b in zip(KINDS, scores.mean(0), low, high, strict=True)
            )
            print(f"{layer} by {judge.name} {other}: {line}", flush=True)


if __name__ == "__main__":
    main()
