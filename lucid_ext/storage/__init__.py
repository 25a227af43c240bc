"""What lies on disk: files written whole, sheets of small pictures, fields that hold what they declare."""
