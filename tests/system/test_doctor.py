"""The doctor, on machines that are trees of files (machines.py), and here."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import pytest

from machines import KERNEL, LAPTOP, NVML, SERVER, build, changed
from stoker import BINARY, SLOW

pytestmark = pytest.mark.one_thread
sanitize = pytest.mark.sanitize


def doctor(*args, env=None, limit="30s"):
    return subprocess.run([BINARY, "doctor", *map(str, args), "--limit", limit], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})})


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="stoker-doctor-") as name:
        yield pathlib.Path(name)


def examine(folder, machine, *args):
    """What each check found, by name."""
    build(folder, machine)
    r = doctor("--root", folder, "--json", *args)
    return {c["name"]: c for c in json.loads(r.stdout)["checks"]}, r


# ---- machines in good order -------------------------------------------------


def test_a_laptop_in_good_order(folder):
    checks, r = examine(folder, LAPTOP)
    bad = {n: c for n, c in checks.items() if c["verdict"] not in ("fine", "skipped", "info")}
    assert not bad, bad
    assert checks["hardware.gpus"]["verdict"] == "info"
    assert r.returncode == 0 and r.stderr == ""


@sanitize
def test_a_gpu_server_in_good_order(folder):
    checks, r = examine(folder, SERVER)
    bad = {n: c for n, c in checks.items() if c["verdict"] not in ("fine", "skipped")}
    assert not bad, bad
    assert r.returncode == 0
    skipped = {n for n, c in checks.items() if c["verdict"] == "skipped"}
    # All others had something to look at.
    assert skipped == {"hardware.governor", "driver.inforom", "cuda.library_path", "cuda.stub", "cuda.debugging", "python.tensorflow",
                       "containers.snap", "containers.cdi", "containers.hooks", "containers.group", "containers.storage", "kubernetes.cgroup_driver",
                       "containers.mirrors_answer", "network.registries", "python.index", "models.runs",
                       "kubernetes.containerd", "kubernetes.device_plugin", "kubernetes.forwarding", "network.proxy", "firewall.ports",
                       "firewall.loopback", "storage.nfs", "storage.answers", "limits.swap", "limits.huge_pages", "security.secure_boot",
                       "security.lockdown", "security.selinux", "security.sources", "services.logrotate", "services.journal"}


def replaced(old, new):
    def change(text):
        assert old in text
        return text.replace(old, new)
    return change


def gpu(key, value, i=1):
    """NVML's answer with another value of a GPU; None takes it out."""
    line = re.compile(rf"^gpu{i}\.{key} .*\n", re.M)
    assert line.search(NVML)
    return {"fact:nvml": line.sub(f"gpu{i}.{key} {value}\n" if value is not None else "", NVML)}


def env(**values):
    return {"fact:environment": "PATH /usr/bin\nHOME /root\n" + "".join(f"{k} {v}\n" for k, v in values.items())}


def mount(at, kind="ext4", source="/dev/sdb1", options="rw", super_options="rw"):
    return {"/proc/self/mountinfo": lambda t: t + f"90 21 8:17 / {at} {options} - {kind} {source} {super_options}\n"}


def json_set(**values):
    return {"/etc/docker/daemon.json": lambda t: json.dumps({**json.loads(t), **values})}


BUS = "/sys/bus/pci/devices/0000:3b:00.0"
SITE = "/opt/venv/lib/python3.11/site-packages"
EFI = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
FIREWALLD = {"/etc/systemd/system/multi-user.target.wants/firewalld.service": "-> /usr/lib/systemd/system/firewalld.service",
             "/usr/lib/firewalld/zones/public.xml": '<?xml version="1.0"?>\n<zone>\n  <service name="ssh"/>\n</zone>\n'}
UFW = {"/etc/ufw/ufw.conf": "ENABLED=yes\n", "/etc/ufw/user.rules": "### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n"}


def LISTENS(address):
    return {"/proc/net/tcp": lambda t: t + f"   1: {address}:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 777 1\n"}


FAILED, WARNING, INFO, UNKNOWN, HUNG, SKIPPED, FINE = "failed", "warning", "info", "unknown", "hung", "skipped", "fine"

