"""The untrusted side: programs that the environments' interpreters run. The portal imports only some of its modules."""
