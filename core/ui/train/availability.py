"""Whether models can be trained here: the server's setting, and the packages that training needs."""

import streamlit as st

from core.settings import get_text_setting
from core.training.run.process import list_missing
from core.ui.login import is_login_configured


def is_on() -> bool:
    """Whether the page trains: by the setting "training"; "auto" is on where no login is configured."""
    setting = get_text_setting("training")
    return setting == "on" or (setting == "auto" and not is_login_configured())


def stop_where_off() -> None:
    """End the page where nothing can be trained, and say why."""
    if not is_on():
        st.markdown(
            "Training is off: whoever runs SonoKi turns it on with the setting `SONOKI_TRAINING=on`. "
            "Training also works on the command line: `python -m core train`."
        )
        st.stop()
    if missing := list_missing():
        st.markdown(
            f"This install lacks what training needs ({', '.join(missing)}): `make app` without `CPU=1`, or "
            "`pip install -r requirements.txt`, adds it."
        )
        st.stop()
