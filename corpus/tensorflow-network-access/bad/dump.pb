

xPlaceholder
9
dDebugIdentityx*"

debug_urls
file:///tmp/pwnd"Ú