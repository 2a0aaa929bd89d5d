"""Child processes: the Node bridge, the embedded Valkey, the simulator of the demo. None outlives its parent."""
