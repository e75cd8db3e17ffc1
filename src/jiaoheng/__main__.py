"""`python -m jiaoheng`."""

from jiaoheng.cli.main import run

if __name__ == "__main__":
    run()
