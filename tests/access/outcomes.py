"""What a function of a service gives each role for an object in namespace A, and for one in B.

"in" (an answer), "none" (an empty one), "no" (refused for want of a right), "404" (not there for this caller).
"""


def both(outcomes):
    """The same for both namespaces: anonymous, viewer in A, member of A, member of B, administrator, superuser."""
    return tuple((each, each) for each in outcomes.split())


NOBODY = both("no no no no no no")
LOOKERS = both("no in in in in in")
MAKERS = both("no no in in in in")
ADMINISTRATORS = both("no no no no in in")
EVERYBODY = both("in in in in in in")
# Kubeflow, or the namespace, says who reads.
READERS = (("no", "no"), ("in", "404"), ("in", "404"), ("404", "in"), ("404", "404"), ("in", "in"))
HIDDEN = (("404", "404"), *READERS[1:])
SHOWN = (("none", "none"), ("in", "none"), ("in", "none"), ("none", "in"), ("none", "none"), ("in", "in"))
TAGGERS = (("no", "no"), ("no", "no"), ("in", "404"), ("404", "in"), ("404", "404"), ("in", "in"))
# A visualization is changed by its owner, who makes things, or by an administrator.
CHANGERS = (("no", "no"), ("no", "no"), ("in", "no"), ("no", "in"), ("in", "in"), ("in", "in"))
AGAIN = (("no", "no"), ("no", "no"), ("in", "no"), ("no", "in"), ("404", "404"), ("in", "in"))
ITS_PERSON = (("no", "no"), ("no", "no"), ("in", "no"), ("no", "in"), ("no", "no"), ("no", "no"))
