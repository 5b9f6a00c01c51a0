"""Certificates for tests, made with the openssl command."""

import os
import shutil
import subprocess

import harness

ANY_NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"


def openssl(*arguments):
    if not shutil.which("openssl"):
        raise harness.Skip("there is no openssl command")
    done = subprocess.run(["openssl", *arguments], capture_output=True)
    if done.returncode:
        raise harness.Failed("openssl %s: %s" % (" ".join(arguments), done.stderr.decode("utf-8", "replace")))
    return done.stdout


def make(folder, name, kind="ec", days=30, names=ANY_NAMES):
    """NAME.pem, signed by itself, and NAME.key. days < 0: it has expired."""
    how = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}[kind]
    key = os.path.join(folder, name + ".key")
    openssl("req", "-x509", "-newkey", *how, "-nodes", "-keyout", key, "-out", os.path.join(folder, name + ".pem"),
            "-days", str(max(days, 1)), "-subj", "/CN=" + name, "-addext", names)
    if days < 0:
        pem = os.path.join(folder, name + ".pem")
        openssl("x509", "-in", pem, "-signkey", key, "-days", str(days), "-out", pem)
    os.chmod(key, 0o600)


def copy(folder, name, to):
    """Puts one pair where another was, as who renews certificates does it."""
    for end in (".pem", ".key"):
        shutil.copy(os.path.join(folder, name + end), os.path.join(folder, to + end + ".new"))
        os.rename(os.path.join(folder, to + end + ".new"), os.path.join(folder, to + end))
