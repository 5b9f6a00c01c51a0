"""Each header of the SDK, alone and twice, in every language and by every compiler that plugins may be written in and
built with. `headers.py FOLDER`, the one that has patchbay/ in it."""

import os
import shutil
import subprocess
import sys

C = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wshadow", "-Wconversion", "-Wsign-conversion", "-Wcast-qual", "-Wundef",
     "-Wpadded"]
ONLY_C = ["-Wstrict-prototypes", "-Wwrite-strings"]
COMPILERS = [("gcc", "c"), ("clang", "c"), ("g++", "c++"), ("clang++", "c++")]
STANDARDS = {"c": ["c11", "c17", "c2x"], "c++": ["c++17", "c++20"]}
CONVENIENCES = ["sugar.h", "keys.h", "play.h"]  # may have padding: they are no part of the interface

# What only a use compiles: a header that says nothing wrong by itself may have macros that do.
USES = {
    "plugin.h": "bool use(const patchbay_host *h); bool use(const patchbay_host *h) { return PATCHBAY_HAS(h, secret_name); }",
    "sugar.h": """struct options { patchbay_str word; int64_t mode; };
static const char *const modes[] = { "a", "b", NULL };
static const patchbay_option table[] = {
	PATCHBAY_OPTION(struct options, PATCHBAY_T_STR, word, .flags = PATCHBAY_F_REQUIRED, .help = "A word."),
	PATCHBAY_OPTION(struct options, PATCHBAY_T_ENUM, mode, .one_of = modes, .def = "a"),
};
bool use(patchbay_str s);
bool use(patchbay_str s) { return patchbay_eq(s, PATCHBAY_S("abc")) && table[1].offset == 16; }""",
}


def main(folder):
    wrong = tried = 0
    headers = sorted(os.listdir(os.path.join(folder, "patchbay")))
    for compiler, language in COMPILERS:
        if not shutil.which(compiler):
            print("no %s here" % compiler)
            continue
        for standard in STANDARDS[language]:
            for header in headers:
                flags = C + (ONLY_C if language == "c" else [])
                if header in CONVENIENCES:
                    flags = [f for f in flags if f != "-Wpadded"]
                source = "#include <patchbay/%s>\n#include <patchbay/%s>\n%s\n" % (header, header, USES.get(header, "extern int i;"))
                done = subprocess.run([compiler, "-x", language, "-std=" + standard, "-fsyntax-only", *flags, "-I", folder, "-"],
                                      input=source.encode(), capture_output=True)
                tried += 1
                if done.returncode:
                    wrong += 1
                    print("%s as %s, by %s:\n%s" % (header, standard, compiler, done.stderr.decode("utf-8", "replace")))
    print("%d headers, %d compilations, %d wrong" % (len(headers), tried, wrong))
    sys.exit(1 if wrong or not tried else 0)


main(*sys.argv[1:])
