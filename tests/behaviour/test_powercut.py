"""Power cut under load: the disk as it is at one moment, with nothing of what was only in memory, mounted elsewhere.
No event that was answered 200 is lost, none is twice in the CSV. Journal and CSV are both on that disk."""

import os
import random
import shutil
import signal
import subprocess
import time

import harness
from harness import Skip, check, wait_until
from load import Load, exactly_once


def disk(t, image, mount):
    t.mount(mount, "-o", "loop", image)


def cut(t, n, routes):
    image, copy = os.path.join(t.folder, "disk%d" % n), os.path.join(t.folder, "copy%d" % n)
    here, there = os.path.join(t.folder, "here%d" % n), os.path.join(t.folder, "there%d" % n)
    with open(image, "wb") as f:
        f.truncate(192 << 20)
    if shutil.which("mkfs.ext4") is None:
        raise Skip("needs mkfs.ext4")
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    disk(t, image, here)

    daemon = t.daemon(routes, journal=here + "/journal", export=here + "/export")
    load = Load(daemon.address, connections=random.choice([2, 8, 32]), timeout=2).start()
    time.sleep(random.uniform(0.2, 2.0))
    daemon.hold()
    time.sleep(0.05)
    with load.lock:
        answered, sent = dict(load.answered), set(load.sent)
    subprocess.run(["cp", "--sparse=always", image, copy], check=True)
    daemon.kill()
    load.stop()
    # The worker dies with its supervisor, a moment later.
    wait_until(lambda: subprocess.run(["umount", here], capture_output=True).returncode == 0, "it is still in use")
    os.unlink(image)

    disk(t, copy, there)
    survivor = t.daemon(routes, journal=there + "/journal", export=there + "/export")
    load.answered, load.sent = answered, sent
    load.address = survivor.address
    check(len(answered) > 20, "hardly any load: %d events answered" % len(answered))
    exactly_once(survivor, load)
    load.retry()
    exactly_once(survivor, load)
    survivor.stop()
    subprocess.run(["umount", there], check=True)
    os.unlink(copy)
    print("power cut %d: %d events answered, %d sent" % (n, len(answered), len(sent)))


ROTATING = harness.ROUTES.replace("{export}/audit.csv", "{export}/audit-%H%M%S.csv")


def test_power_cut(t):
    for n in range(3):
        cut(t, n, harness.ROUTES)


def test_power_cut_with_rotation(t):
    for n in range(3, 5):
        cut(t, n, ROTATING)


harness.main()
