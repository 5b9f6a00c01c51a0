"""The packages: built twice to the same bytes, without a complaint of lintian or rpmlint, hardened; installed into fresh
roots, used as a newcomer would, upgraded and downgraded under load, removed and purged."""

import filecmp
import os
import re

import build
import harness
from booted import Booted
from build import LATER, need, package, run
from harness import check, equal, wait_until
from load import Load, exactly_once
from root import KEEP_EDITED, Installed, Root


def test_two_builds_are_the_same(t):
    need("dpkg-buildpackage", "rpmbuild", "git")
    first, again = build.first(), build.again()
    names = sorted(os.listdir(first))
    equal(sorted(os.listdir(again)), names, "files of the second build")
    for kind in ("patchbay_*.deb", "patchbay-dev_*.deb", "patchbay-dbgsym_*.deb", "patchbay-[0-9]*.x86_64.rpm",
                 "patchbay-devel-*.rpm", "patchbay-debuginfo-*.rpm", "patchbay-debugsource-*.rpm", "*.src.rpm", "*.dsc"):
        package(first, kind)
    # .buildinfo describes the machine that built it, and .changes has its checksum.
    differ = [n for n in names if not n.endswith((".buildinfo", ".changes"))
              and not filecmp.cmp(os.path.join(first, n), os.path.join(again, n), shallow=False)]
    equal(differ, [], "files that differ between two builds (diffoscope says in what)")


def test_lint(t):
    need("lintian", "rpmlint")
    first = build.first()
    said = run("lintian", "-EviL", "+pedantic", "--show-overrides", "--allow-root", package(first, "*.changes"), code=None)
    equal([line for line in said.splitlines() if re.match("[EWIPXCM]: ", line)], [], "complaints of lintian")
    check("\nO: patchbay-dev: pkg-config-bad-directive" in "\n" + said, "lintian did not see what it is to overlook: %s" % said)
    rpms = [os.path.join(first, n) for n in os.listdir(first) if n.endswith(".rpm")]
    said = run("rpmlint", "-c", os.path.join(harness.TOP, "packaging", "rpm", "rpmlint.toml"), *rpms, code=None)
    equal([line for line in said.splitlines() if re.search(": [EW]: ", line)], [], "complaints of rpmlint")
    check("%d packages" % len(rpms) in said, "rpmlint looked at something else: %s" % said)


def test_hardening(t):
    """Every program and plugin of both formats, and of the tree. Of control flow protection the compiler's part is asked:
    the linker notes it only where the C library's start files have it as well, which those of Debian 12 have not."""
    need("hardening-check", "objdump", "rpm2cpio", "cpio")
    first = build.first()
    deb, rpm = os.path.join(t.folder, "deb"), os.path.join(t.folder, "rpm")
    run("dpkg-deb", "-x", package(first, "patchbay_*.deb"), deb)
    os.makedirs(rpm)
    run("sh", "-c", 'rpm2cpio "$0" | cpio -idm --quiet', package(first, "patchbay-[0-9]*.x86_64.rpm"), cwd=rpm)
    programs = [os.path.join(deb, "usr/bin/patchbay"), os.path.join(rpm, "usr/bin/patchbay")]
    plugins = run("find", deb, rpm, "-name", "*.so").split()
    check(len(plugins) >= 16, "only %d plugins in both packages" % len(plugins))
    if os.path.exists(harness.PATCHBAY):
        programs.append(harness.PATCHBAY)
        plugins += run("find", harness.PLUGINS, "-name", "*.so").split()
    for file in plugins + programs:
        said = run("hardening-check", "--nocfprotection", file, code=None)
        equal([line for line in said.splitlines() if ": no" in line and not line.endswith("(ignored)")], [], file)
        for kind in ("Stack protected", "Read-only relocations", "Immediate binding") + (
                ("Position Independent Executable", "Fortify Source functions") if file in programs else ()):
            check(kind + ": yes" in said, "%s is missing: %s" % (kind, said))
        code = run("objdump", "-d", file)
        check("endbr64" in code, "%s: compiled without -fcf-protection" % file)
        if file in programs:
            check(len(re.findall(r"orq +\$0x0,", code)) > 10, "%s: compiled without -fstack-clash-protection" % file)


# ---- In a fresh root ------------------------------------------------------------------------------------


