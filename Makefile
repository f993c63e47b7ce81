PYTHON ?= python3
PORT ?= 8501
ADDRESS ?= 127.0.0.1
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)

ifdef UV
CREATE = $(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
INSTALL = $(UV) pip install --quiet --python $(BIN)/python
else
CREATE = $(PYTHON) -m venv .venv
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif

.PHONY: app test check clean

app: .venv/app
ifneq ($(ADDRESS),127.0.0.1)
	@$(BIN)/python -c 'import sys; from core.ui.login import refuse_start; sys.exit(refuse_start("$(ADDRESS)"))'
endif
	@echo "SonoKi: http://$(ADDRESS):$(PORT)"
	@exec $(BIN)/streamlit run app.py --server.address $(ADDRESS) --server.port $(PORT)

test: .venv/test check
	$(BIN)/pytest

check: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest tests/test_architecture.py

.venv/app: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("SonoKi needs Python 3.11 or newer; set PYTHON=" if sys.version_info < (3, 11) else 0)'
	$(CREATE)
	$(INSTALL) -r requirements.txt
	@touch $@

.venv/test: .venv/app tests/requirements.txt
	$(INSTALL) -r tests/requirements.txt
	@touch $@

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
