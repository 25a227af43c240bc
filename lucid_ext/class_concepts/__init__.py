"""Concepts of a class: groups over the patches of many photographs, and what to call them."""
