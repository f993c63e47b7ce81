"""The lesion segmenter: trained on BUS-BRA's masks, kept with its card."""
