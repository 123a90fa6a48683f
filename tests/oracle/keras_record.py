#!/usr/bin/python3
"""Runs every Keras case through TensorFlow.js and writes what it answered to
tests/fixtures/keras-outputs.json."""
import json
import pathlib
import subprocess

import keras_cases

HERE = pathlib.Path(__file__).resolve().parent
FIXTURE = HERE.parent / "fixtures/keras-outputs.json"


def plain(a):
    return {"shape": list(a.shape), "data": [float(v) for v in a.flatten()]}


def main():
    lines = [json.dumps({"name": c.name, "topology": c.topology(),
                         "weights": {n: [plain(a) for _, a in w] for n, w in c.weights.items()},
                         "inputs": [plain(a) for a in c.inputs.values()]}) for c in keras_cases.cases()]
    answer = subprocess.run(["node", HERE / "keras_oracle.mjs"], input="\n".join(lines) + "\n", text=True, capture_output=True)
    got = {}
    for line in answer.stdout.splitlines():
        r = json.loads(line)
        if "error" in r:
            print(f"{r['name']}: {r['error']}")
            continue
        got[r["name"]] = [{"shape": o["shape"], "data": [float(f"{v:.7g}") for v in o["data"]]} for o in r["outputs"]]
    FIXTURE.parent.mkdir(exist_ok=True)
    FIXTURE.write_text("{\n" + ",\n".join(f"{json.dumps(n)}: {json.dumps(v, separators=(',', ':'))}" for n, v in got.items()) + "\n}\n")
    print(f"{len(got)} of {len(lines)} cases recorded")


main()
