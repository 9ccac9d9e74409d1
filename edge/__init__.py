"""The edge: JSON in, gRPC through, one error shape out. All of it is made from the contracts."""
