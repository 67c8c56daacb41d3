"""One call that deletes everything the server holds of a case.

`case` tells what belongs to it, `logs` takes its name out of the server's logs, `deletion` goes through everything in an
order in which it can be broken off, `routes` is the HTTP side. Importing this package imports none of them.
"""
