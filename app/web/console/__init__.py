"""The face of operators: caller, request and candidates side by side; the board; what waits to be done."""
