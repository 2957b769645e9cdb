"""The participants' side: sending a file to a board and waiting for its verdict. It needs no extra."""
