"""Builds packages from copies of this tree: once from a commit, once from plain files in other circumstances, and once
as the version to come."""

import glob
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "behaviour"))
import harness

# What is kept from one run to the next, and what this one builds.
FOLDER = os.path.abspath(os.environ.get("PATCHBAY_PACKAGES", os.path.join(harness.TOP, "build", "packages")))
KEPT, BUILT = os.path.join(FOLDER, "kept"), os.path.join(FOLDER, "built")
LATER = "99.0.0"  # a version to come


def run(*command, code=0, **more):
    """Runs a command; gives what it said, standard error included. code=None: whatever it ends with."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=600, text=True, errors="replace", **more)
    if code is not None and done.returncode != code:
        raise harness.Failed("%s: exit code %d, wanted %d\n%s" % (" ".join(command), done.returncode, code,
                                                                  done.stdout[-3000:]))
    return done.stdout


def need(*programs):
    missing = [p for p in programs if not shutil.which(p, path=os.environ["PATH"] + ":/usr/sbin")]
    if missing:
        raise harness.Skip("not installed: %s; sh packaging/install-build-deps.sh --tests" % ", ".join(missing))


def copy(folder):
    """The tree as it stands in the working copy, what is not committed included."""
    os.makedirs(folder)
    if os.path.exists(os.path.join(harness.TOP, ".git")):
        names = run("git", "ls-files", "-co", "--exclude-standard", cwd=harness.TOP).splitlines()
        names = [name for name in names if os.path.lexists(os.path.join(harness.TOP, name))]
    else:
        names = [name for name in os.listdir(harness.TOP) if not name.startswith("build")]
    with open(folder + ".names", "w") as f:
        f.write("\n".join(names))
    run("sh", "-c", 'tar -c -T "$0".names | tar -x -C "$0"', folder, cwd=harness.TOP)
    return folder


def build(tree, out, prefix=(), **env):
    run(*prefix, "sh", os.path.join(tree, "packaging", "build-packages.sh"), out, env=dict(os.environ, **env))
    return out


def version(tree):
    with open(os.path.join(tree, "CMakeLists.txt")) as f:
        return re.search(r"project\(patchbay VERSION (\S+)", f.read()).group(1)


def edit(tree, name, pattern, new):
    path = os.path.join(tree, name)
    with open(path) as f:
        text = f.read()
    edited, count = re.subn(pattern, new, text, count=1)
    harness.equal(count, 1, "places for %r in %s" % (pattern, name))
    with open(path, "w") as f:
        f.write(edited)


def once(function):
    """Builds once, or fails as often as it is asked for."""
    done = []

    def result():
        if not done:
            try:
                done.append(function())
            except Exception as e:
                done.append(e)
        if isinstance(done[0], Exception):
            raise done[0]
        return done[0]
    return result


@once
def first():
    """From the only commit of a repository."""
    shutil.rmtree(BUILT, ignore_errors=True)
    tree = copy(os.path.join(BUILT, "tree"))
    git = ["git", "-C", tree, "-c", "user.name=t", "-c", "user.email=t@t"]
    run(*git, "init", "-q")
    run(*git, "add", "-A")
    run(*git, "commit", "-q", "-m", "all")
    return build(tree, os.path.join(BUILT, "first"))


@once
def again():
    """The same without git, in a longer path, by somebody else, far away, on one core."""
    tree = copy(os.path.join(BUILT, "the-same-again", "in a folder with a longer name"))
    temporary = os.path.join(BUILT, "temporary-files-are-elsewhere")
    os.makedirs(temporary)
    return build(tree, os.path.join(BUILT, "again"), prefix=("sh", "-c", 'umask 077; exec taskset -c 0 "$@"', "sh"),
                 TMPDIR=temporary, TZ="Asia/Kathmandu", LC_ALL="C", LANG="de_DE", HOME="/nonexistent", USER="somebody")


@once
def later():
    """The version to come. What it brings is another routes.yaml."""
    tree = copy(os.path.join(BUILT, "later-tree"))
    edit(tree, "CMakeLists.txt", r"(project\(patchbay VERSION) \S+", r"\1 " + LATER)
    edit(tree, "packaging/rpm/patchbay.spec", r"(Version:\s*)\S+", r"\g<1>" + LATER)
    edit(tree, "packaging/debian/changelog", r"\((\S+)-1\)", "(%s-1)" % LATER)
    edit(tree, "etc/routes.yaml", r"\A", "# As it will be.\n")
    return build(tree, os.path.join(BUILT, "later"))


def package(folder, pattern):
    path, = glob.glob(os.path.join(folder, pattern))
    return path
