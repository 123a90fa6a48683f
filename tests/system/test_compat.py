"""`stoker compat`; what the rules decide is in tests/unit/compat."""

import json
import os
import pathlib
import subprocess
import tempfile
import time

import pytest

from machines import LAPTOP, SERVER, build, changed
from stoker import BINARY, ROOT

pytestmark = pytest.mark.one_thread
sanitize = pytest.mark.sanitize


def compat(*args, env=None):
    return subprocess.run([BINARY, "compat", *map(str, args)], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})})


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="stoker-compat-") as name:
        yield pathlib.Path(name)


@sanitize
def test_check_a_machine(folder):
    build(folder, SERVER)
    r = compat("check", "--root", folder, "--json")
    (env,) = json.loads(r.stdout)
    assert env["environment"] == "/opt/venv"
    texts = " ".join(reason["text"] for reason in env["reasons"])
    assert "CUDA 12.4 (torch) runs with driver 580.82.07" in texts
    assert "torch 2.4.1+cu124 for CUDA 12.4 has code for Hopper (9.0)" in texts
    assert "onnxruntime-gpu 1.20.1 takes any CUDA 12 and cuDNN 9" in texts
    assert {reason["fit"] for reason in env["reasons"]} == {"fits"} and r.returncode == 0, r.stdout
    assert all(reason["source"].startswith(("https://", "measured by https://")) for reason in env["reasons"])


def test_check_a_machine_that_is_wrong(folder):
    site = "/opt/venv/lib/python3.11/site-packages"
    build(folder, changed(SERVER, {f"{site}/numpy-1.26.4.dist-info/METADATA": None, f"{site}/torch-2.4.1+cu124.dist-info/METADATA": None,
                                   f"{site}/numpy-2.1.0.dist-info/METADATA": "", f"{site}/torch-2.0.1.dist-info/METADATA": "",
                                   f"{site}/torch/version.py": "__version__ = '2.0.1'\ncuda = '11.7'\n"}))
    r = compat("check", "--root", folder)
    assert r.returncode == 21 and r.stderr == "stoker: error: something does not fit\n"
    assert "✗ torch 2.0.1 was built for numpy 1: with numpy 2.1.0" in r.stdout
    assert "✗ torch 2.0.1 for CUDA 11.7 has no code for Hopper (9.0)" in r.stdout
    chinese = compat("check", "--root", folder, env={"LC_ALL": "zh_CN.UTF-8"})
    assert "torch 2.0.1 为 numpy 1 构建" in chinese.stdout and "存在不匹配" in chinese.stderr


def test_check_what_is_named(folder):
    build(folder, LAPTOP)
    r = compat("check", "--root", folder, "--tensorflow", "2.10", "--cuda", "11.7")
    assert r.returncode == 20 and "built for CUDA 11.2 and cuDNN 8.1, not for CUDA 11.7" in r.stdout
    r = compat("check", "--root", folder, "--torch", "2.0.1", "--driver", "535.129.03", "--gpu", "A100")
    assert "is built for CUDA 11.7 and brings it along" in r.stdout and "535 of the driver has been without fixes" in r.stdout
    r = compat("check", "--root", folder, "--torch", "2.0.1+cu118", "--gpu", "H100")
    assert "torch 2.0.1+cu118 for CUDA 11.8 has code for Hopper" in r.stdout and r.returncode == 0


def test_solve(folder):
    build(folder, LAPTOP)
    r = compat("solve", "--root", folder, "--torch", "2.0.1", "--gpu", "H100")
    assert r.returncode == 0 and r.stdout.endswith(
        "python3.11 -m venv venv\n"
        "venv/bin/pip install torch==2.0.1 torchvision==0.15.2 torchaudio==2.0.2 --index-url https://download.pytorch.org/whl/cu118\n"
        "venv/bin/pip install 'numpy<2'\n")
    (folder / "r.txt").write_text("# the article's\nfastapi==0.103.1\ntorch>=2.1,<2.4\nonnxruntime-gpu\n")
    found = json.loads(compat("solve", "--root", folder, "-r", folder / "r.txt", "--gpu", "NVIDIA A100-SXM4-80GB", "--json").stdout)
    assert found["solved"] and found["set"]["torch"] == "2.3.1" and found["set"]["onnxruntime-gpu"] == "1.18"
    assert "venv/bin/pip install 'onnxruntime-gpu==1.18.*'" in found["lines"]
    r = compat("solve", "--root", folder, "--torch", "2.0.1", "--gpu", "B200")
    assert r.returncode == 21 and "It takes torch 2.7 or newer for CUDA 12.8" in r.stdout and "no set fits" in r.stderr


