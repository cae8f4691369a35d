"""Write the bank that is kept here: run once for each version of the format, never over an older one."""

from pathlib import Path

from tests.store.flips import bank_file

if __name__ == "__main__":
    print(bank_file(Path(__file__).parent))
