"""Server programs that people run, each configured for a case: nginx, haproxy, Apache httpd, stunnel."""
