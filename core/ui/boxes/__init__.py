"""The page Boxes: lesion boxes drawn in the images of a cohort, by one reader or two."""
