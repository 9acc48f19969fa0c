# Everything for a fresh machine: Python 3.11 or newer with venv, root or not.
#
#   make demo   install into .venv and see what tunnelgate does
#   make test   all checks and tests; as root it installs the tools that they need
#   make bench  how long it takes
#   make sabotage  how many changes of emitted rulesets the proof catches
#   make test-vm   gateways that are endpoints, and tracked ESP, with IPsec on an emulated machine
#   make test-corpora CORPORA=FOLDER   hold the reader of pf.conf to rulesets of pfctl's own tests
#   make docs   write the generated pages and schemas anew

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SOURCES := compiler/tunnelgate grammar/tunnelgate_grammar targets/tunnelgate_targets
# What the tests talk to the kernel with, and shells that complete: the program and its Debian package.
TOOLS  := nft:nftables iptables:iptables ipset:ipset conntrack:conntrack ip:iproute2 unshare:util-linux sysctl:procps zsh:zsh fish:fish
JOBS   ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test test-vm test-corpora lint unit bench sabotage docs tools clean

help:
	@sed -n 's/^#   //p' Makefile

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

# A file says which state of pyproject.toml is installed.
$(VENV)/installed: $(BIN)/python pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed tools/dev_requirements.py
	$(BIN)/python tools/dev_requirements.py > $(VENV)/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement $(VENV)/dev.txt
	@touch $@

demo: $(VENV)/installed
	@echo '--- tunnelgate compile examples/branch-office/branch.tg'
	@$(BIN)/tunnelgate compile examples/branch-office/branch.tg
	@echo
	@echo '--- tunnelgate check examples/branch-office/broken.tg'
	@$(BIN)/tunnelgate check examples/branch-office/broken.tg; echo "exit status $$?"

test: $(VENV)/installed-dev tools lint unit

lint: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/installed-dev tools
	$(BIN)/pytest -n $(JOBS) --dist loadscope

# A folder of NAME.in and NAME.ok, as in the regression suites of OpenBSD and FreeBSD (pfctl).
test-corpora: $(VENV)/installed-dev
	@test -n "$(CORPORA)" || { echo "say which folder: make test-corpora CORPORA=FOLDER"; exit 2; }
	PYTHONPATH=compiler:grammar:targets $(BIN)/python tests/pf/corpus.py "$(CORPORA)"

# What it needs beside the tests' tools is downloaded into build/vm with apt-get, and unpacked there.
test-vm: $(VENV)/installed-dev
	PYTHONPATH=tests/kernel:tests/meaning:tests/pf:tests/generate:tests/vm/guest $(BIN)/python tests/vm

bench: $(VENV)/installed-dev
	$(BIN)/python tests/bench

sabotage: $(VENV)/installed-dev
	$(BIN)/python tests/proof/sabotage

docs: $(VENV)/installed-dev
	$(BIN)/python tools/generate.py

# Installed when root and missing; else said. `CI=true` makes what is missing a failure.
tools:
	@missing=""; \
	for tool in $(TOOLS); do \
	  PATH="$$PATH:/usr/sbin:/sbin" command -v $${tool%%:*} >/dev/null || missing="$$missing $${tool#*:}"; \
	done; \
	/usr/bin/python3 -c 'import nftables' 2>/dev/null || missing="$$missing python3-nftables"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing; \
	else \
	  echo "not installed:$$missing"; \
	  echo "the tests that need them are skipped; install them with: apt-get install$$missing"; \
	  [ "$${CI:-}" != true ]; \
	fi

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
