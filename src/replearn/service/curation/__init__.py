"""What of a set to keep: copies, leaks, outliers and likely wrong labels are found; nothing is deleted."""

from replearn.service.curation.findings import KINDS_OF, Finding, Findings, find
from replearn.service.curation.page import write_curation_page
from replearn.service.curation.table import keep_table, whole_table

__all__ = ["KINDS_OF", "Finding", "Findings", "find", "keep_table", "whole_table", "write_curation_page"]