@pytest.mark.parametrize("args, status, words, not_these", [
    # Its wheels bring no CUDA; numpy 2 came long after it.
    (("--tensorflow", "2.10", "--gpu", "A100"), 0, ["cuda_toolkit     11.2", "cudnn            8.1", "'tensorflow==2.10.0'\n", "install 'numpy<2'"], ["[and-cuda]"]),
    (("--tensorflow", "2.10", "--gpu", "H100"), 21, ["CUDA 11.2 does not know Hopper (9.0): it takes 11.8 or newer"], []),
    # The toolkit that is on the machine binds nobody: another can be installed, or comes with the wheels.
    (("--tensorflow", "2.15.1", "--gpu", "H100"), 0, ["driver           >= 525.60.13", "'tensorflow[and-cuda]==2.15.1'", "install 'numpy<2'"], ["13.0", "toolkit"]),
    (("--tensorflow", "2.15", "--cuda", "13.0"), 21, ["it does not find the libraries of CUDA 13.0"], []),
    (("--tensorflow", "2.16"), 0, ["'tensorflow[and-cuda]==2.16.1'"], []),
    (("--tensorflow", "2.18", "--numpy", ">=2"), 0, ["TensorFlow 2.18.0 works with numpy 2.0.2", "install 'numpy>=2,<2.1'"], []),
    (("--tensorflow", "2.17", "--numpy", ">=2"), 21, ["TensorFlow 2.17.0 was built for numpy 1: with numpy 2."], []),
    (("--torch", "2.1.0", "--numpy", ">=2"), 21, ["torch 2.1.0 was built for numpy 1: with numpy 2."], []),
    (("--torch", "2.1.0", "--numpy", ">=1.26"), 0, ["install 'numpy>=1.26,<2'"], []),
    (("--torch", "2.1.0", "--numpy", "~=1.26"), 0, ["torch 2.1.0 works with numpy 1", "install 'numpy~=1.26'"], []),
    (("--torch", "2.7", "--numpy", "1.26.4"), 0, ["numpy 1.26.4 runs with Python 3.12", "python3.12 -m venv", "install 'numpy==1.26.4'"], []),
    (("--torch", "2.7", "--numpy", ">=2,<2"), 21, ["no numpy in the tables is >=2,<2"], []),
    # A release without its patch is any of it; pip's own == is not.
    (("--torch", "2.7"), 0, ["torch==2.7.1 torchvision==0.22.1"], []),
    (("--torch", "==2.7"), 0, ["torch==2.7.0 torchvision==0.22.0"], []),
    (("--torch", "2.7+cu126"), 0, ["torch==2.7.1", "whl/cu126"], []),
    # The toolkit that is asked for is the one of torch's wheel, where there is such a wheel.
    (("--torch", "2.4", "--cuda", "12.1"), 0, ["torch==2.4.1", "whl/cu121"], ["!"]),
    (("--torch", ">=2", "--cuda", "11.8"), 0, ["torch==2.7.1", "whl/cu118"], []),
    (("--torch", "2.4", "--cuda", "11.2"), 0, ["whl/cu124", "! torch 2.4.1 has no wheel for CUDA 11.2: the one for CUDA 12.4 brings its own"], []),
    (("--torch", "2.4", "--gpu", "none"), 0, ["torch==2.4.1", "whl/cpu\n"], ["driver", "cuda"]),
    # In one environment: torch brings CUDA and cuDNN, and the others take them or do not fit.
    (("--torch", "2.1", "--tensorflow", "2.14"), 0, ["whl/cu118", "'tensorflow==2.14.0'", "takes the libraries that torch 2.1.2 brings (CUDA 11.8)"], ["[and-cuda]"]),
    (("--torch", "2.4", "--tensorflow", "2.17"), 21, ["torch 2.4.1 brings CUDA 12.4 and cuDNN 9: they cannot share an environment"], []),
    (("--tensorflow", "2.18", "--driver", "470.82.01"), 21, ["CUDA 12.5 (TensorFlow) does not run with driver 470.82.01"], []),
    (("--tensorflow", "2.18", "--gpu", "RTX5090"), 21, ["CUDA 12.5 does not know Blackwell (12.0)"], []),
    # Alone it needs CUDA on the machine.
    (("--onnxruntime", "1.17"), 0, ["cuda_toolkit     11.8", "cudnn            8", "python3.12", "driver           >= 450.80.02", "install 'numpy<2'"], []),
    (("--onnxruntime", "latest", "--gpu", "V100"), 0, ["cuda_toolkit     12.8", "onnxruntime-gpu==1.26"], []),
    (("--torch", "9.9"), 21, ["9.9"], [])])
