#!/usr/bin/python3
"""Serves every recorded file and compares: torch_matrix.py TREES prints matched
and total by family and kind of file. Called by torch_matrix.sh."""
import collections
import concurrent.futures
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
import stoker  # noqa: E402
import test_torch_models as t  # noqa: E402

FAMILIES = [("convolution", r"conv"), ("pooling", r"max_pool|avg_pool|lp_pool|adaptive"), ("normalization", r"[a-eg-z].*norm"), ("activation", r"act_|f_g?elu|f_softplus"),
            ("padding, resizing, rearranging", r"[A-Z]"), ("linear, embedding", r"linear|bilinear|embedding"), ("recurrent", r"lstm|gru|rnn"),
            ("attention, transformer", r"mha|encoder|decoder|transformer"), ("functions of tensors", r"f_"), ("in place, aliases", r"alias"), ("classes as people write them", r"people")]


def check(job):
    kind, file, source = job
    try:
        xs, ys = t.arrays(source.with_suffix(".npz").read_bytes())
        options = [] if kind == "pt2" else ["--input", t.described(xs)]
        if kind == "class text":
            options += ["--code", source.with_suffix(".py")]
        with stoker.Server(f"m={file}", *options) as s:
            return t.differences(t.infer(s, "m", xs)[:len(ys)], ys)
    except Exception as e:  # whatever went wrong is this file's row
        return f"{type(e).__name__}: {str(e)[-300:]}"


def jobs(trees):
    for tree, version in (("here", "1.13"), ("trixie/o", "2.6"), ("sid/o", "2.14")):
        for npz in sorted((trees / tree / "cases").glob("*.npz")):
            family = next((f for f, pattern in FAMILIES if re.match(pattern, npz.stem)), "other")
            for kind, ending in (("class text", ".pth"), ("traced", ".trace.pt"), ("scripted", ".script.pt"), ("pt2", ".pt2")):
                file = npz.with_name(npz.stem + ending)
                if file.exists() and (kind != "class text" or b"_rebuild_tensor_v2" in file.read_bytes()) and (kind != "pt2" or b"model.json" in file.read_bytes() or
                                                                                                          b"serialized_exported_program" in file.read_bytes()):
                    yield family, f"{kind} {version}", (kind, file, npz)
    for npz in sorted((trees / "here/vision").glob("*.npz")):
        for kind, ending in (("weights alone", ".pth"), ("traced", ".trace.pt"), ("scripted", ".script.pt")):
            yield "torchvision", f"{kind} 1.13", (kind, npz.with_name(npz.stem + ending), npz)
    for npz in sorted((trees / "sid/o/transformers").glob("*.npz")):
        for kind, ending in (("traced", ".trace.pt"), ("pt2", ".pt2")):
            yield "transformers", f"{kind} 2.14", (kind, npz.with_name(npz.stem + ending), npz)
    for npz in sorted((trees / "sid/o/bert").glob("*.npz")):
        yield "transformers", "class text 2.14", ("class text", npz.with_suffix(".pth"), npz)


def main():
    found = list(jobs(pathlib.Path(sys.argv[1])))
    good, total = collections.Counter(), collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for (family, kind, job), why in zip(found, pool.map(check, [f[2] for f in found])):
            total[family, kind] += 1
            good[family, kind] += not why
            if why:
                print(f"{job[1]}: {why}", file=sys.stderr)
    kinds = sorted({k for _, k in total})
    print("| family | " + " | ".join(kinds) + " |\n|---|" + "---:|" * len(kinds))
    for family in dict.fromkeys(f for f, _ in total):
        print(f"| {family} | " + " | ".join(f"{good[family, k]} of {total[family, k]}" if total[family, k] else "" for k in kinds) + " |")


main()