# check, machine, changes, verdict, words of the first finding, words of its fix
ROWS = [
    ("hardware.cpu", LAPTOP, {"/proc/cpuinfo": replaced(" avx avx2", "")}, FAILED, "has no AVX", ""),
    ("hardware.cpu", LAPTOP, {"/proc/cpuinfo": replaced(" avx2", " hypervisor")}, WARNING, "has no AVX2", ""),
    ("hardware.cpu", LAPTOP, {"/proc/cpuinfo": "processor\t: 0\nCPU part\t: 0xd0c\n"}, SKIPPED, "", ""),
    ("hardware.cpu", LAPTOP, {"/proc/cpuinfo": None}, SKIPPED, "", ""),
    ("hardware.memory_errors", SERVER, {"/sys/devices/system/edac/mc/mc0/ue_count": "2\n"}, FAILED, "mc0 counts 2 errors", ""),
    ("hardware.memory_errors", SERVER, {"/sys/devices/system/edac/mc/mc0/ce_count": "70000\n"}, WARNING, "corrected 70000", ""),
    ("hardware.memory", LAPTOP, {"/proc/meminfo": replaced("MemAvailable: 9000000", "MemAvailable: 500000")}, FAILED, "488 MiB of 15625", ""),
    ("hardware.memory", LAPTOP, {"/proc/meminfo": replaced("MemAvailable: 9000000", "MemAvailable: 1200000")}, WARNING, "1171 MiB", ""),
    ("hardware.virtual", LAPTOP, {"/.dockerenv": ""}, INFO, "in a container (docker)", ""),
    ("hardware.virtual", LAPTOP, env(container="lxc"), INFO, "in a container (lxc)", ""),
    ("driver.bound", SERVER, {BUS + "/driver": "-> ../../drivers/vfio-pci"}, FAILED, "0000:3b:00.0 is bound to vfio-pci", "driverctl unset-override 0000:3b:00.0"),
    ("driver.bound", SERVER, {BUS + "/driver": None}, FAILED, "0000:3b:00.0 has no driver", "modprobe nvidia"),
    ("driver.nouveau", SERVER, {BUS + "/driver": "-> ../../drivers/nouveau"}, FAILED, "is driven by nouveau", "blacklist nouveau"),
    ("driver.blacklist", SERVER, {"/etc/modprobe.d/nvidia-graphics-drivers.conf": "# blacklist nouveau\n"}, WARNING, "nothing keeps nouveau", "blacklist nouveau"),
    ("driver.blacklist", SERVER, {"/etc/modprobe.d/nvidia-graphics-drivers.conf": None,
                                  "/proc/cmdline": "quiet modprobe.blacklist=nouveau\n"}, SKIPPED, "", ""),
    ("driver.modules", SERVER, {"/proc/driver/nvidia/version": None, "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1": None}, FAILED,
     "no driver is installed", "apt install nvidia-driver"),
    ("driver.modules", SERVER, {"/proc/driver/nvidia/version": None}, FAILED, "installed (580.82.07)", "modprobe nvidia"),
    ("driver.modules", SERVER, {"/sys/module/nvidia_uvm/": None}, FAILED, "nvidia_uvm is not loaded", "modprobe nvidia_uvm"),
    ("driver.versions", SERVER, {"/proc/driver/nvidia/version": replaced("580.82.07", "580.65.06")}, FAILED,
     "module is 580.65.06, the libraries are 580.82.07", "reboot"),
    ("driver.versions", SERVER, {"/proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19\n"},
     FAILED, "module is 535.129.03", "reboot"),
    ("driver.pending", SERVER, {f"/var/lib/dkms/nvidia/580.95.05/{KERNEL}/": ""}, WARNING, "dkms has built 580.95.05", "reboot"),
    ("driver.headers", SERVER, {f"/lib/modules/{KERNEL}/build/": None}, WARNING, f"/lib/modules/{KERNEL}/build is missing", f"linux-headers-{KERNEL}"),
    ("driver.headers", {**SERVER, "/etc/os-release": 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n'},
     {f"/lib/modules/{KERNEL}/build/": None}, WARNING, "is missing", "dnf install kernel-devel"),
    ("driver.dkms", SERVER, {"/lib/modules/6.8.0-62-generic/modules.dep": ""}, FAILED, "6.8.0-62-generic has no nvidia module", "dkms autoinstall -k 6.8.0-62-generic"),
    ("driver.dkms", SERVER, {"/lib/modules/6.8.0-31-generic/kernel/": ""}, FINE, "", ""),
    ("driver.devices", SERVER, {"/dev/nvidia-uvm": None}, FAILED, "/dev/nvidia-uvm is missing", "nvidia-modprobe -u"),
    ("driver.devices", SERVER, {"/dev/nvidia1": None}, FAILED, "/dev/nvidia1 is missing", "nvidia-modprobe -c 1"),
    ("driver.answers", SERVER, {"fact:nvml": "error 18 Driver/library version mismatch\n"}, FAILED, "Driver/library version mismatch (NVML 18)", "reboot"),
    ("driver.answers", SERVER, {"fact:nvml": "error 9 Driver Not Loaded\n"}, FAILED, "Driver Not Loaded", "modprobe nvidia"),
    ("driver.count", SERVER, {"fact:nvml": replaced("gpus 2", "gpus 1")}, FAILED, "there are 2 GPUs on the PCI bus, and the driver lists 1", "dmesg"),
    ("driver.lost", SERVER, {"fact:nvml": "driver 580.82.07\ngpus 2\ngpu0.name NVIDIA H200\ngpu1.error 15 GPU is lost\n"}, FAILED,
     "GPU 1 cannot be asked: 15 GPU is lost", "nvidia-smi -r -i 1"),
    ("driver.lost", SERVER, {"fact:kernel-log": "NVRM: GPU at PCI:0000:3b:00: GPU-1\nNVRM: GPU 0000:3b:00.0: GPU has fallen off the bus.\n"},
     FAILED, "0000:3b:00.0: GPU has fallen off the bus", "reboot"),
    ("driver.persistence", SERVER, gpu("persistence", 0), WARNING, "off on GPU 1", "nvidia-persistenced"),
    ("driver.ecc", SERVER, gpu("uncorrected", 4), FAILED, "GPU 1 has had 4 memory errors", "nvidia-smi -r -i 1"),
    ("driver.ecc", SERVER, gpu("ecc-pending", 0), INFO, "ECC of GPU 1 changes", ""),
    ("driver.rows", SERVER, gpu("rows-failed", 1), FAILED, "GPU 1 could not replace", ""),
    ("driver.rows", SERVER, gpu("rows-pending", 1), WARNING, "GPU 1 waits for a reset", "nvidia-smi -r -i 1"),
    ("driver.pcie", SERVER, gpu("pcie-width", 4), WARNING, "GPU 1 has 4 of 16", ""),
    ("driver.pcie", SERVER, gpu("pcie-generation", 1), FINE, "", ""),
    ("driver.throttle", SERVER, gpu("throttle", 0x48), WARNING, "slowed down by heat", ""),
    ("driver.throttle", SERVER, gpu("throttle", 0x80), WARNING, "power brake", ""),
    ("driver.throttle", SERVER, gpu("throttle", 0x1), FINE, "", ""),
    ("driver.power", SERVER, gpu("power-limit-mw", 350000), WARNING, "350 of its normal 700 W", "nvidia-smi -i 1 -pl 700"),
    ("driver.temperature", SERVER, gpu("temperature", 84), WARNING, "84 °C and slows down at 87", ""),
    ("driver.compute_mode", SERVER, gpu("compute-mode", 2), FAILED, "prohibited", "-c DEFAULT"),
    ("driver.compute_mode", SERVER, gpu("compute-mode", 3), WARNING, "exclusive", "-c DEFAULT"),
    ("driver.inforom", SERVER, {"fact:nvml": lambda t: t + "gpu1.inforom-corrupt 1\n"}, FAILED, "InfoROM of GPU 1", ""),
    ("driver.mig", SERVER, gpu("mig-pending", 1), WARNING, "MIG of GPU 1 changes", "nvidia-smi -r"),
    ("driver.xids", SERVER, {"fact:kernel-log": "NVRM: Xid (PCI:0000:3b:00): 79, pid=1, GPU has fallen off the bus.\n" * 3}, FAILED,
     "XID 79, 3 times", ""),
    ("driver.xids", SERVER, {"fact:kernel-log": "NVRM: Xid (PCI:0000:3b:00): 31, pid=1, name=python, Ch 0\n"}, WARNING, "XID 31, 1 times since the start, last of GPU 0000:3b:00: ", ""),
    ("driver.xids", SERVER, {"fact:kernel-log": "NVRM: Xid (PCI:0000:3b:00): 43, pid=1\n"}, INFO, "XID 43", ""),
    ("driver.xids", SERVER, {"fact:kernel-log": "NVRM: Xid (PCI:0000:3b:00): 998, new\n"}, WARNING, "docs.nvidia.com", ""),
    ("driver.upgrades", SERVER, {"/var/lib/dpkg/status": replaced("hold ok", "install ok"),
                                 "/etc/apt/apt.conf.d/20auto-upgrades": 'APT::Periodic::Unattended-Upgrade "1";\n'}, WARNING,
     "nvidia-driver-580-server", "apt-mark hold"),
    ("driver.upgrades", SERVER, {"/var/lib/dpkg/status": replaced("hold ok", "install ok"),
                                 "/etc/apt/apt.conf.d/20auto-upgrades": 'APT::Periodic::Unattended-Upgrade "1";\n',
                                 "/etc/apt/apt.conf.d/50unattended-upgrades": 'Unattended-Upgrade::Package-Blacklist {\n "nvidia";\n};\n'},
     FINE, "", ""),
    ("cuda.toolkits", SERVER, {"/usr/local/cuda": "-> /usr/local/cuda-11.8"}, FAILED, "/usr/local/cuda-11.8, which is not there", "ln -sfn /usr/local/cuda-12.6"),
    ("cuda.home", SERVER, env(CUDA_HOME="/opt/cuda"), WARNING, "CUDA_HOME is /opt/cuda, which is not there", "unset CUDA_HOME"),
    ("cuda.home", SERVER, {"/usr/local/cuda-11.8/bin/nvcc": "",
                           "fact:environment": "PATH /usr/local/cuda-11.8/bin:/usr/bin\nCUDA_HOME /usr/local/cuda-12.6\n"}, WARNING,
     "nvcc is found in /usr/local/cuda-11.8/bin", "export PATH=/usr/local/cuda-12.6/bin"),
    ("cuda.library_path", SERVER, {"/opt/a/libcudart.so.11.0": "", "/opt/b/libcudart.so.12": "", **env(LD_LIBRARY_PATH="/opt/a:/opt/b")},
     WARNING, "two versions of libcudart.so: /opt/a/libcudart.so.11 and /opt/b/libcudart.so.12", "unset LD_LIBRARY_PATH"),
    ("cuda.library_path", SERVER, {"/opt/a/libcudnn.so.8": "", **env(LD_LIBRARY_PATH="/opt/a")}, INFO, "libcudnn.so.8 (/opt/a)", ""),
    ("cuda.library_path", SERVER, env(LD_LIBRARY_PATH="/opt/none:"), INFO, "names /opt/none", ""),
    ("cuda.stub", SERVER, {"/opt/cuda/lib64/stubs/libcuda.so": "", **env(LD_LIBRARY_PATH="/opt/cuda/lib64/stubs:/opt/x")}, FAILED,
     "a stub of libcuda (/opt/cuda/lib64/stubs)", "grep -v stubs"),
    ("cuda.debugging", SERVER, env(CUDA_LAUNCH_BLOCKING="1"), WARNING, 'CUDA_LAUNCH_BLOCKING is set to "1"', "unset CUDA_LAUNCH_BLOCKING"),
    ("cuda.debugging", SERVER, env(CUDA_LAUNCH_BLOCKING="0"), SKIPPED, "", ""),
    ("cuda.debugging", SERVER, env(CUDA_VISIBLE_DEVICES="-1"), WARNING, "CUDA_VISIBLE_DEVICES is empty", "unset"),
    ("cuda.debugging", SERVER, env(CUDA_VISIBLE_DEVICES=""), WARNING, "CUDA_VISIBLE_DEVICES is empty", "unset"),
    ("python.numpy", SERVER, {SITE + "/torch-2.4.1+cu124.dist-info/METADATA": None, SITE + "/torch-2.0.1.dist-info/METADATA": "",
                              SITE + "/numpy-1.26.4.dist-info/METADATA": None, SITE + "/numpy-2.1.0.dist-info/METADATA": ""}, FAILED,
     "/opt/venv: torch 2.0.1 needs numpy before 2, and numpy 2.1.0", "/opt/venv/bin/python -m pip install 'numpy<2'"),
    ("python.numpy", SERVER, {SITE + "/numpy-1.26.4.dist-info/METADATA": None, SITE + "/numpy-2.1.0.dist-info/METADATA": ""}, FINE, "", ""),
    ("python.cuda_packages", SERVER, {SITE + "/nvidia_cudnn_cu11-8.7.0.84.dist-info/METADATA": ""}, WARNING, "nvidia_cudnn_cu11 and nvidia_cublas_cu12", "uninstall"),
    ("python.version", SERVER, {"/opt/old/lib/python3.8/site-packages/torch-2.0.1.dist-info/METADATA": ""}, WARNING,
     "/opt/old: Python 3.8 has been without fixes since 2024-10", "stoker compat solve"),
    ("python.version", SERVER, {"/opt/old/lib/python3.8/site-packages/pip-20.0.dist-info/METADATA": ""}, FINE, "", ""),
    ("python.place", LAPTOP, {"/usr/bin/python3": "-> python3.11", "/usr/bin/python3.11": "",
                              "/usr/local/lib/python3.11/dist-packages/torch-2.4.1.dist-info/METADATA": ""}, INFO,
     "the system's Python (/usr/local/lib/python3.11/dist-packages)", "python3 -m venv"),
    ("python.driver", SERVER, {"fact:nvml": NVML.replace("580.82.07", "470.82.01")}, FAILED, "/opt/venv: CUDA 12.4 (torch) does not run with driver 470.82.01", "stoker compat"),
    ("python.driver", SERVER, {"fact:nvml": NVML.replace("580.82.07", "535.129.03")}, WARNING, "by compatibility between minor versions", ""),
    ("python.kernels", SERVER, {"fact:nvml": NVML.replace("capability 9.0", "capability 12.0")}, FAILED, "no code for Blackwell (12.0)", "stoker compat solve"),
    ("python.tensorflow", SERVER, {"/opt/tf/lib/python3.11/site-packages/tensorflow-2.10.0.dist-info/METADATA": ""}, FAILED, "Python 3.7 to 3.10, not with 3.11", ""),
    ("python.siblings", SERVER, {SITE + "/torchvision-0.18.0.dist-info/METADATA": ""}, FAILED, "torch 2.4.1+cu124 goes with torchvision 0.19.1, not 0.18.0", ""),
    ("onnxruntime.cuda", SERVER, {SITE + "/onnxruntime_gpu-1.20.1.dist-info/METADATA": None, SITE + "/onnxruntime_gpu-1.18.0.dist-info/METADATA": ""}, FAILED,
     "onnxruntime-gpu 1.18.0 is built for CUDA 11, not for CUDA 12.4", ""),
    ("driver.branch", SERVER, {"fact:nvml": NVML.replace("580.82.07", "535.129.03")}, WARNING, "branch 535 of the driver has been without fixes since 2026-06", ""),
    ("driver.generation", SERVER, {"fact:nvml": NVML.replace("580.82.07", "595.58.03").replace("capability 9.0", "capability 7.0")}, FAILED,
     "branch 595 of the driver no longer knows Volta", ""),
    ("cuda.driver", SERVER, {"fact:nvml": NVML.replace("580.82.07", "470.82.01")}, FAILED, "CUDA 12.6 (toolkit) does not run with driver 470.82.01", ""),
    ("hardware.system", {**LAPTOP, "/etc/os-release": 'ID=ubuntu\nVERSION_ID="20.04"\n'}, {}, WARNING, "Ubuntu 20.04 has been without maintenance since 2025-05", ""),
    ("onnxruntime.one_build", SERVER, {SITE + "/onnxruntime-1.20.1.dist-info/METADATA": ""}, FAILED,
     "/opt/venv holds both onnxruntime 1.20.1 and onnxruntime-gpu 1.20.1", "pip install onnxruntime-gpu==1.20.1"),
    ("containers.daemon", SERVER, {"fact:docker": None}, FAILED, "does not answer", "systemctl enable --now docker"),
    ("containers.snap", SERVER, {"/snap/bin/docker": ""}, WARNING, "as a snap", "snap remove docker"),
    ("containers.daemon_json", SERVER, {"/etc/docker/daemon.json": "\ufeff{}"}, FINE, "", ""),
    ("containers.daemon_json", SERVER, {"/etc/docker/daemon.json": '{\n "runtimes": {},\n}\n'}, FAILED, "/etc/docker/daemon.json: ", "json.tool"),
    ("containers.daemon_json", SERVER, {"/etc/docker/daemon.json": "[]"}, FAILED, "not an object", ""),
    ("containers.daemon_json", SERVER, {"/etc/docker/daemon.json": "\n"}, FINE, "", ""),
    ("containers.runtime", SERVER, {"/etc/docker/daemon.json": "{}", "fact:docker": '{"Runtimes": {"runc": {}}}'}, FAILED,
     'does not know the runtime "nvidia"', "nvidia-ctk runtime configure"),
    ("containers.runtime", SERVER, {"/usr/bin/nvidia-container-runtime": None}, FAILED, "nvidia-container-runtime, which is not installed", "nvidia-container-toolkit"),
    ("containers.reload", SERVER, {"/etc/nvidia-container-runtime/config.toml": '[nvidia-container-runtime]\nmode = "auto"\n'}, WARNING,
     "cgroup driver is systemd", "mode=cdi"),
    ("containers.reload", SERVER, {"/etc/nvidia-container-runtime/config.toml": 'mode = "legacy"\n',
                                   **json_set(**{"exec-opts": ["native.cgroupdriver=cgroupfs"]})}, FINE, "", ""),
    ("containers.mirrors", SERVER, json_set(**{"registry-mirrors": ["mirror.example"]}), FAILED, '"mirror.example" is not a URL', ""),
    ("containers.logs", SERVER, json_set(**{"log-opts": {}}), WARNING, "without limit", "max-size"),
    ("containers.logs", SERVER, json_set(**{"log-driver": "journald", "log-opts": {}}), FINE, "", ""),
    ("network.route", LAPTOP, {"/proc/net/route": "Iface\tDestination\n"}, WARNING, "no default route", "ip route add default"),
    ("network.route", LAPTOP, {"/proc/net/route": lambda t: t + "eth0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"}, WARNING,
     "over wlan0 and eth0", ""),
    ("network.route", LAPTOP, {"/proc/net/route": lambda t: t + "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"}, FINE, "", ""),
    ("network.resolver", LAPTOP, {"/etc/resolv.conf": "# nothing\nsearch lan\n"}, FAILED, "names no server", "resolvectl"),
    ("network.resolver", LAPTOP, {"/etc/resolv.conf": None}, FAILED, "names no server", ""),
    ("network.ports", LAPTOP, {"/proc/net/tcp": lambda t: t + "   1: 00000000:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 777 1\n",
                               "/proc/812/comm": "uvicorn\n", "/proc/812/fd/7": "-> socket:[777]"}, WARNING, "port 8000 is held by uvicorn (pid 812)", "sport = :8000"),
    ("network.ports", LAPTOP, {"/proc/net/tcp6": lambda t: t + "   0: 00000000000000000000000000000000:1F42 00000000000000000000000000000000:0000 0A "
                               "00000000:00000000 00:00000000 00000000  1000        0 778 1\n"}, WARNING, "port 8002 is held by ?", ""),
    ("network.ports", LAPTOP, {"/proc/net/tcp": lambda t: t + "   1: 00000000:1F40 00000000:0000 01 00000000:00000000 00:00000000 00000000  1000        0 777 1\n"},
     FINE, "", ""),
    ("network.links", SERVER, {"/sys/class/net/eth0/speed": "100\n"}, WARNING, "eth0 runs at 100 Mb/s", ""),
    ("network.links", SERVER, {"/sys/class/net/eth0/statistics/rx_errors": "5000\n"}, WARNING, "5000 damaged", ""),
    ("network.links", SERVER, {"/sys/class/net/eth0/operstate": "down\n", "/sys/class/net/eth0/speed": "100\n"}, FINE, "", ""),
    ("storage.space", LAPTOP, {"fact:statfs /": "bytes 500000000000\navailable 20000000000\n"}, WARNING, "/ is 96 % full: 19073 MiB", "du -xh"),
    ("storage.space", LAPTOP, {"fact:statfs /": "bytes 500000000000\navailable 0\n"}, FAILED, "/ is 100 % full", "du -xh"),
    ("storage.inodes", LAPTOP, {"fact:statfs /": "bytes 500000000000\navailable 400000000000\nfiles 1000\nfiles-free 50\n"}, WARNING, "used 95 % of its inodes", "--inodes"),
    ("storage.fstab", LAPTOP, {"/etc/fstab": lambda t: t + "UUID=99 /data xfs defaults 0 2\n"}, FAILED, "UUID=99 of /etc/fstab is not mounted on /data", "mount /data"),
    ("storage.fstab", LAPTOP, {"/etc/fstab": lambda t: t + "UUID=99 /data xfs nofail 0 2\n"}, WARNING, "/data", "mount /data"),
    ("storage.fstab", LAPTOP, {"/etc/fstab": lambda t: t + "UUID=99 /data xfs noauto 0 2\nUUID=5 none swap sw 0 0\n"}, FINE, "", ""),
    ("storage.fstab_names", LAPTOP, {"/etc/fstab": lambda t: t + "/dev/sdb1\t/data\txfs\tdefaults 0 2\n"}, WARNING, "mounts /dev/sdb1 by a name", "blkid /dev/sdb1"),
    ("storage.fstab_names", LAPTOP, {"/etc/fstab": lambda t: t + "nas:/m /models nfs4 defaults 0 0\n"}, WARNING, "nas:/m over the network without _netdev", "_netdev,nofail"),
    ("storage.read_only", LAPTOP, {"/proc/self/mountinfo": replaced("/ / rw,relatime", "/ / ro,relatime")}, FAILED, "/ (/dev/nvme0n1p2) is mounted read-only", "dmesg"),
    ("storage.nfs", SERVER, mount("/models", "nfs4", "nas:/m", super_options="rw,vers=4.2,soft,timeo=600"), WARNING, "/models is mounted soft", "hard"),
    ("storage.nfs", SERVER, mount("/models", "nfs", "nas:/m", super_options="rw,vers=3,hard"), WARNING, "NFS 3", "vers=4.2"),
    ("storage.nfs", SERVER, mount("/models", "nfs4", "nas:/m", super_options="rw,vers=4.2,hard"), FINE, "", ""),
    ("storage.tmp", LAPTOP, {"fact:statfs /tmp": "bytes 500000000\navailable 500000000\n"}, WARNING, "/tmp has 476 MiB", "TMPDIR"),
    ("storage.tmp", LAPTOP, mount("/tmp", "tmpfs", "tmpfs", "rw,nosuid,noexec"), WARNING, "noexec", "TMPDIR"),
    ("limits.files", LAPTOP, {"/proc/self/limits": "Max open files            1024                 1024              files\n"}, WARNING, "may open 1024 files", "nofile"),
    ("limits.shm", LAPTOP, {"fact:statfs /dev/shm": "bytes 67108864\navailable 67108864\n"}, WARNING, "/dev/shm holds 64 MiB", "--shm-size"),
    ("limits.handles", LAPTOP, {"/proc/sys/fs/file-nr": "960000 0 1000000\n"}, FAILED, "960000 of 1000000", "fs.file-max=2000000"),
    ("limits.handles", LAPTOP, {"/proc/sys/fs/file-nr": "850000 0 1000000\n"}, WARNING, "850000 of 1000000", ""),
    ("limits.pressure", LAPTOP, {"/proc/pressure/memory": "some avg10=0.00 avg60=22.40 avg300=0.00 total=1\n"}, WARNING, "22 % of the last minute for memory", "--sort=-rss"),
    ("limits.swap", LAPTOP, {"/usr/bin/kubelet": "", "/proc/swaps": lambda t: t + "/swapfile file 100 0 -2\n"}, FAILED, "swap is on", "swapoff -a"),
    ("limits.swap", LAPTOP, {"/proc/swaps": lambda t: t + "/swapfile file 100 0 -2\n"}, SKIPPED, "", ""),
    ("limits.huge_pages", LAPTOP, {"/proc/meminfo": "HugePages_Total: 2048\nHugePages_Free: 2048\nHugepagesize: 2048 kB\n"}, WARNING, "4096 MiB", "nr_hugepages=0"),
    ("limits.backlog", LAPTOP, {"/proc/sys/net/core/somaxconn": "128\n"}, WARNING, "somaxconn is 128", "somaxconn=4096"),
    ("time.synchronised", LAPTOP, {"fact:clock": "synchronised 0\nerror-us 16000000\n"}, WARNING, "not synchronised", "set-ntp true"),
    ("time.synchronised", LAPTOP, {"fact:clock": None}, SKIPPED, "", ""),
    ("hardware.governor", LAPTOP, {"/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n"}, WARNING, "governor is powersave", "performance"),
    ("hardware.governor", LAPTOP, {"/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n", "/sys/devices/system/cpu/intel_pstate/": ""}, FINE, "", ""),
    ("driver.flavour", SERVER, {"/proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.82.07  Thu\n",
                                "fact:nvml": NVML.replace("capability 9.0", "capability 10.0")}, FAILED, "GPU 0 (10.0) needs the open kernel module", "nvidia-open"),
    ("driver.flavour", SERVER, {"fact:nvml": NVML.replace("capability 9.0", "capability 7.0")}, FAILED, "GPU 0 (7.0) needs the proprietary", ""),
    ("driver.twice", SERVER, {"/usr/bin/nvidia-uninstall": ""}, FAILED, "by NVIDIA's installer and by packages", "nvidia-uninstall"),
    ("driver.sxids", SERVER, {"fact:kernel-log": "nvidia-nvswitch0: SXid (PCI:0000:c1:00.0): 12028, Non-fatal\nother\n"}, FAILED, "1 errors of NVSwitches", "fabricmanager"),
    ("driver.bar1", SERVER, gpu("bar1", 268435456), INFO, "a window of 256 MiB for 143051 MiB", ""),
    ("driver.nvlink", SERVER, gpu("links-down", 2), FAILED, "GPU 1 has 2 NVLinks down of 20", "fabricmanager"),
    ("driver.nvlink", SERVER, {"fact:nvml": NVML.replace("links-up 18", "links-up 0").replace("links-down 0", "links-down 18")}, FINE, "", ""),
    ("driver.orphans", SERVER, gpu("memory-used", 8000000000), WARNING, "GPU 1 uses 7629 MiB, and no process", "fuser -v /dev/nvidia1"),
    ("driver.orphans", SERVER, {"fact:nvml": NVML.replace("memory-used 1000000", "memory-used 8000000000").replace("processes 0", "processes 1")}, FINE, "", ""),
    ("driver.vbios", SERVER, gpu("name", "NVIDIA A100"), INFO, "GPU 0 is NVIDIA H200, and GPU 1 is NVIDIA A100", ""),
    ("driver.display", SERVER, gpu("graphics-processes", 2), INFO, "draws for 2 programs", "multi-user.target"),
    ("containers.cdi", SERVER, {"/etc/cdi/nvidia.yaml": "- hostPath: /usr/lib/x86_64-linux-gnu/libcuda.so.550.90.07\n"}, FAILED,
     "/etc/cdi/nvidia.yaml was made for another driver than 580.82.07", "nvidia-ctk cdi generate"),
    ("containers.cdi", SERVER, {"/etc/cdi/nvidia.yaml": "- hostPath: /usr/lib/x86_64-linux-gnu/libcuda.so.580.82.07\n"}, FINE, "", ""),
    ("containers.hooks", SERVER, {"/etc/cdi/nvidia.yaml": "580.82.07", "/usr/share/containers/oci/hooks.d/oci-nvidia-hook.json": "{}"}, WARNING, "hook of older toolkits", "rm /usr/share"),
    ("containers.group", SERVER, {"/etc/group": "root:x:0:\ndocker:x:999:alice,bob\n"}, INFO, "alice,bob", ""),
    ("containers.group", SERVER, {"/etc/group": "root:x:0:\ndocker:x:999:\n"}, FINE, "", ""),
    ("containers.storage", SERVER, {"fact:docker": '{"Driver": "vfs"}'}, WARNING, "storage driver is vfs", "overlay2"),
    ("containers.storage", SERVER, {"fact:docker": '{"Driver": "overlay2"}'}, FINE, "", ""),
    ("kubernetes.cgroup_driver", SERVER, {"/var/lib/kubelet/config.yaml": "kind: KubeletConfiguration\ncgroupDriver: systemd\n", "/etc/containerd/config.toml": "version = 2\n"},
     FAILED, "kubelet uses systemd for cgroups, and containerd uses cgroupfs", "SystemdCgroup = true"),
    ("kubernetes.cgroup_driver", SERVER, {"/var/lib/kubelet/config.yaml": "cgroupDriver: systemd\n", "/etc/containerd/config.toml": "  SystemdCgroup = true\n"}, FINE, "", ""),
    ("kubernetes.containerd", SERVER, {"/usr/bin/kubelet": "", "/etc/containerd/config.toml": "version = 2\n"}, FAILED, "does not name NVIDIA's runtime", "--runtime=containerd"),
    ("kubernetes.containerd", SERVER, {"/usr/bin/kubelet": "", "/etc/containerd/conf.d/99-nvidia.toml": 'BinaryName = "/usr/bin/nvidia-container-runtime"\n'}, FINE, "", ""),
    ("kubernetes.device_plugin", SERVER, {"/usr/bin/kubelet": "", "/var/lib/kubelet/device-plugins/kubelet.sock": ""}, FAILED, "has not registered", "kubectl get pods"),
    ("kubernetes.device_plugin", SERVER, {"/usr/bin/kubelet": "", "/var/lib/kubelet/device-plugins/nvidia-gpu.sock": ""}, FINE, "", ""),
    ("kubernetes.forwarding", SERVER, {"/usr/bin/kubelet": "", "/proc/sys/net/ipv4/ip_forward": "0\n", "/proc/sys/net/bridge/bridge-nf-call-iptables": "1\n"}, FAILED,
     "net.ipv4.ip_forward is 0", "sysctl -w net.ipv4.ip_forward=1"),
    ("firewall.ports", LAPTOP, {**UFW, **LISTENS("00000000")}, WARNING, "no rule for port 8000", "ufw allow 8000/tcp"),
    ("firewall.ports", LAPTOP, {**UFW, **LISTENS("00000000"), "/etc/ufw/user.rules": "### tuple ### allow tcp 22,8000:8002 0.0.0.0/0 any 0.0.0.0/0 in\n"}, FINE, "", ""),
    ("firewall.ports", LAPTOP, {**UFW, **LISTENS("0100007F")}, FINE, "", ""),
    ("firewall.ports", LAPTOP, {**UFW, **LISTENS("00000000"), "/etc/ufw/ufw.conf": "ENABLED=no\n"}, SKIPPED, "", ""),
    ("firewall.ports", LAPTOP, {**UFW, "/proc/net/tcp6": "  sl\n   0: 00000000000000000000000000000000:1F40 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 77 1\n"},
     WARNING, "no rule for port 8000", "ufw allow 8000/tcp"),
    ("firewall.ports", LAPTOP, {**UFW, "/proc/net/tcp6": "  sl\n   0: 00000000000000000000000001000000:1F40 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 77 1\n"},
     FINE, "", ""),
    ("firewall.loopback", LAPTOP, {**UFW, **LISTENS("0100007F"), "/etc/ufw/user.rules": "### tuple ### allow any 8000 0.0.0.0/0 any 0.0.0.0/0 in\n"}, WARNING,
     "listens on 127.0.0.1 only", "--host 0.0.0.0"),
    ("firewall.ports", LAPTOP, UFW, INFO, "ufw is active and has no rule for port 8000", "ufw allow 8002/tcp"),
    ("firewall.ports", LAPTOP, {**UFW, "/etc/default/ufw": "IPV6=yes\nDEFAULT_INPUT_POLICY=\"ACCEPT\"\n"}, FINE, "", ""),
    ("firewall.ports", LAPTOP, {**FIREWALLD, **LISTENS("00000000")}, WARNING, "firewalld is active and has no rule for port 8000", "firewall-cmd --permanent --add-port=8000/tcp"),
    ("firewall.ports", LAPTOP, {**FIREWALLD, **LISTENS("00000000"), "/etc/firewalld/firewalld.conf": "# x\nDefaultZone=work\n",
                                "/etc/firewalld/zones/work.xml": '<zone>\n <port protocol="tcp" port="7000-9000"/>\n</zone>\n'}, FINE, "", ""),
    ("firewall.ports", LAPTOP, {**FIREWALLD, **LISTENS("00000000"), "/etc/firewalld/zones/public.xml": '<zone><port port="8000" protocol="udp"/><port port="22" protocol="tcp"/></zone>'},
     WARNING, "has no rule for port 8000", "firewall-cmd"),
    ("firewall.ports", LAPTOP, {**FIREWALLD, **LISTENS("00000000"), "/etc/firewalld/zones/public.xml": '<zone target="ACCEPT"></zone>'}, FINE, "", ""),
    ("firewall.ports", LAPTOP, {"/etc/systemd/system/sysinit.target.wants/nftables.service": "-> /lib/systemd/system/nftables.service"}, UNKNOWN,
     "known to root alone", "nft list ruleset"),
    ("security.secure_boot", LAPTOP, {EFI: "\x06\x00\x00\x00\x01", "fact:kernel-log": "Loading of module with unavailable key is rejected\nnvidia: Key was rejected by service\n"}, FAILED,
     "Secure Boot is on", "mokutil"),
    ("security.secure_boot", LAPTOP, {EFI: "\x06\x00\x00\x00\x00"}, FINE, "", ""),
    ("security.lockdown", LAPTOP, {"/sys/kernel/security/lockdown": "none [integrity] confidentiality\n"}, FINE, "", ""),
    ("security.selinux", LAPTOP, {"/sys/fs/selinux/enforce": "1", "fact:kernel-log": 'audit: avc:  denied  { read } for comm="python" name="nvidiactl"\n'}, WARNING, "denied access", "setsebool"),
    ("security.selinux", LAPTOP, {"/sys/fs/selinux/enforce": "0"}, FINE, "", ""),
    ("security.sources", SERVER, {"/etc/apt/sources.list.d/a.list": "deb [signed-by=/k] https://nvidia.github.io/libnvidia-container/stable/deb/amd64 /\n",
                                  "/etc/apt/sources.list.d/b.list": "# x\ndeb https://nvidia.github.io/libnvidia-container/stable/deb/amd64 /\n"}, FAILED, "is in two files: ", "rm /etc/apt"),
    ("security.sources", SERVER, {"/etc/apt/sources.list.d/a.list": "deb https://nvidia.github.io/libnvidia-container/stable/deb/$(ARCH) /\n",
                                  "/etc/apt/sources.list.d/b.sources": "Types: deb\nURIs: https://nvidia.github.io/libnvidia-container/stable/deb/amd64/\nSuites: /\n"}, FAILED, "is in two files: ", "rm /etc/apt"),
    ("security.sources", SERVER, {"/etc/apt/sources.list.d/a.list": "deb https://nvidia.github.io/a/very/long/path/to/$(ARCH) /\n",
                                  "/etc/apt/sources.list.d/b.list": "deb https://nvidia.github.io /\ndeb https://nvidia/$(ARCH) /\n"}, FINE, "", ""),
    ("security.sources", SERVER, {"/etc/apt/sources.list.d/nvidia-docker.list": "deb https://nvidia.github.io/nvidia-docker/ubuntu20.04/$(ARCH) /\n"}, WARNING, "is retired", "rm /etc/apt/sources.list.d/nvidia-docker.list"),
    ("hardware.kernel", SERVER, {"/lib/modules/6.8.0-71-generic/modules.dep": ""}, WARNING, f"{KERNEL} runs while 6.8.0-71-generic is installed", "reboot"),
    ("hardware.kernel", SERVER, {"/lib/modules/6.8.0-71-lowlatency/modules.dep": "", "/lib/modules/6.8.0-72-generic/": ""}, FINE, "", ""),
    ("hardware.memory", LAPTOP, {"fact:kernel-log": "x\nOut of memory: Killed process 812 (python3) total-vm:1kB\nMemory cgroup out of memory: Killed process 9 (uvicorn) x\n"},
     WARNING, "for want of memory since the start: 2, the last was 9 (uvicorn)", "journalctl -k"),
    ("cuda.debugging", SERVER, {"/etc/environment": "# CUDA_PROFILE=1\nPATH=/bin\nCUDA_LAUNCH_BLOCKING=1\n"}, WARNING, 'CUDA_LAUNCH_BLOCKING is set to "1" in /etc/environment, line 3', "sed -i '3d'"),
    ("cuda.debugging", SERVER, {"/etc/profile.d/x.sh": "export CUDA_PROFILE='1'\n"}, WARNING, 'CUDA_PROFILE is set to "1" in /etc/profile.d/x.sh, line 1', ""),
    ("cuda.debugging", SERVER, {"/etc/systemd/system/a.service.d/b.conf": '[Service]\nEnvironment="CUDA_LAUNCH_BLOCKING=1"\n'}, WARNING, "a.service.d/b.conf, line 2", ""),
    ("cuda.debugging", SERVER, {"/etc/environment": "CUDA_LAUNCH_BLOCKING=0\nMY_CUDA_PROFILE=1\n"}, SKIPPED, "", ""),
    ("services.logrotate", LAPTOP, {"/etc/logrotate.conf": "weekly\n"}, WARNING, "has never run", "logrotate.timer"),
    ("services.logrotate", LAPTOP, {"/etc/logrotate.conf": "weekly\n", "/var/lib/logrotate/status": "logrotate state -- version 2\n"}, FINE, "", ""),
    ("services.journal", LAPTOP, {"/run/systemd/journal/": ""}, INFO, "in memory only", "/var/log/journal"),
    ("network.proxy", LAPTOP, env(http_proxy="http://proxy:3128", no_proxy="localhost"), WARNING, "http_proxy is set and no_proxy", "export no_proxy"),
    ("network.proxy", LAPTOP, env(http_proxy="http://proxy:3128", NO_PROXY="localhost,127.0.0.1"), FINE, "", ""),
    ("network.ranges", SERVER, {"/proc/net/route": lambda t: t + "eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"}, WARNING, "172.17.0.0/16 goes over eth0", ""),
    ("network.ranges", SERVER, {"/proc/net/route": lambda t: t + "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"}, FINE, "", ""),
    ("services.failed", LAPTOP, {"fact:failed-units": "unit fastapi.service\n"}, WARNING, "fastapi.service has failed", "journalctl -u fastapi.service"),
    ("services.restart", LAPTOP, {"/run/reboot-required": "", "/run/reboot-required.pkgs": "linux-image\nlibc6\n"}, WARNING, "is due: linux-image", "reboot"),
    ("services.stuck", LAPTOP, {"/proc/77/stat": "77 (nvidia-smi) D 1 1 1 0 -1 0\n"}, WARNING, "nvidia-smi (pid 77)", "/proc/77/stack"),
    ("services.stuck", LAPTOP, {f"/proc/{n}/stat": f"{n} (a) b) Z 1 1\n" for n in range(100, 130)}, WARNING, "30 zombies", ""),
]


@pytest.mark.parametrize("check,machine,changes,verdict,words,remedy", ROWS, ids=[f"{r[0]}-{i}" for i, r in enumerate(ROWS)])
def test_checks(folder, check, machine, changes, verdict, words, remedy):
    found, r = examine(folder, changed(machine, changes), "--only", check)
    c = found[check]
    assert c["verdict"] == verdict, c
    text = c["findings"][0]["text"] if c["findings"] else ""
    assert words in text and bool(words) == bool(text), c
    assert remedy in "\n".join(f["fix"] for f in c["findings"]), c
    assert r.returncode == {FAILED: 21, HUNG: 21, WARNING: 20}.get(verdict, 0)


# ---- a copy of files alone: nobody asked the machine for facts ------------------

FILES = {k: v for k, v in SERVER.items() if not k.startswith("fact:")} | {"/proc/sys/kernel/osrelease": f"{KERNEL}\n"}
MOUNTED = {k: v for k, v in FILES.items() if not k.startswith(("/proc", "/sys", "/dev"))} | {"/etc/resolv.conf": "-> ../run/systemd/resolve/stub-resolv.conf"}
XID = "NVRM: Xid (PCI:0000:3b:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.\n"
VENV = "/home/alice/work/.venv/lib/python3.11/site-packages"

COPIES = [
    ("time.synchronised", FILES, {}, UNKNOWN, "adjtimex is not in this copy of the machine"),
    ("driver.answers", FILES, {}, UNKNOWN, "NVML is not in this copy"),
    ("containers.daemon", FILES, {}, UNKNOWN, "is not in this copy"),
    ("services.failed", FILES, {}, UNKNOWN, "is not in this copy"),
    ("network.ports", MOUNTED, {}, UNKNOWN, "/proc/net/tcp is not in this copy"),
    ("network.resolver", MOUNTED, {}, UNKNOWN, "/etc/resolv.conf is not in this copy"),
    ("storage.fstab", MOUNTED, {}, UNKNOWN, "/proc/self/mountinfo is not in this copy"),
    ("storage.fstab", MOUNTED, {"/proc/mounts": "/dev/sda1 / ext4 rw 0 0\n"}, FINE, ""),
    ("storage.fstab", MOUNTED, {"/proc/mounts": "/dev/sda1 /boot ext4 rw 0 0\n"}, FAILED, "is not mounted on /"),
    ("driver.devices", FILES, {f"/dev/{n}": None for n in ("nvidiactl", "nvidia-uvm", "nvidia0", "nvidia1")}, UNKNOWN, "/dev is not in this copy"),
    ("driver.headers", FILES, {f"/lib/modules/{KERNEL}/build/": None}, WARNING, "build is missing"),
    ("driver.headers", FILES, {f"/lib/modules/{KERNEL}/build/": None, "/proc/sys/kernel/osrelease": None, "/proc/version": f"Linux version {KERNEL} (x@y) #1\n"}, WARNING, "build is missing"),
    ("driver.xids", FILES, {"/var/log/kern.log": "kernel: Linux version 1\nkernel: " + XID}, FAILED, "XID 79"),
    ("driver.xids", FILES, {"/var/log/kern.log": "kernel: " + XID + "kernel: Linux version 2\n"}, FINE, ""),
    ("driver.lost", FILES, {"/dev/kmsg": XID}, FAILED, "fallen off the bus"),
    ("driver.generation", FILES, {"/proc/driver/nvidia/gpus/0000:1b:00.0/information": "Model: \t\t Tesla V100-SXM2-16GB\n", "/usr/local/cuda-13.0/bin/nvcc": "", "/usr/local/cuda": "-> cuda-13.0"},
     FAILED, "CUDA 13.0 no longer knows Volta (7.0)"),
    ("python.kernels", FILES, {f"{VENV}/torch-2.0.1.dist-info/METADATA": "", f"{VENV}/torch/version.py": "cuda = '11.7'\n"}, FAILED, "/home/alice/work/.venv: torch 2.0.1 for CUDA 11.7 has no code for Hopper"),
    ("python.numpy", MOUNTED, {f"{VENV}/torch-2.0.1.dist-info/METADATA": "", f"{VENV}/numpy-2.0.0.dist-info/METADATA": ""}, FAILED, "/home/alice/work/.venv: torch 2.0.1 needs numpy before 2"),
    ("python.numpy", MOUNTED, {"/root/miniconda3/envs/a/lib/python3.11/site-packages/torch-2.0.1.dist-info/METADATA": "",
                               "/root/miniconda3/envs/a/lib/python3.11/site-packages/numpy-2.0.0.dist-info/METADATA": ""}, FAILED, "/root/miniconda3/envs/a: torch"),
    ("cuda.home", FILES, {"/etc/environment": 'export CUDA_HOME="/usr/local/cuda-9"\n'}, WARNING, "/usr/local/cuda-9"),
]


@pytest.mark.parametrize("check,machine,changes,verdict,words", COPIES, ids=[f"{r[0]}-{i}" for i, r in enumerate(COPIES)])
def test_copies_of_files_alone(folder, check, machine, changes, verdict, words):
    found, _ = examine(folder, changed(machine, changes), "--only", check)
    c = found[check]
    assert c["verdict"] == verdict and words in "".join(f["text"] for f in c["findings"]), c


@pytest.mark.parametrize("path,check", [("/etc/os-release", "hardware.system"), ("/proc/meminfo", "hardware.memory"), ("/etc/fstab", "storage.fstab"), ("/etc/fstab", "storage.fstab_names"),
                                        ("/proc/self/mountinfo", "storage.space"), ("/etc/resolv.conf", "network.resolver"), ("/proc/cpuinfo", "hardware.cpu"), ("/proc/net/route", "network.route")])
@pytest.mark.parametrize("kind", ["fifo", "directory", "loop", "zero"])
def test_what_is_no_file_is_unknown(folder, path, check, kind):
    """Nothing hangs, nothing is taken for good."""
    build(folder, SERVER)
    at = pathlib.Path(f"{folder}{path}")
    at.unlink()
    {"fifo": lambda: os.mkfifo(at), "directory": at.mkdir, "loop": lambda: at.symlink_to(at.name), "zero": lambda: os.mknod(at, 0o20666, os.makedev(1, 5))}[kind]()
    c = {c["name"]: c for c in json.loads(doctor("--root", folder, "--json", "--only", check).stdout)["checks"]}[check]
    assert c["verdict"] == UNKNOWN and any(path in f["text"] for f in c["findings"]), c


@pytest.mark.parametrize("machine", [FILES, MOUNTED], ids=["files", "mounted"])
def test_what_a_copy_does_not_tell_is_no_fault(folder, machine):
    found, r = examine(folder, machine)
    assert not [c for c in found.values() if c["verdict"] in (FAILED, WARNING, HUNG)], r.stdout
    assert r.returncode == 0


@pytest.mark.parametrize("release,words", [('ID="rhel"\nVERSION_ID="9.4"\nID_LIKE="fedora"\n', "dnf install nvidia-container-toolkit"),
                                           ('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="22.04"\n', "apt install nvidia-container-toolkit")])
def test_packages_are_named_as_the_system_installs_them(folder, release, words):
    found, _ = examine(folder, changed(FILES, {"/etc/os-release": release, "/etc/docker/daemon.json": "{}"}), "--only", "containers.runtime")
    assert words in found["containers.runtime"]["findings"][0]["fix"]


def test_every_check_is_tested_broken():
    listed = {line.split()[1] for line in doctor("--list").stdout.splitlines()}
    broken = {r[0] for r in ROWS if r[3] in (FAILED, WARNING, INFO)}
    # These are looked at elsewhere in this file, or only tell.
    assert listed - broken == {"hardware.gpus", "network.hostname", "time.zone", "storage.answers", "security.lockdown",
                               "models.runs", *(r[0] for r in REACHED)}


# ---- servers elsewhere: what they answered is a fact ---------------------------

HUBS = {f"fact:reach {u}": "status 401\nmilliseconds 90\n" for u in ("https://registry-1.docker.io/v2/", "https://nvcr.io/v2/", "https://huggingface.co/")}
HUB, PIP, MIRROR = "fact:reach https://nvcr.io/v2/", "fact:reach https://pypi.org/simple/numpy/", "fact:reach https://m.example/v2/"
MIRRORS = {"/etc/docker/daemon.json": '{"registry-mirrors": ["https://m.example"]}'}

REACHED = [
    ("network.registries", HUBS, FINE, ""),
    ("network.registries", {**HUBS, HUB: "error Could not resolve host: nvcr.io\n"}, WARNING, "the name in https://nvcr.io/v2/ does not resolve"),
    ("network.registries", {**HUBS, HUB: "error Connection timed out after 4001 milliseconds\n"}, WARNING, "https://nvcr.io/v2/ is not reached"),
    ("network.registries", {**HUBS, HUB: "error SSL certificate problem: certificate is not yet valid\n"}, WARNING, "look at the clock of this machine before the network"),
    ("network.registries", {**HUBS, HUB: "error SSL certificate problem: self-signed certificate in certificate chain\n"}, WARNING, "a proxy perhaps"),
    ("network.registries", {**HUBS, HUB: "status 401\nmilliseconds 3900\n"}, INFO, "took 3900 ms"),
    ("python.index", {PIP: "status 200\nmilliseconds 90\n"}, FINE, ""),
    ("python.index", {PIP: "status 404\nmilliseconds 90\n"}, WARNING, "answers 404"),
    ("python.index", {"/etc/pip.conf": "[global]\nindex-url = https://p.example/simple/\n", "fact:reach https://p.example/simple/numpy/": "error Connection refused\n"},
     WARNING, "https://p.example/simple/numpy/ is not reached"),
    ("containers.mirrors_answer", LAPTOP, SKIPPED, ""),
    ("containers.mirrors_answer", {**MIRRORS, MIRROR: "status 401\nmilliseconds 9\n"}, FINE, ""),
    ("containers.mirrors_answer", {**MIRRORS, MIRROR: "status 502\nmilliseconds 9\n"}, WARNING, "answers 502, which no registry does"),
    ("containers.mirrors_answer", {**MIRRORS, MIRROR: "error Connection refused\n"}, WARNING, "is not reached"),
]


@pytest.mark.parametrize("check,changes,verdict,words", REACHED, ids=[f"{r[0]}-{i}" for i, r in enumerate(REACHED)])
def test_servers_elsewhere(folder, check, changes, verdict, words):
    found, _ = examine(folder, {**LAPTOP, **changes}, "--only", check, "--network")
    c = found[check]
    assert c["verdict"] == verdict and words in "".join(f["text"] for f in c["findings"]), c
    found, _ = examine(folder, {**LAPTOP, **changes}, "--only", check)
    assert found[check]["verdict"] == SKIPPED


def test_a_server_is_really_asked(folder):
    import http.server
    import threading
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    server.RequestHandlerClass.log_message = lambda *_: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    build(folder, {**LAPTOP, "/etc/docker/daemon.json": json.dumps({"registry-mirrors": [url, "http://127.0.0.1:1"]})})
    # The daemon.json of this machine is not ours to write: a mount of our own has one.
    script = f"mkdir -p /etc/docker && mount -t tmpfs none /etc/docker && cp {folder}/etc/docker/daemon.json /etc/docker && exec {BINARY} doctor --json --network --only containers.mirrors_answer"
    made = not os.path.exists("/etc/docker")
    r = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, timeout=60, env={**os.environ, "LC_ALL": "C.UTF-8"})
    server.shutdown()
    if made and os.path.exists("/etc/docker"):
        os.rmdir("/etc/docker")
    if not r.stdout:
        pytest.skip(f"no mounts of our own here: {r.stderr.strip()}")
    c = json.loads(r.stdout)["checks"][0]
    texts = [f["text"] for f in c["findings"]]
    assert any(f"{url}/v2/ answers 404" in t for t in texts) and any(t.startswith("http://127.0.0.1:1/v2/ is not reached: ") and t.count("/v2/") == 1 for t in texts), c


