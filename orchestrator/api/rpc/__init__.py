"""The public methods, one file per service: decode the request, call the use case, encode the answer."""
