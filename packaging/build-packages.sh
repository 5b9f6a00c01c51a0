#!/bin/sh
# Makes the .deb and .rpm packages of Patchbay, their debug symbols and their source packages, on Debian 12 or a
# relative of it. What it needs is installed first. The same source gives the same packages, to the byte, wherever
# and whenever this runs.
#
#   sh packaging/build-packages.sh OUTDIR [deb|rpm]
#
# What is built is the last commit; without git, the tree as it is.
set -eu
umask 022
export LC_ALL=C.UTF-8 TZ=UTC

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
	echo "usage: $0 OUTDIR [deb|rpm]" >&2
	exit 2
fi
kinds=${2:-deb rpm}
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."

fail()
{
	echo "$0: $*" >&2
	exit 1
}

sh packaging/install-build-deps.sh --packages

# ---- The version, which three files state
version=$(sed -n 's/^project(patchbay VERSION \([0-9.]*\) .*/\1/p' CMakeLists.txt)
changelog=$(dpkg-parsechangelog -l packaging/debian/changelog -S Version)
spec=$(sed -n 's/^Version: *//p' packaging/rpm/patchbay.spec)
[ -n "$version" ] || fail "CMakeLists.txt states no version: there must be a line project(patchbay VERSION X.Y.Z ...)"
[ "${changelog%-*}" = "$version" ] ||
	fail "packaging/debian/changelog begins with version ${changelog%-*}, CMakeLists.txt says $version: write an entry for it"
[ "$spec" = "$version" ] || fail "packaging/rpm/patchbay.spec says version $spec, CMakeLists.txt $version: make them the same"
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l packaging/debian/changelog -S Timestamp)
export SOURCE_DATE_EPOCH

# ---- The source
work=$(mktemp -d "${TMPDIR:-/tmp}/patchbay-packages.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
tree=$work/patchbay-$version
mkdir "$tree"
if [ -e .git ] && git rev-parse HEAD >/dev/null 2>&1; then
	[ -z "$(git status --porcelain)" ] || echo "$0: warning: what is not committed is not in the packages" >&2
	git archive HEAD | tar -x -C "$tree"
else
	tar -c --exclude=./build* --exclude=./.git --exclude=./.cache --exclude=__pycache__ . | tar -x -C "$tree"
fi
chmod -R u=rwX,go=rX "$tree"
tar -c -C "$work" --sort=name --format=gnu --mtime=@"$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
	"patchbay-$version" | gzip -9n >"$work/patchbay-$version.tar.gz"

quietly() # LOG COMMAND...: shows what it said only if it failed
{
	log=$1
	shift
	"$@" >"$log" 2>&1 && return
	tail -n 40 "$log" >&2
	cp "$log" "$out/"
	fail "$1 failed; all that it said is in $out/${log##*/}"
}

build_deb()
{
	mkdir "$work/deb"
	cp "$work/patchbay-$version.tar.gz" "$work/deb/patchbay_$version.orig.tar.gz"
	tar -x -C "$work/deb" -f "$work/patchbay-$version.tar.gz"
	cd "$work/deb/patchbay-$version"
	cp -R packaging/debian debian
	DEB_BUILD_OPTIONS="terse ${DEB_BUILD_OPTIONS:-}" quietly "$work/deb.log" dpkg-buildpackage -us -uc
	cd ..
	for file in *; do
		[ -d "$file" ] || mv "$file" "$out/"
	done
}

build_rpm()
{
	mkdir "$work/rpm"
	# An .rpm holds its build's path, in the spec as it was run and in what tells debug symbols apart. Distributions
	# build in one place; so does this, behind a mount that nobody else sees.
	place=/mnt
	apart="unshare -m"
	[ "$(id -u)" -eq 0 ] || apart="unshare -r -m"
	if ! $apart mount --bind "$work" $place 2>/dev/null; then
		echo "$0: warning: nothing can be mounted here; the .rpm packages will differ from those of another machine" >&2
		place=$work
		apart=
	fi
	# Debian's packages provide none of the names in BuildRequires; install-build-deps.sh is what it goes by.
	quietly "$work/rpm.log" $apart sh -c '[ "$0" = "$1" ] || mount --bind "$0" "$1"; shift; exec "$@"' "$work" $place \
		rpmbuild -ba --nodeps --load "$place/patchbay-$version/packaging/rpm/debian.macros" \
		--define "_topdir $place/rpm" --define "_sourcedir $place" --define "_tmppath $place" \
		"$place/patchbay-$version/packaging/rpm/patchbay.spec"
	find "$work/rpm/RPMS" "$work/rpm/SRPMS" -name '*.rpm' -exec mv {} "$out/" \;
}

for kind in $kinds; do
	echo "building the .$kind packages"
	(build_"$kind")
done
ls "$out"
