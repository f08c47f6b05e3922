"""The parts of the page, a file for each question, and each a function of the runs."""
