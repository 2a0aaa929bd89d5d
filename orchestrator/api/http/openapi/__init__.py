"""The OpenAPI 3.1 document, made from the contract's descriptors and their comments."""