def test_what_solve_takes_and_leaves(folder, args, status, words, not_these):
    build(folder, LAPTOP)
    (folder / "usr/local/cuda-13.0").mkdir(parents=True)
    (folder / "usr/local/cuda").symlink_to("cuda-13.0")
    (folder / "usr/local/cuda-13.0/version.json").write_text('{"cuda": {"version": "13.0.1"}}')
    assert "13.0" in compat("check", "--root", folder, "--tensorflow", "2.15").stdout
    r = compat("solve", "--root", folder, *args)
    assert r.returncode == status, r.stdout + r.stderr
    assert all(w in r.stdout for w in words) and not any(w in r.stdout for w in not_these), r.stdout


def test_requirements_that_include_others(folder):
    """-r and -c are read beside the file that has them; markers of other systems do not count."""
    build(folder, LAPTOP)
    (folder / "sub").mkdir()
    (folder / "r.txt").write_text("-r sub/base.txt\nfastapi==0.103.1\ngit+https://example.org/x.git\ntorch==1.0; sys_platform == 'darwin'\n"
                                  + "".join(f"package{i}==1.{i}\n" for i in range(300)))
    (folder / "sub/base.txt").write_text("--extra-index-url https://download.pytorch.org/whl/cu118\ntorch>=2.0\n-c pins.txt\n-r ../r.txt\n")
    (folder / "sub/pins.txt").write_text("torch<2.2 # why\nnumpy==1.26.4; python_version >= '3.11'\n")
    r = compat("solve", "--root", folder, "-r", folder / "r.txt")
    assert r.returncode == 0 and r.stdout.endswith(
        "python3.11 -m venv venv\n"
        "venv/bin/pip install torch==2.1.2 torchvision==0.16.2 torchaudio==2.1.2 --index-url https://download.pytorch.org/whl/cu118\n"
        "venv/bin/pip install 'numpy==1.26.4'\n"), r.stdout + r.stderr
    (folder / "sub/pins.txt").write_text("torch<2.2\ntorch=2.0\n")
    r = compat("solve", "--root", folder, "-r", folder / "r.txt")
    assert r.returncode == 2 and f"{folder}/sub/pins.txt:2: this is no requirement" in r.stderr
    (folder / "sub/pins.txt").unlink()
    r = compat("solve", "--root", folder, "-r", folder / "r.txt")
    assert r.returncode != 0 and f"{folder}/sub/pins.txt" in r.stderr


def test_check_knows_wheels_of_nvidia(folder):
    """CUDA that came as packages of Python is what TensorFlow finds: the toolkit plays no part."""
    site = "/opt/venv/lib/python3.11/site-packages"
    packages = {k: None for k in SERVER if f"{site}/torch" in k or f"{site}/onnx" in k}
    build(folder, changed(SERVER, {**packages, f"{site}/tensorflow-2.18.0.dist-info/METADATA": "", f"{site}/nvidia_cuda_runtime_cu12-12.5.82.dist-info/METADATA": ""}))
    (folder / "usr/local/cuda-13.0").mkdir(parents=True, exist_ok=True)
    (folder / "usr/local/cuda").unlink(missing_ok=True)
    (folder / "usr/local/cuda").symlink_to("cuda-13.0")
    r = compat("check", "--root", folder)
    assert "CUDA 12.5 (TensorFlow) runs with driver" in r.stdout and "does not find the libraries" not in r.stdout, r.stdout


@pytest.mark.parametrize("args,words", [
    (("mend",), "say check or solve"), (("check", "--gpu", "Voodoo 2"), "no table knows the GPU 'Voodoo 2'"),
    (("solve", "--torch", "2.0.1 2"), "is no version"), (("solve", "-r", "/nowhere/r.txt"), "/nowhere/r.txt")])
