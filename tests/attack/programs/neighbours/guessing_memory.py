"""Checks whether the next render has the same memory layout, random numbers and identifiers.

gains: information that helps to attack another render, if it could reach one
remains(landlock): the memory layout that all renders of a host share; no render can reach another
remains(bwrap): the memory layout that all renders of a host share; no render can reach another
remains(none): the memory layout that all renders of a host share
"""

import random
import uuid

import numpy

print("DRAWN", random.random(), numpy.random.rand(), uuid.uuid4())
tried("layout", hex(id(type)))
# === next render ===
gained("layout of memory", hex(id(type)))
