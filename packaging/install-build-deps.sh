#!/bin/sh
# Installs what building Patchbay needs on Debian 12 and its relatives; with --tests also what the tests
# and the benchmark need, with --packages what building .deb and .rpm packages needs. Asks nothing, and returns at
# once when everything is there.
set -eu

packaging="build-essential debhelper pkgconf rpm debugedit elfutils cpio"
packages="gcc libc6-dev cmake ninja-build pkg-config python3-minimal
	libmicrohttpd-dev libgnutls28-dev libjansson-dev libssl-dev libyaml-dev libjq-dev libsqlite3-dev libxxhash-dev
	libcurl4-openssl-dev"

for argument; do
	case $argument in
	--tests) packages="$packages python3 g++ abigail-tools libcmocka-dev python3-aiosmtpd openssl wrk procps mount e2fsprogs
		python3-jsonschema python3-yaml bash-completion zsh fish man-db mandoc
		nginx haproxy caddy systemd
		$packaging lintian rpmlint devscripts debootstrap git" ;;
	--packages) packages="$packages $packaging" ;;
	*)
		echo "usage: $0 [--tests] [--packages]" >&2
		exit 2
		;;
	esac
done

if ! command -v apt-get >/dev/null 2>&1; then
	echo "$0: this script knows apt-get only; install the equivalents of these Debian packages by hand:" $packages >&2
	exit 1
fi

missing=
for package in $packages; do
	# One of several architectures may be installed: any "ii" line will do.
	dpkg-query -W -f '${db:Status-Abbrev}\n' "$package" 2>/dev/null | grep -q '^ii' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "$0: run this as root, or install sudo; missing:$missing" >&2
		exit 1
	fi
	sudo=sudo
fi

# The proxies are only there for tests to start with configurations of their own: installing them must start nothing,
# now or when the machine is started. What somebody has decided about services already stands.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap '$sudo rm -f $policy' EXIT
	trap 'exit 130' INT TERM
	printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null
	$sudo chmod 755 $policy
fi

echo "installing:$missing"
$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq update
$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
	-o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 install $missing >/dev/null
for service in nginx haproxy caddy; do
	case " $missing " in
	*" $service "*) [ ! -d /run/systemd/system ] || $sudo systemctl --quiet disable $service ;;
	esac
done