# ---- a model ---------------------------------------------------------------------


def test_a_model_that_runs_here():
    r = doctor("--json", "--model", "examples/iris.onnx", "--only", "models", limit="60s")
    c = json.loads(r.stdout)["checks"][0]
    assert c["name"] == "models.runs" and not [f for f in c["findings"] if f["verdict"] == "failed"], c
    assert "onnx 974 bytes" in c["evidence"] and re.search(r"[1-9]\d* MiB at most to load and try it, \d+ MiB available", c["evidence"]), c


def test_what_a_model_needs_is_shown():
    r = doctor("--model", "examples/iris.onnx", limit="60s")
    assert re.search(r"✓ The model +1 fine\n    ✓ It runs here .*\n        seen: examples/iris.onnx onnx 974 bytes, .*MiB at most to load and try it", r.stdout), r.stdout


def test_a_model_that_does_not(folder):
    (folder / "broken.onnx").write_bytes(b"no model")
    r = doctor("--json", "--model", folder / "broken.onnx", "--only", "models", limit="60s")
    c = json.loads(r.stdout)["checks"][0]
    assert r.returncode == 21 and c["verdict"] == "failed" and "broken.onnx" in c["findings"][0]["text"], c
    r = doctor("--model", folder / "none.onnx", "--only", "models", limit="60s")
    assert r.returncode == 21 and "none.onnx" in r.stdout
    assert doctor("--model", "examples/iris.onnx", "--root", folder).returncode == 2


