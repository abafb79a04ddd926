"""The figures of `bench_speed` as tables in Markdown, and as a plot."""

from pathlib import Path
from typing import Any

_COLUMNS = (
    ("load, s", "load_s", "{:.1f}"),
    ("first caption, s", "first_s", "{:.1f}"),
    ("p50, ms", "p50_ms", "{:.0f}"),
    ("p95, ms", "p95_ms", "{:.0f}"),
    ("a second, in batches of 16", "batch16_per_s", "{:.1f}"),
    ("peak memory, MB", "peak_mb", "{:.0f}"),
    ("weights, MB", "weights_mb", "{:.0f}"),
    ("words", "words", "{:.1f}"),
    ("n", "n", "{}"),
)
_RATIOS = {
    "vit_gpt2_float32": "times as fast as ViT + GPT-2 in float32",
    "vit_gpt2_int8": "times as fast as ViT + GPT-2 in int8",
    "encoder_over_floor": "times the floor: seeing a picture",
    "decoder_over_floor": "times the floor: a step of the search",
}


def report(found: dict[str, Any]) -> str:
    """Tables of what `bench_speed.measure` gives."""
    machine, versions = found["machine"], found["versions"]
    parts = [
        f"{machine['processor']}, {machine['processors']} processors, {machine['memory_gb']} GB; "
        + ", ".join(f"{name} {number}" for name, number in versions.items())
        + f"; {found['date']}.",
        _table(["captioner", *(title for title, _, _ in _COLUMNS)], map(_row, found["rows"])),
        "All follow three sentences where nothing else is said. Peers have random weights and "
        f"write {found['words']} tokens without the one that ends a sentence, which is in their "
        "favour; `words` is what each wrote on average, `n` how many captions p50 and p95 are of. "
        "Peak memory is of captions one at a time. Seesay's first row is the middle one of three "
        "runs, at the start and after each ViT + GPT-2.",
        _table(
            ["ratio", ""],
            (
                [_RATIOS[name], "not measured" if ratio is None else f"{ratio:.1f}"]
                for name, ratio in found["ratios"].items()
            ),
        ),
        _floor(found["floor"]),
    ]
    if "library" in found:
        parts.append(_others(found))
    return "\n\n".join(parts)


def _row(row: dict[str, Any]) -> list[str]:
    if "failed" in row:
        return [row["title"], f"failed: {row['failed']}", *[""] * (len(_COLUMNS) - 1)]
    return [row["title"], *(form.format(row[key]) for _, key, form in _COLUMNS)]


def _table(head: list[str], rows: Any) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _floor(floor: dict[str, Any]) -> str:
    return (
        f"The floor: seeing a picture takes {floor['encoder_macs'] / 1e6:.0f} million "
        f"multiply-adds with {floor['encoder_bytes'] / 1e6:.1f} MB of weights, a step of the "
        f"search {floor['step_macs'] / 1e6:.1f} million with {floor['step_bytes'] / 1e6:.1f} MB "
        f"(all in float32); this machine does {floor['gflops']:.0f} GFLOP/s in a large matrix "
        f"product and copies {floor['gb_per_s']:.1f} GB/s, read and written together. That makes "
        f"{floor['encoder_ms']:.2f} ms and {floor['step_ms']:.2f} ms; measured were "
        f"{floor['measured_encoder_ms']:.2f} ms and {floor['measured_step_ms']:.2f} ms, with "
        f"{floor['steps']:.1f} steps a sentence."
    )


def _others(found: dict[str, Any]) -> str:
    start, library = found["start_up"], found["library"]
    rows = [
        ["`seesay caption --help`, whole process", f"{start['help_s']:.2f} s"],
        ["`seesay caption --json`, one picture, whole process", f"{start['caption_s']:.2f} s"],
        [f"`seesay library --beam 1`, {library['pictures']} pictures", f"{library['per_s']:.1f}/s"],
    ]
    for name, megabytes in found["growth"].items():
        count = name.removeprefix("after_").removesuffix("_mb")
        rows.append([f"memory after {int(count):,} captions", f"{megabytes:.0f} MB"])
    same = found["same"]
    rows.append(["the same sentence as in PyTorch in float32", f"{same['same']} of {same['of']}"])
    return _table(["Seesay", ""], rows)


def plot(batches: dict[str, dict[str, float]], path: Path) -> None:
    """Captions a second by the size of the batch, a line for each number of threads."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(5, 3.2), layout="constrained")
    for threads, found in batches.items():
        sizes = [int(size) for size in found]
        name = f"{threads} thread{'s' if threads != '1' else ''}"
        axes.plot(sizes, list(found.values()), marker="o", label=name)
        axes.set_xticks(sizes)
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.set_ylim(bottom=0)
    axes.set_xlabel("pictures in a batch")
    axes.set_ylabel("captions a second, beam 3")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
    plt.close(figure)