def newcomer(t, root):
    """From the installed file to CSV rows."""
    equal(root.owner("/etc/patchbay/routes.yaml"), "root:patchbay 640", "owner and mode of routes.yaml")
    equal(root.owner("/var/lib/patchbay"), "patchbay:patchbay 750", "owner and mode of the journal's folder")
    daemon = Installed(t, root)
    daemon.cli("check")  # as it is installed
    daemon.configure()
    daemon.cli("check")
    daemon.start()
    for source, event in (("fleet", "fault_code_opened"), ("campus", "course_completed"), ("learning", "badge_earned")):
        daemon.cli("send", source, event, "--count", "2")
    with daemon.client() as client:
        equal(client.fleet(harness.fault(424242)).status, 200, "answer to a signed event")
        equal(client.post("/in/fleet", harness.fault(5), {"X-KT-Webhook-Signature": "0" * 40}).status, 403, "to a forged one")
        equal(client.post("/in/campus", harness.sample("lms", "quiz_attempt")).status, 200, "answer to a known address")
        equal(client.post("/in/learning", harness.motivate_body("m-1", {"points": 1})).status, 200, "answer to a signed event")
    rows = daemon.wait_rows(9)
    equal({r["source"] for r in rows}, {"fleet", "campus", "learning"}, "sources in the CSV")
    return daemon


def replace_under_load(daemon, others, number, replace, wanted):
    """Replaces the package while events come, and restarts, as systemd would: nothing is lost, nothing comes twice."""
    load = Load(daemon.address, connections=4, start=number, patient=True).start()
    wait_until(lambda: len(load.answered) > 100, "no load")
    replace()
    equal(daemon.root.read("/etc/patchbay/routes.yaml"), daemon.edited, "routes.yaml, which was edited")
    equal(daemon.root.owner("/etc/patchbay/routes.yaml"), "root:patchbay 640", "owner and mode of routes.yaml")
    daemon.stop()
    equal(daemon.version(), wanted, "installed version")
    daemon.start()
    before = len(load.answered)
    wait_until(lambda: len(load.answered) > before + 100, "no load after the restart")
    load.stop().retry()
    exactly_once(daemon, load, also=others)
    others.update(r["ref"] for r in daemon.rows())
    print("%d events while version %s came" % (len(load.answered), wanted))


def refs(daemon):
    return {r["ref"] for r in daemon.rows()}


def purge(root):
    return run("sh", os.path.join(harness.TOP, "packaging", "debian", "patchbay.postrm"), "purge", env=dict(os.environ, DPKG_ROOT=root))


def test_purge_takes_the_journal_alone(t):
    folder = os.path.join(t.folder, "var/lib/patchbay")
    aside = "damaged-20261129T101112Z"
    own = ["lock", "state.db", "events/00000001.seg", "events/00000001.idx", "quarantine/0000000a.bad",
           aside + "/state.db", aside + "/events/00000001.seg"]
    foreign = ["events/2026-11.csv", "damaged-goods/list.csv", "export/audit.csv"]
    for name in own + foreign:
        os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
        open(os.path.join(folder, name), "w").close()
    check("stays" in purge(t.folder), "nothing is said of what is left")
    equal(sorted(os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names),
          sorted(foreign), "files that are left")
    equal(sorted(os.listdir(folder)), ["damaged-goods", "events", "export"], "folders that are left")


def test_purge_where_the_folder_is_a_file_system(t):
    if os.geteuid() != 0:
        raise harness.Skip("needs root to mount")
    folder = os.path.join(t.folder, "var/lib/patchbay")
    os.makedirs(folder)
    t.mount(folder, "-t", "tmpfs", "tmpfs")
    open(os.path.join(folder, "state.db"), "w").close()
    purge(t.folder)
    equal(os.listdir(folder), [], "files")


