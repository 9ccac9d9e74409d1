"""gRPC as the mesh speaks it: one policy per method, one deadline, one error shape."""
