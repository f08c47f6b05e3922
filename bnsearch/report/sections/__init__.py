"""The sections of a report: pure functions from records to what stands on the page, one file each."""
