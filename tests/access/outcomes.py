"""What a public function returns for each role, for an object in namespace A and for one in B.

"in" (a result), "none" (an empty result), "no" (permission denied), "404" (not found for this caller).
"""


def both(outcomes):
    """Uses the same outcomes for both namespaces, in the order of the roles."""
    return tuple((each, each) for each in outcomes.split())


NOBODY = both("no no no no no no")
LOOKERS = both("no in in in in in")
MAKERS = both("no no in in in in")
ADMINISTRATORS = both("no no no no in in")
EVERYBODY = both("in in in in in in")
# Kubeflow or the namespace decides who may read.
READERS = (("no", "no"), ("in", "404"), ("in", "404"), ("404", "in"), ("404", "404"), ("in", "in"))
HIDDEN = (("404", "404"), *READERS[1:])
SHOWN = (("none", "none"), ("in", "none"), ("in", "none"), ("none", "in"), ("none", "none"), ("in", "in"))
TAGGERS = (("no", "no"), ("no", "no"), ("in", "404"), ("404", "in"), ("404", "404"), ("in", "in"))
# A visualization may be changed by its owner with the permission to create, or by an administrator.
CHANGERS = (("no", "no"), ("no", "no"), ("in", "no"), ("no", "in"), ("in", "in"), ("in", "in"))
AGAIN = (("no", "no"), ("no", "no"), ("in", "no"), ("no", "in"), ("404", "404"), ("in", "in"))
ITS_PERSON = (("no", "no"), ("no", "no"), ("in", "no"), ("no", "in"), ("no", "no"), ("no", "no"))
