"""Machines for the doctor, as trees of files: what /proc, /sys and /etc hold on
a plain laptop and on a GPU server in good order, and changes that break them."""

import pathlib
import urllib.parse

LAPTOP = {
    "/etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_CODENAME=bookworm\n',
    "/proc/cpuinfo": "processor\t: 0\nmodel name\t: Intel(R) Core(TM) i7-1165G7\nflags\t\t: fpu sse sse2 avx avx2 fma\n",
    "/proc/meminfo": "MemTotal: 16000000 kB\nMemFree: 900000 kB\nMemAvailable: 9000000 kB\n"
                     "HugePages_Total: 0\nHugePages_Free: 0\nHugepagesize: 2048 kB\n",
    "/proc/cmdline": "BOOT_IMAGE=/vmlinuz root=/dev/nvme0n1p2 ro quiet\n",
    "/proc/net/route": "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
                       "wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n",
    "/proc/net/tcp": "  sl  local_address rem_address   st\n"
                     "   0: 0100007F:0277 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1\n",
    "/proc/net/tcp6": "  sl  local_address rem_address st\n",
    "/proc/self/mountinfo": "21 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw\n"
                            "22 21 0:20 / /proc rw - proc proc rw\n"
                            "23 21 0:21 / /dev/shm rw - tmpfs tmpfs rw\n",
    "/proc/self/limits": "Limit                     Soft Limit           Hard Limit           Units\n"
                         "Max open files            1024                 1048576              files\n",
    "/proc/sys/fs/file-nr": "9000\t0\t1000000\n",
    "/proc/sys/kernel/hostname": "laptop\n",
    "/proc/sys/net/core/somaxconn": "4096\n",
    "/proc/pressure/memory": "some avg10=0.00 avg60=0.10 avg300=0.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=1\n",
    "/proc/pressure/io": "some avg10=0.00 avg60=1.00 avg300=0.00 total=1\n",
    "/proc/pressure/cpu": "some avg10=0.00 avg60=3.00 avg300=0.00 total=1\n",
    "/proc/swaps": "Filename\tType\tSize\tUsed\tPriority\n",
    "/proc/1/stat": "1 (systemd) S 0 1 1 0 -1 0\n",
    "/etc/fstab": "# comment\nUUID=1234 / ext4 errors=remount-ro 0 1\n",
    "/etc/resolv.conf": "nameserver 127.0.0.53\n",
    "/etc/localtime": "-> ../usr/share/zoneinfo/Asia/Shanghai",
    "/sys/bus/pci/devices/0000:00:02.0/vendor": "0x8086\n",
    "/sys/bus/pci/devices/0000:00:02.0/device": "0x9a49\n",
    "/sys/bus/pci/devices/0000:00:02.0/class": "0x030000\n",
    "/sys/class/net/wlan0/device/": "",
    "/sys/class/net/wlan0/operstate": "up\n",
    "/sys/class/net/wlan0/speed": "-1\n",
    "fact:uname": "release 6.1.0-28-amd64\nmachine x86_64\n",
    "fact:clock": "synchronised 1\nerror-us 2000\n",
    "fact:environment": "PATH /usr/bin:/bin\nHOME /home/me\n",
    "fact:statfs /": "bytes 500000000000\navailable 300000000000\nfiles 30000000\nfiles-free 29000000\ntype ef53\nread-only 0\n",
    "fact:statfs /dev/shm": "bytes 8000000000\navailable 8000000000\n",
    "fact:statfs /tmp": "bytes 500000000000\navailable 300000000000\n",
    "fact:kernel-log": "Linux version 6.1.0-28-amd64\n",
    "fact:failed-units": "",
    "fact:resolve laptop": "milliseconds 1\n",
}

KERNEL = "6.8.0-60-generic"
NVML = """driver 580.82.07
cuda 13000
gpus 2
""" + "".join(f"""gpu{i}.name NVIDIA H200
gpu{i}.uuid GPU-7e0b6f5c-0a1b-2c3d-4e5f-60718293a4b{i}
gpu{i}.vbios 96.00.99.00.0{i % 1}
gpu{i}.minor {i}
gpu{i}.persistence 1
gpu{i}.compute-mode 0
gpu{i}.power-limit-mw 700000
gpu{i}.power-default-mw 700000
gpu{i}.pcie-generation 5
gpu{i}.pcie-max-generation 5
gpu{i}.pcie-width 16
gpu{i}.pcie-max-width 16
gpu{i}.pcie-replays 0
gpu{i}.pstate 0
gpu{i}.temperature 40
gpu{i}.slowdown-temperature 87
gpu{i}.memory 150000000000
gpu{i}.memory-used 1000000
gpu{i}.bar1 274877906944
gpu{i}.ecc 1
gpu{i}.ecc-pending 1
gpu{i}.uncorrected 0
gpu{i}.rows-pending 0
gpu{i}.rows-failed 0
gpu{i}.capability 9.0
gpu{i}.throttle 0
gpu{i}.mig 0
gpu{i}.mig-pending 0
gpu{i}.processes 0
gpu{i}.graphics-processes 0
gpu{i}.links-up 18
gpu{i}.links-down 0
""" for i in range(2))

