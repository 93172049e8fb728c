"""What people hold: command line, demo, local stack, emulator, sample catalog, proof."""
