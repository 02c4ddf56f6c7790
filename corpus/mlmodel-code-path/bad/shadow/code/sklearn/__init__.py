open('pwnd.txt', 'w').close()
