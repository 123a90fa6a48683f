"""PyTorch files: what is found in them and what is missing; pickles that want
to run something are refused by name. tests/oracle/torch_files.py made the
fixtures with the real framework."""
import io
import json
import os
import pickle
import struct
import zipfile

import pytest

from stoker import ROOT, SLOW, run

pytestmark = pytest.mark.one_thread

FILES = ROOT / "tests/fixtures/torch"
NET = ["conv.weight FP32 [4,1,3,3]", "conv.bias FP32 [4]", "bn.weight FP32 [4]", "bn.bias FP32 [4]", "bn.running_mean FP32 [4]",
       "bn.running_var FP32 [4]", "bn.num_batches_tracked INT64 []", "fc.weight FP32 [2,4]", "fc.bias FP32 [2]"]


@pytest.mark.sanitize
@pytest.mark.parametrize("name,kind,tensors", [
    ("sd.pth", "PyTorch state_dict", NET), ("sd_old.pth", "PyTorch state_dict", NET),
    ("ck.pth", "PyTorch state_dict", ["model_state_dict." + t for t in NET]),
    ("mod.pth", "PyTorch module (pickle)", NET),
    ("views.pth", "PyTorch state_dict", ["v FP32 [5,2]", "h FP16 [5,2]", "b BF16 [5,2]"])])
def test_what_is_found_and_what_is_missing(name, kind, tensors):
    got = json.loads(run("inspect", "--json", FILES / name).stdout)
    assert got["format"] == kind and got["tensors"] == tensors
    assert "class" in got["missing"] and "torch.onnx.export" in got["missing"]
    if name.startswith("mod"):
        assert {c["name"] for c in got["classes"]} >= {"__main__.Net", "Conv2d", "Linear"} and "Net" in got["missing"]
    r = run("serve", FILES / name, "--no-monitor", "--http-port", "0")
    assert r.returncode == 13 and b"torch.onnx.export" in r.stderr
    assert b"torch.jit.trace" in run("inspect", FILES / name).stdout


@pytest.mark.sanitize
def test_safetensors_are_listed(tmp_path):
    header = json.dumps({"__metadata__": {"format": "pt"}, "w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
                         "b": {"dtype": "I64", "shape": [1], "data_offsets": [24, 32]}}).encode()
    path = tmp_path / "m.bin"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(32))
    got = json.loads(run("inspect", "--json", path).stdout)
    assert got["format"] == "safetensors file" and got["tensors"] == ["w FP32 [2,3]", "b INT64 [1]"] and got["parameters"] == 7
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(31))
    assert run("inspect", path).returncode == 2


class Reduce:
    def __init__(self, function, *args):
        self.what = (function, args)

    def __reduce__(self):
        return self.what


def opcodes(module, name, how):
    """The same name called in the other ways a pickle has."""
    arg = b"X\x01\x00\x00\x00a"
    return {"inst": b"\x80\x02(" + arg + b"i" + module + b"\n" + name + b"\n.",
            "obj": b"\x80\x02(c" + module + b"\n" + name + b"\n" + arg + b"o.",
            "newobj": b"\x80\x02c" + module + b"\n" + name + b"\n(" + arg + b"t\x81.",
            "newobj_ex": b"\x80\x04\x8c" + bytes([len(module)]) + module + b"\x8c" + bytes([len(name)]) + name + b"\x93(" + arg + b"t}\x92.",
            "build": b"\x80\x02c" + module + b"\n" + name + b"\n}b.",
            "stack_global": b"\x80\x04\x8c" + bytes([len(module)]) + module + b"\x8c" + bytes([len(name)]) + name + b"\x93(" + arg + b"tR."}[how]


NAMES = [("os", "system"), ("posix", "system"), ("nt", "system"), ("subprocess", "Popen"), ("subprocess", "check_output"), ("builtins", "eval"),
         ("builtins", "exec"), ("builtins", "getattr"), ("builtins", "__import__"), ("__builtin__", "eval"), ("runpy", "run_path"), ("importlib", "import_module"),
         ("pty", "spawn"), ("socket", "socket"), ("shutil", "rmtree"), ("webbrowser", "open"), ("operator", "attrgetter"), ("functools", "partial"),
         ("pickle", "loads"), ("marshal", "loads"), ("types", "FunctionType"), ("ctypes", "CDLL"), ("code", "InteractiveInterpreter"),
         ("numpy.f2py.crackfortran", "getlincoef"), ("numpy.testing._private.utils", "runstring"), ("torch", "load"), ("torch.hub", "load"),
         ("torch.storage", "_load_from_bytes"), ("torch._inductor.codecache", "compile_file"), ("asyncio.unix_events", "_UnixSubprocessTransport"),
         ("bdb", "Bdb"), ("timeit", "timeit"), ("pip", "main"), ("zipimport", "zipimporter"), ("tempfile", "NamedTemporaryFile"), ("__main__", "run")]


