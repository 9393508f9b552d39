"""One client a file: ``prepared(url)`` gives what places the order of a number, and what asks for the time."""
