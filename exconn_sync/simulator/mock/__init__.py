"""An exchange without a network, for unit tests that take milliseconds."""
