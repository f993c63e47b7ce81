PYTHON ?= python3
PORT ?= 8501
ADDRESS ?= 127.0.0.1
WORKERS ?= 2
TORCH_INDEX ?=
CPU ?=
TRAINING := torch|torchvision|onnx|scikit-learn|lifelines|firthmodels
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)

ifdef UV
CREATE = $(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
INSTALL = $(UV) pip install --compile-bytecode --python $(BIN)/python --constraints .constraints.txt
else
CREATE = $(PYTHON) -m venv .venv
INSTALL = $(BIN)/python -m pip install --disable-pip-version-check --constraint .constraints.txt
endif

.PHONY: app test check picture clean

app: .venv/app
ifneq ($(ADDRESS),127.0.0.1)
	@$(BIN)/python -c 'import sys; from core.ui.login import refuse_start; sys.exit(refuse_start("$(ADDRESS)"))'
endif
	@exec $(BIN)/streamlit run app.py --server.address $(ADDRESS) --server.port $(PORT)

test: .venv/test check
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder --durations 15

check: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest tests/test_architecture.py

picture: .venv/test
	$(BIN)/python -m tests.pages.picture

.venv/app: requirements.txt .constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("SonoKi needs Python 3.11 or newer; set PYTHON=" if sys.version_info < (3, 11) else 0)'
ifneq ($(CPU),)
	@echo "Installing SonoKi into .venv without what only training needs: about two minutes, 1.2 GB."
else
	@echo "Installing SonoKi into .venv: a few minutes, 7.5 GB with torch's CUDA libraries (CPU=1 does without training)."
endif
	$(CREATE)
	@date +%s >.venv/started
ifneq ($(CPU),)
	grep -vE '^($(TRAINING))[<>=]' requirements.txt | $(INSTALL) -r /dev/stdin
else
ifneq ($(TORCH_INDEX),)
	grep -E '^torch(vision)?[<>=]' requirements.txt | $(INSTALL) --index-url $(TORCH_INDEX) -r /dev/stdin
endif
	$(INSTALL) -r requirements.txt
endif
	@echo "Installed in $$(($$(date +%s) - $$(cat .venv/started))) seconds."
	@touch $@

.venv/test: .venv/app tests/requirements.txt
	@echo "Installing the test tools into .venv: about a minute."
	$(INSTALL) -r requirements.txt -r tests/requirements.txt
	@touch $@

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
