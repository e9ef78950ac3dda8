"""Looks whether the next render has the same layout of memory, random numbers and identifiers.

gains: what helps to attack a render that it could reach
remains(landlock): the layout of memory of all renders of a host; there is no way from one to another
remains(bwrap): the layout of memory of all renders of a host; there is no way from one to another
remains(none): the layout of memory of all renders of a host
"""

import random
import uuid

import numpy

print("DRAWN", random.random(), numpy.random.rand(), uuid.uuid4())
tried("layout", hex(id(type)))
# === next render ===
gained("layout of memory", hex(id(type)))
