"""stoker setup: plans on machines that are trees of files, and for real in copies of a small Debian (trees.py)."""

import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from machines import LAPTOP, SERVER, build, changed
from stoker import BINARY
from trees import BASE, Tree, difference, make_bundle, snapshot, why_not

ENV = {**os.environ, "LC_ALL": "C.UTF-8"}
pytestmark = pytest.mark.one_thread
sanitize = pytest.mark.sanitize
real = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


def setup(*args, env=None, timeout=300):
    return subprocess.run([BINARY, "setup", *map(str, args)], capture_output=True, text=True, timeout=timeout, env={**ENV, **(env or {})})


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="stoker-setup-") as name:
        yield pathlib.Path(name)


@pytest.fixture(scope="module")
def bundle():
    with tempfile.TemporaryDirectory(prefix="stoker-bundle-") as name:
        yield make_bundle(pathlib.Path(name) / "bundle")


@pytest.fixture
def tree():
    with Tree() as t:
        yield t


def planned(folder, machine, *args):
    """The steps of a plan on that machine."""
    build(folder, machine)
    r = setup(*args, "--root", folder, "--json")
    return json.loads(r.stdout), r


def puts(steps):
    return {s["path"]: s["after"] for s in steps if s["kind"] == "put" and s["after"]["kind"] != "directory"}


def packages(steps):
    return " ".join(s["packages"] for s in steps if s["kind"] == "packages").split()


def commands(steps):
    return [s["does"] for s in steps if s["kind"] in ("run", "refresh")]


