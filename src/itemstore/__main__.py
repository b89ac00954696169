"""`python -m itemstore`: the `itemstore` command."""

from itemstore.cli.main import main

if __name__ == "__main__":
    main()
