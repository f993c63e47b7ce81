"""The backbone: pre-trained on BUS-BRA, kept with its card."""