UBUNTU = {"/etc/os-release": 'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="22.04"\nPRETTY_NAME="Ubuntu 22.04"\nVERSION_CODENAME=jammy\n'}
ROCKY = {"/etc/os-release": 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\nPRETTY_NAME="Rocky Linux 9.4"\n'}
DEBIAN_13 = {"/etc/os-release": 'ID=debian\nVERSION_ID="13"\nPRETTY_NAME="Debian 13"\nVERSION_CODENAME=trixie\n'}
H100 = {"/sys/bus/pci/devices/0000:3b:00.0/vendor": "0x10de\n", "/sys/bus/pci/devices/0000:3b:00.0/device": "0x2330\n",
        "/sys/bus/pci/devices/0000:3b:00.0/class": "0x030200\n"}
P100 = {**H100, "/sys/bus/pci/devices/0000:3b:00.0/device": "0x15f8\n"}


# ---- plans --------------------------------------------------------------------


def test_targets_are_listed_in_both_languages():
    for language, word in (("C.UTF-8", "CUDA toolkit"), ("zh_CN.UTF-8", "CUDA 工具包")):
        r = setup(env={"LC_ALL": language})
        assert r.returncode == 0 and word in r.stdout
        assert len(re.findall(r"^\S+ ", r.stdout.split("\n\n")[0], re.M)) == 10


# machine, targets and options, packages, (path, part of its text), part of a command
PLANS = [
    ("base", LAPTOP, ["base"], ["curl", "chrony"], ("/etc/security/limits.d/90-stoker.conf", "memlock unlimited"), None),
    ("base, RHEL", {**LAPTOP, **ROCKY}, ["base"], ["vim-minimal", "chrony"], ("/etc/sysctl.d/90-stoker.conf", "somaxconn"), None),
    ("base, name", LAPTOP, ["base", "--hostname", "gpu1"], [], ("/etc/hosts", "127.0.1.1\tgpu1"), None),
    ("base, netplan", {**LAPTOP, "/etc/netplan/01.yaml": ""}, ["base", "--address", "10.0.0.5/24", "--interface", "eth0", "--gateway", "10.0.0.1", "--dns", "10.0.0.2,10.0.0.3"],
     [], ("/etc/netplan/90-stoker.yaml", 'addresses: ["10.0.0.5/24"]\n      routes:\n        - to: default\n          via: "10.0.0.1"\n      nameservers:\n'
                                         "        addresses: [10.0.0.2,10.0.0.3]\n"), None),
    ("base, NetworkManager", {**LAPTOP, "/etc/NetworkManager/NetworkManager.conf": ""}, ["base", "--address", "10.0.0.5/24", "--interface", "eth0", "--gateway", "10.0.0.1"],
     [], ("/etc/NetworkManager/system-connections/stoker.nmconnection", "address1=10.0.0.5/24,10.0.0.1\n"), None),
    ("base, ifupdown", {**LAPTOP, "/etc/network/interfaces.d/": ""}, ["base", "--address", "10.0.0.5/24", "--interface", "eth0"],
     [], ("/etc/network/interfaces.d/stoker", "iface eth0 inet static\n    address 10.0.0.5/24\n"), None),
    ("base, ifupdown that asks DHCP", {**LAPTOP, "/etc/network/interfaces": "auto lo\niface lo inet loopback\nallow-hotplug eth0\niface eth0 inet dhcp\n  metric 5\niface eth0 inet6 auto\n"},
     ["base", "--address", "10.0.0.5/24", "--interface", "eth0"], [], ("/etc/network/interfaces", "# stoker: iface eth0 inet dhcp\n# stoker:   metric 5\niface eth0 inet6 auto\nsource /etc/network/interfaces.d/*\n"), None),
    ("base, ifupdown of a cloud", {**LAPTOP, "/etc/network/interfaces": "source-directory /etc/network/interfaces.d\n", "/etc/network/interfaces.d/50-cloud-init": "auto eth0\niface eth0 inet dhcp\n"},
     ["base", "--address", "10.0.0.5/24", "--interface", "eth0"], [], ("/etc/network/interfaces.d/50-cloud-init", "# stoker: iface eth0 inet dhcp\n"), None),
    ("base, networkd", {**LAPTOP, "/etc/systemd/network/": ""}, ["base", "--address", "fd00::5/64", "--interface", "eth0", "--dns", "fd00::1"],
     [], ("/etc/systemd/network/10-stoker.network", "[Match]\nName=eth0\n\n[Network]\nAddress=fd00::5/64\nDNS=fd00::1\n"), None),
    ("driver, Debian", {**LAPTOP, **H100}, ["driver"], ["linux-headers-6.1.0-28-amd64", "nvidia-driver-pinning-620", "nvidia-open"],
     ("/etc/modprobe.d/stoker-nouveau.conf", "blacklist nouveau"), "dpkg -i"),
    ("driver, Ubuntu", {**LAPTOP, **UBUNTU, **H100}, ["driver"], ["nvidia-driver-pinning-620", "nvidia-open"],
     ("/etc/modprobe.d/stoker-nouveau.conf", "blacklist nouveau"), "update-initramfs -u"),
    ("driver, Debian, older branch", {**LAPTOP, **H100}, ["driver", "--branch", "580"], ["nvidia-open-580"], None, None),
    ("driver, old GPU", {**LAPTOP, **UBUNTU, **P100}, ["driver"], ["nvidia-driver-580-server"], ("/etc/modprobe.d/stoker-nouveau.conf", "nouveau"), None),
    ("driver, branch", {**LAPTOP, **UBUNTU, **H100}, ["driver", "--branch", "580"], ["nvidia-driver-580-server-open"], None, None),
    ("driver, RHEL", {**LAPTOP, **ROCKY, **H100}, ["driver"], ["kernel-devel-6.1.0-28-amd64"], ("/etc/yum.repos.d/nvidia-cuda.repo", "rhel9/x86_64"),
     "dnf -y module install nvidia-driver:620-open"),
    ("cuda", {**LAPTOP, **UBUNTU}, ["cuda", "--cuda", "12.8"], ["cuda-toolkit-12-8"], ("/etc/profile.d/cuda.sh", "CUDA_HOME=/usr/local/cuda-12.8"), "ldconfig"),
    ("cuda, by driver", {**SERVER, **UBUNTU}, ["cuda"], ["cuda-toolkit-13-0"], ("/etc/ld.so.conf.d/stoker-cuda.conf", "/usr/local/cuda-13.0/lib64\n"), "ldconfig"),
    ("cuda, Ubuntu 20.04", {**LAPTOP, "/etc/os-release": 'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="20.04"\n'}, ["cuda"], ["cuda-toolkit-12-9"], None, None),
    ("docker", LAPTOP, ["docker"], ["docker.io"], ("/etc/docker/daemon.json", '"max-size": "100m"'), None),
    ("docker, RHEL", {**LAPTOP, **ROCKY}, ["docker"], ["docker-ce"], ("/etc/yum.repos.d/docker-ce.repo", "gpgcheck=1"), None),
    ("docker, its own logs", {**LAPTOP, "/etc/docker/daemon.json": '{"log-driver": "journald"}'}, ["docker"], ["docker.io"],
     ("/etc/docker/daemon.json", '{\n    "log-driver": "journald",\n    "live-restore": true\n}\n'), None),
    ("nvidia-container", LAPTOP, ["nvidia-container"], ["nvidia-container-toolkit"], ("/etc/docker/daemon.json", '"path": "nvidia-container-runtime"'),
     "curl -fsSL --retry 3 -o /etc/apt/keyrings/nvidia-container-toolkit.asc"),
    ("docker and GPUs", LAPTOP, ["docker", "nvidia-container"], ["docker.io"], ("/etc/docker/daemon.json", '"nvidia": {'), None),
    ("python", LAPTOP, ["python"], ["python3-venv"], ("/opt/stoker/python.requirements.txt", "numpy==1.26.4"), "python3 -m venv /opt/stoker/python"),
    ("python, Debian 13", {**LAPTOP, **DEBIAN_13}, ["python"], [], ("/opt/stoker/python.requirements.txt", "numpy==2.2.6"), None),
    ("python, Ubuntu 20.04", {**LAPTOP, "/etc/os-release": 'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="20.04"\n'}, ["python"], [],
     ("/opt/stoker/python.requirements.txt", "numpy==1.24.4"), None),
    ("docker, settings elsewhere", {**LAPTOP, "/etc/docker/daemon.json": "-> ../../srv/daemon.json", "/srv/daemon.json": '{"data-root": "/d"}'}, ["docker"], [],
     ("/etc/docker/../../srv/daemon.json", '"data-root": "/d"'), None),
    ("storage, NFS", LAPTOP, ["storage", "--source", "nas:/models", "--mount", "/models"], ["nfs-common"],
     ("/etc/fstab", "nas:/models\t/models\tnfs\trw,hard,noatime,_netdev,nofail,x-systemd.automount\t0\t0\n"), None),
    ("storage, disk", LAPTOP, ["storage", "--source", "UUID=77", "--mount", "/data", "--fs-type", "xfs"], [],
     ("/etc/fstab", "UUID=77\t/data\txfs\tdefaults,noatime,nofail\t0\t2\n"), None),
    ("firewall, nftables", LAPTOP, ["firewall", "--allow", "10.0.0.0/8,fd00::/8"], ["nftables"],
     ("/etc/nftables.d/stoker.nft", "tcp dport { 8000, 8001, 8002 } ip6 saddr { ::1, fd00::/8 } accept"), None),
    ("firewall, ufw", {**LAPTOP, "/etc/ufw/ufw.conf": "ENABLED=yes\n"}, ["firewall", "--allow", "10.0.0.0/8", "--ports", "8000"], [], None,
     "ufw allow proto tcp from 10.0.0.0/8 to any port 8000"),
    ("firewall, firewalld", {**LAPTOP, **ROCKY, "/etc/firewalld/firewalld.conf": "", "/usr/bin/firewall-cmd": ""}, ["firewall", "--allow", "10.0.0.0/8", "--ports", "8000"],
     [], None, "firewall-cmd --permanent -q --add-rich-rule=rule"),
    ("k8s", {**LAPTOP, "/etc/fstab": "/dev/sda2 none swap sw 0 0\n/dev/sda1 / ext4 defaults 0 1\n"}, ["k8s"], ["containerd", "kubeadm"],
     ("/etc/fstab", "# off for Kubernetes: /dev/sda2 none swap sw 0 0\n/dev/sda1 / ext4 defaults 0 1\n"), None),
    ("k8s, containerd", LAPTOP, ["k8s"], ["kubelet"], ("/etc/containerd/config.toml", "SystemdCgroup = true"), "apt-mark -q hold kubelet kubeadm kubectl"),
    ("onnxruntime, Debian 13", {**LAPTOP, **DEBIAN_13}, ["onnxruntime"], ["libonnxruntime1.21"], None, None),
]


@pytest.mark.parametrize("name,machine,args,names,text,command", PLANS, ids=[p[0] for p in PLANS])
def test_plan(folder, name, machine, args, names, text, command):
    steps, r = planned(folder, machine, *args)
    assert r.returncode == 0, r.stderr
    assert set(names) <= set(packages(steps)), packages(steps)
    if text:
        assert text[1] in puts(steps)[text[0]]["text"]
    if command:
        assert any(command in c for c in commands(steps)), commands(steps)


# machine, targets and options, the status, part of the message
REFUSED = [
    ("no such target", LAPTOP, ["dokcer"], 2, "did you mean 'docker'"),
    ("no such system", {**LAPTOP, "/etc/os-release": "ID=gentoo\n"}, ["base"], 5, "base: this system is neither"),
    ("broken daemon.json", {**LAPTOP, "/etc/docker/daemon.json": '{"a": 1,\n "b" 2}'}, ["docker"], 5, "daemon.json is not understood and stays as it is"),
    ("daemon.json is a list", {**LAPTOP, "/etc/docker/daemon.json": "[]"}, ["docker"], 5, "no JSON object"),
    ("daemon.json is not UTF-8", {**LAPTOP, "/etc/docker/daemon.json": b'{"a": "\xff\xfe"}'}, ["docker"], 5, "daemon.json"),
    ("daemon.json is a directory", {**LAPTOP, "/etc/docker/daemon.json/": ""}, ["docker"], 5, "/etc/docker/daemon.json"),
    ("daemon.json leads nowhere", {**LAPTOP, "/etc/docker/daemon.json": "-> daemon.json"}, ["docker"], 5, "/etc/docker/daemon.json"),
    ("/etc/docker leads nowhere", {**LAPTOP, "/etc/docker": "-> /nowhere"}, ["docker"], 5, "'/etc/docker' is there and is something else"),
    ("an environment over files", {**LAPTOP, "/opt/x/file": "x"}, ["python", "--venv", "/opt/x"], 5, "no place for an environment"),
    ("an environment of everything", LAPTOP, ["python", "--venv", "/opt/.."], 5, "no place for an environment"),
    ("Python of no list", {**LAPTOP, **ROCKY, "/etc/os-release": 'ID="rhel"\nVERSION_ID="8.9"\nID_LIKE="fedora"\n'}, ["python"], 5, "Python 3.6: say -r FILE"),
    ("no GPU", LAPTOP, ["driver"], 5, "there is no NVIDIA GPU"),
    ("CUDA too new", {**SERVER, **UBUNTU, "/sys/module/nvidia/version": "550.54.15\n", "fact:nvml": SERVER["fact:nvml"].replace("580.82.07", "550.54.15")},
     ["cuda", "--cuda", "13.0"], 5, "CUDA 13.0 does not fit"),
    ("CUDA 13 on Ubuntu 20.04", {**LAPTOP, "/etc/os-release": 'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="20.04"\n'}, ["cuda", "--cuda", "13.0"], 5, "CUDA 13.0 does not fit"),
    ("address without prefix", {**LAPTOP, "/etc/netplan/": ""}, ["base", "--address", "10.0.0.5", "--interface", "eth0"], 5, "no address with its prefix"),
    ("address without interface", {**LAPTOP, "/etc/netplan/": ""}, ["base", "--address", "10.0.0.5/24"], 5, "--interface"),
    ("nobody reads addresses", LAPTOP, ["base", "--address", "10.0.0.5/24", "--interface", "eth0"], 5, "nothing would read the address"),
    ("a name with a blank", LAPTOP, ["base", "--hostname", "a b"], 2, "--hostname 'a b'"),
    ("a name that is a command", LAPTOP, ["base", "--hostname", "$(reboot)"], 2, "--hostname"),
    ("an option as a name", LAPTOP, ["base", "--hostname=--help"], 2, "--hostname"),
    ("no such zone", {**LAPTOP, "/usr/share/zoneinfo/UTC": ""}, ["base", "--timezone", "Asia/Nowhere"], 5, "no time zone"),
    ("a zone outside", {**LAPTOP, "/usr/share/zoneinfo/UTC": ""}, ["base", "--timezone", "../../../etc/passwd"], 5, "no time zone"),
    ("mount over files", {**LAPTOP, "/models/a.onnx": "x"}, ["storage", "--source", "nas:/m", "--mount", "/models"], 5, "would be hidden"),
    ("mount taken", {**LAPTOP, "/etc/fstab": "other:/m /models nfs defaults 0 0\n"}, ["storage", "--source", "nas:/m", "--mount", "/models"], 5, "from other:/m"),
    ("mount at nowhere", LAPTOP, ["storage", "--source", "nas:/m", "--mount", "/../x"], 5, "no place to mount"),
    ("half a mount", LAPTOP, ["storage", "--source", "nas:/m"], 5, "--mount"),
    ("firewall for nobody", LAPTOP, ["firewall"], 5, "--allow"),
    ("firewall for a word", LAPTOP, ["firewall", "--allow", "office"], 5, "neither an address nor a network"),
    ("firewall, no port", LAPTOP, ["firewall", "--allow", "10.0.0.0/8", "--ports", "8000,99999"], 5, "'99999' is no port"),
    ("user who is not", {**LAPTOP, "/etc/passwd": "root:x:0:0::/root:/bin/sh\n"}, ["docker", "--user", "ada"], 5, "no user 'ada'"),
    ("ONNX Runtime of nowhere", LAPTOP, ["onnxruntime"], 5, "say --ort FILE"),
    ("plan and apply", LAPTOP, ["base", "--plan", "--apply"], 2, "--plan or --apply"),
    ("nothing to put back", LAPTOP, ["undo"], 4, "no run"),
    ("no such run", LAPTOP, ["undo", "20200101T000000Z"], 4, "no run"),
    ("a run outside", LAPTOP, ["undo", "../../etc"], 4, "no run"),
]


@sanitize
@pytest.mark.parametrize("name,machine,args,status,message", REFUSED, ids=[p[0] for p in REFUSED])
def test_refused(folder, name, machine, args, status, message):
    build(folder, machine)
    before = snapshot(folder)
    r = setup(*args, "--root", folder)
    assert r.returncode == status and message in r.stderr, r
    assert not difference(before, snapshot(folder))


def test_unpinned_requirements_are_named(folder):
    build(folder, LAPTOP)
    (folder / "r.txt").write_text("# ours\nnumpy==1.26.4\n\ntorch>=2\n")
    r = setup("python", "--root", folder, "-r", folder / "r.txt")
    assert r.returncode == 5 and "line 4" in r.stderr and "has no version" in r.stderr


def test_a_huge_fstab_is_left_alone(folder):
    build(folder, LAPTOP)
    with open(folder / "etc/fstab", "wb") as f:
        f.truncate(1 << 30)
    start = time.monotonic()
    r = setup("storage", "--source", "nas:/m", "--mount", "/models", "--root", folder)
    assert r.returncode == 5 and "/etc/fstab" in r.stderr
    assert (folder / "etc/fstab").stat().st_size == 1 << 30
    assert time.monotonic() - start < 20


def test_a_link_that_leads_out_is_not_followed(folder):
    """The tree's /etc/docker leads to an absolute place: that is one of the tree."""
    outside = folder / "outside"
    outside.mkdir()
    (outside / "daemon.json").write_text("precious")
    root = folder / "root"
    build(root, LAPTOP)
    (root / "etc/docker").symlink_to(outside)
    (root / "var/lib/dpkg").mkdir(parents=True)
    r = setup("docker", "--root", root)
    assert "precious" not in r.stdout and (outside / "daemon.json").read_text() == "precious"


def test_a_driver_in_use_stays_without_a_word_for_it(folder):
    old = changed(SERVER, {**UBUNTU, "/sys/module/nvidia/version": "535.54.03\n", "fact:nvml": SERVER["fact:nvml"].replace("580.82.07", "535.54.03")})
    steps, r = planned(folder, old, "driver")
    assert r.returncode == 5 and "535.54.03 is in use" in r.stderr and "--yes-driver" in r.stderr
    steps, r = planned(folder, old, "driver", "--yes-driver")
    assert r.returncode == 0 and "nvidia-driver-pinning-620" in packages(steps)


def test_all_leaves_out_what_it_lacks_and_says_so(folder):
    old = changed(SERVER, {**UBUNTU, "/sys/module/nvidia/version": "535.54.03\n", "fact:nvml": SERVER["fact:nvml"].replace("580.82.07", "535.54.03")})
    notes = {}
    for name, machine in (("laptop", LAPTOP), ("old", old)):
        (folder / name).mkdir()
        steps, r = planned(folder / name, machine, "all")
        assert r.returncode == 0 and not r.stderr, r.stderr
        notes[name] = {(s["target"], s["title"]) for s in steps if s["kind"] == "note" and s["title"].startswith("left out: ")}
        # the others are all there
        assert {s["target"] for s in steps if s["kind"] != "note"} >= {"base", "docker", "python", "storage", "k8s"}
    assert {t for t, _ in notes["laptop"]} == {"driver", "cuda", "nvidia-container", "onnxruntime", "firewall"}
    assert {t for t, _ in notes["old"]} == {"driver", "onnxruntime", "firewall"} and any("--yes-driver" in n for _, n in notes["old"])
    text = setup("all", "--root", folder / "laptop").stdout
    assert text.count("left out: there is no NVIDIA GPU here") == 3 and "left out: say --allow" in text
    said = setup("firewall", "--root", folder / "laptop")
    assert said.returncode == 5 and said.stdout == "" and "say --allow" in said.stderr


def test_a_maintained_driver_stays(folder):
    steps, r = planned(folder, {**SERVER, **UBUNTU}, "driver")
    assert r.returncode == 0 and [s["kind"] for s in steps] == ["note"]


def test_only_root_changes_a_machine(folder):
    build(folder, LAPTOP)
    os.chmod(folder, 0o755)
    r = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", BINARY, "setup", "base", "--apply", "--root", folder],
                       capture_output=True, text=True, env=ENV)
    assert r.returncode == 3 and "sudo" in r.stderr


