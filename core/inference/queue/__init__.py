"""One owner of the networks, and the queue before it: cases before cohorts."""
