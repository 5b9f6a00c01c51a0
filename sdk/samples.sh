#!/bin/sh
# Prints a C header with the text of each file as a string: order_paid.json becomes sample_order_paid. A text's last
# line feed is the editor's, not the provider's, and is left out.
#
#   sh samples.sh samples/* >samples.h
set -eu

for file; do
	id=$(basename "$file")
	id=$(printf %s "${id%%.*}" | tr -c A-Za-z0-9_ _)
	bytes=$(od -An -v -tx1 <"$file" | tr -d ' \n')
	printf 'static const char sample_%s[] = { ' "$id"
	printf '%s\n' "${bytes%0a}" | sed 's/../(char)0x&, /g; s/$/0 };/'
done
