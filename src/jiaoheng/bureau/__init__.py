"""The server of a bureau: Django apps over the library floor."""
