"""The lesion segmenter: trained on the clinics' masks, kept with its card."""