def test_hostile_trees(folder):
    """Nonsense in every file: an answer, and nothing crashes."""
    for n, text in enumerate(("", "\0" * 100, "-" * 70000, "\n" * 1000, "99999999999999999999999 " * 50, "a:b:c=d,e\n(((())))\n%s%n%d\n")):
        tree = {p: (t if t.startswith("-> ") or p.endswith("/") else text) for p, t in SERVER.items()}
        at = folder / str(n)
        at.mkdir()
        checks, r = examine(at, tree)
        assert not [c for c in checks.values() if c["verdict"] in ("crashed", "hung")], (n, checks)
        assert r.returncode in (0, 20, 21)


# ---- as a user meets it -----------------------------------------------------


@sanitize
def test_the_report_of_a_broken_server(folder):
    build(folder, changed(SERVER, {"/proc/driver/nvidia/version": replaced("580.82.07", "580.65.06"),
                                   "fact:clock": "synchronised 0\n"}))
    r = doctor("--root", folder)
    assert r.returncode == 21 and r.stderr == "stoker: error: 1 checks failed, 2 warnings\n"
    assert re.search(r"^✗ GPU and driver +1 failed, ", r.stdout, re.M)
    assert "fix:  reboot" in r.stdout and "driver.versions, G04" in r.stdout and "\x1b" not in r.stdout
    assert re.search(r"^✓ Storage and mounts +\d+ fine, \d+ skipped", r.stdout, re.M)
    chinese = doctor("--root", folder, env={"LC_ALL": "zh_CN.UTF-8"})
    assert "GPU 与驱动" in chinese.stdout and "修复：reboot" in chinese.stdout and "内核模块版本 580.65.06" in chinese.stdout
    assert "1 项失败，2 项警告" in chinese.stderr
    metrics = doctor("--root", folder, "--prometheus").stdout
    assert 'stoker_doctor_check{check="driver.versions",group="driver"} 3\n' in metrics
    assert 'stoker_doctor_check{check="time.synchronised",group="time"} 2\n' in metrics
    assert 'stoker_doctor_checks{verdict="failed"} 1\n' in metrics
    if shutil.which("promtool"):
        assert subprocess.run(["promtool", "check", "metrics"], input=metrics, text=True, capture_output=True).returncode == 0


