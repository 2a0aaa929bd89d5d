"""Calls out to the endpoints of companies: addresses are guarded, bodies signed, answers reduced to what matters."""
