"""`python -m streams`: the `concierge` command."""

from streams.cli.start import main

if __name__ == "__main__":
    main()