def test_only(folder):
    build(folder, LAPTOP)
    names = lambda *a: [c["name"] for c in json.loads(doctor("--root", folder, "--json", *a).stdout)["checks"]]
    assert names("--only", "time") == ["time.synchronised", "time.zone"]
    assert names("--only", "g04, storage.space") == ["driver.versions", "storage.space"]
    r = doctor("--only", "time,tyme")
    assert r.returncode == 2 and "no check or group 'tyme'" in r.stderr and "--list" in r.stderr
    r = doctor("--root", folder / "none")
    assert r.returncode == 4 and "none" in r.stderr


@sanitize
def test_this_machine():
    start = time.monotonic()
    r = doctor("--json")
    took = time.monotonic() - start
    report = json.loads(r.stdout)
    assert r.returncode in (0, 20, 21)
    assert not [c for c in report["checks"] if c["verdict"] == "crashed"]
    print(f"doctor: {len(report['checks'])} checks of this machine in {took:.2f} s", end=" ")


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_nothing_outside_the_root_is_read(folder):
    outside = folder / "outside"
    outside.mkdir()
    (outside / "secret").write_text("ID=secret\n")
    root = folder / "root"
    root.mkdir()
    build(root, changed(SERVER, {"/etc/os-release": f"-> {outside}/secret", "/etc/docker/daemon.json": f"-> {outside}/secret",
                                 "/proc/cpuinfo": "-> ../../outside/secret", "/etc/fstab": "-> /etc/passwd"}))
    r = subprocess.run(["strace", "-f", "-qq", "-e", "trace=open,openat,statfs,readlink,connect", "-o", folder / "trace",
                        BINARY, "doctor", "--root", root, "--json"], capture_output=True, text=True, timeout=120)
    assert "secret" not in r.stdout
    trace = (folder / "trace").read_text()
    behind = trace[trace.index(f'"{root}"'):]
    paths = set(re.findall(r'(?:open|openat|statfs|readlink)\((?:AT_FDCWD, )?"(/[^"]*)"', behind))
    assert paths <= {str(root)} | {p for p in paths if re.match(r"/(lib|usr/lib|usr/share|etc/ld|etc/localtime|etc/stoker/compat/|proc/self/exe|sys/devices/system/cpu)", p)}, paths
    assert "connect(" not in behind


