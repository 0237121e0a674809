"""Reports as one HTML page that needs nothing else: no network, no script."""

from crmkit_cli.report_page.page import page_of

__all__ = ["page_of"]
