square = 2
