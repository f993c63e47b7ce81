"""One cohort through the whole evaluation: splits, subgroups, lymph nodes, Table 1."""
