"""An order's path through the library, without signing and without a socket."""