# ---- captures ---------------------------------------------------------------


def same(a, b):
    return {n: (c["verdict"], c["evidence"]) for n, c in a.items()} == {n: (c["verdict"], c["evidence"]) for n, c in b.items()}


@sanitize
def test_a_capture_finds_the_same(folder):
    server = changed(SERVER, {
        "/proc/sys/kernel/hostname": "gpu-node-17\n", "fact:resolve gpu-node-17": "milliseconds 2\n",
        "/etc/docker/daemon.json": lambda t: t.replace("https://mirror.example", "https://me:hunter2@mirror.example"),
        "fact:environment": "PATH /usr/local/cuda/bin:/usr/bin\nHOME /home/alice\nhttps_proxy http://bob:geheim@proxy:3128\nCUDA_HOME /usr/local/cuda\n",
        "/home/alice/venv/lib/python3.11/site-packages/torch-2.0.1.dist-info/METADATA": "",
        "/home/alice/venv/lib/python3.11/site-packages/numpy-2.1.0.dist-info/METADATA": "",
        "/var/lib/dpkg/status": lambda t: t + "Package: x\nStatus: install ok installed\nVersion: 1\nDescription: token=abcdef password: xyzzy\n\n",
        "fact:clock": "synchronised 0\n"})
    root, capture = folder / "root", folder / "node.json"
    root.mkdir()
    there, r = examine(root, server, "--capture", capture)
    assert r.returncode == 21 and capture.exists() and capture.stat().st_mode & 0o777 == 0o600
    text = capture.read_text()
    json.loads(text)
    for secret in ("hunter2", "geheim", "bob", "alice", "gpu-node-17", "abcdef", "xyzzy", "7e0b6f5c"):
        assert secret not in text, secret
    here = {c["name"]: c for c in json.loads(doctor("--root", capture, "--json").stdout)["checks"]}
    for c in there.values():
        c["evidence"] = c["evidence"].replace("gpu-node-17", "host").replace("/home/alice", "/home/user").replace("me:hunter2@", "***@")
    assert same(there, here), [(there[n], here[n]) for n in here if (there[n]["verdict"], there[n]["evidence"]) != (here[n]["verdict"], here[n]["evidence"])]
    assert "/home/user/venv: torch 2.0.1 needs numpy" in here["python.numpy"]["findings"][0]["text"]


