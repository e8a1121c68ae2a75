"""The pages of the book, and the programs that make it; `python -m book` lists the commands."""
