"""The untrusted side: run as a program by the interpreters of environments, never imported by the portal as a whole."""
