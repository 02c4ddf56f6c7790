

xPlaceholder
8
pPrintV2x*'
output_streamfile:///tmp/pwnd.txt"Ú