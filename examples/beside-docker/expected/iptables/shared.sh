#!/bin/sh
# Puts chains beside the rules of others, and takes them away again.
# Gateway `edge`, policy edge.tg: made by tunnelgate, output format revision 4.
# Change the policy, not this file.
#
#   sh shared.sh load      any number of times: the result is the same
#   sh shared.sh unload    nothing of ours stays
#
# Rules of others are neither changed nor moved. The first load puts each jump before them, and later
# ones leave it where it is; to have it first again, unload and load.
set -eu
cd "$(dirname "$0")"

# The built-in chains with a jump to ours: FORWARD to tg-FORWARD, and so on.
hooks='raw:PREROUTING raw:OUTPUT mangle:FORWARD mangle:POSTROUTING nat:PREROUTING nat:POSTROUTING filter:INPUT filter:FORWARD filter:OUTPUT'
tables='raw mangle nat filter'

# present PROGRAM TABLE: the names of our chains
present() { "$1" -w -t "$2" -S | sed -n 's/^-N \(tg-.*\)$/\1/p'; }

# declared FILE TABLE: those that a file makes
declared() { sed -n "/^[*]$2\$/,/^COMMIT\$/s/^:\\(tg-[^ ]*\\) .*\$/\\1/p" "$1"; }

# whole PROGRAM: are there rules of the whole layout, which stand in the built-in chains?
whole() { "$1" -w -S INPUT | grep -e ' -[gj] tg-' | grep -qvxF -e '-A INPUT -j tg-INPUT'; }

# drop PROGRAM TABLE NAMES: our chains but these
drop() {
	old=$(present "$1" "$2" | grep -vxF -e "$3") || return 0
	for name in $old; do "$1" -w -t "$2" -F "$name"; done
	for name in $old; do "$1" -w -t "$2" -X "$name"; done
}

# drop_sets NAMES: our sets but these; ipset destroys none that is in use
drop_sets() {
	command -v ipset > /dev/null || return 0
	ipset -n list | grep '^tg[46]-' | grep -vxF -e "$1" |
		while read -r name; do ipset -q destroy "$name" || true; done
}

# load PROGRAM FILE
load() {
	"$1-restore" -w --noflush < "$2"
	for hook in $hooks; do
		"$1" -w -t "${hook%:*}" -C "${hook#*:}" -j "tg-${hook#*:}" 2> /dev/null ||
			"$1" -w -t "${hook%:*}" -I "${hook#*:}" -j "tg-${hook#*:}"
	done
	for table in $tables; do drop "$1" "$table" "$(declared "$2" "$table")"; done
}

# unload PROGRAM
unload() {
	for hook in $hooks; do
		while "$1" -w -t "${hook%:*}" -D "${hook#*:}" -j "tg-${hook#*:}" 2> /dev/null; do :; done
	done
	for table in $tables; do drop "$1" "$table" ''; done
}

case "${1:-}" in
load)
	if whole iptables || whole ip6tables; then
		echo 'the tables hold a ruleset of the whole layout: flush them first' >&2
		exit 1
	fi
	load iptables rules.v4
	load ip6tables rules.v6
	drop_sets ''
	;;
unload)
	unload iptables
	unload ip6tables
	drop_sets ''
	;;
*)
	echo 'usage: sh shared.sh load|unload' >&2
	exit 2
	;;
esac
