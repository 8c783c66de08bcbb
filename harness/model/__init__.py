"""The words of the harness as frozen data; standard library only, no input or output."""