def test_mistakes(args, words):
    r = compat(*args)
    assert r.returncode in (2, 4) and words in r.stderr, r.stderr


def test_tables(folder):
    (folder / "python.tsv").write_text("# dated 2026-01-01\npython\tends\n3.9\n")
    r = compat("check", env={"STOKER_COMPAT": str(folder)})
    assert r.returncode == 2 and f"{folder}/python.tsv:3: 1 values for 2 columns" in r.stderr
    (folder / "python.tsv").write_text("# dated 2025-01-01\npython\tends\n3.9\t2030-01\n")
    r = compat("check", "--python", "3.9", env={"STOKER_COMPAT": str(folder)})
    assert "the table python is of 2025-01-01" in r.stderr and "days old" in r.stderr
    assert "Python 3.9 has been without fixes" not in r.stdout


def test_a_driver_that_hangs(folder):
    """What it says is not waited for: files tell of the rest."""
    fake = pathlib.Path(BINARY).parent / "libnvidia-ml.so.1"
    (folder / "scene").write_text("gpus 1\ndriver 580.82.07\nhang nvmlInit_v2\n")
    r = compat("check", "--torch", "2.4.1", env={"STOKER_NVML": str(fake), "FAKE_NVML": str(folder / "scene")})
    assert r.returncode in (0, 20, 21) and "torch 2.4.1" in r.stdout
    (folder / "scene").write_text("gpus 1\ndriver 470.82.01\ngpu 0 name x\n")
    r = compat("check", "--torch", "2.4.1", env={"STOKER_NVML": str(fake), "FAKE_NVML": str(folder / "scene")})
    assert "does not run with driver 470.82.01" in r.stdout


# ---- every row: what is answered is held against the tables, read here anew ------

TABLES = {p.stem: [dict(zip(rows[0], r)) for r in rows[1:]] for p in (ROOT / "compat").glob("*.tsv")
          for rows in [[line.split("\t") for line in p.read_text().splitlines() if not line.startswith("#")]]}


def release(text):
    return tuple(int(n) for n in text.split("+")[0].split("."))


def between(v, first, last):
    return release(first)[:2] <= release(v)[:2] <= release(last)[:2]


