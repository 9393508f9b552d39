"""Protocols: what the library asks of an exchange driver, a journal, a risk rule, a metrics sink and a clock."""
