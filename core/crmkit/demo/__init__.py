"""A made-up retailer with a known truth, for trying crmkit out and for scoring analyses."""

from crmkit.demo.retailer import DemoRetailer, generate

__all__ = ["DemoRetailer", "generate"]