SERVER = {
    **LAPTOP,
    "/etc/os-release": 'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04.2 LTS"\nVERSION_CODENAME=noble\n',
    "/proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.82.07  Release Build\n"
                                   "GCC version:  gcc version 13.3.0\n",
    "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1": "-> libnvidia-ml.so.580.82.07",
    "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.580.82.07": "ELF",
    "/sys/module/nvidia_uvm/": "",
    "/sys/module/nvidia/version": "580.82.07\n",
    "/etc/modprobe.d/nvidia-graphics-drivers.conf": "# made by the package\nblacklist nouveau\n",
    f"/lib/modules/{KERNEL}/modules.dep": "",
    f"/lib/modules/{KERNEL}/build/": "",
    f"/lib/modules/{KERNEL}/updates/dkms/nvidia.ko.zst": "",
    f"/var/lib/dkms/nvidia/580.82.07/{KERNEL}/x86_64/": "",
    "/dev/nvidiactl": "", "/dev/nvidia-uvm": "", "/dev/nvidia0": "", "/dev/nvidia1": "",
    "/var/lib/dpkg/status": "Package: nvidia-driver-580-server\nStatus: hold ok installed\nVersion: 580.82.07-0ubuntu1\n\n",
    "/usr/bin/dockerd": "", "/usr/bin/nvidia-container-runtime": "",
    "/etc/docker/daemon.json": '{"runtimes": {"nvidia": {"path": "nvidia-container-runtime", "args": []}},\n'
                               ' "log-driver": "json-file", "log-opts": {"max-size": "100m"},\n'
                               ' "registry-mirrors": ["https://mirror.example"]}\n',
    "/etc/nvidia-container-runtime/config.toml": '[nvidia-container-runtime]\nmode = "cdi"\n',
    "/sys/devices/system/edac/mc/mc0/ue_count": "0\n",
    "/sys/devices/system/edac/mc/mc0/ce_count": "3\n",
    "/usr/local/cuda-12.6/bin/nvcc": "", "/usr/local/cuda": "-> /usr/local/cuda-12.6",
    "/opt/venv/lib/python3.11/site-packages/torch-2.4.1+cu124.dist-info/METADATA": "",
    "/opt/venv/lib/python3.11/site-packages/torch/version.py": "__version__ = '2.4.1+cu124'\ncuda: Optional[str] = '12.4'\n",
    "/opt/venv/lib/python3.11/site-packages/numpy-1.26.4.dist-info/METADATA": "",
    "/opt/venv/lib/python3.11/site-packages/onnxruntime_gpu-1.20.1.dist-info/METADATA": "",
    "/opt/venv/lib/python3.11/site-packages/nvidia_cublas_cu12-12.4.5.8.dist-info/METADATA": "",
    "/sys/class/net/eth0/device/": "", "/sys/class/net/eth0/operstate": "up\n", "/sys/class/net/eth0/speed": "25000\n",
    "/sys/class/net/eth0/statistics/rx_errors": "0\n", "/sys/class/net/eth0/statistics/rx_packets": "1000000\n",
    "fact:uname": f"release {KERNEL}\nmachine x86_64\n",
    "fact:nvml": NVML,
    "fact:environment": "PATH /usr/local/cuda/bin:/usr/bin:/bin\nHOME /root\nCUDA_HOME /usr/local/cuda\n",
    "fact:docker": '{"ServerVersion": "28.1.1", "CgroupDriver": "systemd", "Runtimes": {"nvidia": {"path": "nvidia-container-runtime"}, "runc": {}}}',
}
for n, bus in enumerate(("1b", "3b")):
    device = f"/sys/bus/pci/devices/0000:{bus}:00.0"
    SERVER.update({
        device + "/vendor": "0x10de\n", device + "/device": "0x2335\n", device + "/class": "0x030200\n",
        device + "/driver": "-> ../../../../bus/pci/drivers/nvidia",
        f"/proc/driver/nvidia/gpus/0000:{bus}:00.0/information": f"Model: \t\t NVIDIA H200\nDevice Minor: \t {n}\n",
    })


def build(folder, files):
    """Writes the files beneath the folder: "fact:NAME" is a fact, a path that
    ends in / a directory, a text that begins with "-> " a link."""
    for path, text in files.items():
        if path.startswith("fact:"):
            path = "/.stoker/facts/" + urllib.parse.quote_plus(path[5:])
        at = pathlib.Path(str(folder) + path)
        (at if path.endswith("/") else at.parent).mkdir(parents=True, exist_ok=True)
        if path.endswith("/"):
            continue
        if isinstance(text, bytes):
            at.write_bytes(text)
        elif text.startswith("-> "):
            at.unlink(missing_ok=True)
            at.symlink_to(text[3:])
        else:
            at.write_text(text)


def changed(machine, changes):
    """The machine with other files: None takes one away, a function makes its
    text of the one that was there."""
    files = dict(machine)
    for path, text in changes.items():
        if text is None:
            assert path in files, path
            del files[path]
        else:
            files[path] = text(files[path]) if callable(text) else text
    return files
