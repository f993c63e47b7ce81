"""What is done with a model; knows nothing of Streamlit, `core.ui` aside."""

__version__ = "0.2.0"