def archive(data, tail=b""):
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w") as z:
        z.writestr("m/data.pkl", data + tail)
        z.writestr("m/version", "3\n")
    return b.getvalue()


@pytest.mark.sanitize
@pytest.mark.parametrize("how", ["reduce", "inst", "obj", "newobj", "newobj_ex", "build", "stack_global"])
def test_pickles_that_call_something_are_refused_by_name(how, tmp_path):
    path = tmp_path / "m.pth"
    for module, name in NAMES if SLOW == 1 else NAMES[::6]:
        if how == "reduce":
            data = b"\x80\x02c" + module.encode() + b"\n" + name.encode() + b"\nX\x01\x00\x00\x00a\x85R."
        else:
            data = opcodes(module.encode(), name.encode(), how)
        path.write_bytes(archive(data))
        r = run("inspect", path)
        assert r.returncode == 3 and f"'{module}.{name}'" in r.stderr.decode(), (module, name, r.returncode, r.stderr)


@pytest.mark.sanitize
def test_hostile_pickles_end_with_a_sentence(tmp_path):
    path, mark = tmp_path / "m.pth", tmp_path / "ran"
    cases = [(pickle.dumps(Reduce(os.system, f"touch {mark}"), 2), 3), (pickle.dumps({"a": [Reduce(eval, f"open({str(mark)!r},'w')")]}, 4), 3),
             (b"\x80\x02}.cos\nsystem\n(S'id'\ntR.", 3),  # a second pickle behind the end
             (b"\x80\x02" + b"(" * 100000 + b".", 2), (b"\x80\x02" + b"]" * 100000, 2), (b"\x80\x02\x58\xff\xff\xff\x7fa.", 2), (b"\x80\x02h\x05.", 2),
             (b"\x80\x02r\xff\xff\xff\xff.", 2), (b"\x80\x02]r\xff\xff\xff\xff.", 2), (b"\x80\x02R.", 2), (b"\x80\x02.", 2), (b"\x80\x09N.", 2),
             (b"\x80\x02]" + b"".join(b"q%c" % i + b"]h%ch%c\x86q%c0h%ca" % (i, i, i + 1, i + 1) for i in range(0, 40)) + b".", None)]
    for data, status in cases:
        path.write_bytes(archive(data))
        r = run("inspect", path, timeout=120)
        text = r.stderr.decode()
        assert r.returncode not in (0, -9, -11) and text.count("\n") == 1, (data[:40], r.returncode, text)
        assert status is None or r.returncode in (status, 6, 13), (data[:40], r.returncode, text)
    assert not mark.exists()


@pytest.mark.sanitize
def test_tensors_that_reach_beyond_their_storage(tmp_path):
    def tensor(numel=4, offset=0, size=(2, 2), stride=(2, 1), key=b"0"):
        num = lambda n: b"\x8a\x09" + n.to_bytes(9, "little", signed=True)  # noqa: E731
        tup = lambda v: b"(" + b"".join(num(x) for x in v) + b"t"  # noqa: E731
        return (b"\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX" +
                struct.pack("<I", len(key)) + key + b"X\x03\x00\x00\x00cpu" + num(numel) + b"tQ" + num(offset) + tup(size) + tup(stride) + b"\x89}tRs.")
    path = tmp_path / "m.pth"

    def status(**kw):
        b = io.BytesIO()
        with zipfile.ZipFile(b, "w") as z:
            z.writestr("m/data.pkl", tensor(**kw).replace(b"\x8a\x09", b"\x8a\x09"))
            z.writestr("m/data/0", bytes(16))
        path.write_bytes(b.getvalue())
        return run("inspect", path).returncode
    for bad in ({"offset": 1}, {"offset": -1}, {"size": (3, 2)}, {"stride": (3, 1)}, {"size": (1 << 40, 1 << 40)}, {"stride": (1 << 62, 1)}, {"size": (-2, 2)},
                {"key": b"1"}, {"key": b"../0"}, {"key": b""}, {"size": (2,)}):
        assert status(**bad) == 2, bad
