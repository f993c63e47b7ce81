"""A page that shows hostile texts in every way in which the pages show texts of files; run by `streamlit run`."""

import json
import os

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.plain_text import plain, plain_figure, plain_table

texts = json.loads(os.environ["HOSTILE_TEXTS"])
for text in texts:
    st.markdown(plain(text))
    st.markdown(f":orange-badge[{plain(text)}] **{plain(text)}** {plain(text)}")
    st.caption(plain(text))
    st.error(plain(text))
    st.header(plain(text), anchor=False)
st.table(plain_table(pd.DataFrame({text: [text] for text in texts})))
st.segmented_control("One", texts, format_func=plain)
figure = go.Figure([go.Scatter(x=[text], y=[1], name=text, text=[text], mode="markers+text") for text in texts])
figure.update_layout(title=texts[0], xaxis_title=texts[1])
st.plotly_chart(plain_figure(figure))
st.markdown("The end")
