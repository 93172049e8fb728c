"""`python -m commerce_sync` is the console script."""

from commerce_sync.cli import main

if __name__ == "__main__":
    main()