def test_a_capture_of_this_machine(folder):
    r = doctor("--capture", folder / "here.json", "--json")
    there = {c["name"]: c["verdict"] for c in json.loads(r.stdout)["checks"]}
    again = {c["name"]: c["verdict"] for c in json.loads(doctor("--root", folder / "here.json", "--json").stdout)["checks"]}
    # Which process sleeps at what moment is nobody's business.
    assert {n for n in there if there[n] != again[n]} <= {"services.stuck", "limits.pressure"}


def test_two_machines_differ(folder):
    for name, machine in (("a", SERVER), ("b", changed(SERVER, {"/sys/class/net/eth0/speed": "1000\n",
                                                               "fact:clock": "synchronised 0\n"}))):
        (folder / name).mkdir()
        build(folder / name, machine)
        assert doctor("--root", folder / name, "--capture", folder / f"{name}.json").returncode in (0, 20)
    r = doctor("diff", folder / "a.json", folder / "b.json")
    assert r.returncode == 0 and re.search(r"^2 of \d+ checks differ$", r.stdout, re.M), r.stdout
    assert "Network cards (network.links, N10)\n    A ✓ eth0 25000 Mb/s" in r.stdout and "    B ✓ eth0 1000 Mb/s" in r.stdout
    assert "    B ! not synchronised: \n        the clock is not synchronised" in r.stdout
    found = json.loads(doctor("diff", folder / "a.json", folder / "b.json", "--json").stdout)
    assert [d["name"] for d in found] == ["network.links", "time.synchronised"]
    assert found[1]["b"] == {"verdict": "warning", "evidence": "not synchronised"}
    assert doctor("diff", folder / "a.json", folder / "a.json").stdout.startswith("0 of ")
    assert "diff A B" in doctor("diff", folder / "a.json").stderr


