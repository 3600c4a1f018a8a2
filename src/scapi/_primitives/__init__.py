"""What differs between an event loop and threads, written twice by hand, and what both stand on."""
