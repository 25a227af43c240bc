"""Train the embedded network from a folder of images, one sub-folder a class.

    python training/train.py IMAGES --out RUN                    # from nothing
    python training/train.py IMAGES --out RUN --weights W.npz    # from earlier weights, from the second stage

`IMAGES` holds `train/<WordNet id>/*` and `val/<WordNet id>/*`. The recipe is `RECIPE` below; a
checkpoint is written every `--save-minutes` and at the end of each stage, and the same command
continues from it. `RUN/weights.npz` holds the result: batch norm folded into the convolutions,
float16, the averaged weights.
"""

import argparse
import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from network import build, calibrate, fold, unfold
from PIL import Image
from tqdm.auto import tqdm

BATCH = 128
MOMENTUM = 0.9
WEIGHT_DECAY = 2e-4
LABEL_SMOOTHING = 0.1
STORED_SIDE = 64
OWN_SIDE = 112  # the side the finished network is used at


@dataclasses.dataclass(frozen=True)
class Stage:
    """One leg of the recipe: a side in pixels, how long, and a cosine from one rate to another."""

    side: int
    epochs: float
    rate_from: float
    rate_to: float
    robust: float = 0.0  # the longest L2 step against the network, in units of 255 * side / 80
    smallest_crop: float = 0.36  # of the image's area


RECIPE = (
    Stage(48, 5, 0.25, 0.12),
    Stage(64, 1.1, 0.12, 0.065),
    Stage(80, 0.44, 0.07, 0.02, robust=0.8),
    Stage(96, 0.21, 0.02, 0.0, robust=0.8),
)
FIRST_STAGE_FROM_WEIGHTS = 1