@pytest.mark.parametrize("text,words", [("", "no capture"), ("{}", "no capture"), ("[1", "no capture"), ('{"stoker_capture": 2, "answers": []}', "no capture"),
                                        ('{"stoker_capture": 1, "answers": {}}', "no capture")])
def test_what_is_no_capture(folder, text, words):
    (folder / "x.json").write_text(text)
    r = doctor("--root", folder / "x.json")
    assert r.returncode == 2 and words in r.stderr and "x.json" in r.stderr, r.stderr


def test_an_empty_capture_knows_nothing(folder):
    (folder / "x.json").write_text('{"stoker_capture": 1, "answers": [{"kind": "file"}, {"kind": "?", "name": "a"}, 7, {"kind": "file", "name": "/etc/fstab", "found": "maybe"}]}')
    checks = json.loads(doctor("--root", folder / "x.json", "--json").stdout)["checks"]
    assert {c["verdict"] for c in checks} <= {"skipped", "unknown", "fine", "warning", "info"}


def test_watch(folder):
    build(folder, LAPTOP)
    p = subprocess.Popen([BINARY, "doctor", "--root", folder, "--only", "time", "--watch", "100ms"], stdout=subprocess.PIPE, text=True,
                         env={**os.environ, "LC_ALL": "C.UTF-8"})
    try:
        assert p.stdout.readline().startswith("✓ Time")
        assert "2 checks" in p.stdout.readline()
        (folder / ".stoker/facts/clock").write_text("synchronised 0\n")
        assert p.stdout.readline().startswith("! Time")
    finally:
        p.terminate()
        p.wait()


# ---- checks that do not come to an end --------------------------------------


FAKE_NVML = pathlib.Path(BINARY).parent / "libnvidia-ml.so.1"


@sanitize
def test_a_driver_that_hangs(folder):
    (folder / "scene").write_text("gpus 2\ndriver 580.82.07\nhang nvmlInit_v2\n")
    start = time.monotonic()
    r = doctor("--json", env={"STOKER_NVML": str(FAKE_NVML), "FAKE_NVML": str(folder / "scene")}, limit=f"{int(1200 * SLOW)}ms")
    took = time.monotonic() - start
    checks = {c["name"]: c for c in json.loads(r.stdout)["checks"]}
    assert checks["driver.answers"]["verdict"] == "hung" and r.returncode == 21
    assert checks["limits.backlog"]["verdict"] != "hung"
    assert took < 20 * SLOW, took  # not until the driver wakes up


def test_a_driver_that_answers(folder):
    (folder / "scene").write_text("gpus 2\ndriver 580.82.07\ngpu * name NVIDIA H200\ngpu * power_limit 700000\ngpu 1 pcie_width 8\n"
                                  "gpu 1 dbe_vol 2\ngpu 0 fail nvmlDeviceGetName 15\n")
    r = doctor("--json", "--only", "driver", env={"STOKER_NVML": str(FAKE_NVML), "FAKE_NVML": str(folder / "scene")})
    checks = {c["name"]: c for c in json.loads(r.stdout)["checks"]}
    assert checks["driver.answers"]["evidence"].startswith("driver 580.82.07")
    assert "GPU 0 cannot be asked: 15 GPU is lost" in checks["driver.lost"]["findings"][0]["text"]
    assert "GPU 1 has had 2 memory errors" in checks["driver.ecc"]["findings"][0]["text"]
