"""What is done with a model; knows nothing of Streamlit, `core.ui` aside."""
