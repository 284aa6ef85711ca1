"""``python -m autograder.cli`` does what ``autograder`` does."""

from autograder.cli import main

if __name__ == "__main__":
    main()
