"""A story as a Python program, with pyOpenSSL or with ssl."""