def test_deb_in_a_fresh_root(t):
    first, later = build.first(), build.later()
    root = Root(t, "deb")
    old, = root.bring(package(first, "patchbay_*.deb"))
    new, = root.bring(package(later, "patchbay_*.deb"))
    root.apt("install", old)
    daemon = newcomer(t, root)
    version = daemon.version()
    others = refs(daemon)
    replace_under_load(daemon, others, 10 ** 7, lambda: root.apt(*KEEP_EDITED, "install", new), LATER)
    check("As it will be" in root.read("/etc/patchbay/routes.yaml.dpkg-dist"), "the new routes.yaml is not beside the edited one")
    replace_under_load(daemon, others, 2 * 10 ** 7,
                       lambda: root.apt(*KEEP_EDITED, "--allow-downgrades", "install", old), version)
    daemon.stop()
    count = len(daemon.rows())

    root.apt("remove", "patchbay")
    check(not os.path.exists(root.path("/usr/bin/patchbay")), "the program is still there after remove")
    equal(root.read("/etc/patchbay/routes.yaml"), daemon.edited, "routes.yaml after remove")
    check(os.listdir(root.path("/var/lib/patchbay/events")), "the journal is gone after remove")
    root.apt("install", old)
    daemon.start().stop()
    equal(len(daemon.rows()), count, "rows after remove and install")

    with open(root.path("/etc/patchbay/routes.yaml.dpkg-dist")):
        os.unlink(root.path("/etc/patchbay/routes.yaml.dpkg-dist"))
    root.apt("purge", "patchbay")
    equal(root.named_patchbay(), ["/etc/patchbay", "/etc/patchbay/fleet.secret", "/etc/patchbay/learning.key",
                                  "/var/lib/patchbay", "/var/lib/patchbay/export", "/var/lib/patchbay/export/audit.csv"],
          "what is left after purge: what is not the package's")
    equal(len(daemon.rows()), count, "rows after purge")

    # A journal that is kept elsewhere
    root.run("sh", "-c", "mv /var/lib/patchbay /srv/elsewhere && mkdir /srv/elsewhere/events && ln -s /srv/elsewhere /var/lib/patchbay")
    root.apt("install", old)
    root.apt("purge", "patchbay")
    check(os.path.isdir(root.path("/srv/elsewhere/events")), "purge followed a link")


def test_deb_with_systemd(t):
    """What is installed is enabled and runs; an upgrade restarts it; what was disabled stays so; remove stops it."""
    first, later = build.first(), build.later()
    need("nsenter", "unshare")
    root = Root(t, "booted")
    old, new = root.bring(package(first, "patchbay_*.deb"), package(later, "patchbay_*.deb"))
    depends = run("dpkg-deb", "-f", package(first, "patchbay_*.deb"), "Depends")
    root.apt("satisfy", re.sub(r"[^,]*sysusers[^,]*,", "", depends))
    root.apt("install", "systemd")
    machine = Booted(t, root)
    machine.run("dpkg", "-i", old)
    enabled, active, main = machine.state()
    equal((enabled, active), ("enabled", "active"), "the service after install")
    machine.run("dpkg", "-i", new)
    enabled, active, restarted = machine.state()
    equal((enabled, active), ("enabled", "active"), "the service after an upgrade")
    check(restarted != main, "an upgrade does not restart the service")
    equal(machine.run("readlink", "/proc/%d/exe" % restarted).strip(), "/usr/bin/patchbay", "program that runs after it")
    machine.run("systemctl", "disable", "--now", "patchbay.service")
    machine.run("dpkg", "-i", old)
    equal(machine.state(), ("disabled", "inactive", 0), "a service that was disabled, after a downgrade")
    machine.run("systemctl", "start", "patchbay.service")
    machine.run("dpkg", "-r", "patchbay")
    equal(machine.state()[1:], ("inactive", 0), "the service after remove")


def test_plugin_in_a_fresh_root(t):
    """What a new plugin's continuous integration does, from the download of the packages to the plugin's tests, in the
    smallest Debian; then the plugin is installed."""
    first = build.first()
    with open(os.path.join(harness.TOP, "sdk/template/both/dot_github/workflows/ci.yml")) as f:
        workflow = f.read()
    install, make, test = [s.split("run: ")[1].lstrip("|\n") for s in workflow.split("\n      - ")[2:]]
    root = Root(t, "dev")
    packages = root.bring(package(first, "patchbay_*.deb"), package(first, "patchbay-dev_*.deb"))
    root.run("sh", "-ec", 'cd /root; PACKAGES="$0"; ' + install, " ".join("file://" + p for p in packages))
    root.run("sh", "-ec", "cd /root; patchbay plugin new acme --source; mv acme plugin")
    equal(root.read("/root/plugin/.github/workflows/ci.yml"), workflow, "workflow of a new plugin")
    root.run("sh", "-ec", "cd /root; " + make)
    said = root.run("sh", "-ec", "cd /root; " + test)
    check("100% tests passed" in said, said)
    said = root.run("sh", "-ec", "cd /root; cmake --install build; patchbay plugins acme")
    check("acme" in said, said)
    root.apt("install", "pkgconf")
    root.run("pkg-config", "--exists", "patchbay")