def test_mirrors_are_measured(folder):
    """The fast one first, those that do not answer left out."""
    import http.server
    import threading

    class Registry(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            time.sleep(self.server.delay)
            self.send_response(self.server.status if self.path == "/v2/" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    servers = []
    for delay, status in ((0.2, 401), (0, 200), (0, 503)):
        s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
        s.delay, s.status = delay, status
        threading.Thread(target=s.serve_forever, daemon=True).start()
        servers.append(s)
    slow, fast, broken = (f"http://127.0.0.1:{s.server_address[1]}" for s in servers)
    steps, r = planned(folder, LAPTOP, "docker", "--mirrors", f"{slow},http://127.0.0.1:1,{fast},{broken}")
    assert r.returncode == 0, r.stderr
    assert json.loads(puts(steps)["/etc/docker/daemon.json"]["text"])["registry-mirrors"] == [fast, slow]
    r = setup("docker", "--root", folder, "--mirrors", f"{fast},{broken}")
    assert re.search(rf"ms  {fast}\n", r.stdout) and f"{broken} (left out: status 503" in r.stdout
    (folder / "list").write_text(f"# ours\n{fast}\n")
    steps, r = planned(folder, LAPTOP, "docker", "--mirrors", folder / "list")
    assert json.loads(puts(steps)["/etc/docker/daemon.json"]["text"])["registry-mirrors"] == [fast]
    for s in servers:
        s.shutdown()


def test_the_plan_shows_what_changes(folder):
    build(folder, {**LAPTOP, "/etc/docker/daemon.json": '{\n    "data-root": "/srv/docker"\n}\n'})
    r = setup("docker", "--root", folder)
    assert '      /etc/docker/daemon.json\n       {\n      -    "data-root": "/srv/docker"\n      +    "data-root": "/srv/docker",\n' in r.stdout
    assert "nothing was changed: --apply does it" in r.stdout and r.returncode == 0
    chinese = setup("docker", "--root", folder, env={"LC_ALL": "zh_CN.UTF-8"}).stdout
    assert "未做任何修改" in chinese and "Docker 引擎" in chinese


# ---- for real -------------------------------------------------------------------

SUBJECTS = {  # what is done without a network in a tree
    "base": ["--hostname", "gpu1", "--timezone", "Asia/Shanghai"],
    "docker": [],
    "cuda": ["--cuda", "12.8"],
    "storage": ["--source", "UUID=77", "--mount", "/data"],
    "firewall": ["--allow", "10.0.0.0/8"],
    "nvidia-container": [],
    "k8s": [],
}


def arguments(names):
    return [*names, *(word for n in names for word in SUBJECTS[n])]


def applied(tree, bundle, *args, **more):
    r = setup(*args, "--apply", "--root", tree.path, "--bundle", bundle, **more)
    assert r.returncode == 0, (r.stdout, r.stderr)
    return r


@real
def test_everything_is_done_once_and_put_back(tree, bundle):
    tree.write("/etc/docker/daemon.json", '{"data-root": "/srv", "log-opts": {"max-size": "1g"}}', 0o600)
    (bundle / "requirements.txt").write_text("stokertest==1.2.3\n")
    before, packages_before = snapshot(tree.path), tree.packages()
    args = [*arguments(SUBJECTS), "python", "-r", bundle / "requirements.txt"]
    r = applied(tree, bundle, *args)
    assert "The doctor on what this was about" in r.stdout
    # It is so.
    settings = json.loads(tree.read("/etc/docker/daemon.json"))
    assert settings["data-root"] == "/srv" and settings["log-opts"] == {"max-size": "1g", "max-file": "3"} and "nvidia" in settings["runtimes"]
    assert (tree.path / "etc/docker/daemon.json").stat().st_mode & 0o777 == 0o644
    assert os.readlink(tree.path / "etc/localtime") == "/usr/share/zoneinfo/Asia/Shanghai"
    assert {"chrony", "nftables", "docker.io", "cuda-toolkit-12-8", "kubeadm"} <= {p.split()[1] for p in tree.packages()}
    assert not (tree.path / "usr/sbin/policy-rc.d").exists()
    out = subprocess.run(["chroot", tree.path, "/opt/stoker/python/bin/python", "-c", "import stokertest; print(stokertest.version)"], capture_output=True, text=True)
    assert out.stdout == "1.2.3\n", out
    # A second time changes nothing.
    done = snapshot(tree.path)
    r = applied(tree, bundle, *args)
    assert "nothing to do" in r.stdout
    answer = json.loads(applied(tree, bundle, *args, "--json").stdout)
    assert answer["run"] is None and answer["steps"] == 0 and answer["doctor"]["checks"]
    assert not difference(done, snapshot(tree.path))
    assert len(json.loads(setup("runs", "--json", "--root", tree.path).stdout)) == 1
    # Back.
    r = setup("undo", "--root", tree.path)
    assert r.returncode == 0, (r.stdout, r.stderr)
    assert not difference(before, snapshot(tree.path))
    assert tree.packages() == packages_before
    assert json.loads(setup("runs", "--json", "--root", tree.path).stdout)[0]["state"] == "undone"
    assert setup("undo", "--root", tree.path).returncode == 4


@real
@pytest.mark.parametrize("seed", range(2))
def test_any_targets_in_any_order_are_put_back(tree, bundle, seed):
    rng = random.Random(seed)
    before, packages_before = snapshot(tree.path), tree.packages()
    quick = [n for n in SUBJECTS if n not in ("base",)]
    for _ in range(2):
        applied(tree, bundle, *arguments(rng.sample(quick, rng.randrange(1, 4))))
    for run in reversed(json.loads(setup("runs", "--json", "--root", tree.path).stdout)):
        r = setup("undo", run["run"], "--root", tree.path)
        assert r.returncode == 0, (r.stdout, r.stderr)
    assert not difference(before, snapshot(tree.path))
    assert tree.packages() == packages_before


@real
@pytest.mark.skipif("release" not in BINARY, reason="a preloaded library and the sanitizers do not go together")
def test_killed_anywhere_it_goes_on_or_back(tree, bundle, killer):
    """At every second change of a file system: half of them are resumed, half put back at once; all end where they began."""
    args = ["docker", "storage", "firewall", "--allow", "10.0.0.0/8", "--ports", "8000", "--apply", "--root", tree.path, "--bundle", bundle]
    for stand in ("docker.io", "nftables"):  # packages have their own tests
        tree.write(f"/usr/bin/{'dockerd' if stand == 'docker.io' else 'nft'}", "")
    subprocess.run(["mount", "--bind", bundle, tree.path / "mnt"], check=True)
    subprocess.run(["chroot", tree.path, "sh", "-c", "apt-get -q -y -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts=/dev/null install /mnt/*nftables*.deb /mnt/libnft*.deb "
                    "/mnt/libmnl*.deb /mnt/libjansson*.deb /mnt/libedit*.deb /mnt/libxtables*.deb /mnt/libbsd*.deb 2>/dev/null || dpkg -i /mnt/*nft*.deb /mnt/lib*.deb"],
                   capture_output=True)
    subprocess.run(["umount", tree.path / "mnt"], check=True)
    before, n, kills = snapshot(tree.path), -1, 0
    while True:
        n += 2
        r = setup(*args, env={"LD_PRELOAD": str(killer), "KILL_AT": str(n)})
        if r.returncode == 0:
            break
        assert r.returncode == -signal.SIGKILL, r
        kills += 1
        runs = json.loads(setup("runs", "--json", "--root", tree.path).stdout)
        state = [x["state"] for x in runs if x["state"] != "undone"]
        if "open" in state and n % 4 == 1:
            r = setup("resume", "--root", tree.path)
            assert r.returncode == 0, (n, r.stdout, r.stderr)
            assert "nothing to do" in setup(*[a for a in args if a != "--apply"]).stdout
        if state:
            r = setup("undo", "--root", tree.path)
            assert r.returncode == 0, (n, r.stdout, r.stderr)
        assert not difference(before, snapshot(tree.path)), n
    assert kills > 20, kills
    # The same of the way back.
    for n in range(1, 200):
        r = setup("undo", "--root", tree.path, env={"LD_PRELOAD": str(killer), "KILL_AT": str(n)})
        if r.returncode == 0:
            break
        assert r.returncode == -signal.SIGKILL, r
    assert n > 5 and not difference(before, snapshot(tree.path))


@real
def test_a_kill_within_a_command_and_a_failure(tree, bundle):
    """apt-get ends whoever called it, and works on, as a real one would; later it fails, and ends us without doing anything; then it works."""
    real_apt = "exec /usr/bin/apt-get \"$@\"\n"
    tree.command("apt-get", 'case "$*" in *install*) kill -9 $PPID;; esac\n' + real_apt)
    before, packages_before = snapshot(tree.path), tree.packages()
    r = setup("docker", "cuda", "--cuda", "12.8", "--apply", "--root", tree.path, "--bundle", bundle)
    assert r.returncode == -signal.SIGKILL
    r = setup("base", "--apply", "--root", tree.path)
    assert r.returncode == 5 and "is not finished" in r.stderr and "stoker setup resume" in r.stderr
    tree.command("apt-get", 'case "$*" in *install*) echo E: the disk is full; exit 100;; esac\n' + real_apt)
    r = setup("resume", "--root", tree.path)
    assert r.returncode == 11 and "the disk is full" in r.stderr and "stoker setup resume" in r.stderr
    tree.command("apt-get", 'case "$*" in *install*) kill -9 $PPID; exit 1;; esac\n' + real_apt)
    assert setup("resume", "--root", tree.path).returncode == -signal.SIGKILL
    tree.command("apt-get", real_apt)
    # What a killed run left at work holds dpkg's lock, and talks into the same log.
    tree.command("dpkg", '[ -e /tmp/was ] && exec /usr/bin/dpkg "$@"; touch /tmp/was\n'
                 'echo dpkg: error: dpkg frontend lock was locked by another process >&2; echo Setting up another; exit 2\n')
    r = setup("resume", "--root", tree.path)
    assert r.returncode == 0, (r.stdout, r.stderr)
    assert (tree.path / "tmp/was").exists()
    (tree.path / "usr/local/sbin/dpkg").unlink()
    assert "docker.io" in "".join(tree.packages())
    r = setup("undo", "--root", tree.path)
    assert r.returncode == 0, (r.stdout, r.stderr)
    tree.command("apt-get", 'case "$*" in *install*) kill -9 $PPID;; esac\n' + real_apt)
    assert not difference(before, snapshot(tree.path))
    assert tree.packages() == packages_before


@real
@sanitize
def test_what_others_changed_since_is_not_put_back(tree, bundle):
    r = applied(tree, bundle, *arguments(["storage"]), "--json")
    answer = json.loads(r.stdout)
    assert answer["run"] == json.loads(setup("runs", "--json", "--root", tree.path).stdout)[0]["run"] and answer["steps"] > 2 and "[1/" in r.stderr
    with open(tree.path / "etc/fstab", "a") as f:
        f.write("other /other ext4 defaults 0 0\n")
    before = snapshot(tree.path)
    r = setup("undo", "--root", tree.path)
    assert r.returncode == 5 and "'/etc/fstab' was changed since" in r.stderr and "--force" in r.stderr
    assert not difference(before, snapshot(tree.path))
    assert setup("undo", "--force", "--root", tree.path).returncode == 0
    assert "other" not in tree.read("/etc/fstab")


@real
def test_a_bundle_is_made_where_there_is_a_network(tree, bundle, folder):
    """The network is another bundle, which apt copies from as it would from a server."""
    subprocess.run(["cp", "-a", bundle, tree.path / "network"], check=True)
    tree.write("/etc/apt/sources.list", "deb [trusted=yes] copy:/network ./\n")
    subprocess.run(["chroot", tree.path, "apt-get", "-qq", "update"], check=True, capture_output=True)
    before = snapshot(tree.path)
    status = (BASE / "var/lib/dpkg/status").read_bytes()
    r = setup("docker", "storage", "--source", "nas:/m", "--mount", "/m", "--download", folder / "packages", "--root", tree.path)
    assert r.returncode == 0 and "2 packages in" in r.stdout, r
    assert not difference(before, snapshot(tree.path)) and (tree.path / "var/lib/dpkg/status").read_bytes() == status
    assert {"Packages", "stoker.list"} < {p.name for p in (folder / "packages").iterdir()}
    with Tree() as other:
        applied(other, folder / "packages", "docker")
        assert "docker.io" in "".join(other.packages())
    tree.write("/etc/apt/sources.list", "")
    subprocess.run(["chroot", tree.path, "apt-get", "-qq", "update"], check=True, capture_output=True)
    r = setup("docker", "--download", folder / "none", "--root", tree.path)
    assert r.returncode == 11 and "apt-get" in r.stderr, r


@real
def test_a_machine_of_the_rhel_family(tree):
    """rpm and dnf are recorders with a list of packages: no such system can be made from Debian's packages."""
    tree.write("/etc/os-release", ROCKY["/etc/os-release"])
    tree.write("/usr/lib/os-release", ROCKY["/etc/os-release"])
    (tree.path / "var/lib/dpkg/status").rename(tree.path / "status")
    for path, text in H100.items():
        tree.write(path, text)
    tree.write("/rpmdb", "ii  bash 5.1-1\nii  gcc 11-1\n")
    tree.write("/usr/bin/rpm", """#!/bin/sh
case "$1" in
-qa) cat /rpmdb;;
-e) shift; echo "rpm -e $*" >> /recorded; for n; do grep -v "^ii  $n " /rpmdb > /rpmdb.new; cat /rpmdb.new > /rpmdb; rm /rpmdb.new; done;;
esac
""", 0o755)
    tree.command("dnf", """echo "dnf $*" >> /recorded
case "$*" in
*"module install"*) echo x > /usr/bin/nvidia-smi;;
*"module remove"*) rm /usr/bin/nvidia-smi;;
*install*) for n; do case "$n" in -*|install) ;; *) echo "ii  $n 1-1" >> /rpmdb;; esac; done;;
esac
""")
    tree.command("dracut", 'echo "dracut $*" >> /recorded\n')
    before = snapshot(tree.path)
    args = ["driver", "docker", "nvidia-container", "--root", tree.path]
    r = setup(*args, "--apply")
    assert r.returncode == 0, (r.stdout, r.stderr)
    assert tree.read("/recorded").splitlines() == [
        "dnf -y install kernel-devel kernel-headers make", "dnf -y module install nvidia-driver:620-open", "dracut -f",
        "dnf -y install docker-ce docker-ce-cli containerd.io", "dnf -y install nvidia-container-toolkit"]
    assert "nvidia" in json.loads(tree.read("/etc/docker/daemon.json"))["runtimes"]
    assert "nothing to do" in setup(*args, "--apply").stdout
    r = setup("undo", "--root", tree.path)
    assert r.returncode == 0, (r.stdout, r.stderr)
    assert "dnf -y module remove --all nvidia-driver" in tree.read("/recorded") and "rpm -e docker-ce docker-ce-cli containerd.io" in tree.read("/recorded")
    (tree.path / "recorded").unlink()
    assert not difference(before, snapshot(tree.path))


@real
def test_two_at_once(tree, bundle):
    tree.command("apt-get", "sleep 3\nexec /usr/bin/apt-get \"$@\"\n")
    first = subprocess.Popen([BINARY, "setup", "docker", "--apply", "--root", tree.path, "--bundle", bundle], stdout=subprocess.PIPE, env=ENV)
    time.sleep(1.5)
    r = setup("firewall", "--allow", "10.0.0.0/8", "--apply", "--root", tree.path, "--bundle", bundle)
    assert r.returncode == 7 and "another 'stoker setup' is at work" in r.stderr
    assert first.wait(60) == 0 or first.stdout.read()


@real
def test_a_library_of_onnx_runtime_by_its_sum(tree, bundle):
    import hashlib
    import tarfile
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work) / "onnxruntime-linux-x64-1.22.0"
        (work / "lib").mkdir(parents=True)
        (work / "lib/libonnxruntime.so.1.22.0").write_text("a library")
        (work / "lib/libonnxruntime.so.1").symlink_to("libonnxruntime.so.1.22.0")
        with tarfile.open(bundle / "ort.tgz", "w:gz") as t:
            t.add(work, work.name)
    before = snapshot(tree.path)
    right = hashlib.sha256((bundle / "ort.tgz").read_bytes()).hexdigest()
    r = setup("onnxruntime", "--ort", "ort.tgz", "--ort-sha256", "0" * 64, "--root", tree.path, "--bundle", bundle)
    assert r.returncode == 5 and right in r.stderr
    applied(tree, bundle, "onnxruntime", "--ort", "ort.tgz", "--ort-sha256", right)
    assert tree.read("/usr/lib/stoker/libonnxruntime.so.1".replace("/libonnxruntime.so.1", f"/onnxruntime-{right[:12]}/libonnxruntime.so.1.22.0")) == "a library"
    assert os.readlink(tree.path / "usr/lib/stoker/libonnxruntime.so.1") == f"/usr/lib/stoker/onnxruntime-{right[:12]}/libonnxruntime.so.1"
    assert setup("undo", "--root", tree.path).returncode == 0
    assert not difference(before, snapshot(tree.path))


# ---- the running machine: the tree is the root, recorders stand for what cannot run -----


def put_program(tree):
    """The program and its libraries into the tree."""
    out = subprocess.run(["ldd", BINARY], capture_output=True, text=True, check=True).stdout
    target = tree.path / "stoker"
    target.mkdir()
    shutil.copy(BINARY, target / "stoker")
    for path in re.findall(r"(/\S+\.so\S*)", out):
        shutil.copy(path, target / pathlib.Path(path).name)
    loader = re.search(r"(/lib64/ld-\S+|/lib/ld-\S+)", out).group(1)
    return ["/stoker/" + pathlib.Path(loader).name, "--library-path", "/stoker", "/stoker/stoker"]


RECORDER = """if [ -e /killing ] && ! grep -qxF "$(basename $0) $*" /killed 2>/dev/null; then
    echo "$(basename $0) $*" >> /killed
    case "$*" in is-enabled*) ;; *) kill -9 $PPID; exit 1;; esac
fi
echo "$(basename $0) $*" >> /recorded
case "$(basename $0) $*" in
"systemctl is-enabled"*) grep -q "systemctl enable --now $3" /recorded && ! grep -q "systemctl disable --now $3" /recorded; exit;;
"mountpoint"*) grep -qx "mount $2" /recorded && ! grep -qx "umount $2" /recorded; exit;;
"kubeadm init"*) mkdir -p /etc/kubernetes; echo x > /etc/kubernetes/admin.conf;;
"kubeadm reset"*) rm -f /etc/kubernetes/admin.conf; rmdir /etc/kubernetes 2>/dev/null;;
"usermod"*) sed -i "s/^docker:.*/&$3/" /etc/group;;
"gpasswd"*) sed -i "s/^docker:\\(.*\\):.*/docker:\\1:/" /etc/group;;
"modprobe"*) mkdir -p /sys/module/$1;;
esac
exit 0
"""


class Inside:
    """The tree as the running machine, with recorders for what cannot run there."""

    script = ("mount --make-rprivate / && mount -t tmpfs none $T/run && mkdir -p $T/run/systemd/system && mount -t proc proc $T/proc && "
              "mount --rbind /dev $T/dev && exec chroot $T env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \"$@\"")

    def __init__(self, tree, bundle):
        self.tree = tree
        for name in ("systemctl", "modprobe", "sysctl", "nft", "mount", "umount", "mountpoint", "kubeadm", "kubectl", "hostname", "swapoff", "swapon", "usermod", "gpasswd"):
            tree.command(name, RECORDER)
        tree.write("/etc/passwd", tree.read("/etc/passwd") + "ada:x:1000:1000::/home/ada:/bin/sh\n")
        tree.write("/etc/group", tree.read("/etc/group") + "docker:x:999:\n")
        tree.write("/bundle/x", "")
        subprocess.run(["cp", "-a", f"{bundle}/.", tree.path / "bundle"], check=True)
        self.program = put_program(tree)

    def __call__(self, *args):
        return subprocess.run(["unshare", "--mount", "bash", "-c", self.script, "bash", *self.program, "setup", *args], capture_output=True, text=True,
                              timeout=200, env={**ENV, "T": str(self.tree.path)})

    def recorded(self):
        return [c for c in self.tree.read("/recorded").splitlines() if not c.startswith(("systemctl is-", "mountpoint"))]


@real
@pytest.mark.skipif("release" not in BINARY, reason="the program is carried into the tree with its libraries, not with the sanitizers'")
def test_killed_within_every_command(tree, bundle):
    """Each command ends whoever called it the first time; it goes on until all is done, and the same on the way back."""
    inside = Inside(tree, bundle)
    before = snapshot(tree.path)
    args = ["storage", "docker", "firewall", "k8s", "--source", "nas:/models", "--mount", "/models", "--user", "ada", "--allow", "10.0.0.0/8", "--bundle", "/bundle"]
    tree.write("/killing", "")
    kills = 0
    for way in (["--apply"], ["undo"]):
        r = inside(*(args if way == ["--apply"] else []), *way)
        while r.returncode in (-signal.SIGKILL, 11):  # 11: it was a script of a package that called systemctl, and was ended
            kills += 1
            r = inside(*(["resume"] if way == ["--apply"] else ["undo"]))
            if "no run" in r.stderr:  # the first was killed while it only looked
                r = inside(*args, "--apply")
        assert r.returncode == 0, (r.stdout, r.stderr)
        if way == ["--apply"]:
            assert kills > 12, inside.recorded()
            (tree.path / "killing").unlink()
            assert "nothing to do" in inside(*args).stdout
            tree.write("/killing", "")
    assert kills > 18, inside.recorded()
    for name in ("recorded", "killing", "killed"):
        (tree.path / name).unlink()
    assert not difference(before, snapshot(tree.path))


@real
@pytest.mark.skipif("release" not in BINARY, reason="the program is carried into the tree with its libraries, not with the sanitizers'")
def test_commands_on_a_running_machine(tree, bundle):
    inside = Inside(tree, bundle)
    before = snapshot(tree.path)
    args = ["base", "storage", "docker", "firewall", "k8s", "--hostname", "gpu1", "--source", "nas:/models", "--mount", "/models", "--user", "ada",
            "--allow", "10.0.0.0/8", "--bundle", "/bundle"]
    r = inside(*args, "--apply")
    assert r.returncode == 0, (r.stdout, r.stderr)
    did = inside.recorded()
    wanted = ["systemctl enable --now chrony.service", "hostname -F /etc/hostname", "systemctl daemon-reexec", "sysctl -q -p /etc/sysctl.d/90-stoker.conf",
              "systemctl daemon-reload", "mount /models", "systemctl enable --now docker.service", "systemctl restart docker.service", "usermod -aG docker ada",
              "systemctl enable --now nftables.service", "nft -f /etc/nftables.d/stoker.nft", "sysctl -q -p /etc/sysctl.d/95-stoker-k8s.conf",
              "systemctl restart containerd.service", "systemctl enable --now kubelet.service",
              "kubeadm init --pod-network-cidr=10.244.0.0/16 --cri-socket=unix:///run/containerd/containerd.sock"]
    assert [c for c in did if c in wanted] == wanted, did
    assert did[-1].startswith("kubectl --kubeconfig=/etc/kubernetes/admin.conf apply -f")
    r = inside(*args, "--apply")
    assert r.returncode == 0 and ("nothing to do" in r.stdout), (r.stdout, r.stderr)
    r = inside("undo")
    assert r.returncode == 0, (r.stdout, r.stderr)
    back = inside.recorded()[len(did):]
    for c in ("kubeadm reset", "systemctl disable --now docker.service", "gpasswd -d ada docker", "umount /models", "nft delete table inet stoker",
              "sysctl -q -w net.core.somaxconn="):
        assert any(x.startswith(c) for x in back), (c, back)
    (tree.path / "recorded").unlink()
    assert not difference(before, snapshot(tree.path))
