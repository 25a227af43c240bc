"""Activations as a few groups, and how stable these are."""

from lucid_ext.groups.factorize import Groups, factorize

__all__ = ["Groups", "factorize"]
