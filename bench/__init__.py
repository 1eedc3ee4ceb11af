"""What we measure, and how. `make bench` runs `python -m bench`; see `bench/README.md`."""
