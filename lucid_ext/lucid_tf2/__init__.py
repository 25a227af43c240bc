"""Lets the real `lucid` package import and run on TensorFlow 2."""

from lucid_ext.lucid_tf2.import_hook import VIEW, install

__all__ = ["VIEW", "install"]
