# One command each: `make serve` starts the server, `make test` runs the tests. Needs Python 3.11 and make; some tests, the Debian packages in .ci/run.

PYTHON ?= python3.11
VENV := .venv
HOST = 127.0.0.1
PORT ?= 8000
STUDIES ?= sample-data
OWNER ?= OWNER

BIN := $(VENV)/bin
EXPORT := build/SlicerUMADDPM
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: help serve test soak extension lint clean

help:  ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1\t/'

serve: $(VENV)/.serve  ## install once, start the MONAI Label server, show it at work (PORT=, HOST=, STUDIES=)
	@$(BIN)/umaddpm serve --host "$(HOST)" --port "$(PORT)" --studies "$(STUDIES)"

test: $(VENV)/.test  ## install once, run all tests
	@$(BIN)/python -m pytest $(ARGS)

soak: $(VENV)/.test  ## what the server withstands, in full; up to an hour, writes docs/reliability.md
	@$(BIN)/python benchmarks/soak

extension:  ## the Slicer extension as a repository of its own in build/SlicerUMADDPM (OWNER= its owner on GitHub)
	@rm -rf $(EXPORT) && mkdir -p $(EXPORT)/SampleData
	@git archive HEAD:slicer_extension | tar -x -C $(EXPORT)
	@cp sample-data/*.nii.gz $(EXPORT)/SampleData/
	@grep -rlI 'com/OWNER/SlicerUMADDPM' $(EXPORT) | xargs perl -pi -e 's{com/OWNER/SlicerUMADDPM}{com/$(OWNER)/SlicerUMADDPM}g'
	@echo "$(EXPORT): the committed state, for github.com/$(OWNER)/SlicerUMADDPM; give that repository the topic 3d-slicer-extension."

lint: $(VENV)/.test  ## only the contract on which part may import which
	@$(BIN)/lint-imports

clean:  ## remove the installation and what was built
	rm -rf $(VENV) build *.egg-info

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed (PYTHON=... names it)."; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# The stamp is written last: an installation that was broken off is done again.
$(VENV)/.serve: $(VENV)/bin/python setup.cfg constraints.txt
	@echo "Installing into $(VENV) (once; some minutes) ..."
	@$(PIP) --editable '.[serve]'
	@touch $@

$(VENV)/.test: $(VENV)/.serve
	@$(PIP) --editable '.[serve,test]'
	@touch $@
