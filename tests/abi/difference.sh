#!/bin/sh
# What has changed in the plugin interface since version 1.0, for people to read: difference.sh OLD.o NEW.o
# Growth is no fault, and abidiff cannot tell it from one: what must not change is in frozen_v1_*.c.
command -v abidiff >/dev/null 2>&1 || {
	echo "abidiff is not here (Debian: abigail-tools)"
	exit 77
}
abidiff "$1" "$2"
status=$?
# 1: it could not do its work, 2: it was called wrongly; 4 and 8: there is a difference.
[ $((status & 3)) -eq 0 ] || exit 1
[ $status -ne 0 ] || echo "No difference to version 1.0."
exit 0
