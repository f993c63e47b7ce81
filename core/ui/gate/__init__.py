"""The gate between browsers and Streamlit: who is let in, and what they may send."""
