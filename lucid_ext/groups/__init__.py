"""Activations as a few groups, and how stable these are."""

from lucid_ext.groups.factorize import METHODS, Groups, factorize, project

__all__ = ["METHODS", "Groups", "factorize", "project"]
