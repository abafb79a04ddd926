"""What only a person at a computer needs: speech now, the desktop program to come."""
