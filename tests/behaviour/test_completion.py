"""Completion in the real shells: whatever `--help` lists is offered by bash, zsh and fish, with names from the configuration,
the plugins and the journal where those are wanted, and files where a file is; errors are silent, secrets unread."""

import os
import pty
import re
import select
import shutil
import subprocess
import time

from harness import *

SCRIPTS = os.path.join(TOP, "packaging", "completion")

CONFIG = """\
listen: 127.0.0.1:1
journal: {folder}/journal
sources:
  fleet:
    plugin: motive
    secret: {{file: {folder}/no.such}}
  learning:
    plugin: motivate
    webhook_key: hunter2hunter2
sinks:
  audit:
    plugin: csv-export
    path: {folder}/audit.csv
    columns: [id]
"""


class Bash:
    """Asks the function of the script, as readline does, for one word at the end of the line."""
    name = "bash"
    program = """
        source "$SCRIPTS/patchbay.bash"
        compopt() { [ "$2" = default ] && echo :files || echo :folders; }
        while IFS= read -r line; do
            read -ra COMP_WORDS <<<"$line"
            [[ $line = *' ' ]] && COMP_WORDS+=("")
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _patchbay patchbay "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            ((${#COMPREPLY[@]})) && printf '%s\\n' "${COMPREPLY[@]}"
            echo :end
        done"""

    def __init__(self, env, folder):
        self.process = subprocess.Popen(["bash", "--norc", "-c", self.program], env=env, cwd=folder, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return list(iter(lambda: self.process.stdout.readline().rstrip("\n") or "(nothing)", ":end"))

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Terminal:
    """A shell that believes that a person types."""

    def __init__(self, argv, env, folder):
        pid, self.fd = pty.fork()
        if pid == 0:
            os.chdir(folder)
            os.execvpe(argv[0], argv, dict(env, TERM="dumb", LC_ALL="C.UTF-8"))
        self.pid, self.seen = pid, ""

    def type(self, text):
        os.write(self.fd, text.encode())

    def read_until(self, done, what):
        """Until done() is true, while what the shell prints is read."""
        end = time.monotonic() + 30 * SLOWER
        while not done():
            check(time.monotonic() < end, "no %s; the terminal shows %r" % (what, self.seen[-2000:]))
            if select.select([self.fd], [], [], 0.02)[0]:
                self.seen += os.read(self.fd, 65536).decode("utf-8", "replace")

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


class Zsh(Terminal):
    """The completion system calls the function for what is typed, once or more; what it would show goes into a file."""
    name = "zsh"
    program = """
        PS1=; unsetopt zle_bracketed_paste; fpath=($SCRIPTS $fpath); autoload -U compinit; compinit -u -D
        answer() { print -rl -- "$words" "$@" >$ANSWER.new; mv $ANSWER.new $ANSWER; answered=1 }
        _describe() { answer "${(@P)2}" } ; _files() { [[ $1 = -/ ]] && answer :folders || answer :files }
        _main() { answered=; _patchbay "$@"; [[ -n $answered ]] || answer } ; compdef _main patchbay
        zstyle ':completion:*' completer _complete ; words=ready; answer"""

    def __init__(self, env, folder):
        self.answer = os.path.join(folder, "answer")
        super().__init__(["zsh", "-f", "-i"], dict(env, ANSWER=self.answer), folder)
        for line in self.program.split("\n")[1:]:
            self.type(line.strip() + "\n")
        self.read_until(lambda: self.answered("ready") == [], "start")

    def answered(self, line):
        """What came for this line; None as long as nothing did."""
        if not os.path.exists(self.answer):
            return None
        with open(self.answer) as f:
            lines = f.read().split("\n")
        return [found for found in lines[1:] if found] if lines[0] == line else None

    def ask(self, line):
        self.type("\x15" + line + "\t")
        self.read_until(lambda: self.answered(line) is not None, "answer to %r" % line)
        return [found if found[0] == ":" else re.sub(r"\\(.)|:.*", r"\1", found) for found in self.answered(line)]


class Fish:
    name = "fish"

    def __init__(self, env, folder):
        self.env, self.folder = env, folder

    def ask(self, line):
        done = subprocess.run(["fish", "--no-config", "-c", "set fish_complete_path $SCRIPTS; complete -C \"$argv[1]\"", line], env=self.env,
                              cwd=self.folder, capture_output=True, text=True, timeout=30 * SLOWER)
        equal(done.stderr, "", "what fish says about %r" % line)
        found = [one.split("\t")[0] for one in done.stdout.splitlines()]
        # Its own function lists the files of the folder.
        return [":files"] if "a file" in found else [":folders"] if "a folder/" in found else found

    def close(self):
        pass


def environment(t):
    bin_folder = os.path.join(t.folder, "bin")
    os.makedirs(bin_folder)
    os.symlink(PATCHBAY, os.path.join(bin_folder, "patchbay"))
    return dict(os.environ, PATH=bin_folder + ":" + os.environ["PATH"], SCRIPTS=SCRIPTS, PATCHBAY_PLUGIN_PATH=PLUGINS, HOME=t.folder)


def in_each_shell(t, ask):
    """Runs ask(shell) in every shell that there is."""
    env, asked = environment(t), 0
    folder = os.path.join(t.folder, "here")
    os.makedirs(os.path.join(folder, "a folder"))
    open(os.path.join(folder, "a file"), "w").close()
    with open(os.path.join(folder, "routes.yaml"), "w") as f:
        f.write(CONFIG.format(folder=folder))
    for shell in (Bash, Zsh, Fish):
        if not shutil.which(shell.name):
            continue
        running = shell(env, folder)
        try:
            ask(running)
        except Failed as e:
            raise Failed("%s: %s" % (shell.name, e))
        finally:
            running.close()
        asked += 1
    if not asked:
        raise Skip("there is no bash, zsh or fish")


def offered(shell, line):
    return sorted(word.replace("\\ ", " ") for word in shell.ask(line))


def help_of(*words):
    return subprocess.run([PATCHBAY, *words, "--help"], capture_output=True, text=True).stdout


def commands():
    """Every command that --help lists, and those below it: [("send",), ("plugin", "new"), ...]"""
    found = []
    for name in re.findall(r"^  ([a-z]+) ", help_of().split("Commands:")[1], re.M):
        found.append((name,))
        if "Commands:" in help_of(name):
            found += [(name, below) for below in re.findall(r"^  ([a-z]+) ", help_of(name).split("Commands:")[1], re.M)]
    return found


def test_all_that_help_lists(t):
    listed = commands()
    check(len(listed) > 12, "only these commands: %r" % listed)

    def ask(shell):
        equal(offered(shell, "patchbay "), sorted([c[0] for c in listed if len(c) == 1] + ["help", "--help", "--version"]), "commands")
        equal(offered(shell, "patchbay help "), sorted(c[0] for c in listed if len(c) == 1), "help")
        for command in listed:
            line = "patchbay %s " % " ".join(command)
            below = [c[1] for c in listed if len(c) > 1 and c[0] == command[0]]
            if len(command) == 1 and below:
                equal(offered(shell, line), sorted(below + ["--help"]), line)
                continue
            options = sorted(set(re.findall(r"^  +(?:-\w, )?(--[a-z-]+)", help_of(*command), re.M)))
            equal(offered(shell, line + "-"), options, line + "-")
            equal(offered(shell, line + options[0][:-1]), options[:1], line + options[0][:-1])
    in_each_shell(t, ask)


def test_names(t):
    def ask(shell):
        for line, wanted in (
                ("send -c routes.yaml ", ["fleet", "learning"]),
                ("send --config routes.yaml fl", ["fleet"]),
                ("send -c ./routes.yaml fleet fault_code_o", ["fault_code_opened"]),
                ("send fleet fault_code_opened -c routes.yaml ", []),
                ("reverify -c routes.yaml l", ["learning"]),
                ("events -c routes.yaml --source ", ["fleet", "learning"]),
                ("replay -c routes.yaml --sink ", ["audit"]),
                ("plugins moti", ["motivate", "motive"]),
                ("plugins motive ", []),
                ("dead --class g", ["gave up"]),
                ("events --limit ", []),
                ("plugin new ", []),
                ("check -c ", [":files"]), ("check --config ", [":files"]), ("test ", [":files"]), ("plugin check ", [":files"]),
                ("plugin new x --dir ", [":folders"])):
            equal(offered(shell, "patchbay " + line), wanted, "patchbay " + line)
    in_each_shell(t, ask)


def test_value_behind_an_equals_sign(t):
    """bash takes the word apart, for zsh and fish it is one."""
    def ask(shell):
        lead = {"bash": "--sink = ", "zsh": "--sink=", "fish": "--sink="}[shell.name]
        files = {"bash": "--config = ", "zsh": "--config=", "fish": "--config="}[shell.name]
        wanted = ["--sink=audit"] if shell.name == "fish" else ["audit"]
        equal(offered(shell, "patchbay dead -c routes.yaml " + lead + "au"), wanted, lead)
        if shell.name == "fish":
            equal(offered(shell, "patchbay check --config=rou"), ["--config=routes.yaml"], files)
        else:
            equal(offered(shell, "patchbay check " + files), [":files"], files)
    in_each_shell(t, ask)


def test_ids(t):
    daemon = t.daemon()
    with daemon.client() as client:
        ids = [client.fleet(fault(i)).event_id for i in range(3)]

    def ask(shell):
        for command in ("show", "explain"):
            equal(offered(shell, "patchbay %s -c %s " % (command, daemon.routes)), sorted(ids), command)
        equal(offered(shell, "patchbay show -c %s %s" % (daemon.routes, ids[0])), ids[:1], "a whole id")
        equal(offered(shell, "patchbay dead -c %s " % daemon.routes), [], "dead")
    in_each_shell(t, ask)


def test_errors_are_silent(t):
    """Whatever is wrong with the files: nothing is offered, and nothing is said."""
    broken = os.path.join(t.folder, "broken.yaml")
    for text in ("sources: [a\n", "sources: 5\nsinks: {a: b, '$(touch x)': {plugin: [1]}}\n", "\xff", ""):
        with open(broken, "w", encoding="latin-1") as f:
            f.write(text)
        for path in (broken, "/no/such/file", "/"):
            for words in (["send"], ["send", "a"], ["show"], ["dead"], ["replay", "--sink"], ["reverify"], ["plugins"], ["nonsense"], ["plugin", "nonsense"]):
                done = subprocess.run([PATCHBAY, "complete", words[0], "-c", path, *words[1:], ""], capture_output=True, timeout=30 * SLOWER)
                equal((done.returncode, done.stderr), (0, b""), "%r with %s" % (words, path))
                check(b"hunter2" not in done.stdout, "a secret is offered")


def test_hostile_names(t):
    """What a configuration has in the place of a name is never run, only quoted."""
    def ask(shell):
        with open(os.path.join(t.folder, "here", "routes.yaml"), "a") as f:
            f.write("  '$(touch ran)`touch ran`': {plugin: x}\n")
        found = " ".join(shell.ask("patchbay dead -c routes.yaml --sink "))
        check("touch" in found, "the name is not offered: " + found)
        check(not os.path.exists(os.path.join(t.folder, "here", "ran")), "it was run")
        if shell.name == "bash":
            check("\\$\\(touch" in found, "not quoted: " + found)
    in_each_shell(t, ask)


def test_at_a_terminal(t):
    """A person presses the tabulator: the shell finds the script by its name, and the line goes on by itself."""
    env = dict(environment(t), XDG_DATA_HOME=t.folder)
    folder = os.path.join(t.folder, "bash-completion", "completions")
    os.makedirs(folder)
    os.symlink(os.path.join(SCRIPTS, "patchbay.bash"), os.path.join(folder, "patchbay"))
    loader = "/usr/share/bash-completion/bash_completion"
    if not os.path.exists(loader):
        loader = "$SCRIPTS/patchbay.bash"
    for argv, setup in ((["bash", "--norc", "--noprofile", "-i"], "PS1=; bind 'set enable-bracketed-paste off'; source " + loader),
                        (["zsh", "-f", "-i"], "PS1=; fpath=($SCRIPTS $fpath); autoload -U compinit; compinit -u -D")):
        if not shutil.which(argv[0]):
            continue
        terminal = Terminal(argv, env, t.folder)
        try:
            terminal.type(setup + "; echo rea''dy\n")
            terminal.read_until(lambda: "ready" in terminal.seen, "prompt of " + argv[0])
            terminal.type("patchbay reve\t--he\t >help\n")
            shown = os.path.join(t.folder, "help")
            terminal.read_until(lambda: os.path.exists(shown) and os.path.getsize(shown) > 0, "help behind %s's line" % argv[0])
            wait_until(lambda: open(shown).read() == help_of("reverify"), "another text than the help of reverify")
            os.unlink(shown)
        finally:
            terminal.close()


main()
