"""A small Debian, as throw-away copies, and a bundle of packages for it: for
tests that set a machine up for real."""

import hashlib
import json
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile

HERE = pathlib.Path(__file__).parent.parent.parent
BASE = HERE / "deps" / "tree"

# Packages that are large, or not Debian's: ours of the same name, almost empty.
STAND_INS = """ca-certificates curl wget git vim-tiny htop lsof rsync unzip pciutils iproute2 net-tools docker.io containerd nfs-common
cuda-toolkit-12-8 cuda-toolkit-12-9 nvidia-container-toolkit kubelet kubeadm kubectl kubernetes-cni build-essential dkms
nvidia-open cuda-drivers nvidia-driver-pinning-620 nvidia-driver-pinning-580 libonnxruntime1.21""".split()


def why_not():
    """Why there can be no tree here; None: there can."""
    if os.geteuid() != 0:
        return "setting up a tree needs root"
    if not (BASE / ".complete").exists():
        return "there is no deps/tree: debootstrap could not make one"
    return None


class Tree:
    """A copy of the small Debian that lasts as long as the `with`."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="stoker-tree-"))
        self.path = self.folder / "root"
        for name in ("root", "upper", "work"):
            (self.folder / name).mkdir()

    def __enter__(self):
        options = f"lowerdir={BASE},upperdir={self.folder}/upper,workdir={self.folder}/work"
        self.mounted = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, self.path], capture_output=True).returncode == 0
        if not self.mounted:
            subprocess.run(["cp", "-a", f"{BASE}/.", self.path], check=True)
        return self

    def __exit__(self, *_):
        if self.mounted:
            subprocess.run(["umount", "-l", self.path], check=True)
        shutil.rmtree(self.folder)

    def write(self, path, text, mode=0o644):
        target = self.path / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode() if isinstance(text, str) else text)
        target.chmod(mode)

    def read(self, path):
        return (self.path / path.lstrip("/")).read_text()

    def command(self, name, script):
        """A command of that name that comes before the real one."""
        self.write(f"/usr/local/sbin/{name}", "#!/bin/sh\n" + script, 0o755)

    def packages(self):
        r = subprocess.run(["chroot", self.path, "dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Package} ${Version}\n"], capture_output=True, text=True, check=True)
        return sorted(r.stdout.splitlines())


# What a package manager and a run of ours remember, which no undo takes back.
# So are the copies that the tools for users keep of their files.
MEMORY = ("proc", "sys", "dev", "run", "var/lib/stoker/setup", "var/lib/dpkg", "var/lib/apt", "var/cache", "var/log", "tmp")


def snapshot(root):
    """Everything in it: kind, mode, owner, bytes."""
    out = {}
    root = pathlib.Path(root)
    for folder, folders, files in os.walk(root):
        below = pathlib.Path(folder).relative_to(root)
        folders[:] = [f for f in folders if str(below / f) not in MEMORY]
        for name in folders + files:
            path = pathlib.Path(folder) / name
            s = path.lstat()
            if stat.S_ISLNK(s.st_mode):
                what = os.readlink(path)
            elif stat.S_ISREG(s.st_mode):
                what = hashlib.sha256(path.read_bytes()).hexdigest()
            else:
                what = ""
            if str(below / name) not in ("var/lib/stoker", "etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-"):
                out[str(below / name)] = (stat.S_IFMT(s.st_mode), stat.S_IMODE(s.st_mode), s.st_uid, s.st_gid, what)
    return out


def difference(a, b):
    return {k: (a.get(k), b.get(k)) for k in sorted({*a, *b}) if a.get(k) != b.get(k)}


def stand_in(folder, name, files=()):
    """A package with that name and these files."""
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        (work / "DEBIAN").mkdir()
        (work / "DEBIAN" / "control").write_text(
            f"Package: {name}\nVersion: 9:99-test\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: a stand-in\n")
        for path, text in {f"/usr/share/doc/{name}/README": "a stand-in\n", **dict(files)}.items():
            (work / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
            (work / path.lstrip("/")).write_text(text)
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", work, folder], check=True, capture_output=True)


def wheel(folder, name, version):
    """A package of Python with one module."""
    import zipfile
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as z:
        info = f"{name}-{version}.dist-info"
        files = {f"{name}.py": f"version = {version!r}\n",
                 f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
                 f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
        for path, text in files.items():
            z.writestr(path, text)
        z.writestr(f"{info}/RECORD", "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"]))


def make_bundle(folder):
    """Packages and wheels, with the index that apt reads."""
    folder.mkdir()
    for name in STAND_INS:
        stand_in(folder, name)
    for deb in (BASE / "var/cache/apt/archives").glob("*.deb"):
        shutil.copy(deb, folder)
    wheel(folder, "stokertest", "1.2.3")
    r = subprocess.run(["dpkg-scanpackages", "-m", "."], cwd=folder, capture_output=True, check=True)
    (folder / "Packages").write_bytes(r.stdout)
    (folder / "stoker.list").write_text("deb [trusted=yes] file:/run/stoker-bundle ./\n")
    return folder
