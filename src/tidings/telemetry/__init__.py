"""What the stations of the line report, and who listens: log lines, counters and tests, all to the same facts."""