def read_folder(folder: Path, classes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """All pictures as uint8 (n, 64, 64, 3), centre square, and their class numbers (n,)."""
    files = [(p, i) for i, name in enumerate(classes) for p in sorted((folder / name).iterdir())]
    images = np.empty((len(files), STORED_SIDE, STORED_SIDE, 3), np.uint8)
    for n, (path, _) in enumerate(tqdm(files, desc=f"reading {folder}", unit="image")):
        with Image.open(path) as picture:
            side = min(picture.size)
            left, top = (picture.width - side) / 2, (picture.height - side) / 2
            box = (left, top, left + side, top + side)
            square = picture.convert("RGB").resize((STORED_SIDE, STORED_SIDE), Image.Resampling.BICUBIC, box)
            images[n] = np.asarray(square)
    return images, np.array([i for _, i in files], np.int32)


def augment(images: tf.Tensor, side: int, smallest_crop: float) -> tf.Tensor:
    """(n, 64, 64, 3) uint8 -> (n, side, side, 3) in -117..138: crops, flips, light and colour."""
    n = tf.shape(images)[0]
    x = tf.cast(images, tf.float32)
    area = tf.random.uniform([n], smallest_crop, 1.0)
    stretch = tf.exp(tf.random.uniform([n], -0.22, 0.22))
    height = tf.minimum(tf.sqrt(area) * stretch, 1.0)
    width = tf.minimum(tf.sqrt(area) / stretch, 1.0)
    top = tf.random.uniform([n]) * (1 - height)
    left = tf.random.uniform([n]) * (1 - width)
    right, flip = left + width, tf.random.uniform([n]) < 0.5
    left, right = tf.where(flip, right, left), tf.where(flip, left, right)
    boxes = tf.stack([top, left, top + height, right], 1)
    x = tf.image.crop_and_resize(x, boxes, tf.range(n), [side, side])
    gain = tf.random.uniform([n, 1, 1, 1], 0.85, 1.15)
    mean = tf.reduce_mean(x, [1, 2, 3], keepdims=True)
    x = (x - mean) * tf.random.uniform([n, 1, 1, 1], 0.85, 1.15) + mean * gain
    x += tf.random.uniform([n, 1, 1, 3], -10.0, 10.0)
    return tf.clip_by_value(x, 0.0, 255.0) - 117.0


def loss_of(model: tf.keras.Model, x: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Cross-entropy per image with smoothed labels, (n,)."""
    logits = tf.cast(model(x, training=True), tf.float32)
    target = tf.one_hot(labels, logits.shape[-1])
    target = target * (1 - LABEL_SMOOTHING) + LABEL_SMOOTHING / logits.shape[-1]
    return tf.nn.softmax_cross_entropy_with_logits(target, logits)


def moved_against(model: tf.keras.Model, x: tf.Tensor, labels: tf.Tensor, longest: float) -> tf.Tensor:
    """Each picture one L2 step up its own loss, from a random start.

    Its length is uniform in 0 .. `longest` (Santurkar et al. 2019 show what such
    training does for the pictures: features become things rather than texture).
    """
    length = tf.random.uniform([tf.shape(x)[0], 1, 1, 1], 0.0, longest)

    def unit(v: tf.Tensor) -> tf.Tensor:
        return v / (tf.sqrt(tf.reduce_sum(v * v, [1, 2, 3], keepdims=True)) + 1e-12)

    start = x + 0.3 * length * unit(tf.random.normal(tf.shape(x)))
    with tf.GradientTape() as tape:
        tape.watch(start)
        total = tf.reduce_sum(loss_of(model, start, labels))
    step = start - x + length * unit(tape.gradient(total, start))
    size = tf.sqrt(tf.reduce_sum(step * step, [1, 2, 3], keepdims=True))
    return x + step * tf.minimum(1.0, length / (size + 1e-12))


def make_step(model: tf.keras.Model, optimizer: Any, stage: Stage) -> Callable:
    """One traced training step of a stage; it returns the mean loss."""
    kernels = [v for v in model.trainable_variables if v.name == "kernel"]

    @tf.function
    def step(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        x = augment(images, stage.side, stage.smallest_crop)
        x.set_shape([None, stage.side, stage.side, 3])
        if stage.robust:
            longest = stage.robust * 255.0 * stage.side / 80.0
            x = tf.stop_gradient(moved_against(model, x, labels, longest))
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(loss_of(model, x, labels))
            decay = tf.add_n([tf.nn.l2_loss(tf.convert_to_tensor(v)) for v in kernels])
            total = loss + WEIGHT_DECAY * decay
        gradients = tape.gradient(total, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return step


def accuracy(model: tf.keras.Model, images: np.ndarray, labels: np.ndarray, side: int) -> dict[str, float]:
    """Top-1 and top-5 on whole pictures resized to `side`."""

    @tf.function
    def ranks(batch: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
        x = tf.image.resize(tf.cast(batch, tf.float32), [side, side], "bicubic")
        logits = tf.cast(model(tf.clip_by_value(x, 0.0, 255.0) - 117.0, training=False), tf.float32)
        own = tf.gather(logits, label, axis=1, batch_dims=1)[:, None]
        return tf.reduce_sum(tf.cast(logits > own, tf.int32), 1)

    found = np.concatenate(
        [ranks(images[i : i + 250], labels[i : i + 250]).numpy() for i in range(0, len(images), 250)]
    )
    return {"top1": float((found < 1).mean()), "top5": float((found < 5).mean())}


def floats(model: tf.keras.Model) -> list:
    """The variables worth averaging: all but the counters of random generators."""
    return [v for v in model.variables if tf.as_dtype(v.dtype).is_floating]


class Run:
    """Weights, their running average, and how far the recipe has come, all of it on disk."""

    def __init__(self, folder: Path, model: tf.keras.Model, optimizer: Any, stage: int):
        self.folder, self.model, self.optimizer = folder, model, optimizer
        self.stage = tf.Variable(stage)
        self.batch = tf.Variable(0)
        self.average = [tf.Variable(v, trainable=False) for v in floats(model)]
        self.state = tf.train.Checkpoint(
            model=model,
            optimizer=optimizer,
            stage=self.stage,
            batch=self.batch,
            average={str(i): v for i, v in enumerate(self.average)},
        )
        self.manager = tf.train.CheckpointManager(self.state, str(folder / "checkpoints"), max_to_keep=2)
        if self.manager.latest_checkpoint:
            self.state.restore(self.manager.latest_checkpoint).expect_partial()

    @tf.function
    def follow(self, keep: tf.Tensor) -> None:
        """Average <- keep * average + (1 - keep) * weights."""
        for a, v in zip(self.average, floats(self.model), strict=True):
            a.assign(keep * a + (1 - keep) * tf.cast(v, a.dtype))

    def averaged(self, model: tf.keras.Model) -> tf.keras.Model:
        """`model` (of the same build) carrying the averaged weights."""
        for v, a in zip(floats(model), self.average, strict=True):
            v.assign(a)
        return model


def main() -> None:
    """Parse the command line and run the recipe to its end."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=Path, help="folder with train/ and val/, a sub-folder per class")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and the result")
    parser.add_argument("--weights", type=Path, help="an .npz of folded weights to start from")
    parser.add_argument("--save-minutes", type=float, default=10.0)
    parser.add_argument(
        "--bfloat16", action="store_true", help="mixed precision, for processors that have it"
    )
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    tf.keras.utils.set_random_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    classes = sorted(p.name for p in (args.images / "train").iterdir())
    images, labels = read_folder(args.images / "train", classes)
    val_images, val_labels = read_folder(args.images / "val", classes)

    if len(images) < BATCH:
        raise SystemExit(f"{args.images / 'train'} holds {len(images)} images; expected at least {BATCH}.")
    model = build(len(classes), dtype="mixed_bfloat16" if args.bfloat16 else "float32")
    if args.weights:
        unfold(model, np.load(args.weights), images[:: max(1, len(images) // 512)][:512])
    optimizer = tf.keras.optimizers.SGD(RECIPE[0].rate_from, MOMENTUM, nesterov=True)
    optimizer.build(model.trainable_variables)
    run = Run(args.out, model, optimizer, FIRST_STAGE_FROM_WEIGHTS if args.weights else 0)
    check = build(len(classes), dtype="float32")

    per_epoch = len(images) // BATCH
    saved = time.monotonic()
    while int(run.stage) < len(RECIPE):
        stage = RECIPE[int(run.stage)]
        step = make_step(model, optimizer, stage)
        batches = max(1, round(stage.epochs * per_epoch))
        bar = tqdm(total=batches, initial=int(run.batch), desc=f"{stage}", unit="batch", mininterval=20)
        smooth = None
        while int(run.batch) < batches:
            done = int(run.batch)
            draw = np.random.default_rng([args.seed, int(run.stage), done])
            pick = draw.choice(len(images), BATCH, replace=False)
            fall = (1 + np.cos(np.pi * done / batches)) / 2
            optimizer.learning_rate.assign(stage.rate_to + (stage.rate_from - stage.rate_to) * fall)
            loss = float(step(images[pick], labels[pick]))
            if not np.isfinite(loss):
                raise SystemExit(f"the loss became {loss} at batch {done} of {stage}: lower its rate")
            run.follow(tf.constant(min(0.998, (1 + done) / (10 + done))))
            smooth = loss if smooth is None else 0.99 * smooth + 0.01 * loss
            run.batch.assign_add(1)
            bar.update()
            bar.set_postfix(loss=f"{smooth:.3f}", refresh=False)
            last = int(run.batch) == batches
            if last or time.monotonic() - saved > 60 * args.save_minutes:
                if last:
                    run.stage.assign_add(1)
                    run.batch.assign(0)
                run.manager.save()
                calibrate(run.averaged(check), images[:: max(1, len(images) // 2000)], OWN_SIDE)
                record = {
                    "stage": str(stage),
                    "batch": done + 1,
                    "loss": smooth,
                    **{f"{s}px": accuracy(check, val_images, val_labels, s) for s in (64, OWN_SIDE)},
                }
                with (args.out / "log.jsonl").open("a", encoding="utf-8") as log:
                    log.write(json.dumps(record) + "\n")
                np.savez(args.out / "weights.npz", **fold(check))  # type: ignore[arg-type]
                tqdm.write(json.dumps(record))
                saved = time.monotonic()
            if last:
                break
        bar.close()


if __name__ == "__main__":
    main()