def has_code(torch, cuda, capability):
    """None: no table says."""
    for r in TABLES["torch_kernels"]:
        if between(torch, r["from"], r["to"]) and cuda in r["cuda"].split(","):
            major, minor = release(capability)
            return any(int(c) // 10 == major and int(c) % 10 <= minor for c in r["code"].split()) or (r["ptx"] != "-" and int(r["ptx"]) <= major * 10 + minor)
    return None


def solved(*args):
    r = compat("solve", "--json", "--root", EMPTY, *args)
    found = json.loads(r.stdout)
    assert r.returncode == (0 if found["solved"] else 21) and found["reasons"], (args, r.stdout)
    assert all(x["text"] and x["source"] for x in found["reasons"])
    assert found["solved"] == all(x["fit"] != "misfit" for x in found["reasons"]), (args, found)
    return found["set"] if found["solved"] else None, found


def check_beneath(s, cuda, gpu=None):
    """Driver and Python of an answer."""
    now = time.strftime("%Y-%m")
    if cuda:
        rows = [r for r in TABLES["cuda"] if release(r["cuda"]) == release(cuda)[:2]]
        assert s["driver"] == rows[0]["oldest_driver"], s
        last = int(gpu["last_driver"]) if gpu and gpu["last_driver"] != "-" else 9999
        kept = [int(r["branch"]) for r in TABLES["drivers"] if r["kind"] == "long-term" and r["ends"] >= now and int(r["branch"]) <= last]
        assert int(s["driver_branch"]) == max(kept, default=last), (s, gpu)
    assert any(r["python"] == s["python"] for r in TABLES["python"]), s


EMPTY = tempfile.mkdtemp(prefix="stoker-compat-")


@pytest.mark.parametrize("row", TABLES["torch"], ids=lambda r: r["torch"])
def test_every_torch(row):
    """On every third GPU, another third for each: all of both tables are asked for."""
    for gpu in TABLES["gpus"][TABLES["torch"].index(row) % 3::3]:
        s, found = solved("--torch", "==" + row["torch"], "--gpu", gpu["capability"])
        codes = {c: has_code(row["torch"], c, gpu["capability"]) for c in row["cuda"].split(",")}
        if not s:
            assert not any(ok is not False for ok in codes.values()), (row, gpu, found)
            continue
        assert s["torch"] == row["torch"] and codes[s["cuda"]] is not False, (row, gpu, s)
        # the newest CUDA that does
        assert release(s["cuda"]) == max(release(c) for c, ok in codes.items() if ok == codes[s["cuda"]]), (s, codes)
        assert between(s["python"], row["python_from"], row["python_to"])
        assert all(s.get(n, "-") == row[n] for n in ("torchvision", "torchaudio"))
        assert (s.get("numpy") == "<2") == (row["numpy"] == "1")
        assert f"torch=={row['torch']}" in found["lines"] and f"/whl/cu{s['cuda'].replace('.', '')}" in found["lines"]
        check_beneath(s, s["cuda"], gpu)


@pytest.mark.parametrize("row", TABLES["tensorflow"], ids=lambda r: r["tensorflow"])
def test_every_tensorflow(row):
    for gpu in [None, *TABLES["gpus"][TABLES["tensorflow"].index(row) % 3::3]]:
        s, found = solved("--tensorflow", row["tensorflow"], *(["--gpu", gpu["capability"]] if gpu else []))
        pythons = [r["python"] for r in TABLES["python"] if between(r["python"], row["python_from"], row["python_to"])]
        fits = gpu is None or (release(row["cuda"]) >= release(gpu["cuda_from"]) and (
            gpu["cuda_to"] == "-" or release(row["cuda"])[:len(release(gpu["cuda_to"]))] <= release(gpu["cuda_to"])))
        assert bool(s) == bool(fits and pythons), (row, gpu, found)
        if not s:
            continue
        assert s["tensorflow"] == row["tensorflow"] and s["python"] in pythons
        assert ("cuda_toolkit" in s) == (row["wheels"] == "no") and ("[and-cuda]" in found["lines"]) == (row["wheels"] == "yes")
        if row["wheels"] == "no":
            assert s["cuda_toolkit"] == row["cuda"] and s["cudnn"] == row["cudnn"]
        most = row["numpy"].split(".")
        assert s.get("numpy", "-") == ("-" if most == ["2"] else "<" + ".".join([*most[:-1], str(int(most[-1]) + 1)])), (row, s)
        check_beneath(s, row["cuda"], gpu)


@pytest.mark.parametrize("row", TABLES["onnxruntime"], ids=lambda r: r["to"])
def test_every_onnxruntime(row):
    s, found = solved("--onnxruntime", row["to"])
    assert s["onnxruntime-gpu"] == row["to"] and s["cuda_toolkit"] == row["cuda"] and s["cudnn"] == row["cudnn"], s
    assert row["python_from"] == "-" or between(s["python"], row["python_from"], row["python_to"])
    assert (s.get("numpy") == "<2") == (row["numpy"] == "1")
    # with torch: one CUDA and one cuDNN
    s, found = solved("--onnxruntime", row["to"], "--torch", "latest")
    if s:
        torch = next(r for r in TABLES["torch"] if r["torch"] == s["torch"])
        assert release(s["cuda"])[0] == release(row["cuda"])[0] and torch["cudnn"] == row["cudnn"], s


@pytest.mark.parametrize("row", TABLES["numpy"], ids=lambda r: r["numpy"])
def test_every_numpy(row):
    s, found = solved("--numpy", row["numpy"], "--torch", "latest")
    assert not s or between(s["python"], row["python_from"], row["python_to"]), s
    assert not s or f"'numpy=={row['numpy']}'" in found["lines"]


@pytest.mark.parametrize("driver", ["450.80.02", "470.256.02", "525.60.13", "535.129.03", "550.54.15", "570.26", "580.65.06", "595.45.04", "620.1"])
def test_newest_torch_of_every_driver(driver):
    s, _ = solved("--driver", driver)
    runs = [(release(t["torch"]), release(c)) for t in TABLES["torch"] for c in t["cuda"].split(",")
            for r in TABLES["cuda"] if r["cuda"] == c and release(driver) >= release(r["oldest_driver"])]
    assert s and release(s["torch"]) <= max(runs)[0], s
    assert any((release(s["torch"]), release(s["cuda"])) == x for x in runs), s