# ---- RPM ------------------------------------------------------------------------------------------------

LIBRARIES = """\
Name: libraries-of-this-root
Version: 1
Release: 1
Summary: What this root's libraries and programs provide
License: none
BuildArch: noarch
%s
%%description
For rpm to resolve dependencies by, in a root that it did not install.
%%files
"""


def libraries(t, root):
    """A package that provides what is really there: what rpm itself finds in the root's libraries."""
    found = run("find", root.path("/usr/lib/x86_64-linux-gnu"), root.path("/usr/lib64"), "-name", "*.so.*", "-o", "-name", "ld-*.so*")
    listed = os.path.join(t.folder, "libraries")
    with open(listed, "w") as f:
        f.write(found)
    provides = set(run("sh", "-c", 'exec /usr/lib/rpm/elfdeps --provides <"$0"', listed).split())
    check("libc.so.6()(64bit)" in provides, "rpm finds nothing in the root's libraries")
    provides |= {"rtld(GNU_HASH)"}
    provides |= {p for p in ("/bin/sh", "/usr/sbin/useradd", "/usr/sbin/groupadd") if os.path.exists(root.path(p))}
    spec = os.path.join(t.folder, "libraries.spec")
    with open(spec, "w") as f:
        f.write(LIBRARIES % "\n".join("Provides: " + p for p in sorted(provides)))
    run("rpmbuild", "-bb", "--define", "_topdir " + os.path.join(t.folder, "rpmbuild"), spec)
    return package(os.path.join(t.folder, "rpmbuild", "RPMS", "noarch"), "*.rpm")


def test_rpm_in_a_fresh_root(t):
    need("rpmbuild")
    first, later = build.first(), build.later()
    root = Root(t, "rpm")
    depends = run("dpkg-deb", "-f", package(first, "patchbay_*.deb"), "Depends")
    root.apt("satisfy", re.sub(r"[^,]*sysusers[^,]*,", "", depends))
    root.apt("install", "rpm")
    old, new, devel = root.bring(package(first, "patchbay-[0-9]*.x86_64.rpm"), package(later, "patchbay-[0-9]*.x86_64.rpm"),
                                 package(first, "patchbay-devel-*.rpm"))
    root.run("rpm", "--initdb")
    said = root.run("rpm", "-i", old, code=None)
    check("libcurl.so.4" in said and "is needed by patchbay" in said, "rpm asked for no library: " + said)
    root.run("rpm", "-i", *root.bring(libraries(t, root)))
    root.run("rpm", "-i", old)
    daemon = newcomer(t, root)
    version = daemon.version()
    others = refs(daemon)
    replace_under_load(daemon, others, 10 ** 7, lambda: root.run("rpm", "-U", new), LATER)
    check("As it will be" in root.read("/etc/patchbay/routes.yaml.rpmnew"), "the new routes.yaml is not beside the edited one")
    replace_under_load(daemon, others, 2 * 10 ** 7, lambda: root.run("rpm", "-U", "--oldpackage", old), version)
    equal(root.run("rpm", "-V", "patchbay", code=None).split("\n")[0].split()[-1], "/etc/patchbay/routes.yaml", "what rpm finds changed")
    daemon.stop()
    said = root.run("rpm", "-i", devel, code=None)
    equal(re.findall(r"^\s+(\S+) is needed by patchbay-devel", said, re.M), ["/usr/bin/pkg-config"], "what patchbay-devel lacks")

    root.run("rpm", "-e", "patchbay")
    check(not os.path.exists(root.path("/usr/bin/patchbay")), "the program is still there")
    equal(root.read("/etc/patchbay/routes.yaml.rpmsave"), daemon.edited, "routes.yaml after erase")
    check(os.listdir(root.path("/var/lib/patchbay/events")), "the journal is gone")
    count = len(daemon.rows())
    root.run("rpm", "-i", old)
    root.write("/etc/patchbay/routes.yaml", daemon.edited, 0o640, "patchbay")
    daemon.start().stop()
    equal(len(daemon.rows()), count, "rows after erase and install")


harness.main()
